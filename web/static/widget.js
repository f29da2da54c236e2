/* <guess-you-like>: the recommender's list on any page, in two lines:
     <script src="https://RECOMMENDER/widget.js" defer></script>
     <guess-you-like></guess-you-like>
   Attributes: lang k slot-name article endpoint reader heading link="/read/{id}" mode="similar"; theme: --gyl-… below.
   Do Not Track, or data-personalisation="off" on it or around it: no reader and no session is sent. */
(() => {
  "use strict";
  const SOURCE = document.currentScript?.src || location.href;
  const TEXT = { en: ["Guess you like", "Not interested"], zh: ["猜你喜欢", "不感兴趣"] };
  const STYLE = `
:host{display:block;color:var(--gyl-ink,inherit);font-family:var(--gyl-ui,inherit)}
:host([data-state=empty]),:host([data-state=error]){display:none}
h2{font:700 1.25rem/1.3 var(--gyl-headline,inherit);margin:0 0 1rem}
ul{list-style:none;margin:0;padding:0;display:grid;gap:0 1.75rem;
grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--gyl-min,15rem)),1fr))}
li{position:relative;padding:.9rem 0 1.1rem;border-top:1px solid var(--gyl-rule,#8885);overflow-wrap:anywhere}
img{width:100%;aspect-ratio:16/9;object-fit:cover;margin-bottom:.6rem}
p{font-size:.8rem;line-height:1.45;margin:.5rem 0 0;color:var(--gyl-muted,inherit)}
p.over{margin:0 2rem .35rem 0}
b{color:var(--gyl-accent,inherit)}
a{color:inherit;text-decoration:none;word-break:keep-all;font:600 1.06rem/1.38 var(--gyl-headline,inherit)}
a::after{content:"";position:absolute;inset:0}
a:hover{text-decoration:underline 1px;text-underline-offset:.18em}
button{all:unset;position:absolute;top:.3rem;right:-.3rem;z-index:1;width:2rem;text-align:center;
cursor:pointer;border-radius:50%;color:var(--gyl-muted,inherit);font:1.1rem/2rem sans-serif}
button:hover{background:var(--gyl-rule,#8885)}
:focus-visible{outline:2px solid var(--gyl-accent,Highlight);outline-offset:2px}
.wait{height:4.5rem;background:linear-gradient(var(--gyl-rule,#8885) 0 0) 0 1rem/85% 1rem no-repeat;opacity:.6}`;

  const words = ({ language }) => TEXT[/^zh/i.test(language) ? "zh" : "en"];
  const memory = {};
  const uuid = () => crypto.randomUUID?.() || // which plain http lacks
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, 0)).join("");
  const kept = (store, key) => { // an id of this browser or tab; of this page where storage is refused
    try {
      const id = window[store].getItem(key) || uuid();
      window[store].setItem(key, id);
      return id;
    } catch {
      return (memory[key] ||= uuid());
    }
  };
  const identity = (host) =>
    navigator.doNotTrack === "1" || navigator.globalPrivacyControl || host.closest("[data-personalisation=off]")
      ? { reader: null, session: null }
      : { reader: host.getAttribute("reader") || kept("localStorage", "gyl-reader"),
          session: kept("sessionStorage", "gyl-session") };
  const api = (host) =>
    (host.getAttribute("endpoint") || new URL(SOURCE).origin).replace(/\/+$/, "") + "/api/v1/";
  const send = (host, events) => { // as text/plain: no preflight, and it outlives the page
    const body = JSON.stringify({ events: events.map((e) => ({ event_id: uuid(), ...identity(host), ...e })) });
    const url = api(host) + "events";
    if (navigator.sendBeacon?.(url, body)) return;
    fetch(url, { method: "POST", body, keepalive: true, credentials: "omit" }).catch(() => {});
  };
  const safe = (address) => { // http, https and relative addresses; anything else is no link at all
    try {
      const url = new URL(address, document.baseURI);
      return /^https?:$/.test(url.protocol) ? url.href : "";
    } catch {
      return "";
    }
  };
  const make = (tag, text = "", fields = {}) => Object.assign(document.createElement(tag), { textContent: text }, fields);
  const ago = (time, lang) => {
    try { Intl.getCanonicalLocales(lang); } catch { lang = "en"; } // no code at all
    const minutes = Math.ceil((time - Date.now()) / 6e4); // negative: the past
    if (minutes > 0 || minutes <= -10080) return new Intl.DateTimeFormat(lang, { dateStyle: "medium" }).format(time);
    const [size, unit] = minutes > -60 ? [1, "minute"] : minutes > -1440 ? [60, "hour"] : [1440, "day"];
    return new Intl.RelativeTimeFormat(lang).format(Math.ceil(minutes / size), unit);
  };

  class GuessYouLike extends HTMLElement {
    connectedCallback() {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      (this.shadowRoot || this.attachShadow({ mode: "open" })).adoptedStyleSheets = [sheet];
      this.gone = new AbortController();
      const on = (target, name, act) => target.addEventListener(name, act, { signal: this.gone.signal });
      on(window, "pageshow", (event) => event.persisted && this.load()); // from the back/forward cache
      on(window, "pagehide", () => this.flush());
      on(document, "visibilitychange", () => (document.hidden ? this.flush() : this.stale && this.load()));
      this.load();
    }

    disconnectedCallback() {
      this.gone.abort();
      this.watch();
    }

    get(name, otherwise = "") {
      return this.getAttribute(name) || otherwise;
    }

    async load() {
      this.stale = false;
      const lang = (this.language = this.closest("[lang]")?.lang);
      this.place = this.get("slot-name", this.get("slot", "guess-you-like"));
      const turn = (this.turn = {}), article = this.get("article"), similar = this.get("mode") === "similar";
      const query = new URLSearchParams({ k: this.get("k", 6) });
      const about = { lang, ...(similar ? {} : { ...identity(this), article, slot: this.place, exclude: this.onPage() }) };
      for (const key in about) if (about[key]) query.set(key, about[key]);
      if (!this.items) this.frame("loading").append(...Array.from({ length: 4 }, () => make("li", "", { className: "wait" })));
      try {
        const path = similar ? `articles/${encodeURIComponent(article)}/similar` : "recommendations";
        const options = { credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(8000) };
        const answer = await fetch(`${api(this)}${path}?${query}`, options);
        if (!answer.ok) throw answer;
        const found = await answer.json();
        if (turn !== this.turn) return; // a newer call answers
        this.watch();
        this.impression = found.impression_id || null;
        this.items = found.items;
        this.frame(found.items.length ? "ready" : "empty").append(...found.items.map((item) => this.card(item)));
      } catch {
        if (turn === this.turn && !this.items) this.dataset.state = "error"; // quiet: the page loses nothing
      }
    }

    onPage() { // what the page shows already: data-article anywhere, and links to articles
      const own = safe(this.get("link").split("{id}")[0]), found = new Set();
      for (const { dataset } of document.querySelectorAll("[data-article]")) found.add(dataset.article);
      for (const other of document.querySelectorAll("guess-you-like")) if (other !== this) other.items?.forEach(({ id }) => found.add(id));
      for (const { href, origin, pathname } of document.links) {
        if (!own && origin === location.origin && pathname.length > 8) found.add(href);
        if (own && href.startsWith(own)) try { found.add(decodeURIComponent(href.slice(own.length).split(/[/?#]/)[0])); } catch {}
      }
      let room = 3000; // characters: addresses of 8,000 pass everywhere
      return [...found].slice(0, 100).map((name) => name.replace(/[%,]/g, encodeURIComponent))
        .filter((name) => name && (room -= name.length + 1) > 0).join(",");
    }

    frame(state) {
      this.dataset.state = state;
      const section = make("section"), list = make("ul");
      const heading = make("h2", this.get("heading", words(this)[0]), { id: "heading", tabIndex: -1 });
      section.setAttribute("aria-labelledby", "heading");
      section.append(heading, list);
      this.shadowRoot.replaceChildren(section);
      return list;
    }

    card(item) {
      const card = make("li", "", { item }), over = make("p", "", { className: "over" });
      const own = this.get("link", new URL(api(this)).origin + "/article/{id}");
      const link = make("a", item.title, { lang: item.language || "" });
      link.href = (!this.get("link") && item.url && safe(item.url)) || safe(own.replace("{id}", () => encodeURIComponent(item.id)));
      link.onclick = link.onauxclick = (event) => event.button < 2 && this.follow(card);
      if (item.image && safe(item.image)) card.append(make("img", "", { src: safe(item.image), alt: "", loading: "lazy" }));
      over.append(make("b", item.category_name), " ", make("time", item.published_at ? ago(item.published_at, this.language) : ""));
      const why = make("p", item.reason?.text), button = make("button", "×", { type: "button", title: words(this)[1] });
      button.ariaLabel = `${button.title}: ${item.title}`;
      button.onclick = () => this.dismiss(card);
      card.append(over, link, why, button);
      if (this.impression) this.watcher.observe(card);
      return card;
    }

    event(kind, { item }) {
      return { kind, article: item.id, impression: this.impression, position: item.position, slot: this.place };
    }

    follow(card) {
      this.seen(card); // what was clicked was seen, however briefly
      this.flush();
      send(this, [this.event("click", card)]);
      this.stale = true;
    }

    dismiss(card) {
      const next = card.nextElementSibling || card.previousElementSibling || this.shadowRoot;
      send(this, [this.event("dismiss", card)]);
      card.remove();
      next.querySelector("button, h2").focus();
      if (next === this.shadowRoot) this.load();
    }

    watch() { // an impression: half of a card in view for one second
      this.flush();
      this.watcher?.disconnect();
      this.unsent = [];
      this.watcher = new IntersectionObserver((entries) => {
        for (const { target, intersectionRatio } of entries) {
          clearTimeout(target.timer);
          if (intersectionRatio >= 0.5) target.timer = setTimeout(() => document.hidden || this.seen(target), 1000);
        }
      }, { threshold: 0.5 });
    }

    seen(card) {
      if (card.counted || !this.impression || !card.isConnected) return;
      card.counted = true;
      this.unsent.push(this.event("impression", card));
      clearTimeout(this.soon);
      this.soon = setTimeout(() => this.flush(), 200); // cards that came into view together go together
    }

    flush() {
      if (this.unsent?.length) send(this, this.unsent.splice(0));
    }
  }

  if (!customElements.get("guess-you-like")) customElements.define("guess-you-like", GuessYouLike);
  // For what happens outside the widget: GuessYouLike.record("click", id, { slot: "front", position: 0 })
  window.GuessYouLike = { record: (kind, article, more) => send(document.documentElement, [{ kind, article, ...more }]),
    identity: () => identity(document.documentElement) };
})();
