/* The console's few lines: the theme before the first paint, tables that sort and filter, and where the focus goes. */
(() => {
  "use strict";
  const root = document.documentElement;
  const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const theme = remembered();
  if (theme) root.dataset.theme = theme;
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const kept = { order: {}, filter: {} }; // by table: over the exchanges of its rows

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return "";
    const time = cell.querySelector("time");
    return cell.dataset.v ?? (time ? time.dateTime : cell.textContent.trim());
  };
  const compared = (a, b) => (a !== "" && b !== "" && !isNaN(a) && !isNaN(b) ? a - b : String(a).localeCompare(String(b)));
  const ordered = (table) => {
    const order = kept.order[table.id];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (order?.column === column) head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    if (!order) return;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => (order.down ? -1 : 1) * compared(valueOf(a, order.column), valueOf(b, order.column)));
    table.tBodies[0].append(...rows);
  };
  const filtered = (table) => {
    const wanted = (kept.filter[table.id] || "").toLowerCase();
    for (const row of table.tBodies[0].rows) row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
  };
  const dressed = (place) => {
    for (const table of place.querySelectorAll("table[data-sort]")) {
      [...table.tHead.rows[0].cells].forEach((head, column) => {
        if (head.querySelector("button, .hidden")) return;
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: head.textContent });
        button.addEventListener("click", () => {
          const order = kept.order[table.id];
          kept.order[table.id] = { column, down: order?.column === column ? !order.down : false };
          ordered(table);
        });
        head.replaceChildren(button);
      });
      ordered(table);
      filtered(table);
    }
  };
  document.addEventListener("input", (event) => {
    const id = event.target.dataset?.filter;
    const table = id && document.getElementById(id);
    if (!table) return;
    kept.filter[id] = event.target.value;
    filtered(table);
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-act=theme]")) return;
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* the choice lasts as long as the page */ }
  });
  document.addEventListener("DOMContentLoaded", () => {
    dressed(document);
    const here = document.querySelector("nav [aria-current]"); // on a phone the pages are one line that scrolls
    if (here) here.closest("ul").scrollLeft = here.offsetLeft - 60;
  });
  document.addEventListener("htmx:afterSettle", () => {
    dressed(document);
    for (const log of document.querySelectorAll(".log")) log.scrollTop = log.scrollHeight;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "main") document.querySelector("#main .notice")?.focus();
  });
})();
