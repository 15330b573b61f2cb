"use strict";
// What all pages use.
window.plume = (function () {
  const plume = { redraws: [] };
  const text = document.getElementById("data");
  plume.data = text ? JSON.parse(text.textContent) : {};
  plume.served = "events" in document.body.dataset;

  const styles = () => getComputedStyle(document.documentElement);
  plume.colour = (name) => styles().getPropertyValue("--" + name).trim();

  // element makes an element with attributes and children.
  plume.element = function (tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  // stored keeps what the reader has chosen, on pages that are served.
  plume.stored = function (name, value) {
    if (!plume.served) return null;
    try {
      if (value === undefined) return localStorage.getItem("plume-" + name);
      localStorage.setItem("plume-" + name, value);
    } catch { /* the browser keeps nothing */ }
    return null;
  };

  plume.redraw = () => {
    plume.redraws = plume.redraws.filter((r) => !r.of || r.of.isConnected);
    plume.redraws.forEach((r) => r.draw());
  };

  // theme is that of the system, until the button says otherwise.
  plume.theme = function () {
    const root = document.documentElement;
    const button = document.getElementById("theme");
    const system = matchMedia("(prefers-color-scheme: dark)");
    const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
    const show = () => {
      button.textContent = dark() ? "Light" : "Dark";
      button.setAttribute("aria-label", "Use the " + (dark() ? "light" : "dark") + " colours");
      plume.redraw();
    };
    const before = plume.stored("theme");
    if (before === "dark" || before === "light") root.dataset.theme = before;
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      plume.stored("theme", root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    show();
  };
  return plume;
})();
