/* Corridors: two lists, of where people came from and where they were exploited, narrow the table. */
(function () {
  "use strict";
  var box = document.querySelector(".pick-corridor"), fold = document.getElementById("corridors");
  if (!fold) return;
  var rows = [].slice.call(fold.querySelectorAll("tbody tr"));
  var lists = ["from", "to"].map(function (end, column) {
    var list = document.getElementById(end), names = {};
    rows.forEach(function (row) { names[row.dataset[end]] = row.cells[column + 1].textContent; });
    function add(code, name) {
      var option = document.createElement("option");
      option.value = code;
      option.textContent = name;
      list.append(option);
    }
    add("", box.dataset.all);
    Object.keys(names).sort(function (a, b) {
      return names[a].localeCompare(names[b], document.documentElement.lang);
    }).forEach(function (code) { add(code, names[code]); });
    list.addEventListener("change", narrow);
    return list;
  });
  function narrow() {
    var from = lists[0].value, to = lists[1].value, n = 0;
    rows.forEach(function (row) {
      row.hidden = Boolean((from && row.dataset.from !== from) || (to && row.dataset.to !== to));
      if (!row.hidden) n++;
    });
    fold.open = Boolean(from || to);
    var told = n ? box.dataset.some.replace("{n}", n) : box.dataset.none;
    box.querySelector("[role=status]").textContent = from || to ? told : "";
    if (n && (from || to)) box.after(fold);
  }
})();
