/* The explorer's worker: takes what the page asks, answers with views. */
(function () {
  "use strict";
  var view = null;
  function unpacked(bytes) {
    var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }
  function fetched(file) {
    return fetch(file).then(function (answer) {
      if (!answer.ok) throw new Error("status");
      return answer.arrayBuffer();
    }).then(unpacked);
  }
  function answer(asked) {
    if (asked.data) {
      return fetched(asked.data.files.data).then(function (buffer) {
        if (buffer.byteLength !== asked.data.layout.size) throw new Error("size");
        view = new ctdhubView(asked.data, buffer, function (name) {
          return fetched(asked.data.files.tables.replace("{name}", name)).then(function (cells) {
            return JSON.parse(new TextDecoder().decode(cells));
          });
        });
        return null;
      });
    }
    return view.show(asked.state);
  }
  self.onmessage = function (event) {
    answer(event.data).then(function (found) {
      self.postMessage({ id: event.data.id, found: found });
    }, function () { self.postMessage({ id: event.data.id, failed: true }); });
  };
})();
