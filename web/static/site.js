/* The demo site's few lines: theme and personalisation before the first paint, then the stories that were opened. */
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
  if (remember("personalisation") === "off") root.dataset.personalisation = "off";

  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const act = {
    theme: () => (root.dataset.theme = remember("theme", isDark() ? "light" : "dark")),
    personalisation: () => {
      remember("personalisation", root.dataset.personalisation === "off" ? "on" : "off");
      location.reload();
    },
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
  document.addEventListener("click", clicked);
  document.addEventListener("auxclick", clicked);
})();
