/* The list of countries in another order than that of their names; a button for each order. */
(function () {
  "use strict";
  var box = document.querySelector(".orders"), index = document.querySelector(".index");
  if (!box || !index) return;
  var letters = document.querySelector(".letters"), note = document.querySelector(".orders-note");
  var blocks = [].slice.call(index.children), rows = [].slice.call(index.querySelectorAll("tbody tr"));
  var homes = rows.map(function (row) { return row.parentNode; });
  var flat = blocks[0] && blocks[0].cloneNode(true);
  if (!flat) return;
  flat.removeAttribute("id");
  flat.classList.add("flat");
  flat.querySelector("h3").remove();
  box.addEventListener("click", function (event) {
    var button = event.target.closest("button"), by = button && button.dataset.by;
    if (!by) return;
    box.querySelectorAll("button").forEach(function (each) {
      each.setAttribute("aria-pressed", String(each === button));
    });
    letters.hidden = by !== "name";
    note.hidden = by === "name" || by === "region";
    if (by === "name") {
      rows.forEach(function (row, k) { homes[k].append(row); });
      index.replaceChildren.apply(index, blocks);
      return;
    }
    var body = flat.querySelector("tbody"), lang = document.documentElement.lang;
    body.replaceChildren();
    rows.slice().sort(function (a, b) {
      return by === "region" ? a.dataset.region.localeCompare(b.dataset.region, lang)
        : b.dataset[by] - a.dataset[by];
    }).forEach(function (row) { body.append(row); });
    index.replaceChildren(flat);
  });
  box.hidden = false;
})();
