/* What a page makes, as files: window.ctdhubSave.file(blob, name), .png(svg text, width, height, name). */
(function () {
  "use strict";
  var SHARP = 2;
  function file(blob, name) {
    var link = document.createElement("a");
    link.download = name;
    link.href = URL.createObjectURL(blob);
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
  }
  function png(text, wide, high, name) {
    var image = new Image(), canvas = document.createElement("canvas");
    canvas.width = SHARP * wide;
    canvas.height = SHARP * high;
    image.onload = function () {
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(function (blob) { file(blob, name); });
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  }
  window.ctdhubSave = { file: file, png: png };
})();
