"use strict";
// A page of runs that is served: what is new comes in, and a run can be stopped.
(function () {
  const plume = window.plume;
  const { data } = plume;
  const most = 1200; // records of a curve, beyond which every second one is left out

  // add appends new records to a curve.
  function add(piece) {
    const own = data.curves[piece.number];
    if (!piece.from) {
      data.curves[piece.number] = { ...piece, levels: own.levels };
      return;
    }
    const before = own.x.step.length;
    const count = (piece.x.step || []).length;
    for (const axis of Object.keys(own.x)) own.x[axis] = own.x[axis].concat(piece.x[axis]);
    for (const key of new Set([...Object.keys(own.y), ...Object.keys(piece.y)])) {
      own.y[key] = (own.y[key] || Array(before).fill(null)).concat(piece.y[key] || Array(count).fill(null));
    }
    if (own.x.step.length > most) thin(own);
  }

  // thin leaves out every second record that has no distance of samples, but for the last.
  function thin(curves) {
    const distances = curves.y.pca64_fd || [];
    const n = curves.x.step.length;
    const kept = (_, i) => i % 2 === 0 || i === n - 1 || distances[i] != null;
    for (const all of [curves.x, curves.y]) {
      for (const name of Object.keys(all)) all[name] = all[name].filter(kept);
    }
  }

  // replace puts new sections in the place of those with their names.
  function replace(html) {
    for (const section of plume.parsed(html)) {
      const there = document.getElementById(section.id);
      if (there) plume.morph(there, section);
    }
  }

  function take(update) {
    const y = scrollY;
    (update.curves || []).forEach(add);
    if (update.models) {
      data.nearest = update.models.nearest;
      data.latents = update.models.latents;
      data.curves.forEach((curve, i) => { curve.levels = update.models.levels[i]; });
    }
    (update.parts || []).forEach(replace);
    if (update.charts) data.charts = update.charts;
    plume.begin();
    document.querySelectorAll(".strip").forEach((s) => s.dispatchEvent(new CustomEvent("update")));
    if (update.curves || update.models) plume.extendCharts();
    // What grew above the reader's place must not move it, where the browser does not see to that.
    if (!CSS.supports("overflow-anchor", "auto") && scrollY !== y) scrollTo(0, y);
  }

  // stopping asks before a run is stopped, and tells what came of it.
  function stopping() {
    const dialog = document.getElementById("stopping");
    const answer = dialog.querySelector(".answer");
    let button = null;
    document.addEventListener("click", (event) => {
      button = event.target.closest("button.stop") || button;
      if (!event.target.closest("button.stop")) return;
      dialog.querySelector(".which").textContent = button.dataset.stops;
      answer.textContent = "";
      dialog.returnValue = "";
      dialog.showModal();
    });
    dialog.addEventListener("close", async () => {
      if (dialog.returnValue !== "stop") return;
      dialog.returnValue = "";
      const run = button.dataset.stops;
      button.disabled = true;
      let said;
      try {
        const response = await fetch(document.body.dataset.stop, {
          method: "POST", body: new URLSearchParams({ run }),
          headers: { Authorization: "Bearer " + document.body.dataset.token },
        });
        said = (await response.text()).trim();
        if (!response.ok) button.disabled = false;
      } catch (failure) {
        said = "the server cannot be reached: " + failure.message;
        button.disabled = false;
      }
      let line = button.parentElement.querySelector(".answer");
      if (!line) {
        line = plume.element("span", { class: "answer", role: "status" });
        button.after(" ", line);
      }
      line.textContent = said;
    });
  }

  const sections = [...document.querySelectorAll("main section[id]")].slice(0, 9);
  const actions = {
    g: () => { const home = document.querySelector("[data-home]"); if (home) location.href = home.href; },
  };
  sections.forEach((section, i) => {
    actions[i + 1] = () => {
      section.tabIndex = -1;
      section.focus({ preventScroll: true });
      section.scrollIntoView();
    };
  });
  plume.keys(actions);
  stopping();
  plume.follow(take);
})();
