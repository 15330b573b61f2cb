"use strict";
// The list of all runs: filtered, sorted and searched in the page.
(function () {
  const plume = window.plume;
  const one = (id) => document.getElementById(id);
  const body = document.querySelector("table.runs tbody");
  const form = one("together");
  const step = 300; // rows that are shown at once, and more at each wish
  let most = step;
  const together = 8; // runs on a page

  const query = new URLSearchParams(location.search);
  const chosen = { sort: query.get("sort") || "started", down: query.get("down") !== "no" };
  one("search").value = query.get("search") || "";
  one("status").value = query.get("status") || "";

  const columns = new Map([...document.querySelectorAll("th[data-column]")].map((th) => [th.dataset.column, th.cellIndex]));
  const cellOf = (row, key) => row.cells[columns.get(key)];
  if (!columns.has(chosen.sort)) chosen.sort = "started";

  // compare orders numbers before what is not known, and texts by their letters.
  const collator = new Intl.Collator("en", { numeric: true });
  function compare(a, b) {
    const x = cellOf(a, chosen.sort).dataset.value;
    const y = cellOf(b, chosen.sort).dataset.value;
    if (!x || !y) return (x ? 0 : 1) - (y ? 0 : 1);
    const numbers = !isNaN(x) && !isNaN(y);
    const order = numbers ? x - y : collator.compare(x, y);
    return chosen.down ? -order : order;
  }

  // tags offers the tags that there are.
  function tags() {
    const select = one("tag");
    const wanted = select.value || query.get("tag") || "";
    const all = new Set();
    for (const row of body.rows) row.dataset.tags.split(" ").filter(Boolean).forEach((t) => all.add(t));
    if (wanted) all.add(wanted);
    const names = [...all].sort(collator.compare);
    if (names.join(" ") !== [...select.options].slice(1).map((o) => o.value).join(" ")) {
      select.replaceChildren(select.options[0], ...names.map((name) => plume.element("option", {}, name)));
    }
    select.value = wanted;
    query.delete("tag");
  }

  function show() {
    tags();
    const words = one("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const status = one("status").value;
    const tag = one("tag").value;
    const rows = [...body.rows].sort(compare);
    const focused = document.activeElement;
    if (rows.some((row, i) => row !== body.rows[i])) {
      body.append(...rows);
      if (focused && focused !== document.activeElement) focused.focus({ preventScroll: true });
    }
    let found = 0;
    for (const row of rows) {
      const text = words.length ? (row.textContent + " " + cellOf(row, "data").dataset.value).toLowerCase() : "";
      const wanted = (!status || row.dataset.status === status) &&
        (!tag || row.dataset.tags.split(" ").includes(tag)) && words.every((word) => text.includes(word));
      if (wanted) found++;
      row.hidden = !wanted || found > most;
    }
    const all = rows.length;
    const said = (found === all ? all + (all === 1 ? " run" : " runs") : found + " of " + all + " runs") +
      (found > most ? ", the first " + most + " are shown" : "");
    if (one("count").textContent !== said) one("count").textContent = said;
    one("more").hidden = found <= most;
    one("none").hidden = all > 0;
    for (const th of document.querySelectorAll("th[data-column]")) {
      if (th.dataset.column !== chosen.sort) th.removeAttribute("aria-sort");
      else th.setAttribute("aria-sort", chosen.down ? "descending" : "ascending");
    }
    choose();
  }

  // choose counts the chosen runs.
  function choose() {
    const all = [...body.querySelectorAll("input:checked")];
    const button = one("show");
    button.disabled = !all.length || all.length > together;
    button.textContent = all.length > together ? "At most " + together + " can be shown together" :
      all.length ? "Show " + all.length + (all.length === 1 ? " run" : " runs together") : "Show chosen together";
  }

  // remember puts what is chosen in the address.
  function remember() {
    const now = new URLSearchParams();
    for (const name of ["search", "status", "tag"]) if (one(name).value) now.set(name, one(name).value);
    if (chosen.sort !== "started") now.set("sort", chosen.sort);
    if (!chosen.down) now.set("down", "no");
    history.replaceState(null, "", now.size ? "?" + now : location.pathname);
  }

  const changed = () => { most = step; show(); remember(); };
  for (const name of ["search", "status", "tag"]) one(name).addEventListener("input", changed);
  one("search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault(); // the form shows the chosen runs
    if (event.key === "Escape") { one("search").value = ""; changed(); }
    const first = [...body.rows].find((row) => !row.hidden);
    if (first) focusRow(first);
  });
  for (const [name] of columns) {
    document.querySelector('th[data-column="' + name + '"] button').addEventListener("click", () => {
      chosen.down = chosen.sort === name ? !chosen.down : ["started", "epochs", "time"].includes(name);
      chosen.sort = name;
      changed();
    });
  }
  one("more").addEventListener("click", () => { most += step; show(); });
  body.addEventListener("change", choose);

  function focusRow(row) {
    (row.querySelector("a") || row.querySelector("input")).focus();
    row.scrollIntoView({ block: "nearest" });
  }
  const current = () => document.activeElement.closest("table.runs tbody tr");
  const walk = (by) => () => {
    const rows = [...body.rows].filter((row) => !row.hidden);
    const at = rows.indexOf(current());
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
    if (next) focusRow(next);
  };
  plume.keys({
    "/": () => one("search").focus(), j: walk(1), k: walk(-1),
    x: () => { const row = current(); if (row) row.querySelector("input").click(); },
    c: () => { if (!one("show").disabled) form.requestSubmit(one("show")); },
  });

  // take puts new rows in the place of those of the same runs.
  function take(update) {
    const there = new Map([...body.rows].map((row) => [row.dataset.key, row]));
    if (update.all) {
      const named = new Set(update.rows.map((r) => r.name));
      for (const [name, row] of there) if (!named.has(name)) row.remove();
    }
    for (const { name, html } of update.rows || []) {
      const parsed = new DOMParser().parseFromString("<table><tbody>" + html + "</tbody></table>", "text/html");
      const row = document.adoptNode(parsed.querySelector("tr"));
      if (there.has(name)) plume.morph(there.get(name), row);
      else body.append(row);
    }
    for (const name of update.removed || []) if (there.has(name)) there.get(name).remove();
    show();
  }

  show();
  plume.theme();
  plume.follow(take);
})();
