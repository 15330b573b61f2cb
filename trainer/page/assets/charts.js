"use strict";
// Curves of all runs, one diagram for each key, drawn by uPlot.
(function () {
  const plume = window.plume;
  const short = (v) => v == null ? "–" : v === 0 ? "0" :
    Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3 ? v.toExponential(2) : String(+v.toPrecision(4));
  const ticks = (v) => v == null ? "" : v === 0 ? "0" : Math.abs(v) >= 1e9 ? +(v / 1e9).toPrecision(3) + "G" :
    Math.abs(v) >= 1e6 ? +(v / 1e6).toPrecision(3) + "M" :
    Math.abs(v) >= 1e4 ? +(v / 1e3).toPrecision(3) + "k" :
    Math.abs(v) < 1e-3 ? v.toExponential(0) : String(+v.toPrecision(4));
  const clock = (s) => s == null ? "" : s >= 3600 ? +(s / 3600).toPrecision(3) + " h" :
    s >= 60 ? +(s / 60).toPrecision(3) + " min" : +s.toPrecision(3) + " s";

  // lines are what a chart shows: its curves, and the levels that they are compared with.
  function lines(chart, axis) {
    const all = [];
    for (const run of plume.data.curves) {
      const x = run.x[axis] || [];
      const scale = chart.percent ? 100 : 1;
      for (const [key, dash, also] of [[chart.key, null, ""], [chart.also, [5, 4], chart.alsoTitle]]) {
        const y = key && run.y[key];
        if (!y) continue;
        const points = x.map((v, i) => [v, y[i]]).filter((p) => p[0] != null && p[1] != null)
          .sort((a, b) => a[0] - b[0])
          .filter((p, i, all) => i === 0 || p[0] > all[i - 1][0]);
        if (!points.length) continue;
        all.push({
          label: run.run + (also ? ", " + also : ""), colour: "run" + run.colour, dash,
          x: points.map((p) => p[0]), y: points.map((p) => p[1] * scale),
        });
      }
      const own = (run.levels || []).filter((l) => l.chart === chart.key && l.value != null);
      const ends = x.filter((v) => v != null);
      for (const level of own) {
        if (!ends.length) continue;
        const last = ends[ends.length - 1];
        const whole = level.low == null;
        all.push({
          label: run.run + ", " + level.name, colour: "run" + run.colour,
          dash: whole ? [2, 4] : null, level, points: !whole,
          x: whole && ends[0] < last ? [ends[0], last] : [last],
          y: whole && ends[0] < last ? [level.value, level.value] : [level.value],
        });
      }
    }
    return all;
  }

  // intervals draws the bars of measured values.
  function intervals(place) {
    return (u) => {
      const ratio = devicePixelRatio || 1;
      place.shown.forEach((line, i) => {
        if (!line.points || !u.series[i + 1].show) return;
        const x = u.valToPos(line.x[0], "x", true);
        const clamp = (v) => u.scales.y.distr === 3 && v <= 0 ? u.scales.y.min : v;
        const low = u.valToPos(clamp(line.level.low), "y", true);
        const high = u.valToPos(clamp(line.level.high), "y", true);
        u.ctx.save();
        u.ctx.strokeStyle = plume.colour(line.colour);
        u.ctx.lineWidth = 2 * ratio;
        u.ctx.beginPath();
        u.ctx.moveTo(x, low); u.ctx.lineTo(x, high);
        for (const y of [low, high]) {
          u.ctx.moveTo(x - 5 * ratio, y); u.ctx.lineTo(x + 5 * ratio, y);
        }
        u.ctx.stroke();
        u.ctx.restore();
      });
    };
  }

  // splits are the ticks of a logarithmic axis: 1, 2 and 5 of each decade, the decades alone if
  // there are many, and equal steps if there are few.
  function splits(u, i, low, high) {
    const all = [];
    if (!(low > 0 && high < Infinity)) return all;
    const digits = Math.log10(high / low) > 3 ? [1] : [1, 2, 5];
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) {
      for (const d of digits) {
        const v = +(d + "e" + e);
        if (v >= low && v <= high) all.push(v);
      }
    }
    if (all.length > 1) return all;
    const step = +((high - low) / 4).toPrecision(1);
    const steps = [];
    for (let v = Math.ceil(low / step) * step; v <= high; v += step) steps.push(+v.toPrecision(6));
    return steps;
  }

  // range holds the curves and intervals, with room around them.
  function range(place, log) {
    return (u, low, high) => {
      for (const line of place.shown) {
        if (!line.points) continue;
        if (line.level.low > 0 || !log) low = Math.min(low, line.level.low);
        high = Math.max(high, line.level.high);
      }
      if (low == null || high == null) return [0, 1];
      if (log) return low > 0 ? [low / 1.15, high * 1.15] : [1e-3, 1];
      const room = 0.06 * (high - low || Math.abs(high) || 1);
      return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
    };
  }

  function options(place, axis, width) {
    const { chart, shown } = place;
    const log = place.log.checked;
    const one = shown.length && shown.every((l) => l.x.length < 2);
    const grid = { stroke: plume.colour("rule"), width: 1 };
    const ink = plume.colour("faint");
    const text = "12px " + getComputedStyle(document.body).fontFamily;
    const axes = [
      { stroke: ink, grid, ticks: grid, font: text, space: 64,
        values: (u, all) => all.map(axis === "time" ? clock : ticks) },
      { stroke: ink, grid, ticks: grid, font: text, size: 58, ...(log ? { splits, filter: (u, all) => all } : {}),
        values: (u, all) => all.map((v) => v == null ? "" : ticks(v) + (chart.percent ? " %" : "")) },
    ];
    const series = [{ label: axis, value: (u, v) => axis === "time" ? clock(v) : ticks(v) }];
    for (const l of shown) {
      series.push({
        label: l.label, stroke: plume.colour(l.colour), width: 2, dash: l.dash || undefined,
        spanGaps: true, points: { show: l.points || one || l.x.length < 30, size: 6 },
        value: (u, v) => short(v) + (chart.percent && v != null ? " %" : ""),
      });
    }
    return {
      width, height: 220, series, axes, legend: { live: true },
      scales: { x: { time: false }, y: { distr: log ? 3 : 1, range: range(place, log) } },
      hooks: { draw: [intervals(place)] }, cursor: { points: { size: 7 } },
    };
  }

  // words describe a chart to who cannot see it.
  function words(chart, shown) {
    const ends = shown.filter((l) => l.y.length).map((l) =>
      l.label + " from " + short(l.y[0]) + " to " + short(l.y[l.y.length - 1]));
    return chart.title + ": " + ends.join("; ");
  }

  const places = [];
  const chosenAxis = () => (document.querySelector("#axis input:checked") || { value: "step" }).value;
  const ends = (u) => [u.data[0][0], u.data[0][u.data[0].length - 1]];

  // zoomed is the part of the axis that the reader has chosen; null: all of it. A chart that was
  // made a moment ago has no scales yet.
  function zoomed(u) {
    const { min, max } = u.scales.x;
    const [first, last] = ends(u);
    if (min == null || max == null || u.data[0].length < 2) return null;
    return min > first || max < last ? { min, max } : null;
  }

  // draw makes a chart anew: it stays as the reader has left it, unless its axis is another one.
  function draw(place, axis) {
    const before = place.u;
    const zoom = before && place.axis === axis ? zoomed(before) : null;
    const hidden = before ? before.series.filter((s) => !s.show).map((s) => s.label) : [];
    place.axis = axis;
    place.shown = lines(place.chart, axis);
    if (before) before.destroy();
    const made = options(place, axis, Math.max(240, place.plot.clientWidth));
    made.series.forEach((s, i) => { if (i && hidden.includes(s.label)) s.show = false; });
    place.u = new uPlot(made, uPlot.join(place.shown.map((l) => [l.x, l.y])), place.plot);
    if (zoom) place.u.setScale("x", zoom);
    place.plot.setAttribute("aria-label", words(place.chart, place.shown));
  }

  // extend draws the numbers that a chart has now.
  function extend(place) {
    const shown = lines(place.chart, place.axis);
    const lone = (all) => all.map((l) => l.label + (l.x.length < 2)).join("\n");
    if (lone(shown) !== lone(place.shown)) return draw(place, place.axis);
    const zoom = zoomed(place.u);
    place.shown = shown;
    place.u.setData(uPlot.join(shown.map((l) => [l.x, l.y])), !zoom);
    if (zoom) place.u.setScale("x", zoom);
    place.plot.setAttribute("aria-label", words(place.chart, shown));
  }

  plume.drawCharts = () => places.forEach((place) => draw(place, chosenAxis()));
  plume.extendCharts = () => places.forEach(extend);

  // zoom changes the part of the axis that is shown, about the cursor.
  function zoom(u, factor) {
    const [first, last] = ends(u);
    if (!(last > first)) return;
    const { min, max } = u.scales.x;
    const at = u.cursor.idx == null ? (min + max) / 2 : u.data[0][u.cursor.idx];
    const low = Math.max(first, at - (at - min) * factor);
    const high = Math.min(last, at + (max - at) * factor);
    if (high > low) u.setScale("x", { min: low, max: high });
  }

  // keys moves the cursor of a chart, so that its legend tells the values there, and zooms.
  function keys(place, event) {
    const u = place.u;
    const factor = { "+": 0.5, "=": 0.5, "-": 2, "0": Infinity }[event.key];
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!u || event.ctrlKey || event.metaKey || !step && !factor) return;
    event.preventDefault();
    event.stopPropagation();
    if (factor === Infinity) return u.setScale("x", { min: ends(u)[0], max: ends(u)[1] });
    if (factor) return zoom(u, factor);
    const n = u.data[0].length;
    const at = u.cursor.idx == null ? (step > 0 ? 0 : n - 1) : Math.min(n - 1, Math.max(0, u.cursor.idx + step));
    u.setCursor({ left: u.valToPos(u.data[0][at], "x"), top: 10 });
  }

  function make(chart, section) {
    const log = plume.element("input", { type: "checkbox" });
    log.checked = chart.log;
    const plot = plume.element("div", { class: "plot", role: "img", tabindex: "0" });
    const figure = plume.element("figure", { class: "chart card" },
      plume.element("div", { class: "head" },
        plume.element("strong", {}, chart.title),
        plume.element("label", {}, log, " log")),
      plume.element("figcaption", {}, chart.about), plot);
    const place = { chart, log, plot, figure };
    log.addEventListener("change", () => draw(place, chosenAxis()));
    plot.addEventListener("keydown", (event) => keys(place, event));
    section.append(figure);
    draw(place, chosenAxis());
    return place;
  }

  // makeCharts makes those that are not there yet, in their order.
  plume.makeCharts = function () {
    for (const section of document.querySelectorAll(".charts")) {
      let before = null; // a figure that is moved would lose the focus: only new ones are
      for (const chart of plume.data.charts.filter((c) => c.section === section.dataset.section)) {
        let place = places.find((p) => p.chart.key === chart.key);
        if (!place) {
          place = make(chart, section);
          places.push(place);
          if (before) before.after(place.figure); else section.prepend(place.figure);
        }
        before = place.figure;
      }
    }
    document.getElementById("axis").hidden = !places.length;
  };
  document.getElementById("axis").addEventListener("change", plume.drawCharts);
  plume.redraws.push({ draw: plume.drawCharts });
})();
