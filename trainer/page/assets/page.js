"use strict";
(function () {
  const plume = window.plume;
  const nearby = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  // crop draws one row of a picture of many onto a canvas, about as large as asked.
  function crop(canvas, image, grid, i, side) {
    const ratio = side / Math.max(grid.w, grid.h);
    const zoom = ratio >= 1 ? Math.floor(ratio) : ratio;
    canvas.width = Math.round(grid.w * zoom);
    canvas.height = Math.round(grid.h * zoom);
    const ctx = canvas.getContext("2d");
    ctx.imageSmoothingEnabled = zoom < 1;
    ctx.drawImage(image, grid.left + (i % grid.cols) * grid.dx,
      grid.top + Math.floor(i / grid.cols) * grid.dy, grid.w, grid.h, 0, 0, canvas.width, canvas.height);
  }
  const sizes = (g) => ({ ...g, w: g.width, h: g.height });

  // A strip shows the picture that its slider chooses. When pictures come, the slider stays at its
  // step, or at the newest picture if it was there.
  function strip(figure) {
    const frames = () => [...figure.querySelectorAll(".frames img")];
    const slider = () => figure.querySelector(".slide input");
    let timer = 0, step = "", follows = true;
    const show = () => {
      const all = frames();
      const at = slider() ? +slider().value : all.length - 1;
      all.forEach((frame, i) => { frame.hidden = i !== at; });
      step = all[at].dataset.step;
      follows = at === all.length - 1;
      if (slider()) {
        figure.querySelector(".slide output").textContent = step;
        slider().setAttribute("aria-valuetext", "step " + step);
      }
      figure.dispatchEvent(new CustomEvent("frame"));
    };
    const say = (sign) => {
      const play = figure.querySelector(".play");
      if (play) play.textContent = sign;
    };
    const stop = () => { clearInterval(timer); timer = 0; say("▶"); };
    const play = () => {
      if (timer) return stop();
      if (follows) slider().value = 0;
      say("❚❚");
      show();
      timer = setInterval(() => {
        slider().value = +slider().value + 1;
        show();
        if (follows) stop();
      }, 500);
    };
    const update = () => {
      const all = frames();
      if (slider()) {
        const at = all.findLastIndex((frame) => +frame.dataset.step <= +step);
        slider().max = all.length - 1;
        slider().value = follows && !timer || at < 0 ? all.length - 1 : at;
        figure.querySelector(".slide").hidden = false;
      }
      show();
    };
    figure.addEventListener("input", (event) => {
      if (event.target === slider()) { stop(); show(); }
    });
    figure.addEventListener("click", (event) => { if (event.target.closest(".play")) play(); });
    figure.addEventListener("update", update);
    update();
  }

  // nearest shows the training row nearest to a sample of one of the pictures.
  function nearest(article) {
    const found = plume.data.nearest[+article.dataset.run];
    const panel = article.querySelector(".nearest");
    const figure = article.querySelector(".strip");
    if (!found || !panel || !figure) return;
    const frames = figure.querySelector(".frames");
    const image = () => frames.querySelector('img[data-step="' + found.step + '"]');
    if (!image()) return;
    const grid = sizes(found);
    const rows = new Image();
    rows.src = found.uri;
    const [sample, row] = panel.querySelectorAll("canvas");
    const text = panel.querySelector(".pair p");
    for (const mark of frames.querySelectorAll(".mark")) mark.remove();
    const mark = plume.element("div", { class: "mark" });
    mark.hidden = true;
    frames.append(mark);
    let at = -1;
    const choose = (i) => {
      if (i < 0 || i >= grid.n || image().hidden || i === at) return;
      at = i;
      crop(sample, image(), grid, i, 112);
      crop(row, rows, grid, i, 112);
      text.textContent = "Sample " + (i + 1) + "; row " + found.rows[i] +
        (found.labels[i] ? ", " + found.labels[i] : "") + "\nRMS difference " + found.rms[i].toPrecision(3);
      const scale = image().clientWidth / image().naturalWidth;
      mark.style.left = (grid.left + (i % grid.cols) * grid.dx) * scale - 1 + "px";
      mark.style.top = (grid.top + Math.floor(i / grid.cols) * grid.dy) * scale - 1 + "px";
      mark.style.width = grid.w * scale + 2 + "px";
      mark.style.height = grid.h * scale + 2 + "px";
      mark.hidden = false;
    };
    const under = (event) => {
      const box = image().getBoundingClientRect();
      const scale = image().naturalWidth / box.width;
      const x = Math.floor(((event.clientX - box.left) * scale - grid.left) / grid.dx);
      const y = Math.floor(((event.clientY - box.top) * scale - grid.top) / grid.dy);
      if (x >= 0 && x < grid.cols && y >= 0) choose(y * grid.cols + x);
    };
    frames.tabIndex = 0;
    frames.setAttribute("role", "group");
    frames.setAttribute("aria-label", "Samples; arrow keys go from one to the next");
    // Those of the panel that this one replaces end.
    if (panels.has(article)) panels.get(article).abort();
    const end = new AbortController();
    panels.set(article, end);
    const listen = (on, name, what) => on.addEventListener(name, what, { signal: end.signal });
    listen(frames, "pointermove", under);
    listen(frames, "click", under);
    listen(frames, "keydown", (event) => {
      const move = nearby[event.key];
      if (!move) return;
      event.preventDefault();
      choose(at < 0 ? 0 : at + move[0] + move[1] * grid.cols);
    });
    listen(figure, "frame", () => {
      const away = !image() || image().hidden;
      if (away === panel.hidden) return;
      panel.hidden = away;
      mark.hidden = true;
      at = -1;
      if (!away) choose(0);
    });
    panel.hidden = image().hidden;
    rows.decode().then(() => image().decode()).then(() => choose(0)).catch(() => { panel.hidden = true; });
  }
  const panels = new WeakMap();

  // Ten colours for labels; beyond, they repeat.
  const hues = [210, 25, 150, 325, 45, 275, 185, 0, 95, 235];
  const classColour = (k, without) => k < 0 ? plume.colour(without) :
    "hsl(" + hues[k % hues.length] + " 75% " +
      (getComputedStyle(document.documentElement).colorScheme === "dark" ? "66%" : "42%") + ")";

  function scatter(figure) {
    const data = plume.data.latents[+figure.dataset.run];
    const own = "run" + plume.data.curves[+figure.dataset.run].colour;
    if (!data) return;
    figure.hidden = false;
    const canvas = figure.querySelector(".points");
    const row = figure.querySelector(".detail canvas");
    const text = figure.querySelector(".detail p");
    const sprite = data.sprite ? new Image() : null;
    const grid = data.sprite && sizes(data.sprite);
    row.hidden = true;
    if (sprite) sprite.src = data.sprite.uri;
    const all = data.x.concat(data.px);
    const ally = data.y.concat(data.py);
    const bounds = [Math.min(...all), Math.max(...all), Math.min(...ally), Math.max(...ally)];
    let at = -1;
    const place = (x, y) => {
      const edge = 10;
      return [edge + (x - bounds[0]) / (bounds[1] - bounds[0] || 1) * (canvas.clientWidth - 2 * edge),
        edge + (bounds[3] - y) / (bounds[3] - bounds[2] || 1) * (canvas.clientHeight - 2 * edge)];
    };
    const draw = () => {
      const ratio = devicePixelRatio || 1;
      canvas.width = canvas.clientWidth * ratio;
      canvas.height = canvas.clientHeight * ratio;
      const ctx = canvas.getContext("2d");
      ctx.scale(ratio, ratio);
      const dot = (p, radius, colour, alpha) => {
        ctx.globalAlpha = alpha;
        ctx.fillStyle = colour;
        ctx.beginPath();
        ctx.arc(p[0], p[1], radius, 0, 7);
        ctx.fill();
      };
      data.px.forEach((x, i) => dot(place(x, data.py[i]), 1.5, plume.colour("faint"), 0.45));
      data.x.forEach((x, i) => dot(place(x, data.y[i]), 3.2, classColour(data.label[i], own), 0.8));
      if (at >= 0) {
        ctx.globalAlpha = 1;
        ctx.strokeStyle = plume.colour("ink");
        ctx.lineWidth = 2;
        ctx.beginPath();
        ctx.arc(...place(data.x[at], data.y[at]), 7, 0, 7);
        ctx.stroke();
      }
    };
    const choose = (i) => {
      if (i < 0 || i === at) return;
      at = i;
      draw();
      const label = data.label[i] >= 0 ? ", " + data.classes[data.label[i]] : "";
      text.textContent = "Row " + data.row[i] + label + (data.text ? "\n" + data.text[i] : "");
      const picture = sprite && data.sprite.at[i] >= 0;
      row.hidden = !picture;
      if (picture) crop(row, sprite, grid, data.sprite.at[i], 140);
    };
    const closest = (x, y, allowed) => {
      let best = -1, distance = Infinity;
      data.x.forEach((v, i) => {
        const p = place(v, data.y[i]);
        const d = (p[0] - x) ** 2 + (p[1] - y) ** 2;
        if (d < distance && allowed(p, i)) { best = i; distance = d; }
      });
      return best;
    };
    const under = (event) => {
      const box = canvas.getBoundingClientRect();
      choose(closest(event.clientX - box.left, event.clientY - box.top, () => true));
    };
    canvas.addEventListener("pointermove", under);
    canvas.addEventListener("click", under);
    canvas.addEventListener("keydown", (event) => {
      const move = nearby[event.key];
      if (!move) return;
      event.preventDefault();
      const from = at < 0 ? [0, 0] : place(data.x[at], data.y[at]);
      // The nearest point within a right angle of the direction.
      choose(closest(from[0], from[1], (p, i) => {
        if (at < 0) return true;
        const d = [p[0] - from[0], p[1] - from[1]];
        const along = d[0] * move[0] + d[1] * move[1];
        return i !== at && along > 0 && along >= Math.abs(d[0] * move[1] + d[1] * move[0]);
      }));
    });
    const legend = figure.querySelector(".legend");
    const keys = data.classes.slice(0, 20).map((name, k) => {
      const key = plume.element("canvas", { "aria-hidden": "true", width: "12", height: "12" });
      legend.append(plume.element("li", {}, key, name));
      return [key, k];
    });
    if (data.classes.length > 20) legend.append(plume.element("li", {}, "and others"));
    const drawAll = () => {
      draw();
      for (const [key, k] of keys) {
        const ctx = key.getContext("2d");
        ctx.clearRect(0, 0, 12, 12);
        ctx.fillStyle = classColour(k, own);
        ctx.beginPath();
        ctx.arc(6, 6, 6, 0, 7);
        ctx.fill();
      }
    };
    plume.redraws.push({ draw: drawAll, of: canvas });
    drawAll();
    if (sprite) sprite.decode().then(() => choose(0)).catch(() => {});
    else if (data.text) choose(0);
  }

  // begin makes parts of the page work that are new: all of them at first.
  const begun = new WeakSet();
  plume.begin = function () {
    const fresh = (selector) => [...document.querySelectorAll(selector)].filter((part) => {
      if (begun.has(part)) return false;
      begun.add(part);
      return true;
    });
    plume.makeCharts();
    fresh(".strip").forEach(strip);
    fresh(".nearest").forEach((panel) => nearest(panel.closest("article")));
    fresh(".scatter").forEach(scatter);
  };
  plume.begin();
  plume.theme();
  let wide = innerWidth, waiting = 0;
  addEventListener("resize", () => {
    if (innerWidth === wide) return;
    wide = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(plume.redraw, 150);
  });
})();
