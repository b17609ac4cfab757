// A kiosk's slides: they advance by themselves, pause when touched, and begin anew after idling.
// One interval for the whole life of the page compares deadlines; nodes are hidden and shown, never made.
(function () {
  "use strict";
  var settings = JSON.parse(document.getElementById("exhibit").textContent);
  var slides = Array.prototype.slice.call(document.querySelectorAll(".slide"));
  var stage = document.querySelector(".stage");
  var place = document.getElementById("place");
  var pause = document.getElementById("pause");
  var at = 0, playing = true, advanceAt = 0, touchedAt = null, lock = null, locking = false, leaving = false;

  function now() { return performance.now(); }

  function show(next) {
    at = (next + slides.length) % slides.length;
    slides.forEach(function (slide, i) {
      slide.hidden = i !== at;
      slide.classList.toggle("in", i === at);
    });
    stage.scrollTop = 0;
    place.textContent = settings.places[at];
    advanceAt = now() + settings.seconds * 1000;
  }

  function play(on) {
    playing = on;
    pause.textContent = on ? settings.pause : settings.play;
    stage.setAttribute("aria-live", on ? "off" : "polite");
    advanceAt = now() + settings.seconds * 1000;
  }

  // To another language, once: a second call would cut the first short.
  // The history of the kiosk stays one page long.
  function leave(address) {
    if (leaving) return;
    leaving = true;
    location.replace(address);
  }

  function reset() {
    touchedAt = null;
    if (settings.home) { leave(settings.home); return; }
    if (document.activeElement && document.activeElement.blur) document.activeElement.blur();
    play(true);
    show(0);
  }

  function tick() {
    if (document.hidden || leaving) return;
    if (touchedAt !== null) {
      if (now() - touchedAt >= settings.idle * 1000) reset();
    } else if (settings.home && now() >= settings.idle * 1000) {
      reset();
      return;
    }
    if (playing && now() >= advanceAt) show(at + 1);
  }

  function touched(event) {
    touchedAt = now();
    if (!event.target.closest || !event.target.closest("#pause")) play(false);
  }

  function stayAwake() {
    if (!navigator.wakeLock || lock || locking || document.hidden) return;
    locking = true;
    navigator.wakeLock.request("screen").then(function (got) {
      lock = got;
      locking = false;
      got.addEventListener("release", function () { lock = null; }, { once: true });
    }, function () { locking = false; });
  }

  document.addEventListener("pointerdown", touched);
  document.addEventListener("keydown", touched);
  stage.addEventListener("scroll", function () { if (touchedAt !== null) touchedAt = now(); }, { passive: true });
  document.addEventListener("contextmenu", function (event) { event.preventDefault(); });
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) return;
    if (touchedAt !== null && now() - touchedAt >= settings.idle * 1000) reset();
    advanceAt = now() + settings.seconds * 1000;
    stayAwake();
  });
  document.querySelector("nav").addEventListener("click", function (event) {
    var link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    leave(link.href);
  });
  document.getElementById("before").addEventListener("click", function () { show(at - 1); });
  document.getElementById("after").addEventListener("click", function () { show(at + 1); });
  pause.addEventListener("click", function () { play(!playing); });

  document.querySelector(".controls").hidden = false;
  play(true);
  show(0);
  stayAwake();
  setInterval(tick, 1000);
})();
