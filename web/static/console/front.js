/* The front's columns: a card is dragged, or moved by a key, and the one form of the page says so to the server. */
(() => {
  "use strict";
  const HELD = ["fixed", "guarantee"];
  const columnOf = (node) => node.closest("[data-column]");
  let dragged = null;

  const send = (card, verb, more = {}) => {
    const form = document.getElementById("drop");
    if (!form || !card) return;
    const { article, title, until = "", place = "" } = card.dataset;
    const column = columnOf(card).dataset.column, held = HELD.includes(column);
    const fields = { article, title, verb, place, until: held ? until : "", was: held ? place || column : "", span: "", ...more };
    for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
    form.requestSubmit();
  };
  const dropped = (card, column, over) => {
    const from = columnOf(card).dataset.column, to = column.dataset.column;
    if (to === "fixed") {
      const place = over?.dataset.place ?? column.dataset.next;
      if (place !== card.dataset.place) send(card, "pin", { place: Math.min(50, place) });
    } else if (to === "guarantee" && from !== to) send(card, "guarantee");
    else if (to === "latest" && from !== to) send(card, "unpin");
  };
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".card[draggable]");
    event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    const column = dragged && event.target.closest?.("[data-column]");
    if (!column) return;
    event.preventDefault();
    document.querySelectorAll(".over").forEach((one) => one.classList.remove("over"));
    (event.target.closest(".card") || column).classList.add("over");
  });
  document.addEventListener("drop", (event) => {
    const column = dragged && event.target.closest?.("[data-column]");
    if (!column) return;
    event.preventDefault();
    dropped(dragged, column, event.target.closest(".card"));
  });
  document.addEventListener("dragend", () => {
    document.querySelectorAll(".over").forEach((one) => one.classList.remove("over"));
    dragged = null;
  });
  document.addEventListener("keydown", (event) => {
    const card = event.target;
    if (!card.matches?.(".card[draggable]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const column = columnOf(card).dataset.column, place = Number(card.dataset.place);
    const acts = {
      f: () => column !== "fixed" && send(card, "pin", { place: columnOf(card).parentElement.querySelector("[data-column=fixed]").dataset.next }),
      g: () => column !== "guarantee" && send(card, "guarantee"),
      b: () => send(card, "boost", { until: "" }),
      x: () => HELD.includes(column) && send(card, "unpin"),
      u: () => place > 1 && send(card, "pin", { place: place - 1 }),
      d: () => place && place < 50 && send(card, "pin", { place: place + 1 }),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
})();
