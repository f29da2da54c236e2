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
    if (story && !inside && visit?.type === "navigate") opened(story);
  });
  // Without an id it counts by the token of a list that stands beside it, which is waited for.
  const opened = (story) => {
    const listed = () => [...document.querySelectorAll("guess-you-like")].find(({ impression }) => impression)?.impression;
    let told = false;
    const tell = () => told || (told = true, window.GuessYouLike?.record("click", story, { slot: "direct", impression: listed() }));
    if (listed() || !window.GuessYouLike) return tell();
    addEventListener("gyl-state", ({ detail }) => detail !== "loading" && tell());
    addEventListener("pagehide", tell);
  };
  document.addEventListener("click", clicked);
  document.addEventListener("auxclick", clicked);
})();
