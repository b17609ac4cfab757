// Puts the chosen country first and its emergency number on top. Nothing is stored or sent.
(function () {
  "use strict";
  var box = document.getElementById("choose"), now = document.getElementById("now-number");
  var list = document.getElementById("countries"), pick = box && box.querySelector("select");
  if (!pick) return;
  var order = Array.prototype.slice.call(list.children);
  box.hidden = false;
  document.getElementById("jump").hidden = true;
  pick.addEventListener("change", function () {
    order.forEach(function (section) { list.appendChild(section); });
    now.textContent = "";
    var chosen = document.getElementById(pick.value);
    if (!chosen) return;
    list.insertBefore(chosen, list.firstChild);
    var number = chosen.querySelector(".emergency");
    if (number) now.appendChild(number.cloneNode(true));
  });
})();
