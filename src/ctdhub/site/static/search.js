/* Search of places, variables and pages: a combobox with a list (ARIA Authoring Practices).
   Its data load when the reader enters it; without a script a link leads to the list of places.
   ctdhubSearched.places() finds the same spellings for other scripts of the page. */
window.ctdhubSearched = (function () {
  "use strict";
  var MOST = 8;
  var SAME = { "ى": "ي", "ة": "ه", "ı": "i", "ø": "o", "ł": "l", "đ": "d", "ß": "ss" };
  var data = null, asked = false, waiting = [];

  /* As fold_name in Python: letters and digits alone, without case, accents and Arabic pointing. */
  function fold(text) {
    return text.replace(/&/g, " and ").normalize("NFKD").toLowerCase()
      .replace(/[ىةıøłđß]/g, function (c) { return SAME[c]; })
      .replace(/[^\p{L}\p{N}]|\p{Lm}/gu, "");
  }

  /* 0 the whole spelling, 1 its beginning, 2 inside it, 3 one letter wrong; 9 where it is none. */
  function rank(spelt, typed) {
    var best = 9;
    spelt.split("|").forEach(function (one) {
      var at = one === typed ? 0 : one.indexOf(typed) === 0 ? 1
        : typed.length > 2 && one.indexOf(typed) > 0 ? 2
        : typed.length > 4 && near(one, typed) ? 3 : 9;
      if (at < best) best = at;
    });
    return best;
  }

  /* Whether a spelling begins as typed but for one letter: another one, one more, one less, or two
     in each other's place; the first letter is right. */
  function near(one, typed) {
    var k = 0;
    while (k < typed.length && one[k] === typed[k]) k++;
    function goes(from, rest) { return one.startsWith(typed.slice(rest), from); }
    return k > 0 && (goes(k + 1, k + 1) || goes(k, k + 1) || goes(k + 1, k)
      || (one[k] === typed[k + 1] && one[k + 1] === typed[k] && goes(k + 2, k + 2)));
  }

  /* The best hits of a list of [rank, …]: those with a letter wrong only where there are no others. */
  function best(hits) {
    return hits.filter(function (hit) { return hit[0] < 9; })
      .sort(function (a, b) { return a[0] - b[0] || a[1] - b[1]; })
      .filter(function (hit, _k, all) { return hit[0] < 3 || all[0][0] === 3; });
  }

  /* Give the data to whoever waits, once they are there. */
  function load(box, ready, failed) {
    if (data) return ready();
    waiting.push([ready, failed]);
    if (asked) return;
    asked = true;
    function end(which) {
      waiting.splice(0).forEach(function (one) { one[which](); });
    }
    window.ctdhubSearch = function (found) { data = found; end(0); };
    function gone() {
      asked = false;
      end(1);
    }
    if (location.protocol === "file:") {
      var script = document.createElement("script");
      script.onerror = gone;
      script.src = box.dataset.file;
      document.head.append(script);
    } else fetch(box.dataset.file).then(function (got) {
      if (!got.ok) throw new Error(String(got.status));
      return got.text();
    }).then(function (text) {
      window.ctdhubSearch(JSON.parse(text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"))));
    }).catch(gone);
  }

  /* The code of a country that has a page, "" of anything else. */
  function country(entry) {
    var found = /^countries\/([a-z]{3})\.html$/.exec(entry[1]);
    return found ? found[1].toUpperCase() : "";
  }

  function combobox(box) {
    var input = box.querySelector("input"), list = box.querySelector("ul"), chosen = -1;
    var told = box.querySelector("[role=status]"), prefix = box.id.replace("-box", "");

    /* A box with "to" finds countries alone, but that of the page, and leads to their comparison. */
    function wanted(entry) {
      var code = country(entry);
      return !box.dataset.to || (code && code !== box.dataset.but);
    }

    function find(text) {
      var typed = fold(text);
      if (!typed) return [];
      return best(data.entries.map(function (entry, k) {
        return [wanted(entry) ? rank(entry[3], typed) : 9, k, entry];
      })).slice(0, MOST).map(function (hit) { return hit[2]; });
    }

    function close() {
      list.hidden = true;
      list.textContent = "";
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function show() {
      var text = input.value;
      close();
      if (!data || !fold(text)) { told.textContent = ""; return; }
      var found = find(text);
      found.forEach(function (entry, k) {
        var item = document.createElement("li"), name = document.createElement("bdi");
        var hint = document.createElement("small");
        item.id = prefix + "-" + k;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.dataset.path = box.dataset.to ? box.dataset.to + country(entry) : entry[1];
        name.textContent = entry[0];
        hint.textContent = data.hints[entry[2]];
        item.append(name, " ", hint);
        list.append(item);
      });
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
      told.textContent = found.length ? box.dataset.some.replace("{n}", found.length) : box.dataset.none;
      told.classList.toggle("vh", found.length > 0);
    }

    function choose(k) {
      var items = list.children;
      if (!items.length) return;
      if (chosen >= 0) items[chosen].setAttribute("aria-selected", "false");
      chosen = (k + items.length) % items.length;
      items[chosen].setAttribute("aria-selected", "true");
      items[chosen].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[chosen].id);
    }

    function open(item) {
      if (item) location.href = box.dataset.up + item.dataset.path;
    }

    function enter() {
      load(box, show, function () {
        told.textContent = box.dataset.failed;
        told.classList.remove("vh");
      });
    }

    input.addEventListener("focus", enter);
    input.addEventListener("input", enter);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", function (event) {
      if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (list.hidden) show();
        var down = event.key === "ArrowDown";
        choose(chosen < 0 ? (down ? 0 : list.children.length - 1) : chosen + (down ? 1 : -1));
        event.preventDefault();
      } else if (event.key === "Enter" && !list.hidden) {
        open(list.children[Math.max(chosen, 0)]);
        event.preventDefault();
      } else if (event.key === "Escape") {
        if (list.hidden) input.value = "";
        else event.preventDefault();
        close();
        told.textContent = "";
      }
    });
    list.addEventListener("pointerdown", function (event) { event.preventDefault(); });
    list.addEventListener("click", function (event) { open(event.target.closest("li")); });
  }

  /* Other names of each place, by its name here: a function that ranks a name as the search does. */
  function places(ready) {
    var box = document.getElementById("search-box");
    if (box) load(box, function () {
      var spelt = new Map();
      data.entries.forEach(function (entry) {
        if (entry[1].slice(0, 10) === "countries/")
          spelt.set(entry[0], (spelt.has(entry[0]) ? spelt.get(entry[0]) + "|" : "") + entry[3]);
      });
      ready(spelt);
    }, function () {});
  }

  document.querySelectorAll(".find").forEach(combobox);
  return { fold: fold, rank: rank, best: best, places: places };
})();
