let queue = Promise.resolve();

class WidgetList extends HTMLElement {
  static observedAttributes = ["article", "consent", "data-personalisation", "endpoint", "heading", "k", "lang", "layout", "link", "mode",
    "picture", "reader", "reader-token", "slot-name"];

  unsent = []; // impressions
  unwanted = new Set(); // ids that were dismissed here

  connectedCallback() {
    if (!this.shadowRoot) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
      this.build();
    }
    this.gone = new AbortController();
    const on = (target, name, act) => target?.addEventListener(name, act, { signal: this.gone.signal });
    on(window, "pageshow", (event) => event.persisted && (look(), this.load())); // from the back/forward cache
    on(window, "pagehide", () => (look(true), this.leave()));
    on(document, "visibilitychange", () => (look(), document.hidden ? this.leave() : this.stale && this.load()));
    on(window, "online", () => this.dataset.state === "error" && this.load());
    on(window, "gyl-consent", () => (look(), this.load()));
    on(window, "storage", ({ key }) => (key === null || key === "gyl-consent") && (look(), this.load())); // of another tab
    on(window.navigation, "navigatesuccess", () => this.address !== location.pathname + location.search && this.later()); // single-page sites
    on(document, "pointerdown", (event) => event.composedPath().includes(this) || this.closeMenu());
    on(this, "keydown", (event) => this.pressed(event));
    look();
    this.load();
  }

  disconnectedCallback() {
    look();
    clearTimeout(this.waiting);
    this.turn.abort();
    this.leave();
    this.watcher?.disconnect();
    this.gone.abort();
    this.gone = null;
  }

  attributeChangedCallback(name, before, after) {
    if (!this.gone || before === after) return;
    if (name === "article") look();
    this.later();
  }

  later() { // several changes of a moment make one list
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.load(), 50);
  }

  get(name, otherwise = "") {
    return this.getAttribute(name) || otherwise;
  }

  get words() {
    return TEXT[/^zh/i.test(this.language) ? "zh" : "en"];
  }

  build() {
    this.section = make("section");
    this.headline = make("h2", "", { id: "heading", tabIndex: -1 });
    this.list = make("ul");
    this.bar = make("div", "", { className: "bar" });
    this.status = make("span");
    this.status.role = "status";
    const dock = make("div", "", { className: "dock" });
    this.bar.append(this.status);
    dock.append(this.bar);
    this.section.setAttribute("aria-labelledby", "heading");
    this.section.append(this.headline, this.list, dock);
    this.shadowRoot.replaceChildren(this.section);
  }

  blank(name) { // as tall as a card
    const card = make("li", "", { className: name, ariaHidden: "true" });
    card.append(make("div", "", { className: "picture" }), make("div", "", { className: "words" }));
    return card;
  }

  show(state, cards) { // where it is in view, what stands below does not jump; unseen, it leaves no gap
    const { length } = this.list.children, seen = this.getBoundingClientRect().top < innerHeight;
    const held = this.list.contains(this.shadowRoot.activeElement);
    this.toggleAttribute("data-away", !seen && !cards.length);
    this.closeMenu();
    this.list.replaceChildren(...cards);
    while (seen && this.list.children.length < length) this.list.append(this.blank("none"));
    if (held) this.headline.focus({ preventScroll: true });
    this.dataset.state = state;
    this.dispatchEvent(new CustomEvent("gyl-state", { bubbles: true, composed: true, detail: state }));
  }

  path(k, exclude) {
    const similar = this.get("mode") === "similar", article = this.get("article");
    const { reader, session } = identity(this), lang = this.language;
    const about = similar ? { k, lang } : { k, lang, reader, session, article, slot: this.place, exclude,
      recent: choice(this) === "browser" && recent().map((name) => name.replace(/[%,]/g, encodeURIComponent)).join(",") };
    const query = new URLSearchParams(Object.entries(about).filter(([, value]) => value));
    return (similar ? `articles/${encodeURIComponent(article)}/similar` : "recommendations") + "?" + query;
  }

  async ask(turn, k, exclude) {
    const slow = setTimeout(() => turn.abort("slow"), PATIENCE);
    try {
      const { token } = this.get("mode") === "similar" ? {} : identity(this);
      const options = { credentials: "omit", cache: "no-store", signal: turn.signal, headers: token ? { "Reader-Token": token } : {} };
      const answer = await fetch(`${home(this)}/api/v1/${this.path(k, exclude)}`, options);
      if (!answer.ok) throw { status: answer.status, token, detail: (await answer.json().catch(() => ({}))).detail };
      const found = await answer.json().catch(() => { throw { json: true }; });
      if (!Array.isArray(found?.items)) throw { json: true };
      return { ...found, refused: ["expired", "invalid"].includes(found.token) && token };
    } catch (error) {
      throw turn.signal.reason === "slow" ? { slow: true } : error;
    } finally {
      clearTimeout(slow);
    }
  }

  async load(again) {
    clearTimeout(this.waiting);
    if (!this.gone) return;
    this.settle();
    this.turn?.abort();
    const turn = (this.turn = new AbortController()), k = Number(this.get("k")) || 6;
    this.stale = false;
    this.address = location.pathname + location.search;
    this.language = this.closest("[lang]")?.lang;
    this.place = this.get("slot-name", this.get("slot", "guess-you-like"));
    this.section.lang = this.words === TEXT.zh ? "zh" : "en";
    this.headline.textContent = this.get("heading", this.words.heading);
    this.list.ariaBusy = "true";
    if (!this.items) this.show("loading", Array.from({ length: Math.min(k, 50) }, () => this.blank("wait")));
    const one = queue.then(() => this.answer(turn, k, again));
    queue = Promise.race([one, sleep(1000)]); // widgets take turns, so that none shows what another does
    await one;
    if (turn === this.turn) this.list.ariaBusy = "false";
  }

  async answer(turn, k, again) {
    try {
      await admit(this);
      if (turn.signal.aborted) return; // a newer call answers, or it was removed
      const beside = this.get("mode") === "similar" ? "" : this.get("article"), found = await this.ask(turn, k, this.onPage());
      if (turn.signal.aborted) return;
      if (found.refused && !again) return void this.renew(found.refused);
      this.personal = found.personalisation !== false; // on the page of their own data a reader may have switched it off
      this.watch();
      this.items = found.items;
      Object.assign(this, { impression: found.impression_id, beside });
      this.show(found.items.length ? "ready" : "empty", found.items.map((item) => this.card(item, found)));
      if (!this.farewell) this.say(found.items.length ? "" : this.words.empty);
      this.farewell = false;
    } catch (error) {
      if (turn !== this.turn || !this.gone) return;
      if (error.token && [401, 403].includes(error.status) && !again) return void this.renew(error.token);
      warn(await trouble(home(this), error));
      if (turn !== this.turn || !this.gone || this.items?.length) return; // what is shown stays
      this.items = null;
      this.show("error", []);
      this.say(this.words.error, [this.words.again, () => this.load()]);
    }
  }

  renew(token) { // one of yesterday's keys, of another site or of another reader is tried once
    refused.add(token);
    warn(`expected a reader token of ${home(this)}, got one that it does not take: ${this.get("reader") ? "sign a new one; until then this is a stranger's list." : "a new one is asked for."}`);
    this.load(true);
  }

  onPage(more = []) { // what the page shows already: data-article anywhere, and links to articles
    const own = safe(this.get("link").split("{id}")[0]), found = new Set(more);
    for (const { dataset } of document.querySelectorAll("[data-article]")) found.add(dataset.article);
    for (const other of document.querySelectorAll("guess-you-like")) if (other !== this) other.items?.forEach(({ id }) => found.add(id));
    for (const { href, origin, pathname } of document.links) {
      if (!own && origin === location.origin && pathname.length > 8) found.add(href);
      if (own && href.startsWith(own)) try { found.add(decodeURIComponent(href.slice(own.length).split(/[/?#]/)[0])); } catch {}
    }
    let room = 3000; // characters: addresses of 8,000 pass everywhere
    return [...found].slice(0, 100).map((name) => String(name).replace(/[%,]/g, encodeURIComponent))
      .filter((name) => name && (room -= name.length + 1) > 0).join(",");
  }
}
