// How long the page's article is looked at: told of readers who agreed, a stretch at a time, unless the page tells it itself.
let stretch = null, own = false;
const look = (away = document.hidden) => {
  const host = document.querySelector('guess-you-like[article]:not([article=""])'), agreed = (one) => choice(one) === "yes";
  const article = host && !away && !own && agreed(host) ? host.getAttribute("article") : null;
  if (article === stretch?.article) return;
  const dwell_ms = Math.min(Math.round(performance.now() - stretch?.since), 18e5); // nobody reads an article for longer
  if (dwell_ms >= 1000 && !own && agreed(stretch.host)) {
    const all = [stretch.host, ...document.querySelectorAll("guess-you-like")]; // a list beside the article vouches for its reader
    const { impression, place: slot } = all.find(({ beside }) => beside === stretch.article) || {};
    send(stretch.host, [{ kind: "dwell", article: stretch.article, dwell_ms, impression, slot }]);
  }
  stretch = article && { host, article, since: performance.now() };
};
