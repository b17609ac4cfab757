/* Figures: a card for each number of their tables, and pictures (SVG, PNG) with title and note. */
(function () {
  "use strict";
  var NS = "http://www.w3.org/2000/svg", WIDE = 760, MARGIN = 24;
  var rtl = document.documentElement.dir === "rtl";
  var family = getComputedStyle(document.documentElement).fontFamily;
  var pen = document.createElement("canvas").getContext("2d");

  function words(text, size, weight) {
    pen.font = weight + " " + size + "px " + family;
    var lines = [], line = "";
    text.trim().split(/[ \n]+/).forEach(function (word) {
      var longer = line ? line + " " + word : word;
      if (line && pen.measureText(longer).width > WIDE - 2 * MARGIN) {
        lines.push(line);
        line = word;
      } else line = longer;
    });
    return line ? lines.concat(line) : lines;
  }

  /* The picture as text, and its height in pixels. */
  function picture(figure) {
    var svg = document.createElementNS(NS, "svg"), y = MARGIN;
    function add(name, attributes, text) {
      var made = document.createElementNS(NS, name);
      Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
      if (text) made.textContent = text;
      return svg.appendChild(made);
    }
    function write(source, size, weight) {
      if (!source) return;
      words(source.textContent, size, weight).forEach(function (line) {
        y += Math.round(size * 1.45);
        add("text", {
          x: rtl ? WIDE - MARGIN : MARGIN, y: y, "text-anchor": rtl ? "end" : "start",
          direction: "ltr", "unicode-bidi": "plaintext", "font-family": family,
          "font-size": size, "font-weight": weight
        }, (rtl ? "\u200f" : "") + line);
      });
    }
    var light = document.querySelector("style").textContent
      .replace(/@media screen and \(prefers-color-scheme:dark\)\{:root\{[^}]*\}\s*\}/, "");
    add("style", {}, light); // a picture is put into documents whose page is white
    var paper = add("rect", { width: "100%", height: "100%", fill: "#fff" });
    write(figure.querySelector("h3"), 19, 600);
    write(figure.querySelector(".sub"), 14, 400);
    var chart = figure.querySelector("svg.chart").cloneNode(true);
    var high = Number(chart.getAttribute("height"));
    [["x", MARGIN], ["y", y + 12], ["width", WIDE - 2 * MARGIN], ["font-family", family]]
      .forEach(function (pair) { chart.setAttribute(pair[0], pair[1]); });
    svg.appendChild(chart);
    y += high + 16;
    write(figure.querySelector(".note"), 12, 400);
    write(document.querySelector("#cite + p"), 12, 400);
    y += MARGIN;
    svg.setAttribute("width", WIDE);
    svg.setAttribute("height", y);
    svg.setAttribute("viewBox", "0 0 " + WIDE + " " + y);
    paper.setAttribute("height", y);
    return { text: new XMLSerializer().serializeToString(svg), high: y };
  }

  var kinds = {
    SVG: function (figure) {
      var blob = new Blob([picture(figure).text], { type: "image/svg+xml" });
      window.ctdhubSave.file(blob, figure.id + ".svg");
    },
    PNG: function (figure) {
      var drawn = picture(figure);
      window.ctdhubSave.png(drawn.text, WIDE, drawn.high, figure.id + ".png");
    }
  };

  var card = document.getElementById("card");
  card.querySelector("button").addEventListener("click", function () { card.close(); });
  function open(figure, row, cells) {
    var fields = {
      title: row.querySelector("th").textContent,
      question: figure.querySelector(".sub").textContent,
      value: cells[0],
      interval: card.dataset.between.replace("{low}", cells[1]).replace("{high}", cells[2]),
      share: cells[3],
      base: figure.dataset.base,
      missing: figure.dataset.missing
    };
    Object.keys(fields).forEach(function (name) {
      card.querySelector('[data-field="' + name + '"]').textContent = fields[name];
    });
    card.showModal();
  }
  document.querySelectorAll("figure[data-base] tbody tr").forEach(function (row) {
    var cells = Array.prototype.map.call(row.querySelectorAll("td"), function (cell) {
      return cell.textContent;
    });
    if (cells.length !== 4 || !/[0-9\u0660-\u0669]/.test(cells[0])) return;
    var button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-haspopup", "dialog");
    button.textContent = cells[0];
    button.addEventListener("click", function () { open(row.closest("figure"), row, cells); });
    row.querySelector("td").replaceChildren(button);
  });
  document.querySelectorAll("figure[id]").forEach(function (figure) {
    var list = figure.querySelector(".actions li > ul");
    if (!list || !figure.querySelector("svg.chart")) return;
    var svg = list.querySelector("a[href$='.svg']");
    ["PNG", "SVG"].forEach(function (kind) {
      if (kind === "SVG" && svg) return;
      var item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.textContent = kind;
      button.addEventListener("click", function () { kinds[kind](figure); });
      item.appendChild(button);
      list.insertBefore(item, svg && kind === "PNG" ? svg.parentNode.nextSibling : list.firstChild);
    });
  });
})();
