const violations = []; // what the page's Content-Security-Policy kept out
document.addEventListener("securitypolicyviolation", (event) => violations.push(event));
const forbidden = async (address, directive) => { // a violation is told after the failure
  await sleep(100);
  return violations.some((one) => one.effectiveDirective === directive && one.blockedURI.startsWith(new URL(address, location.href).origin));
};
const said = new Set();
const warn = (sentence) => said.has(sentence) || (said.add(sentence), console.warn("guess-you-like: " + sentence));
const trouble = async (base, error) => { // why there is no list, in one sentence: expected, got, what to do
  const { origin } = new URL(base, location.href);
  if (await forbidden(base, "connect-src")) return `expected a list from ${base}, but this page's Content-Security-Policy forbids it: add ${origin} to its connect-src.`;
  if (location.protocol === "https:" && origin.startsWith("http:")) return `expected an https address in endpoint, because this page came by https; got ${base}: put a TLS proxy before the recommender.`;
  if (error.slow) return `expected a list from ${base} within ${PATIENCE / 1000} s, got none: is the recommender overloaded, or a proxy waiting?`;
  if (error.status) return `expected a list from ${base}, got status ${error.status}${error.detail ? ` (${error.detail})` : ""}: ${error.status === 404 ? "does the address lack the path prefix, or is the article unknown?" : error.status < 500 ? "look at the attributes of the element." : "look at the recommender's log."}`;
  if (error.json) return `expected JSON from ${base}, got something else: does endpoint name the recommender, with its path prefix?`;
  if (!navigator.onLine) return `expected a list from ${base}, but this browser is offline: it asks again when it is back.`;
  return `expected an answer from ${base}, got none: is the address right, the recommender running, and its Access-Control-Allow-Origin left in place by the proxy?`;
};
