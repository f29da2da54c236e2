// What is kept in this browser: the reader's choice; with consent an id; in the mode "browser" the last articles.
const memory = new Map();
const keep = (key, value, store = "localStorage") => { // no value: reads; null: removes; where refused, of this page
  try {
    const box = window[store];
    if (value !== undefined) memory.delete(key);
    if (value === null) box.removeItem(key);
    else if (value !== undefined) box.setItem(key, value);
    return box.getItem(key) ?? memory.get(key) ?? null;
  } catch {
    if (value !== undefined) memory.set(key, value);
    return memory.get(key) ?? null;
  }
};
const parsed = (text) => {
  try { return JSON.parse(text) || {}; } catch { return {}; }
};
const uuid = () => crypto.randomUUID?.() || // which plain http lacks
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, 0)).join("");
const home = (host) => (host.getAttribute("endpoint") || HOME).replace(/\/+$/, "");
const first = () => document.querySelector("guess-you-like") || document.documentElement;

// Consent: "yes", "no", "browser", or "" where nobody has said anything; then nothing is kept, as with "no".
const signal = () => [navigator.doNotTrack, window.doNotTrack].includes("1") || navigator.globalPrivacyControl === true;
const choice = (host) => {
  if (signal() || host.closest("[data-personalisation=off]")) return "no";
  return keep("gyl-consent") || { given: "yes", browser: "browser" }[host.getAttribute("consent")] || "";
};
const refused = new Set(); // tokens that the recommender does not take
const credentials = (host) => {
  const reader = host.getAttribute("reader"), token = host.getAttribute("reader-token");
  const mine = reader ? { reader, token } : parsed(keep("gyl-reader@" + home(host)));
  return mine.reader && !refused.has(mine.token) ? mine : {};
};
const identity = (host) => {
  if (choice(host) !== "yes") return {};
  const session = keep("gyl-session", undefined, "sessionStorage") || keep("gyl-session", uuid(), "sessionStorage");
  return { ...credentials(host), session };
};
let asking = {}; // endpoint -> the one question for an id; forgotten when the choice changes
const admit = async (host) => { // an id for a reader who agreed; once a week another token for the same one
  const base = home(host), mine = asking, had = credentials(host);
  if (choice(host) !== "yes" || host.getAttribute("reader") || Date.now() - had.at < WEEK) return;
  await (mine[base] ||= (async () => {
    try {
      const headers = had.token ? { "Reader-Token": had.token } : {};
      const options = { method: "POST", body: "{}", headers, credentials: "omit", signal: AbortSignal.timeout(PATIENCE) };
      const answer = await fetch(base + "/api/v1/readers", options);
      const { reader, token } = answer.status === 201 ? await answer.json() : {};
      const now = credentials(host).reader; // another tab may have been quicker
      if (reader && mine === asking && [undefined, had.reader].includes(now)) keep("gyl-reader@" + base, JSON.stringify({ reader, token, at: Date.now() }));
    } catch { // a stranger until the next list
    }
    delete mine[base];
  })());
};
const recent = () => Object.values(parsed(keep("gyl-recent"))).map(String).slice(0, RECENT);
const opened = (host, article) => {
  if (choice(host) === "browser") keep("gyl-recent", JSON.stringify([...new Set([String(article), ...recent()])].slice(0, RECENT)));
};
const forget = (but) => {
  let names = [...memory.keys()];
  try { names = names.concat(Object.keys(localStorage)); } catch {} // memory alone
  for (const name of names) if (/^gyl-(reader|recent|session)/.test(name) && !name.startsWith(but)) keep(name, null);
  if (but !== "gyl-reader") keep("gyl-session", null, "sessionStorage");
};
const consent = (given) => {
  if (given === undefined) return choice(first());
  const said = given === "browser" ? given : given ? "yes" : "no";
  if (keep("gyl-consent") !== said) asking = {};
  forget({ yes: "gyl-reader", browser: "gyl-recent" }[said]);
  keep("gyl-consent", said);
  dispatchEvent(new CustomEvent("gyl-consent", { detail: said }));
  return said;
};

const send = (host, events) => { // as text/plain: no preflight, and it outlives the page
  const { reader = null, session = null, token } = identity(host);
  const body = JSON.stringify({ events: events.map((e) => ({ event_id: uuid(), reader, session, ...e })), ...(token && { reader_token: token }) });
  const url = home(host) + "/api/v1/events";
  for (const { kind, article } of events) if (kind === "click") opened(host, article);
  if (navigator.sendBeacon?.(url, body)) return;
  fetch(url, { method: "POST", body, keepalive: true, credentials: "omit" }).catch(() => {});
};
