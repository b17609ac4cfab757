/* The explorer's worker: takes what the page asks, answers with views. */
(function () {
  "use strict";
  var view = null;
  function answer(asked) {
    if (asked.state) return view.show(asked.state);
    return ctdhubView.open(asked.lang, function (name) {
      return fetch(asked.file.replace("{name}", name)).then(function (answer) {
        if (!answer.ok) throw new Error("status");
        return new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
      });
    }).then(function (opened) {
      view = opened;
      return view.data;
    });
  }
  self.onmessage = function (event) {
    answer(event.data).then(function (found) {
      self.postMessage({ id: event.data.id, found: found });
    }, function () { self.postMessage({ id: event.data.id, failed: true }); });
  };
})();
