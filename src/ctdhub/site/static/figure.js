/* Chart cards: a card for each number of a table, and pictures (SVG, PNG) with title and source. */
(function () {
  "use strict";
  var NS = "http://www.w3.org/2000/svg", WIDE = 760, MARGIN = 24;
  var rtl = document.documentElement.dir === "rtl";
  var family = getComputedStyle(document.documentElement).fontFamily;
  var pen = document.createElement("canvas").getContext("2d");
  var told = document.querySelector("[data-words-copy]").dataset;
  var DARK = /@media[^{]*\((?:prefers-color-scheme|forced-colors)[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g;

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
  function address(figure) { return window.ctdhubWhole(figure.querySelector(".share").dataset.place); }
  function source(figure) { return told.source.replace("{url}", "\u2068" + address(figure) + "\u2069"); }
  function facts(figure) {
    return {
      Title: figure.querySelector("h2, h3").textContent, Source: address(figure),
      Author: told.hub, Copyright: told.licence, "Creation Time": told.day
    };
  }
  function metadata(figure) {
    var made = document.createElementNS(NS, "metadata"), held = facts(figure);
    var names = { title: "Title", source: "Source", publisher: "Author", license: "Copyright", date: "Creation Time" };
    var rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    var graph = made.appendChild(document.createElementNS(rdf, "rdf:RDF"));
    var node = graph.appendChild(document.createElementNS(rdf, "rdf:Description"));
    node.setAttributeNS(rdf, "rdf:about", "");
    Object.keys(names).forEach(function (name) {
      var part = document.createElementNS("http://purl.org/dc/elements/1.1/", "dc:" + name);
      part.textContent = held[names[name]];
      node.appendChild(part);
    });
    return made;
  }
  function charts(figure) {
    return Array.prototype.filter.call(figure.querySelectorAll("svg.chart[role]"), function (chart) {
      var hidden = chart.closest(".in-people, .in-share");
      if (hidden && getComputedStyle(hidden).display === "none") return false;
      var fold = chart.closest("details");
      return !fold || fold.contains(figure) || fold.open;
    });
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
    function write(text, size, weight) {
      if (!text) return;
      words(text, size, weight).forEach(function (line) {
        y += Math.round(size * 1.45);
        add("text", {
          x: rtl ? WIDE - MARGIN : MARGIN, y: y, "text-anchor": rtl ? "end" : "start",
          direction: "ltr", "unicode-bidi": "plaintext", "font-family": family,
          "font-size": size, "font-weight": weight
        }, (rtl ? "\u200f" : "") + line);
      });
    }
    function text(chosen) {
      var found = figure.querySelector(chosen);
      return found ? found.textContent : "";
    }
    svg.appendChild(metadata(figure));
    add("style", {}, document.querySelector("style").textContent.replace(DARK, ""));
    var paper = add("rect", { width: "100%", height: "100%", fill: "#fff" });
    write(text("h2, h3"), 19, 600);
    write(text(".sub"), 14, 400);
    write(text(".counted"), 12, 400);
    charts(figure).forEach(function (drawn) {
      var title = document.getElementById(drawn.getAttribute("aria-labelledby").split(" ")[0]);
      if (title && title.tagName !== "H3" && title.tagName !== "H2") write(title.textContent, 14, 600);
      var chart = drawn.cloneNode(true), line = chart.classList.contains("years");
      var start = line ? 52 : 0, end = line ? 104 : 0, above = line ? 40 : 0, below = line ? 26 : 0;
      var inner = WIDE - 2 * MARGIN;
      var high = line ? Math.round(inner / 2) - above - below : Number(chart.getAttribute("height"));
      chart.removeAttribute("class");
      chart.setAttribute("class", line ? "years-picture" : "chart-picture");
      [["x", MARGIN + (rtl ? end : start)], ["y", y + 12 + above], ["width", inner - start - end],
        ["height", high], ["overflow", "visible"], ["font-family", family]]
        .forEach(function (pair) { chart.setAttribute(pair[0], pair[1]); });
      chart.querySelectorAll("text").forEach(function (said) {
        if (!said.style.fontSize) said.setAttribute("font-size", "14");
      });
      svg.appendChild(chart);
      y += high + above + below + 16;
    });
    figure.querySelectorAll(".turns li").forEach(function (item, k) { write(k + 1 + ". " + item.textContent, 12, 400); });
    write(text(".blanks summary"), 12, 400);
    figure.querySelectorAll(".info p").forEach(function (part) { write(part.textContent, 12, 400); });
    write(text("figcaption ~ .note"), 12, 400);
    write(told.citation, 12, 400);
    write(source(figure), 12, 400);
    y += MARGIN;
    svg.setAttribute("width", WIDE);
    svg.setAttribute("height", y);
    svg.setAttribute("viewBox", "0 0 " + WIDE + " " + y);
    paper.setAttribute("height", y);
    return { text: new XMLSerializer().serializeToString(svg), high: y };
  }

  function name(figure) { return figure.dataset.name || figure.id; }
  var kinds = {
    SVG: function (figure) {
      window.ctdhubSave.file(new Blob([picture(figure).text], { type: "image/svg+xml" }), name(figure) + ".svg");
    },
    PNG: function (figure) {
      var drawn = picture(figure);
      window.ctdhubSave.png(drawn.text, WIDE, drawn.high, name(figure) + ".png", facts(figure));
    }
  };

  var card = document.getElementById("card");
  card.querySelector("button[data-close]").addEventListener("click", function () { card.close(); });
  function open(figure, row, cells) {
    var label = row.querySelector("th").textContent;
    var values = {
      label: label, people: ctdhubPeople(JSON.parse(told.people), cells[0]), low: cells[1], high: cells[2], share: cells[3],
      what: figure.querySelector(".sub").textContent, base: figure.querySelector(".counted span").textContent,
      url: address(figure)
    };
    var sentence = (cells[3] === "–" ? told.plain : told.quote).replace(/\{(\w+)\}/g, function (all, name) {
      return Object.prototype.hasOwnProperty.call(values, name) ? values[name] : all;
    });
    var fields = {
      title: label,
      question: figure.querySelector(".sub").textContent,
      value: cells[0],
      interval: card.dataset.between.replace("{low}", cells[1]).replace("{high}", cells[2]),
      share: cells[3],
      base: figure.dataset.base,
      missing: figure.dataset.missing,
      sentence: sentence
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
  document.querySelectorAll("figure[id] .made").forEach(function (place) {
    var figure = place.closest("figure"), drawn = place.parentNode.querySelector("a[href$='.svg']");
    ["SVG", "PNG"].forEach(function (kind) {
      if ((kind === "SVG" && drawn) || !figure.querySelector("svg.chart[role]")) return;
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = kind;
      button.addEventListener("click", function () { kinds[kind](figure); });
      place.append(" · ", button);
    });
  });
})();
