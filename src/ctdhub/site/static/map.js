(function () {
  "use strict";
  // The corridors of the tile that has the focus or the pointer stand out.
  document.querySelectorAll("svg.tiles").forEach(function (map) {
    var arrows = map.querySelectorAll("[data-ends]");
    if (!arrows.length) return;
    function show(event) {
      var tile = event && event.target.closest ? event.target.closest("[data-tile]") : null;
      var code = tile ? tile.getAttribute("data-tile") : "";
      var any = false;
      arrows.forEach(function (arrow) {
        var mine = arrow.getAttribute("data-ends").split(" ").indexOf(code) >= 0;
        arrow.classList.toggle("mine", mine);
        any = any || mine;
      });
      map.classList.toggle("chosen", any);
    }
    map.addEventListener("focusin", show);
    map.addEventListener("mouseover", show);
    map.addEventListener("focusout", function () { show(null); });
    map.addEventListener("mouseleave", function () { show(null); });
  });
})();
