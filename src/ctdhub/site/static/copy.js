/* Share boxes: a copy button for each text, whole addresses, the day of access.
   window.ctdhubCopy(root) does it for texts that are made later. */
(function () {
  "use strict";
  var words = document.querySelector("[data-words-copy]");
  if (!words) return;
  var FIRST = document.documentElement.lang === "fr" ? "1er " : "1 ";
  var said = words.dataset, today = new Date().toISOString().slice(0, 10);
  function day() {
    try {
      return new Date().toLocaleDateString(document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang,
        { day: "numeric", month: "long", year: "numeric" }).replace(/^1 (?=[a-zéû]+ \d{4}$)/, FIRST);
    } catch (wrong) { return today; }
  }
  /* The root of the site as the reader sees it, where no public address is known. */
  function root() {
    var address = location.href.split(/[?#]/)[0].replace(/\/$/, "/index.html"), end = said.here;
    if (said.known || !/^https?:$/.test(location.protocol)) return "";
    return address.slice(-end.length) === end ? address.slice(0, -end.length) : "";
  }
  var base = root();
  function whole(text) {
    if (!base) return text;
    text = text.split(said.example).join(base);
    return text.replace(/(^|[\s"{\u2068\u2066])(r\/\d{4}\.\d+\/)/g, function (_all, before, path) { return before + base + path; });
  }
  function dated(text, kind) {
    if (kind === "citation") return text + " " + said.accessed.replace("{day}", day());
    if (kind === "bibtex") return text.replace(/\n\}$/, "\n  urldate = {" + today + "},\n}");
    if (kind === "ris") return text.replace(/\nER {2}-/, "\nY2  - " + today.split("-").join("/") + "\nER  -");
    return text;
  }
  function select(block) {
    var range = document.createRange(), chosen = getSelection();
    range.selectNodeContents(block);
    chosen.removeAllRanges();
    chosen.addRange(range);
  }
  function copy(block, button) {
    function done(text) {
      button.textContent = text;
      setTimeout(function () { button.textContent = said.wordsCopy; }, 4000);
    }
    function byHand() { select(block); done(said.selected); }
    if (!navigator.clipboard || !navigator.clipboard.writeText) return byHand();
    navigator.clipboard.writeText(block.textContent).then(function () { done(said.copied); }, byHand);
  }
  function ready(scope) {
    scope.querySelectorAll("pre[data-copy]").forEach(function (block) {
      if (block.dataset.ready) return;
      block.dataset.ready = "yes";
      block.textContent = dated(whole(block.textContent), block.dataset.copy);
      var button = document.createElement("button"), name = block.parentNode.querySelector("b").textContent;
      button.type = "button";
      button.textContent = said.wordsCopy;
      button.setAttribute("aria-live", "polite");
      button.setAttribute("aria-describedby", block.id || (block.id = "copy-" + Math.random().toString(36).slice(2)));
      button.title = said.wordsCopy + " – " + name;
      button.addEventListener("click", function () { copy(block, button); });
      block.before(button);
    });
  }
  /* BibTeX and RIS of each chart, from the templates of the page. */
  var TEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
  function tex(text) {
    return text.replace(/[\\{}~^&%$#_]/g, function (sign) { return TEX[sign] || "\\" + sign; });
  }
  function plain(text) { return text.replace(/[\u200e\u200f\u2066-\u2069\u061c]/g, "").trim().replace(/\s+/g, " "); }
  function entry(template, values) {
    return template.replace(/\{(id|title|url)\}/g, function (_all, name) { return values[name]; });
  }
  function cited(box) {
    var figure = box.closest("[id]"), title = plain(figure.querySelector(".sub").textContent);
    var url = whole(box.dataset.place);
    [["BibTeX", said.bibtex, tex(title)], ["RIS", said.ris, title]].forEach(function (kind) {
      var made = document.createElement("div"), block = document.createElement("pre");
      made.className = "copied";
      made.appendChild(document.createElement("b")).textContent = kind[0];
      block.dir = "ltr";
      block.dataset.copy = kind[0].toLowerCase();
      block.textContent = entry(kind[1], { id: figure.dataset.name || figure.id, title: kind[2], url: url });
      made.appendChild(block);
      box.appendChild(made);
    });
  }
  document.querySelectorAll("figure .share").forEach(cited);
  window.ctdhubCopy = ready;
  window.ctdhubWhole = whole;
  ready(document);
})();
