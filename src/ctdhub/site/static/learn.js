(function () {
  "use strict";
  // Exercises check themselves in CSS.  This script says the reply aloud, keeps what was answered
  // while the tab is open, and tells how many exercises of a lesson are solved.
  var LESSON = /\/[a-z]{2}\/learn\/(?!trainer\.)[^/]*$/;
  var holder = document.querySelector("[data-store]");
  var name = "course-" + holder.dataset.store;
  var said = document.getElementById("said");
  var kept = {};

  // A document opened as a file may have a storage of its own, or lose it.  So its history keeps the
  // answers too, and a followed link carries them in the name of the tab, which the next lesson
  // empties at once: any other site that is opened in the tab could read it.
  function carried() {
    if (location.protocol !== "file:" || window.name.indexOf("course-") !== 0) return null;
    var text = window.name;
    window.name = "";
    return text.indexOf(name) === 0 ? text.slice(name.length) : null;
  }

  function recall(held) {
    try {
      Object.assign(kept, JSON.parse(held()));
    } catch (refused) {
      return;
    }
  }

  function keep() {
    var text = JSON.stringify(kept);
    try {
      history.replaceState(text, "");
      sessionStorage.setItem(name, text);
    } catch (refused) {
      return;
    }
  }

  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[href]");
    if (!link || link.protocol !== "file:" || link.pathname === location.pathname) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (LESSON.test(link.pathname)) window.name = name + JSON.stringify(kept);
  });

  function tell() {
    document.querySelectorAll("[data-lesson]").forEach(function (place) {
      var solved = Object.keys(kept).filter(function (id) {
        return id.indexOf(place.dataset.lesson + "-") === 0 && kept[id].right;
      });
      var words = JSON.parse(place.dataset.done);
      place.textContent = words[Math.min(solved.length, words.length - 1)];
    });
  }

  recall(function () { return history.state; });
  recall(function () { return sessionStorage.getItem(name); });
  recall(carried);
  document.querySelectorAll(".quiz").forEach(function (quiz) {
    var before = kept[quiz.id];
    quiz.querySelectorAll("input").forEach(function (input) {
      var radio = input.type === "radio";
      if (before && radio) input.checked = before.value === input.value;
      if (before && !radio) input.value = before.value;
      input.addEventListener("change", function () {
        if (!input.value) return;
        var right = radio ? "right" in input.dataset : input.validity.valid;
        var box = input.parentElement;
        var reply = radio ? ".reply" : right ? ".yes" : ".no";
        kept[quiz.id] = { value: input.value, right: right };
        keep();
        tell();
        said.textContent = box.querySelector(reply).textContent;
      });
    });
  });
  tell();
})();
