/* The demo site's few lines: theme and personalisation before the first paint, then the clicks on its own cards. */
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
  document.addEventListener("click", clicked);
  document.addEventListener("auxclick", clicked);
})();
