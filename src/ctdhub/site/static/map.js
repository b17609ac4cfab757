/* Maps: the tile with the focus, the pointer or a tap says its words below the map, and its
   corridors stand out; a list chooses the corridors of one country. */
(function () {
  "use strict";
  document.querySelectorAll("svg.tiles").forEach(function (map) {
    var figure = map.closest("figure");
    if (!figure) return;
    var arrows = map.querySelectorAll("[data-ends]"), says = figure.querySelector(".map-says");
    var pick = figure.querySelector(".map-pick"), fixed = "", tapped = null;
    function mark(code) {
      var any = false;
      arrows.forEach(function (arrow) {
        var mine = arrow.getAttribute("data-ends").split(" ").indexOf(code) >= 0;
        arrow.classList.toggle("mine", mine);
        any = any || mine;
      });
      [map, map.firstElementChild].forEach(function (one) { one.classList.toggle("chosen", any); });
    }
    function words(tile) { return tile.querySelector("title").textContent; }
    function at(event) {
      return event && event.target.closest ? event.target.closest("a,g[role]") : null;
    }
    function show(event) {
      var tile = at(event);
      if (tile && map.contains(tile)) says.textContent = words(tile);
      mark((tile && tile.getAttribute("data-tile")) || fixed);
    }
    ["focusin", "mouseover"].forEach(function (kind) { map.addEventListener(kind, show); });
    ["focusout", "mouseleave"].forEach(function (kind) {
      map.addEventListener(kind, function () { mark(fixed); });
    });
    /* A first tap tells, a second one on the same tile follows its link. */
    map.addEventListener("click", function (event) {
      var tile = at(event), touch = event.pointerType === "touch";
      if (touch && tile && tile !== tapped) { event.preventDefault(); show(event); }
      tapped = tile;
    });
    if (says) says.hidden = false;
    if (!pick || !arrows.length) return;
    var list = pick.querySelector("select"), ends = {};
    arrows.forEach(function (arrow) {
      arrow.getAttribute("data-ends").split(" ").forEach(function (code) { ends[code] = true; });
    });
    map.querySelectorAll("[data-tile]").forEach(function (tile) {
      var code = tile.getAttribute("data-tile");
      if (!ends[code]) return;
      var name = words(tile).slice(code.length + 2);
      list.append(new Option(name, code));
    });
    list.addEventListener("change", function () { fixed = list.value; mark(fixed); });
    pick.hidden = false;
  });
})();
