/* The front's columns: a card is dragged, or moved by a key, and the one form of the page says so to the server. */
(() => {
  "use strict";
  const ENDS = { fixed: "unpin", raised: "unboost" };
  const columnOf = (node) => node.closest("[data-column]");
  let dragged = null;

  const send = (card, verb, more = {}) => {
    const form = document.getElementById("drop");
    if (!form || !card) return;
    const { article, title, until = "", place = "", factor = "" } = card.dataset;
    const moved = verb === "pin" && columnOf(card).dataset.column === "fixed";
    const fields = { article, title, verb, place, factor, until: verb.startsWith("un") || moved ? until : "", was: moved ? place : "", span: "", ...more };
    for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
    form.requestSubmit();
  };
  const dropped = (card, column, over) => {
    const from = columnOf(card).dataset.column, to = column.dataset.column;
    if (to === "fixed") {
      const place = over?.dataset.place ?? column.dataset.next;
      if (place !== card.dataset.place) send(card, "pin", { place: Math.min(50, place) });
    } else if (to === "raised" && from !== "raised") send(card, "boost", { factor: "" });
    else if (to === "latest" && ENDS[from]) send(card, ENDS[from]);
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
      b: () => column !== "raised" && send(card, "boost", { factor: "" }),
      x: () => ENDS[column] && send(card, ENDS[column]),
      u: () => place > 1 && send(card, "pin", { place: place - 1 }),
      d: () => place && place < 50 && send(card, "pin", { place: place + 1 }),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
})();
