/* What a page makes, as files: window.ctdhubSave.file(blob, name), rows of a CSV that holds more, and
   .png(svg text, width, height, name, facts) with facts ({Title: …, Source: …}) as text inside it. */
(function () {
  "use strict";
  var SHARP = 2, HEAD = 33;
  function file(blob, name) {
    var link = document.createElement("a");
    link.download = name;
    link.href = URL.createObjectURL(blob);
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
  }
  function crc(bytes) {
    var sum = -1;
    bytes.forEach(function (byte) {
      sum ^= byte;
      for (var k = 0; k < 8; k += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
    });
    return (sum ^ -1) >>> 0;
  }
  function four(value) { return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]; }
  /* A chunk "iTXt" of PNG: a keyword of Latin letters, and a text in UTF-8. */
  function chunk(key, text) {
    var inside = Array.from(new TextEncoder().encode("iTXt" + key + "\0\0\0\0\0" + text));
    return four(inside.length - 4).concat(inside, four(crc(inside)));
  }
  /* Chunks of text stand after the head of the file, which is always of one length. */
  function told(blob, facts, then) {
    blob.arrayBuffer().then(function (held) {
      var texts = [];
      Object.keys(facts || {}).forEach(function (key) {
        if (facts[key]) texts = texts.concat(chunk(key, facts[key]));
      });
      then(new Blob([held.slice(0, HEAD), new Uint8Array(texts), held.slice(HEAD)], { type: "image/png" }));
    });
  }
  function png(text, wide, high, name, facts) {
    var image = new Image(), canvas = document.createElement("canvas");
    canvas.width = SHARP * wide;
    canvas.height = SHARP * high;
    image.onload = function () {
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(function (blob) {
        told(blob, facts, function (whole) { file(whole, name); });
      });
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  }
  /* A link to some rows of a CSV names them behind "#"; without a script it gives the whole file. */
  function cut(link, text) {
    var name = link.pathname.split("/").pop().slice(0, -4), columns = text.split("\n", 1)[0].split(",");
    new URLSearchParams(link.hash.slice(1)).forEach(function (code, column) {
      name += "-" + code.toLowerCase();
      var place = columns.indexOf(column);
      if (place < 0) throw new Error(column);
      text = text.split("\n").filter(function (line, k) {
        return !k || line.split(",")[place] === code;
      }).join("\n");
    });
    file(new Blob([text + "\n"], { type: "text/csv" }), name + ".csv");
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[download][href*='.csv#']");
    if (!link || location.protocol === "file:") return;
    event.preventDefault();
    fetch(link.href).then(function (answer) {
      if (!answer.ok) throw answer;
      return answer.text();
    }).then(cut.bind(null, link))
      .catch(function () { location.assign(link.href); });
  });
  window.ctdhubSave = { file: file, png: png };
})();
