class GuessYouLike extends WidgetList {
  card(item, { impression_id: impression = null, generated_at: now = Date.now() }) {
    const card = make("li", "", { item, impression }), words = make("div", "", { className: "words" });
    const over = make("p", "", { className: "over" }), head = make("h3", "", { lang: item.language || "" });
    const own = this.get("link", home(this) + "/article/{id}");
    const link = make("a", item.title);
    link.href = (!this.get("link") && item.url && safe(item.url)) || safe(own.replace("{id}", () => encodeURIComponent(item.id)));
    link.onclick = link.onauxclick = (event) => event.button < 2 && this.follow(card);
    over.append(make("b", item.category_name), " ", make("time", item.published_at ? ago(item.published_at, now, this.language) : ""));
    head.append(link);
    const dots = make("button", "", { type: "button", className: "dots", ariaExpanded: "false" });
    dots.ariaLabel = `${this.words.menu}: ${item.title}`;
    dots.onclick = () => this.openMenu(card, dots);
    words.append(dots, over, head, make("p", item.reason?.text, { className: "reason" }));
    card.append(this.picture(item), words);
    if (impression) this.watcher.observe(card);
    return card;
  }

  picture({ id, image, category, category_name: name, title }) {
    const place = make("div", [...(name || title || "")][0], { className: "picture", ariaHidden: "true" });
    const drawn = this.get("picture").replace("{id}", () => encodeURIComponent(id)).replace("{category}", () => encodeURIComponent(category ?? ""));
    const addresses = [image, drawn].filter(Boolean).map(safe).filter(Boolean);
    const next = () => {
      const src = addresses.shift();
      if (!src) return;
      const picture = make("img", "", { alt: "", loading: "lazy", decoding: "async" });
      picture.onerror = async () => {
        picture.remove();
        next();
        if (await forbidden(src, "img-src")) warn(`expected the picture ${src}, but this page's Content-Security-Policy forbids it: add ${new URL(src).origin} to its img-src.`);
      };
      picture.src = src;
      place.append(picture);
    };
    next();
    return place;
  }

  openMenu(card, dots) {
    const shut = this.menu?.card === card;
    this.closeMenu();
    if (shut) return;
    const menu = make("div", "", { className: "menu", card }), words = this.words, state = choice(this), base = home(this);
    const { token } = identity(this), close = make("button", "×", { type: "button", className: "dots", ariaLabel: words.menu, ariaExpanded: "true" });
    const button = (text, act) => make("button", text, { type: "button", onclick: act });
    const note = signal() ? words.signal : state === "yes" && this.personal ? (this.get("reader") ? words.own : words.yes) : (state === "browser" && words.browser) || words.nobody;
    close.onclick = () => (this.closeMenu(), dots.focus());
    menu.append(close, make("strong", words.why), make("p", card.item.reason?.text), make("p", note));
    menu.append(make("a", words.how, { href: safe(base + "/about"), target: "_blank", rel: "noopener" }));
    menu.append(button(words.less, () => this.dismiss(card)));
    if (state === "yes" || state === "browser") menu.append(button(words.off, () => this.turnOff()));
    if (!signal() && keep("gyl-consent") === "no") menu.append(button(words.on, () => consent(true)));
    if (token) menu.append(this.data(token));
    menu.opener = dots;
    dots.ariaExpanded = "true";
    card.append(menu);
    close.focus();
    this.menu = menu;
  }

  data(token) {
    return make("a", this.words.data, { href: `${safe(home(this) + "/your-data")}#token=${encodeURIComponent(token)}`, target: "_blank", rel: "noopener noreferrer" });
  }

  closeMenu() {
    if (!this.menu) return;
    this.menu.opener.ariaExpanded = "false";
    this.menu.remove();
    this.menu = null;
  }

  pressed(event) {
    if (event.key === "Escape" && this.menu) {
      const { opener } = this.menu;
      this.closeMenu();
      opener.focus();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey) && this.pending) {
      event.preventDefault();
      this.undo();
    }
  }

  say(text = "", ...actions) { // spoken by role=status, and shown with its buttons
    this.bar.replaceChildren(this.status, ...actions.map((one) => one instanceof Node ? one : make("button", one[0], { type: "button", onclick: one[1] })));
    this.status.textContent = text;
  }

  turnOff() {
    const { token } = identity(this), before = choice(this), words = this.words;
    consent(false); // this browser forgets at once; a list comes that is everybody's
    const actions = [[words.on, () => consent(before === "browser" ? before : true)]];
    if (token) actions.unshift(this.data(token)); // nothing else holds the token any more
    this.farewell = true;
    this.say(before === "browser" ? words.cleared : words.ended, ...actions);
    this.headline.focus({ preventScroll: true });
  }

  event(kind, { item, impression }) {
    return { kind, article: item.id, impression, position: item.position, slot: this.place };
  }

  follow(card) {
    this.seen(card); // what was clicked was seen, however briefly
    this.flush();
    send(this, [this.event("click", card)]);
    this.stale = true;
  }

  async dismiss(card) { // sent when it can no longer be taken back
    this.settle();
    this.closeMenu();
    const { items } = this, { id, title } = card.item, end = () => (this.bar.matches(":focus-within") ? wait() : this.settle());
    const wait = () => (this.pending.timer = setTimeout(end, UNDO));
    const next = [card.nextElementSibling, card.previousElementSibling].find((other) => other?.item);
    this.unwanted.add(id);
    this.items = items.filter((item) => item !== card.item);
    this.pending = { card, place: this.blank("wait"), items };
    card.replaceWith(this.pending.place);
    (next ? next.querySelector(".dots") : this.headline).focus();
    this.say(this.words.gone.replace("{}", () => title), [this.words.undo, () => this.undo()]);
    wait();
    await this.replace(this.pending, items);
  }

  async replace(pending, items) {
    const k = this.get("mode") === "similar" ? this.items.length + this.unwanted.size + 1 : 1, turn = new AbortController();
    const shown = new Set([...items.map(({ id }) => id), ...this.unwanted]);
    const found = await this.ask(turn, k, this.onPage(shown)).catch(() => ({ items: [] }));
    const item = found.items.find(({ id }) => !shown.has(id));
    if (!pending.place.isConnected) return; // taken back, or a newer list
    if (!item) return pending.place.remove();
    const card = this.card(item, found);
    pending.place.replaceWith(card);
    pending.place = card;
    this.items = [...this.items, item];
  }

  undo() {
    if (!this.pending) return;
    const { card, place, items, timer } = this.pending;
    clearTimeout(timer);
    this.pending = null;
    this.unwanted.delete(card.item.id);
    place.isConnected ? place.replaceWith(card) : this.list.append(card);
    this.items = items;
    this.say(this.words.back.replace("{}", () => card.item.title));
    card.querySelector(".dots").focus();
  }

  settle() {
    if (!this.pending) return;
    const { card, timer } = this.pending;
    clearTimeout(timer);
    this.pending = null;
    this.say();
    send(this, [this.event("dismiss", card)]);
    if (!this.items.length) this.later();
  }

  watch() { // an impression: half of a card in view for one second
    this.flush();
    this.watcher?.disconnect();
    this.watcher = new IntersectionObserver((entries) => {
      for (const { target, intersectionRatio } of entries) {
        clearTimeout(target.timer);
        if (intersectionRatio >= 0.5) target.timer = setTimeout(() => document.hidden || this.seen(target), 1000);
      }
    }, { threshold: 0.5 });
  }

  seen(card) {
    if (card.counted || !card.impression || !card.isConnected) return;
    card.counted = true;
    this.unsent.push(this.event("impression", card));
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.flush(), 200); // cards that came into view together go together
  }

  flush() {
    if (this.unsent.length) send(this, this.unsent.splice(0));
  }

  leave() {
    this.flush();
    this.settle();
  }
}

customElements.define("guess-you-like", GuessYouLike);
// For what happens outside the widget: GuessYouLike.consent(true); GuessYouLike.record("click", id, { slot: "front" })
window.GuessYouLike = { consent, identity: () => identity(first()), record(kind, article, more) {
  own ||= kind === "dwell";
  send(first(), [{ kind, article, ...more }]);
} };
