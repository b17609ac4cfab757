/* Draws a view: rows of bars, one panel for each group, or years as lines with a band. */
var ctdhubPlot = (function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg", MARKS = 6, rtl = document.documentElement.dir === "rtl";
  var DASHES = ["", "7 3", "2 3", "8 3 2 3", "12 4", "4 4"];

  function node(tag, attributes, text) {
    var made = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) { made.setAttribute(name, attributes[name]); });
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function shape(parent, tag, attributes, text) {
    var made = document.createElementNS(SVG, tag);
    Object.keys(attributes).forEach(function (name) { made.setAttribute(name, attributes[name]); });
    if (text !== undefined) made.textContent = text;
    return parent.appendChild(made);
  }
  function keyOf(row) { return row.column + ":" + row.code; }

  /* Rows side by side: each answer once, with its cell in every series. */
  function aligned(view) {
    return view.series[0].rows.map(function (row, k) {
      return { column: row.column, code: row.code, codes: row.codes, on: row.on, off: row.off, silent: row.silent,
        differ: view.differ ? view.differ[k] : null,
        cells: view.series.map(function (one) {
          return one.rows.find(function (r) { return r.column === row.column && r.code === row.code; });
        }) };
    });
  }
  /* Rows that are drawn, those too few to show, those that nobody reports. */
  function sorted(view, chart, top) {
    var rows = aligned(view), found = { drawn: [], few: [], silent: [] };
    rows.forEach(function (row) {
      var some = row.cells.some(function (c) { return c.people.state !== "protected"; });
      found[row.silent ? "silent" : some ? "drawn" : "few"].push(row);
    });
    if (chart.ranked) {
      function size(row) {
        return Math.max.apply(null, row.cells.map(function (c) {
          return c.people.n === null ? c.people.high : c.people.n;
        }));
      }
      found.drawn.sort(function (a, b) { return size(b) - size(a); });
      found.more = found.drawn.length - top;
      found.every = found.drawn;
      found.drawn = found.drawn.slice(0, top);
    }
    return found;
  }
  function drawnAs(cell, as) {
    var found = as === "share" && cell.share ? cell.share : cell.people;
    if (cell.silent || found.state === "protected") return null;
    return { n: found.state === "shown" ? found.n : null, low: found.low, high: found.high,
      most: found.state === "not_measured" };
  }
  function scale(rows, as) {
    return rows.reduce(function (top, row) {
      return row.cells.reduce(function (most, cell) {
        var found = drawnAs(cell, as);
        return found ? Math.max(most, found.high) : most;
      }, top);
    }, 0) || 1;
  }

  /* Bars on the page. */
  function Bars(place, say, act) {
    this.place = place;
    this.say = say;
    this.act = act;
    this.made = "";
  }
  Bars.prototype.draw = function (view, chart, state, found) {
    var self = this, panels = view.series.length > 1 && !view.differ;
    var rows = found.drawn.concat(unknownRow(view));
    var wanted = [state.show, panels, view.series.length, rows.map(keyOf).join()].join("|");
    if (wanted !== this.made) {
      this._build(view, rows, panels);
      this.made = wanted;
    }
    var top = scale(found.drawn, state.as);
    this.lists.forEach(function (list, p) {
      if (panels) list.head.textContent = self.act.named(view.series[p], p);
      rows.forEach(function (row, k) {
        self._patch(list.rows[k], row, panels ? [row.cells[p]] : row.cells, top, chart, state,
          panels ? p : -1);
      });
    });
  };
  function unknownRow(view) {
    var first = view.series[0].unknown;
    return { column: first.column, code: 0, codes: [0], on: first.on, off: first.off, unknown: true, differ: null,
      cells: view.series.map(function (one) { return one.unknown; }) };
  }
  Bars.prototype._build = function (view, rows, panels) {
    var self = this;
    this.lists = (panels ? view.series : [null]).map(function () {
      var list = { node: node("div", { class: "panel" }), rows: [] }, ul = node("ul", { class: "rows" });
      if (panels) list.head = list.node.appendChild(node("h4"));
      list.node.append(ul);
      list.rows = rows.map(function (row) {
        return self._row(ul, row, panels ? 1 : view.series.length);
      });
      return list;
    });
    this.place.className = panels ? "panels" : "";
    this.place.replaceChildren.apply(this.place, this.lists.map(function (list) { return list.node; }));
  };
  Bars.prototype._row = function (list, row, lines) {
    var self = this, made = { item: node("li"), lines: [] };
    made.name = made.item.appendChild(node("button", { type: "button", class: "name",
      "data-key": keyOf(row) }));
    made.name.addEventListener("click", function () { self.act.pick(made.row); });
    for (var k = 0; k < lines; k++) made.lines.push(this._line(made, k));
    made.differ = made.item.appendChild(node("span", { class: "differ" }));
    list.append(made.item);
    return made;
  };
  Bars.prototype._line = function (made, k) {
    var self = this, svg = document.createElementNS(SVG, "svg"), line = { svg: svg };
    svg.setAttribute("class", "line");
    svg.setAttribute("aria-hidden", "true");
    svg.addEventListener("click", function () { self.act.pick(made.row); });
    shape(svg, "rect", { class: "hit", width: "100%", height: 18 });
    line.bar = shape(svg, "rect", { y: 1, height: 16 });
    line.whisker = shape(svg, "line", { class: "whisker", y1: 9, y2: 9 });
    line.ends = [0, 1].map(function () { return shape(svg, "line", { class: "whisker", y1: 5, y2: 13 }); });
    made.item.append(svg);
    line.value = made.item.appendChild(node("button", { type: "button", class: "value" }));
    line.value.addEventListener("click", function () { self.act.card(made.row, line.series); });
    return line;
  };
  function put(element, text) { if (element.textContent !== text) element.textContent = text; }
  function x(part) { return (100 * (rtl ? 1 - part : part)).toFixed(2) + "%"; }
  Bars.prototype._patch = function (made, row, cells, top, chart, state, only) {
    var self = this, label = this.say.label(chart, row);
    made.row = row;
    put(made.name, label);
    made.name.setAttribute("aria-pressed", String(Boolean(row.on)));
    made.name.disabled = Boolean(row.unknown && chart.flags);
    made.item.classList.toggle("on", Boolean(row.on));
    made.item.classList.toggle("off", Boolean(row.off));
    made.item.classList.toggle("apart", Boolean(row.unknown));
    var verdict = row.differ && row.differ[state.as === "share" ? "share" : "people"];
    put(made.differ, verdict ? this.say.words[verdict] : "");
    made.differ.classList.toggle("same", verdict === "same");
    made.lines.forEach(function (line, k) {
      var cell = cells[k], found = drawnAs(cell, state.as), text = self.say.cell(cell, state.as);
      line.series = only < 0 ? k : only;
      put(line.value, made.lines.length > 1 ? self.say.words.letters[k] + " " + text : text);
      line.value.setAttribute("aria-label", self.act.spoken(label, line.series, text));
      line.value.classList.toggle("why", !found);
      line.bar.setAttribute("class", row.unknown ? "unknown" : "bar s" + (line.series % MARKS));
      /* People without a recorded answer are outside of the shares. */
      if (row.unknown && state.as === "share") found = null;
      line.bar.setAttribute("visibility", found && found.n !== null ? "visible" : "hidden");
      [line.whisker].concat(line.ends).forEach(function (part) {
        part.setAttribute("visibility", found && !(row.unknown && found.high > top) ? "visible" : "hidden");
      });
      if (!found) return;
      var ends = [x(Math.min(1, found.low / top)), x(Math.min(1, found.high / top))];
      if (found.n !== null) {
        var size = Math.min(1, found.n / top);
        line.bar.setAttribute("x", rtl ? x(size) : "0");
        line.bar.setAttribute("width", (100 * size).toFixed(2) + "%");
      }
      line.whisker.setAttribute("x1", ends[0]);
      line.whisker.setAttribute("x2", ends[1]);
      line.ends.forEach(function (part, e) {
        part.setAttribute("x1", ends[e]);
        part.setAttribute("x2", ends[e]);
      });
    });
  };

  /* Years as lines: an SVG of a width in pixels; act is null for a file. */
  function lines(view, chart, state, say, wide, act) {
    var rows = aligned(view).filter(function (row) { return !row.silent; }), n = rows.length;
    var many = view.series.length > 1, beside = many && wide >= 560 && act;
    var left = 58, right = beside ? 150 : 24, above = 26, high = wide < 560 ? wide * 0.6 : Math.min(360, wide * 0.42);
    high = Math.round(high);
    var top = nice(scale(rows, state.as)), svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "chart yearly");
    svg.setAttribute("width", wide);
    svg.setAttribute("height", high + above + 28);
    svg.setAttribute("direction", "ltr");
    function sx(at) { return rtl ? wide - at : at; }
    function px(k) { return sx(left + ((wide - left - right) * (k + 0.5)) / n); }
    function py(value) { return above + high * (1 - value / top); }
    function text(value) {
      return state.as === "share" ? say.percent(value, top < 0.05) : say.whole(value);
    }
    (state.as === "share" || top > 1 ? [0, 0.5, 1] : [0, 1]).forEach(function (part) {
      shape(svg, "line", { class: "grid", x1: sx(left), x2: sx(wide - right), y1: py(part * top), y2: py(part * top) });
      shape(svg, "text", { x: sx(left - 6), y: py(part * top) + 5, "text-anchor": rtl ? "start" : "end" }, text(part * top));
    });
    var every = Math.max(1, Math.ceil((n * 52) / (wide - left - right)));
    rows.forEach(function (row, k) {
      if (k % every) return;
      shape(svg, "text", { x: px(k), y: above + high + 20, "text-anchor": "middle" }, say.label(chart, row));
    });
    var ends = [];
    view.series.forEach(function (_one, s) {
      var points = rows.map(function (row) { return drawnAs(row.cells[s], state.as); });
      runs(points).forEach(function (run) {
        var up = run.map(function (k) { return px(k) + "," + py(points[k].high); });
        var down = run.map(function (k) { return px(k) + "," + py(points[k].low); }).reverse();
        if (run.length > 1) {
          shape(svg, "polygon", { class: "band s" + s, points: up.concat(down).join(" ") });
          shape(svg, "polyline", { class: "join s" + s, "stroke-dasharray": DASHES[s], points: run.map(
            function (k) { return px(k) + "," + py(points[k].n); }).join(" ") });
        }
      });
      points.forEach(function (point, k) {
        if (!point) return;
        if (point.n === null) {
          if (!point.most) shape(svg, "line", { class: "whisker", x1: px(k), x2: px(k), y1: py(point.low), y2: py(point.high) });
          shape(svg, "line", { class: "whisker", x1: px(k) - 5, x2: px(k) + 5, y1: py(point.high), y2: py(point.high) });
          return;
        }
        mark(svg, s, px(k), py(point.n));
        if (!runs(points).some(function (run) { return run.length > 1 && run.includes(k); }))
          shape(svg, "line", { class: "whisker", x1: px(k), x2: px(k), y1: py(point.low), y2: py(point.high) });
      });
      var last = points.reduce(function (at, point, k) { return point && point.n !== null ? k : at; }, -1);
      if (last >= 0) ends.push({ s: s, at: last, y: py(points[last].n), n: points[last].n });
      if (!many && last >= 0) named(points, last);
    });
    /* The last number and the largest: above their points, inside the plot. */
    function named(points, last) {
      var most = points.reduce(function (at, p, k) {
        return p && p.n !== null && (at < 0 || p.n > points[at].n) ? k : at;
      }, -1);
      (Math.abs(most - last) * (wide / n) < 70 ? [most] : [most, last]).forEach(function (k) {
        var at = sx(px(k)), edge = at > wide - right - 40 ? 1 : at < left + 40 ? -1 : 0;
        shape(svg, "text", { class: "number", "text-anchor": ["start", "middle", "end"][1 + (rtl ? -edge : edge)],
          y: Math.max(14, py(points[k].high) - 8), x: sx(edge > 0 ? Math.min(wide - 4, at + 16) : at) }, text(points[k].n));
      });
    }
    if (beside) spread(ends, 17, above, above + high).forEach(function (end) {
      mark(svg, end.s, sx(wide - right + 8), end.y);
      shape(svg, "text", { class: "number", x: sx(wide - right + 17), y: end.y + 5, "text-anchor": rtl ? "end" : "start" }, short(act.named(view.series[end.s], end.s), 17));
    });
    if (act) hits(svg, rows, view, chart, state, say, act, { px: px, above: above, high: high, n: n, wide: (wide - left - right) / n });
    return svg;
  }
  function short(text, most) { return text.length > most ? text.slice(0, most - 1) + "…" : text; }
  /* A round number at or above another. */
  function nice(most) {
    var unit = Math.pow(10, Math.floor(Math.log10(most)));
    return [1, 2, 4, 5, 6, 8, 10].map(function (k) { return k * unit; }).find(function (n) { return n >= most - 1e-9; });
  }
  function runs(points) {
    return points.reduce(function (found, point, k) {
      if (!point || point.n === null) return found;
      var last = found[found.length - 1];
      if (last && last[last.length - 1] === k - 1) last.push(k); else found.push([k]);
      return found;
    }, []);
  }
  function mark(svg, s, cx, cy) {
    var paths = ["M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", "M-4-4h8v8h-8Z", "M0-5L5 4H-5Z", "M0-6L5 0L0 6L-5 0Z",
      "M-5-4H5L0 5Z", "M-5-1.5H-1.5V-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5Z"];
    shape(svg, "path", { class: "mark s" + s, d: paths[s % MARKS], transform: "translate(" + cx.toFixed(1) + " " + cy.toFixed(1) + ")" });
  }
  /* Labels at the ends of lines, moved apart. */
  function spread(ends, gap, first, last) {
    ends.sort(function (a, b) { return a.y - b.y; });
    ends.forEach(function (end, k) { end.y = Math.max(end.y, k ? ends[k - 1].y + gap : first); });
    for (var k = ends.length - 1; k >= 0; k--)
      ends[k].y = Math.min(ends[k].y, k === ends.length - 1 ? last : ends[k + 1].y - gap);
    return ends;
  }
  /* A button for each year; one of them is a stop of the keyboard, arrows go to the others. */
  function hits(svg, rows, view, chart, state, say, act, at) {
    var buttons = rows.map(function (row, k) {
      var spoken = view.series.map(function (one, s) {
        return act.spoken(say.label(chart, row), s, say.cell(row.cells[s], state.as));
      }).join(say.words.then);
      var button = shape(svg, "g", { class: row.on ? "year on" : row.off ? "year off" : "year", role: "button",
        tabindex: k === rows.length - 1 ? 0 : -1, "aria-pressed": String(Boolean(row.on)), "aria-label": spoken,
        "data-key": keyOf(row) });
      shape(button, "rect", { class: "hit", x: at.px(k) - at.wide / 2, y: at.above - 8, width: at.wide, height: at.high + 34 });
      shape(button, "title", {}, spoken);
      button.addEventListener("click", function () { act.pick(row); });
      button.addEventListener("keydown", function (event) {
        var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] * (rtl ? -1 : 1), next = buttons[k + step];
        if (event.key === "Enter" || event.key === " ") act.pick(row);
        else if (next) {
          button.setAttribute("tabindex", -1);
          next.setAttribute("tabindex", 0);
          next.focus();
        } else return;
        event.preventDefault();
      });
      return button;
    });
  }

  return { Bars: Bars, aligned: aligned, drawnAs: drawnAs, keyOf: keyOf, lines: lines, mark: mark,
    node: node, put: put, scale: scale, shape: shape, sorted: sorted, unknownRow: unknownRow, rtl: rtl };
})();
