/* The map of the catalogue: points as SVG, coloured by category; hover or focus says the title, wheel, drag and keys zoom. */
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg", WIDE = 1000, HIGH = 620, EDGE = 14;
  const made = (name, attributes) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const start = (place) => {
    const points = JSON.parse(place.dataset.points), said = document.getElementById("pointed");
    const svg = place.appendChild(made("svg", { "aria-hidden": "true" }));
    const view = { x: 0, y: 0, w: WIDE, h: HIGH };
    const look = () => {
      svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
      const r = Math.max(1.2, 5 * (view.w / WIDE) ** 0.75);
      for (const node of svg.children) node.setAttribute("r", r);
    };
    points.forEach(([x, y, category], n) => svg.append(made("circle", {
      cx: EDGE + x * (WIDE - 2 * EDGE), cy: EDGE + (1 - y) * (HIGH - 2 * EDGE),
      class: category < 0 ? "none" : `c${category % 12}`, "data-n": n,
    })));
    const zoom = (by, x = view.x + view.w / 2, y = view.y + view.h / 2) => {
      const w = Math.min(WIDE, Math.max(WIDE / 40, view.w * by)), h = w * HIGH / WIDE;
      view.x = x - (x - view.x) * w / view.w;
      view.y = y - (y - view.y) * h / view.h;
      Object.assign(view, { w, h });
      move(0, 0);
    };
    const move = (x, y) => {
      view.x = Math.min(WIDE - view.w, Math.max(0, view.x + x));
      view.y = Math.min(HIGH - view.h, Math.max(0, view.y + y));
      look();
    };
    const all = () => { Object.assign(view, { x: 0, y: 0, w: WIDE, h: HIGH }); look(); };
    const point = (event) => {
      const box = svg.getBoundingClientRect();
      return [view.x + (event.clientX - box.left) / box.width * view.w, view.y + (event.clientY - box.top) / box.height * view.h];
    };
    const tell = (node) => {
      if (!node) { said.textContent = place.dataset.none; return; }
      const [, , , id, title] = points[node.dataset.n];
      said.replaceChildren(Object.assign(document.createElement("a"), { href: place.dataset.article + encodeURIComponent(id), textContent: title }));
    };
    svg.addEventListener("pointerover", (event) => event.target.matches("circle") && tell(event.target));
    svg.addEventListener("click", (event) => {
      if (event.target.matches("circle") && !dragged) location.href = place.dataset.article + encodeURIComponent(points[event.target.dataset.n][3]);
    });
    svg.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, ...point(event)); }, { passive: false });
    let held = null, dragged = false;
    svg.addEventListener("pointerdown", (event) => { held = [event.clientX, event.clientY]; dragged = false; });
    addEventListener("pointerup", () => { held = null; });
    svg.addEventListener("pointermove", (event) => {
      if (!held) return;
      const box = svg.getBoundingClientRect(), [x, y] = held;
      if (Math.hypot(event.clientX - x, event.clientY - y) > 3) dragged = true;
      move((x - event.clientX) / box.width * view.w, (y - event.clientY) / box.height * view.h);
      held = [event.clientX, event.clientY];
    });
    const keys = { "+": () => zoom(1 / 1.4), "=": () => zoom(1 / 1.4), "-": () => zoom(1.4), 0: all,
      ArrowLeft: () => move(-view.w / 8, 0), ArrowRight: () => move(view.w / 8, 0), ArrowUp: () => move(0, -view.h / 8), ArrowDown: () => move(0, view.h / 8) };
    let at = -1;
    place.addEventListener("keydown", (event) => {
      if (event.key === "n" || event.key === "p") { // from point to point within sight
        const inside = [...svg.children].filter((node) => !node.classList.contains("off") && node.cx.baseVal.value >= view.x && node.cx.baseVal.value <= view.x + view.w && node.cy.baseVal.value >= view.y && node.cy.baseVal.value <= view.y + view.h);
        if (!inside.length) return;
        svg.querySelector(".at")?.classList.remove("at");
        at = (at + (event.key === "n" ? 1 : inside.length - 1)) % inside.length;
        inside[at].classList.add("at");
        tell(inside[at]);
      } else if (event.key === "Enter") said.querySelector("a")?.click();
      else if (keys[event.key]) keys[event.key]();
      else return;
      event.preventDefault();
    });
    document.querySelectorAll("[data-map]").forEach((button) => button.addEventListener("click", () => ({ in: keys["+"], out: keys["-"], all })[button.dataset.map]()));
    document.querySelectorAll("[data-only]").forEach((button) => button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      document.querySelectorAll("[data-only]").forEach((other) => other.setAttribute("aria-pressed", other === button && on));
      for (const node of svg.children) node.classList.toggle("off", on && String(points[node.dataset.n][2]) !== button.dataset.only);
    }));
    look();
  };
  const place = document.querySelector("#map[data-points]");
  if (place) start(place);
})();
