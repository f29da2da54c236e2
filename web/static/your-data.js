/* The reader's own page: what is known, and what they choose of it. The token comes in the fragment, which no server sees. */
(() => {
  "use strict";
  const place = document.querySelector(".yours"), words = JSON.parse(place.dataset.words), lang = document.documentElement.lang.slice(0, 2);
  const status = place.querySelector(".status"), facts = place.querySelector(".facts"), sure = document.getElementById("sure");
  const button = (name) => place.querySelector(`[data-own="${name}"]`);
  const stored = (store, key, value) => {
    try {
      if (value !== undefined) value === null ? window[store].removeItem(key) : window[store].setItem(key, value);
      return window[store].getItem(key);
    } catch { // storage is refused: the token lasts as long as the page
      return null;
    }
  };
  const parsed = (text) => { try { return JSON.parse(text) || {}; } catch { return {}; } };
  const home = new URL(place.dataset.home, location.href).href.replace(/\/+$/, ""); // as the widget names it
  const widget = "gyl-reader@" + home, KEPT = "gyl-own-page@" + home;
  let token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    stored("sessionStorage", KEPT, token); // for another language, or a reload
    history.replaceState(null, "", location.pathname + location.search);
  }
  token = token || stored("sessionStorage", KEPT) || parsed(stored("localStorage", widget)).token;

  const ask = async (method, path, body) => {
    const headers = { "Reader-Token": token, ...(body && { "Content-Type": "application/json" }) };
    const answer = await fetch(`${home}/api/v1/reader${path}` + (path.includes("/tags/") ? "" : `?lang=${lang}`), {
      method, headers, body: body && JSON.stringify(body), cache: "no-store", credentials: "omit",
    });
    if (!answer.ok) throw answer;
    return answer;
  };
  const make = (tag, fields = {}, ...inside) => {
    const made = Object.assign(document.createElement(tag), fields);
    made.append(...inside);
    return made;
  };
  const said = (text) => { status.textContent = text; };
  const failed = (error) => said([401, 403].includes(error?.status) ? words.expired : words.error);
  const day = (ms) => ms ? new Date(ms).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" }) : "–";

  const drawTags = ({ bar, stem }) => {
    const list = place.querySelector(".own-tags"), tags = [...bar, ...stem];
    list.replaceChildren(...tags.map((tag) => {
      const state = tag.chosen === 0 ? words.removed : tag.chosen < 1 ? words.weakened : `${Math.max(1, Math.round(100 * tag.weight))} %`;
      const act = (text, weight) => make("button", { type: "button", className: "do", textContent: text, ariaLabel: `${text}: ${tag.name}`, onclick: () => choose(tag, weight) });
      const acts = tag.chosen < 1 ? [act(words.undo, null)] : [act(words.less, 0.5), act(words.none, 0)];
      const row = make("li", { className: tag.chosen === 0 ? "gone" : "" }, make("span", { className: "name", textContent: tag.name }), make("span", { className: "weight", textContent: state }), ...acts);
      row.dataset.tag = tag.tag;
      return row;
    }));
    if (!tags.length) list.append(make("li", { textContent: words.no_tags }));
  };
  const drawSwitch = (on) => {
    button("switch").ariaChecked = String(on);
    button("switch").querySelector("strong").textContent = on ? words.is_on : words.is_off;
  };
  const minutes = (ms) => (0 < ms && ms < 60000 ? "< 1" : Math.round(ms / 60000));
  const draw = (known) => {
    drawSwitch(known.personalisation);
    place.querySelector(".says").textContent = known.says;
    const rows = [
      [words.since, day(known.since)], [words.kept, known.kept_until ? day(known.kept_until) : words.until_forgotten],
      [words.shown, known.shown], [words.clicks, known.clicks], [words.dismissed, known.dismissed],
      [words.dwell, `${minutes(known.dwell_ms)} ${words.minutes}`],
    ];
    place.querySelector("dl").replaceChildren(...rows.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]));
    drawTags(known.tags);
    const reads = known.recent.map((read) => make("li", {},
      read.title ? make("a", { href: `${home}/article/` + encodeURIComponent(read.article), textContent: read.title }) : read.article,
      make("time", { textContent: day(read.time) })));
    place.querySelector(".reads").replaceChildren(...(reads.length ? reads : [make("li", { textContent: words.no_recent })]));
    facts.hidden = false;
  };
  const load = async () => draw(await (await ask("GET", "")).json());
  const doing = (work) => async () => {
    try { await work(); } catch (error) { failed(error); }
  };
  const choose = (tag, weight) => doing(async () => {
    const path = "/tags/" + encodeURIComponent(tag.tag);
    await (weight === null ? ask("DELETE", path) : ask("PUT", path, { weight }));
    await load();
    said(words.tag_done + tag.name);
    [...place.querySelectorAll(".own-tags li")].find((row) => row.dataset.tag === tag.tag)?.querySelector("button").focus();
  })();

  const open = (yes) => {
    sure.hidden = !yes;
    button("forget").ariaExpanded = String(yes);
    button(yes ? "forget-no" : "forget").focus();
  };
  button("switch").onclick = doing(async () => {
    const answer = await (await ask("PUT", "/personalisation", { on: button("switch").ariaChecked !== "true" })).json();
    await load();
    said(answer.says);
  });
  button("export").onclick = doing(async () => {
    const address = URL.createObjectURL(await (await ask("GET", "/export")).blob());
    make("a", { href: address, download: "your-data.json" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    said(words.exported);
  });
  button("forget").onclick = () => open(sure.hidden);
  button("forget-no").onclick = () => open(false);
  sure.onkeydown = (event) => { if (event.key === "Escape") open(false); };
  button("forget-yes").onclick = doing(async () => {
    const answer = await (await ask("DELETE", "")).json();
    if (parsed(stored("localStorage", widget)).token === token) stored("localStorage", widget, null);
    stored("sessionStorage", KEPT, null);
    facts.hidden = true;
    said(words.forgotten + answer.says);
    document.getElementById("main").focus();
  });

  if (!token) said(words.nobody);
  else load().then(() => said(""), failed);
})();
