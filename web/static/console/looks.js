/* Intervals of an experiment over time: one band and line per arm, drawn on a canvas; the table below says the same. */
(() => {
  "use strict";
  const drawn = new WeakSet();
  const colours = ["--busy", "--accent", "--good", "--ink", "--muted"];
  const draw = (place) => {
    if (drawn.has(place) || !window.uPlot) return;
    drawn.add(place);
    const { scale, arms } = JSON.parse(place.dataset.looks);
    const probe = place.appendChild(document.createElement("i"));
    const colour = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
    const names = Object.keys(arms);
    const times = [...new Set(names.flatMap((name) => arms[name].map(([at]) => at)))].sort((a, b) => a - b);
    const data = [times.map((at) => at / 1000)], series = [{}], bands = [];
    names.forEach((name, n) => {
      const by = new Map(arms[name].map((row) => [row[0], row]));
      for (const column of [3, 2, 4]) data.push(times.map((at) => (by.has(at) ? scale * by.get(at)[column] : null)));
      const stroke = colour(colours[n % colours.length]);
      const edge = { stroke, width: 1, dash: [3, 3], points: { show: false } };
      series.push({ ...edge, label: `${name} ↓` }, { label: name, stroke, width: 2 }, { ...edge, label: `${name} ↑` });
      bands.push({ series: [3 * n + 3, 3 * n + 1], fill: stroke.replace("rgb(", "rgba(").replace(")", ", .14)") });
    });
    const written = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: place.dataset.zone, month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const days = { space: 110, values: (chart, splits) => splits.map((at) => written.format(new Date(at * 1000))) };
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--rule") }, ticks: { stroke: colour("--rule") } };
    const zero = (chart) => {
      const y = chart.valToPos(0, "y", true), { left, width, top, height } = chart.bbox;
      if (y < top || y > top + height) return;
      chart.ctx.save();
      chart.ctx.strokeStyle = colour("--ink");
      chart.ctx.beginPath();
      chart.ctx.moveTo(left, y);
      chart.ctx.lineTo(left + width, y);
      chart.ctx.stroke();
      chart.ctx.restore();
    };
    const size = () => ({ width: Math.max(240, place.clientWidth), height: 280 });
    const range = (chart, low, high) => [Math.min(0, low), Math.max(0, high)].map((end) => end * 1.08);
    const chart = new uPlot({ ...size(), series, bands, axes: [{ ...axis, ...days }, axis], scales: { y: { range } }, hooks: { draw: [zero] }, legend: { live: false } }, data, place);
    addEventListener("resize", () => chart.setSize(size()));
  };
  const all = () => document.querySelectorAll("[data-looks]").forEach(draw);
  document.addEventListener("htmx:afterSettle", all);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})();
