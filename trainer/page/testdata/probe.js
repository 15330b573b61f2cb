"use strict";
// Uses the page as a reader would, and leaves in it what came of that.
(async function () {
  const seen = {};
  const one = (selector) => document.querySelector(selector);
  const key = (on, name) => on.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  const inked = (canvas) => canvas.width > 0 &&
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v);
  try {
    seen.pictures = document.images.length;
    seen.decoded = [...document.images].filter((image) => image.complete && image.naturalWidth > 1).length;
    const axis = () => one(".u-legend .u-label").textContent;
    const plots = () => [...document.querySelectorAll(".chart canvas")].filter(inked).length;
    await new Promise((done) => setTimeout(done, 300));
    seen.charts = document.querySelectorAll(".chart").length;
    seen.drawn = plots();
    seen.axis = axis();
    one("input[value=evaluations]").click();
    await new Promise((done) => setTimeout(done, 300));
    seen.otherAxis = axis();
    seen.drawnAgain = plots();
    const shown = () => [...document.querySelectorAll("#samples .strip:first-of-type img")]
      .filter((image) => !image.hidden).map((image) => image.dataset.step).join();
    const slider = one("#samples input[type=range]");
    seen.last = shown();
    slider.value = +slider.value - 1;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    seen.before = shown();
    slider.value = +slider.value + 1;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    seen.again = shown();
    const frames = one("#samples .frames[tabindex]");
    if (frames) {
      for (const name of ["ArrowRight", "ArrowRight", "ArrowDown"]) key(frames, name);
      seen.nearest = one(".nearest .pair p").textContent;
      seen.nearestDrawn = [...document.querySelectorAll(".nearest")[0].querySelectorAll("canvas")].every(inked);
    }
    const points = one(".points");
    key(points, "ArrowRight");
    const first = one(".detail p").textContent;
    for (const name of ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]) {
      key(points, name);
      seen.moved = seen.moved || one(".detail p").textContent !== first;
    }
    seen.points = inked(points);
    const theme = () => getComputedStyle(document.body).backgroundColor;
    const light = theme();
    one("#theme").click();
    seen.themes = theme() !== light;
    one("#theme").click();
    seen.wide = document.documentElement.scrollWidth - innerWidth;
    seen.requests = performance.getEntriesByType("resource").map((r) => r.name)
      .filter((name) => !name.startsWith("data:"));
  } catch (failure) {
    seen.failure = String(failure) + failure.stack;
  }
  const out = document.createElement("pre");
  out.id = "probe";
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
})();
