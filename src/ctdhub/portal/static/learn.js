(function () {
  "use strict";
  // Exercises check themselves in CSS.  This script says the reply aloud, keeps what was answered
  // while the tab is open, and tells how many exercises of a lesson are solved.
  var holder = document.querySelector("[data-store]");
  var name = "course-" + holder.dataset.store;
  var said = document.getElementById("said");
  var kept = {};
  try {
    kept = JSON.parse(sessionStorage.getItem(name)) || {};
  } catch (refused) {
    kept = {};
  }

  function keep() {
    try {
      sessionStorage.setItem(name, JSON.stringify(kept));
    } catch (refused) {
      return;
    }
  }

  function tell() {
    document.querySelectorAll("[data-lesson]").forEach(function (place) {
      var solved = Object.keys(kept).filter(function (id) {
        return id.indexOf(place.dataset.lesson + "-") === 0 && kept[id].right;
      });
      var words = JSON.parse(place.dataset.done);
      place.textContent = words[Math.min(solved.length, words.length - 1)];
    });
  }

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
