/* The demo site's few lines: theme and the reader's choice before the first paint, then the stories that were opened. */
(() => {
  "use strict";
  const root = document.documentElement;
  const memory = {};
  const remember = (key, value) => {
    try {
      if (value !== undefined) localStorage.setItem(key, value);
      return localStorage.getItem(key);
    } catch { // storage is refused: the choice lasts as long as the page
      if (value !== undefined) memory[key] = value;
      return memory[key];
    }
  };
  const theme = remember("theme");
  if (theme) root.dataset.theme = theme;
  // What the reader chose, which the widget keeps; a browser that asks not to be tracked has chosen for them.
  const chosen = (said = remember("gyl-consent")) => {
    const signal = navigator.doNotTrack === "1" || navigator.globalPrivacyControl === true;
    root.dataset.consent = signal ? "signal" : said || "no";
    root.toggleAttribute("data-ask", !signal && !said);
  };
  chosen();
  addEventListener("gyl-consent", (event) => chosen(event.detail));
  addEventListener("storage", () => chosen()); // of another tab

  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const answer = (consent) => {
    document.querySelector("[data-act=personalisation]").focus({ preventScroll: true });
    window.GuessYouLike?.consent(consent);
  };
  const act = {
    theme: () => (root.dataset.theme = remember("theme", isDark() ? "light" : "dark")),
    personalisation: () => {
      root.toggleAttribute("data-ask", root.dataset.consent !== "signal");
      document.querySelector(".consent").focus();
    },
    yes: () => answer(true),
    browser: () => answer("browser"),
    no: () => answer(false),
  };
  const clicked = (event) => {
    const button = event.target.closest("button[data-act]");
    if (button && event.type === "click") act[button.dataset.act]();
    const card = event.target.closest("a[data-article]");
    if (!card || event.button > 1 || !window.GuessYouLike) return;
    const { article, slot, position } = card.dataset;
    window.GuessYouLike.record("click", article, { slot, position: Number(position) });
  };
  // A story reached from another site, a bookmark or the address bar is read as well; one reached by a link of this
  // site was told already, by the card that was clicked.
  addEventListener("load", () => {
    const story = document.querySelector("article[data-story]")?.dataset.story;
    const [visit] = performance.getEntriesByType("navigation");
    const inside = document.referrer && new URL(document.referrer).origin === location.origin;
    if (story && !inside && visit?.type === "navigate") window.GuessYouLike?.record("click", story, { slot: "direct" });
  });
  // The reader's own tags, drawn like an article's: the bar and the stem of a T.
  const make = (tag, fields = {}, ...inside) => {
    const made = Object.assign(document.createElement(tag), fields);
    made.append(...inside);
    return made;
  };
  const drawn = (name, lengths) => { // rectangles one after the other, each a share of the whole width
    const space = "http://www.w3.org/2000/svg", picture = document.createElementNS(space, "svg");
    picture.setAttribute("class", name);
    picture.setAttribute("aria-hidden", "true");
    lengths.reduce((x, length, place) => {
      const part = picture.appendChild(document.createElementNS(space, "rect"));
      for (const [key, value] of Object.entries({ x: `${x}%`, width: `${length}%`, height: "100%", class: `p${place}` })) part.setAttribute(key, value);
      return x + length;
    }, 0);
    return picture;
  };
  const percent = (weight) => `${Math.max(1, Math.round(100 * weight))}%`;
  const tee = ({ bar, stem }, place) => {
    const link = (tag, name) => make("a", { className: name, textContent: tag.name, href: `${place.dataset.tags}/${encodeURIComponent(tag.tag)}` });
    const share = (tag, name) => make("span", { className: name, textContent: `${place.dataset.share} ${percent(tag.weight)}` });
    const most = Math.max(...stem.map((tag) => tag.weight));
    return make("section", { className: "tee own" },
      make("div", { className: "bar" }, make("ul", {}, ...bar.map((tag, n) => make("li", { className: `p${n}` }, link(tag, "chip main"), " ", share(tag, "sure"))))),
      drawn("beam", bar.map((tag) => 100 * tag.weight)),
      make("ul", { className: "stem" }, ...stem.map((tag) => make("li", { title: percent(tag.weight) }, link(tag, ""), drawn("length", [(100 * tag.weight) / most]), share(tag, "hidden")))));
  };
  const showProfile = async () => {
    const place = document.querySelector("[data-profile]");
    if (!place) return;
    const told = place.querySelector(".told"), { reader, session, token } = window.GuessYouLike?.identity() || {};
    if (!reader) return void (told.textContent = place.dataset[root.dataset.consent === "browser" ? "browser" : "off"]);
    try {
      const query = new URLSearchParams({ session, lang: root.lang.slice(0, 2) });
      const answer = await fetch(`/api/v1/readers/${encodeURIComponent(reader)}/tags?${query}`, { cache: "no-store", headers: token ? { "Reader-Token": token } : {} });
      if (!answer.ok) throw answer;
      const { clicks, tags } = await answer.json();
      told.textContent = clicks ? place.dataset.from.replace("{clicks}", clicks) : place.dataset.none;
      if (clicks) place.append(tee(tags, place));
    } catch {
      told.textContent = place.dataset.error;
    }
  };
  addEventListener("load", showProfile);
  document.addEventListener("click", clicked);
  document.addEventListener("auxclick", clicked);
})();
