// Quick exit, in the head of every page. The target replaces the page in the history; whoever comes
// Back in this tab, to this page or an earlier one, is sent to the target again. The flag lives
// in the storage of the tab and is cleared when a page is opened in any other way.
(function () {
  "use strict";
  var page = document.documentElement, target = document.querySelector("meta[name=exit]").content;
  var WITHIN = 5000, TIMES = 3, FLAG = "left", last = 0, presses = 0, alone = false;

  function left() {
    try { return sessionStorage.getItem(FLAG); } catch (refused) { return null; }
  }
  function note(gone) {
    try {
      if (gone) sessionStorage.setItem(FLAG, "1");
      else sessionStorage.removeItem(FLAG);
    } catch (refused) { /* without storage the page is still replaced */ }
  }
  function blank() { page.style.visibility = "hidden"; }
  function leave() {
    blank();
    note(true);
    document.title = "\u2026";
    location.replace(target);
  }

  var entry = (performance.getEntriesByType("navigation") || [])[0];
  if (left()) {
    if (entry && entry.type === "back_forward") leave();
    else note(false);
  }
  addEventListener("pagehide", blank); // what the browser keeps of it is blank
  addEventListener("pageshow", function (event) {
    if (!event.persisted) return;
    if (left()) leave();
    else page.style.visibility = "";
  });

  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest(".exit");
    if (!link) return;
    event.preventDefault();
    leave();
  });
  // Shift alone, three times: not with a letter, nor with Alt or Control, which change the keyboard.
  document.addEventListener("keydown", function (event) {
    if (event.repeat) return;
    alone = event.key === "Shift" && !event.altKey && !event.ctrlKey && !event.metaKey;
    if (!alone) presses = 0;
  });
  document.addEventListener("pointerdown", function () { alone = false; });
  document.addEventListener("keyup", function (event) {
    if (event.key !== "Shift" || !alone) return;
    alone = false;
    presses = event.timeStamp - last <= WITHIN ? presses + 1 : 1;
    last = event.timeStamp;
    if (presses === TIMES) leave();
  });
})();
