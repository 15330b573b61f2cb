"use strict";
// What pages that are served have in common: the stream of what is new, and keys.
(function () {
  const plume = window.plume;
  const body = document.body;

  // morph makes a node like another one. What is the same stays, and with it what the reader has
  // opened, scrolled and focused. Parts that scripts fill in are marked with data-keep: they stay
  // unless its value changes.
  function morph(node, like) {
    if (node.nodeType !== 1) {
      if (node.data !== like.data) node.data = like.data;
      return;
    }
    if (node.isEqualNode(like)) return;
    if (node.classList.contains("frames")) return morphFrames(node, like);
    for (const { name, value } of [...like.attributes]) {
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
    for (const { name } of [...node.attributes]) {
      const own = name === "open" && node.nodeName === "DETAILS";
      if (!like.hasAttribute(name) && !own) node.removeAttribute(name);
    }
    children(node, like);
  }

  const key = (n) => n.nodeType === 1 ? n.nodeName + (n.id || n.dataset.key || n.className) : n.nodeName;

  function children(node, like) {
    let old = node.firstChild;
    for (const next of [...like.childNodes]) {
      let same = old;
      while (same && key(same) !== key(next)) same = same.nextSibling;
      if (!same) {
        node.insertBefore(next, old);
        continue;
      }
      while (old !== same) old = remove(old);
      old = same.nextSibling;
      if (same.nodeType === 1 && "keep" in same.dataset) {
        if (same.dataset.keep !== next.dataset.keep) same.replaceWith(next);
        continue;
      }
      morph(same, next);
    }
    while (old) old = remove(old);
  }

  function remove(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  // morphFrames keeps the pictures of steps that stay: the slider decides which of them is seen.
  function morphFrames(node, like) {
    const there = new Map([...node.querySelectorAll("img")].map((img) => [img.dataset.step, img]));
    const mark = node.querySelector(".mark");
    const wanted = [...like.querySelectorAll("img")].map((img) => {
      const old = there.get(img.dataset.step);
      if (!old || old.getAttribute("src") !== img.getAttribute("src")) return img;
      return old;
    });
    const all = mark ? wanted.concat(mark) : wanted;
    if (all.length !== node.childNodes.length || all.some((n, i) => n !== node.childNodes[i])) {
      node.replaceChildren(...all);
    }
  }
  plume.morph = morph;

  // parsed are the elements of a text.
  plume.parsed = function (html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    return [...template.content.children];
  };

  // say tells how the connection is, unless the same is there already.
  const place = document.getElementById("connection");
  function say(text, kind) {
    if (place.textContent !== text) place.textContent = text;
    place.dataset.kind = kind;
  }

  // follow opens the stream of what is new, with the state that the page has, and opens it again
  // whenever it is lost. A page that nobody sees has none.
  plume.follow = function (take) {
    let source = null, state = body.dataset.state, wait = 1000, retry = 0, silence = 0, ended = false;
    const close = () => {
      clearTimeout(retry);
      clearTimeout(silence);
      if (source) source.close();
      source = null;
    };
    const lost = () => {
      close();
      say(ended ? "The server has ended" : "Connection lost: trying again", "lost");
      retry = setTimeout(open, wait);
      wait = Math.min(2 * wait, 15000);
    };
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(lost, 45000);
      wait = 1000;
    };
    const open = () => {
      close();
      if (document.hidden) return;
      const url = body.dataset.events + (body.dataset.events.includes("?") ? "&" : "?");
      source = new EventSource(url + "at=" + encodeURIComponent(state));
      silence = setTimeout(lost, 45000);
      source.addEventListener("open", () => { ended = false; say("Live", "live"); heard(); });
      source.addEventListener("error", lost);
      source.addEventListener("beat", heard);
      source.addEventListener("update", (event) => {
        heard();
        say("Live", "live");
        take(JSON.parse(event.data));
        state = event.lastEventId;
      });
      source.addEventListener("problem", (event) => {
        heard();
        const problem = JSON.parse(event.data);
        say(problem || "Live", problem ? "lost" : "live");
      });
      source.addEventListener("end", () => { ended = true; lost(); });
    };
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) close(); else if (!source) { wait = 1000; open(); }
    });
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => { if (event.persisted) open(); });
    say("Connecting", "lost");
    open();
  };

  // keys gives the page keys: names are those of the keys, or of sections by their number.
  plume.keys = function (actions) {
    const dialog = document.getElementById("keys");
    const letters = document.getElementById("letters");
    const button = document.getElementById("shortcuts");
    letters.checked = plume.stored("letters") !== "no";
    letters.addEventListener("change", () => plume.stored("letters", letters.checked ? "yes" : "no"));
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
    const all = { "?": () => dialog.showModal(), t: () => document.getElementById("theme").click(), ...actions };
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input:not([type=checkbox], [type=radio], [type=range]), select, textarea");
      const other = event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented;
      if (typing || other || !letters.checked || document.querySelector("dialog[open]")) return;
      const action = all[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
  };
})();
