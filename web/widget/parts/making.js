const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const safe = (address) => { // http, https and relative addresses; anything else is no link at all
  try {
    const url = new URL(address, document.baseURI);
    return /^https?:$/.test(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
};
const make = (tag, text = "", fields = {}) => Object.assign(document.createElement(tag), { textContent: text ?? "" }, fields);
const ago = (time, now, lang) => {
  try { Intl.getCanonicalLocales(lang); } catch { lang = "en"; } // no code at all
  const minutes = Math.ceil((time - now) / 6e4); // negative: the past
  if (minutes > 0 || minutes <= -10080) return new Intl.DateTimeFormat(lang, { dateStyle: "medium" }).format(time);
  const [size, unit] = minutes > -60 ? [1, "minute"] : minutes > -1440 ? [60, "hour"] : [1440, "day"];
  return new Intl.RelativeTimeFormat(lang).format(Math.ceil(minutes / size), unit);
};
