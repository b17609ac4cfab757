/* The explorer: filters, linked charts, number cards, downloads.  Words come from the page. */
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("explore-data").textContent);
  var words = data.words, lang = document.documentElement.lang;
  var rtl = document.documentElement.dir === "rtl", SVG = "http://www.w3.org/2000/svg";
  var locale = lang + "-u-nu-" + data.digits;
  var whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0, useGrouping: "always" });
  var intervals, charts = [], boxes = new Map(), parts = [], later = 0;

  function id(name) { return document.getElementById(name); }
  function node(tag, attributes, text) {
    var made = document.createElement(tag);
    Object.entries(attributes || {}).forEach(function (a) { made.setAttribute(a[0], a[1]); });
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, function (_all, name) { return values[name]; });
  }
  function percent(share) { return fill(words.percent, { n: whole.format(100 * share) }); }
  function say(text) {
    id("explore-message").textContent = text;
    id("explore-message").hidden = !text;
  }
  function labelOf(column, code) {
    return code === 0 ? words.blank : data.labels[data.columns[column].labels][code];
  }

  /* Data: a file beside the page; over HTTP fetched, offline a classic script. */
  function load(done) {
    if (typeof DecompressionStream === "undefined") return say(words.old);
    function open(bytes) {
      var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      return new Response(stream).arrayBuffer().then(function (buffer) {
        if (buffer.byteLength !== data.size) throw new Error("size");
        return buffer;
      });
    }
    function failed() { say(words.failed); }
    if (data.script) {
      var script = node("script", { src: data.script });
      script.onload = function () {
        var text = atob(window.ctdhubData), bytes = new Uint8Array(text.length);
        for (var i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
        delete window.ctdhubData;
        open(bytes).then(done).catch(failed);
      };
      script.onerror = failed;
      document.head.append(script);
    } else if (location.protocol === "file:") {
      say(words.server);
    } else {
      fetch(data.file)
        .then(function (answer) {
          if (!answer.ok) throw new Error("status");
          return answer.arrayBuffer();
        })
        .then(open).then(done).catch(failed);
    }
  }

  /* Words of a figure. */
  function sized(found) {
    if (found.state === "protected") return words.few;
    if (found.state === "not_measured") return fill(words.most, { n: whole.format(found.high) });
    var half = Math.max(found.high - found.n, found.n - found.low);
    var even = Math.abs(found.high + found.low - 2 * found.n) <= 1;
    if (!even) return fill(words.ranged, { people: whole.format(found.n),
      low: whole.format(found.low), high: whole.format(found.high) });
    return fill(words.sized, { value: whole.format(found.n), half: whole.format(half) });
  }
  function between(found) {
    return fill(words.between, { low: whole.format(found.low), high: whole.format(found.high) });
  }

  /* The column whose filter a chart leaves out. */
  function own(chart) { return chart.flags ? undefined : chart.column; }

  /* Rows of a chart under the filters in force; unmeasured counts may not rank them. */
  function rowsOf(chart) {
    var all = intervals.total(own(chart)), unknown, rows;
    function row(column, code, label, figure) {
      var ticked = intervals.chosen.get(column);
      return { code: data.columns[column][chart.flags ? "name" : "codes"], label: label,
        figure: figure, on: Boolean(ticked) && ticked.includes(code),
        off: Boolean(ticked) && !ticked.includes(code) };
    }
    if (chart.flags) {
      rows = chart.flags.map(function (c) {
        var yes = data.columns[c].codes.indexOf("yes");
        return row(c, yes, data.names[data.columns[c].name], intervals.within(c, [yes]));
      });
      var some = data.columns[chart.column].codes.indexOf("yes");
      unknown = intervals.less(all, intervals.within(chart.column, [some]));
    } else {
      rows = chart.codes.map(function (code) {
        var made = row(chart.column, code, labelOf(chart.column, code),
          intervals.within(chart.column, [code]));
        made.code = made.code[code];
        if (chart.silent.includes(code)) made.silent = true;
        return made;
      });
      unknown = intervals.within(chart.column, [0]);
    }
    if (chart.ranked) {
      var by = unknown.state === "not_measured" ? "high" : "n";
      rows.sort(function (a, b) { return b.figure[by] - a.figure[by]; });
    }
    var last = row(chart.column, 0, words.blank, unknown);
    last.code = "";
    last.unknown = true;
    return { rows: rows, last: last, all: all, known: intervals.less(all, unknown) };
  }
  function textOf(row) { return row.silent ? words.silent : sized(row.figure); }
  function twice(chart, row) {
    if (!data.twice) return 0;
    return chart.column === data.twice.column ? data.twice.by[row.code] : data.twice.most;
  }
  function largest(chart, found) {
    if (found.rows.some(function (r) { return r.on || r.off; })) return null;
    var shown = found.rows.filter(function (r) { return r.figure.state === "shown" && !r.silent; });
    shown.sort(function (a, b) { return b.figure.n - a.figure.n; });
    if (!shown.length) return null;
    /* The second interval, if everybody is counted once, decides where there is one. */
    var low = shown[0].figure.low - twice(chart, shown[0]), merged = data.twice ? data.twice.merged : 0;
    var rival = found.rows.some(function (r) {
      return r !== shown[0] && !r.silent && r.figure.high + merged >= low;
    });
    return rival ? null : shown[0];
  }
  function drawn(chart, found) {
    return (chart.ranked ? found.rows.slice(0, data.top) : found.rows).concat(found.last);
  }
  function missing(found) { return found.all.n ? (found.all.n - found.known.n) / found.all.n : 0; }

  /* A chart's nodes are made once and then patched. */
  function build(chart) {
    var figure = id(chart.id), list = node("ul", { class: "rows" });
    chart.nodes = [];
    var n = (chart.flags || chart.codes).length;
    for (var k = 0; k < (chart.ranked ? Math.min(n, data.top) : n) + 1; k++) {
      chart.nodes.push(buildRow(chart, list));
    }
    figure.querySelector("svg.chart").replaceWith(list);
    chart.figure = figure;
    chart.heading = figure.querySelector("h3");
    chart.note = figure.querySelector("[data-note]");
    chart.source = figure.querySelector("[data-source]");
    chart.table = figure.querySelector(".table");
    chart.body = figure.querySelector("tbody");
    chart.unlisted = figure.querySelector("[data-unlisted]");
    chart.table.addEventListener("toggle", function () { refresh(chart); });
    figure.querySelectorAll("[data-js]").forEach(function (e) { e.hidden = false; });
    figure.addEventListener("click", function (event) {
      var button = event.target.closest("button[data-act]");
      if (button) actions[button.dataset.act](chart, button);
    });
  }
  function buildRow(chart, list) {
    var item = node("li"), svg = document.createElementNS(SVG, "svg"), made = { item: item };
    function mark(tag, attributes) {
      var shape = document.createElementNS(SVG, tag);
      Object.entries(attributes).forEach(function (a) { shape.setAttribute(a[0], a[1]); });
      return svg.appendChild(shape);
    }
    svg.setAttribute("class", "line");
    svg.setAttribute("aria-hidden", "true");
    made.name = item.appendChild(node("span", { class: "name" }));
    item.append(svg);
    made.bar = mark("rect", { class: "bar", y: 1, height: 16 });
    made.line = mark("line", { class: "whisker", y1: 9, y2: 9 });
    made.ends = [0, 1].map(function () { return mark("line", { class: "whisker", y1: 5, y2: 13 }); });
    made.value = item.appendChild(node("button", { type: "button", class: "value" }));
    made.value.addEventListener("click", function () { openCard(chart, made.row); });
    list.append(item);
    return made;
  }
  function x(share) { return (100 * (rtl ? 1 - share : share)).toFixed(2) + "%"; }
  function scale(rows) {
    return rows.reduce(function (top, row) {
      return row.silent || row.figure.state === "protected" ? top : Math.max(top, row.figure.high);
    }, 1);
  }
  function patch(made, row, top) {
    var figure = row.figure, text = textOf(row), shown = figure.state === "shown" && !row.silent;
    var marked = shown || (figure.state === "not_measured" && !row.silent);
    made.row = row;
    if (made.name.textContent !== row.label) made.name.textContent = row.label;
    made.value.textContent = text;
    made.value.setAttribute("aria-label", fill(words.pair, { question: row.label, answers: text }));
    made.value.classList.toggle("why", !marked);
    made.item.classList.toggle("bare", !marked);
    made.item.classList.toggle("on", row.on);
    made.item.classList.toggle("off", row.off);
    made.bar.setAttribute("visibility", shown ? "visible" : "hidden");
    made.bar.setAttribute("class", row.unknown ? "bar unknown" : "bar");
    [made.line].concat(made.ends).forEach(function (line) {
      line.setAttribute("visibility", marked ? "visible" : "hidden");
    });
    if (!marked) return;
    var size = figure.n / top, ends = [x(figure.low / top), x(figure.high / top)];
    if (shown) {
      made.bar.setAttribute("x", rtl ? x(size) : "0");
      made.bar.setAttribute("width", (100 * size).toFixed(2) + "%");
    }
    made.line.setAttribute("x1", ends[0]);
    made.line.setAttribute("x2", ends[1]);
    made.ends.forEach(function (line, k) {
      line.setAttribute("x1", ends[k]);
      line.setAttribute("x2", ends[k]);
    });
  }
  function refresh(chart) {
    chart.stale = false;
    var found = rowsOf(chart), rows = drawn(chart, found), top = scale(rows), first = largest(chart, found);
    chart.found = found;
    rows.forEach(function (row, k) { patch(chart.nodes[k], row, top); });
    chart.heading.textContent = first
      ? fill(words.largest, { label: first.label, people: sized(first.figure) }) : chart.title;
    chart.note.textContent = noted(found);
    chart.source.textContent = found.rows.some(function (row) { return !row.figure.published; })
      ? words.sources.records : words.sources.published;
    if (chart.ranked) chart.unlisted.hidden = found.last.figure.state === "not_measured";
    if (chart.table.open) chart.body.replaceChildren.apply(chart.body, listed(chart).map(tableRow));
  }
  function noted(found) {
    var known = found.known;
    if (known.state !== "shown") return known.state === "protected" ? words.few : words.reason;
    var text = fill(words.known, { n: whole.format(known.n), low: whole.format(known.low),
      high: whole.format(known.high) });
    if (missing(found) < 0.005) return text;
    return text + " " + fill(words.missing, { share: percent(missing(found)) });
  }
  /* Rows of the table and the file: a ranked chart leaves out what is too small to show. */
  function listed(chart) {
    var found = chart.found;
    return found.rows.filter(function (row) {
      return !chart.ranked || row.figure.state !== "protected";
    }).concat(found.last);
  }
  function amount(n) { return node("td", { class: "n" }, whole.format(n)); }
  function tableRow(row) {
    var line = node("tr");
    line.append(node("th", { scope: "row" }, row.label));
    if (row.silent) {
      line.append(node("td", { colspan: 3 }, textOf(row)));
      return line;
    }
    var state = row.figure.state, why = state === "protected" ? words.few : words.unmeasured;
    line.append(state === "shown" ? amount(row.figure.n) : node("td", {}, why));
    line.append(amount(row.figure.low), amount(row.figure.high));
    return line;
  }

  /* All charts: those in view at once, the others when they come into view or time is left. */
  var seen = new Set(), watcher = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      var chart = charts.find(function (c) { return c.figure === entry.target; });
      if (entry.isIntersecting) seen.add(chart); else seen.delete(chart);
      if (entry.isIntersecting && chart.stale) refresh(chart);
    });
  });
  function update() {
    var all = intervals.total(), text = all.state === "protected" ? words.few
      : fill(words.people, { people: sized(all) });
    id("explore-total").textContent = text;
    id("explore-reason").textContent = all.state === "not_measured" ? words.reason : "";
    id("explore-filters").textContent = described();
    document.querySelectorAll("nav a[hreflang]").forEach(function (a) { a.hash = address(); });
    parts.forEach(function (part) {
      var n = part.columns.reduce(function (sum, c) {
        return sum + (intervals.chosen.get(c) || []).length;
      }, 0);
      part.badge.textContent = n ? " · " + whole.format(n) : "";
    });
    charts.forEach(function (chart) {
      chart.stale = true;
      if (seen.has(chart)) refresh(chart);
    });
    catchUp();
  }
  /* The charts out of view follow when the browser has time, one by one. */
  function catchUp() {
    (window.requestIdleCallback || setTimeout)(function () {
      var next = charts.find(function (chart) { return chart.stale; });
      if (!next) return;
      refresh(next);
      catchUp();
    });
  }
  function described(without) {
    var parts = intervals.filters(without).map(function (c) {
      var codes = intervals.chosen.get(c);
      return fill(words.pair, { question: data.names[data.columns[c].name],
        answers: codes.map(function (k) { return labelOf(c, k); }).join(words.comma) });
    });
    return parts.length ? fill(words.filters, { filters: parts.join(" · ") }) : words.nofilter;
  }

  /* The address holds the filters: variable=code,code&…; "~" stands for not recorded. */
  function address(without) {
    var parts = intervals.filters(without).map(function (c) {
      return data.columns[c].name + "=" + intervals.chosen.get(c).map(function (k) {
        return encodeURIComponent(data.columns[c].codes[k] || "~");
      }).join(",");
    });
    return parts.length ? "#" + parts.join("&") : "";
  }
  /* The address follows when ticking has paused: browsers make it slow. */
  function write() {
    clearTimeout(later);
    history.replaceState(null, "", address() || location.pathname + location.search);
  }
  function read() {
    var hash = location.hash.slice(1), wanted = new Map();
    if (hash && !hash.includes("=")) return;
    hash.split("&").forEach(function (part) {
      var pair = part.split("=");
      var column = data.columns.findIndex(function (c) { return c.name === pair[0]; });
      if (!boxes.has(column)) return;
      wanted.set(column, (pair[1] || "").split(",").map(function (code) {
        try { code = decodeURIComponent(code); } catch (_error) { return -1; }
        return data.columns[column].codes.indexOf(code === "~" ? "" : code);
      }));
    });
    boxes.forEach(function (own, column) {
      own.forEach(function (box, code) {
        box.checked = (wanted.get(column) || []).includes(code);
      });
      choose(column);
    });
    update();
  }
  function choose(column) {
    var codes = [];
    boxes.get(column).forEach(function (box, code) { if (box.checked) codes.push(code); });
    if (codes.join() !== (intervals.chosen.get(column) || []).join()) intervals.choose(column, codes);
  }
  function changed() {
    update();
    clearTimeout(later);
    later = setTimeout(write, 200);
  }

  /* Filters: one part for each chart. */
  function pick(chart) {
    var part = node("details"), head = node("summary", {}, chart.title), set = node("fieldset");
    var options = chart.flags
      ? chart.flags.filter(function (c) { return c < data.filters; }).map(function (c) {
          return [c, data.columns[c].codes.indexOf("yes"), data.names[data.columns[c].name]];
        })
      : chart.codes.concat(0).map(function (k) { return [chart.column, k, labelOf(chart.column, k)]; });
    if (!options.length || (!chart.flags && chart.column >= data.filters)) return;
    head.append(node("span"));
    set.append(node("legend", {}, chart.flags ? words.every : words.any));
    if (chart.ranked) set.append(search(set));
    options.forEach(function (option) {
      var label = node("label"), box = node("input", { type: "checkbox" });
      box.name = data.columns[option[0]].name;
      box.value = data.columns[option[0]].codes[option[1]];
      if (!boxes.has(option[0])) boxes.set(option[0], new Map());
      boxes.get(option[0]).set(option[1], box);
      box.addEventListener("change", function () {
        choose(option[0]);
        changed();
      });
      label.append(box, " ", option[2]);
      set.append(label);
    });
    part.append(head, set);
    id("explore-parts").append(part);
    parts.push({ columns: chart.flags || [chart.column], badge: head.lastChild });
  }
  function search(set) {
    var label = node("label", { class: "search" }, words.search + " "), box = node("input", { type: "search" });
    function plain(text) { return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }
    box.addEventListener("input", function () {
      var wanted = plain(box.value);
      set.querySelectorAll("label:not(.search)").forEach(function (one) {
        one.hidden = !plain(one.textContent).includes(wanted) && !one.firstChild.checked;
      });
    });
    label.append(box);
    return label;
  }

  /* The number card. */
  function openCard(chart, row) {
    var figure = row.figure, found = chart.found, dialog = id("explore-card");
    var known = found.known.state === "shown", fields = {
      title: fill(words.pair, { question: chart.title, answers: row.label }),
      value: textOf(row),
      interval: row.silent ? words.silent : between(figure),
      denominator: known ? sized(found.known) : words.unmeasured,
      missing: known ? percent(missing(found)) : words.unmeasured,
      state: row.silent ? words.silent : words.states[figure.state],
      records: figure.state === "not_measured" ? words.unmeasured
        : row.silent || figure.state === "protected" ? words.few : whole.format(figure.n),
      filters: described(own(chart)),
      source: words.sources[figure.published ? "published" : "records"],
    };
    if (found.known.state === "protected") fields.denominator = fields.missing = words.few;
    Object.keys(fields).forEach(function (name) {
      dialog.querySelector('[data-field="' + name + '"]').textContent = fields[name];
    });
    dialog.showModal();
  }

  /* Files of a chart. */
  function name(chart, ending) { return chart.id + "-" + data.version + "." + ending; }
  function save(chart, type, text, ending) {
    window.ctdhubSave.file(new Blob([text], { type: type }), name(chart, ending));
  }
  function cell(value) {
    var text = String(value);
    if (/^[=+\-@\t\r]/.test(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }
  function csv(chart) {
    var lines = [["variable", "code", "label", "kind", "people", "low", "high", "state", "source",
      "filters", "release"]];
    var filters = address(own(chart)).slice(1);
    listed(chart).forEach(function (row) {
      var exact = row.figure.state === "shown" && !row.silent, f = row.figure;
      lines.push([chart.name, row.code, row.label,
        row.unknown ? "not_recorded" : row.silent ? "nobody_reports" : "value",
        exact ? f.n : "", row.silent ? "" : f.low, row.silent ? "" : f.high, row.silent ? "" : f.state,
        f.published ? "published" : "records", decodeURIComponent(filters), data.version]);
    });
    return lines.map(function (line) { return line.map(cell).join(",") + "\n"; }).join("");
  }
  function colour(name) {
    // The first value in the style sheet is the light one: pictures are put on white pages.
    return document.querySelector("style").textContent.match("--" + name + ":([^;}]+)")[1];
  }
  function wrapped(text, most) {
    return text.split(/\s+/).reduce(function (lines, word) {
      var last = lines.length - 1;
      if (lines[last] && (lines[last] + " " + word).length <= most) lines[last] += " " + word;
      else lines.push(word);
      return lines;
    }, []);
  }
  function picture(chart) {
    var rows = drawn(chart, chart.found), top = scale(rows), wide = 720, from = 220, span = 330, y = 8;
    var svg = document.createElementNS(SVG, "svg");
    function add(tag, attributes, text) {
      var shape = document.createElementNS(SVG, tag);
      Object.entries(attributes).forEach(function (a) { shape.setAttribute(a[0], a[1]); });
      if (text !== undefined) shape.textContent = text;
      svg.append(shape);
    }
    function at(place) { return rtl ? wide - place : place; }
    function write(text, place, size, weight) {
      add("text", { x: at(place), y: y, "font-size": size, "font-weight": weight, fill: colour("ink"),
        "text-anchor": rtl ? "end" : "start", "unicode-bidi": "plaintext" }, text);
    }
    function lines(text, size, weight) {
      wrapped(text, size > 14 ? 76 : 104).forEach(function (line) {
        y += size + 6;
        write(line, 12, size, weight);
      });
    }
    add("rect", { width: "100%", height: "100%", fill: colour("paper") });
    lines(chart.heading.textContent, 17, 700);
    lines(chart.subtitle, 13, 400);
    lines(described(own(chart)), 13, 400);
    y += 14;
    rows.forEach(function (row) {
      var f = row.figure, shown = f.state === "shown" && !row.silent;
      var marked = shown || (f.state === "not_measured" && !row.silent);
      function place(n) { return at(from + (span * n) / top); }
      if (shown) add("rect", { x: Math.min(at(from), place(f.n)), y: y, height: 16,
        width: (span * f.n) / top, fill: row.unknown ? colour("paper") : colour("harbour"),
        stroke: row.unknown ? colour("muted") : "none", "stroke-dasharray": "4 3" });
      if (marked) add("path", { stroke: colour("ink"), "stroke-width": 2, fill: "none",
        d: "M" + place(f.low) + " " + (y + 8) + "H" + place(f.high) + "m0 -4v8M" + place(f.low) + " " + (y + 4) + "v8" });
      y += 13;
      write(row.label.length > 30 ? row.label.slice(0, 29) + "…" : row.label, 12, 13, 400);
      write(textOf(row), from + (marked ? (span * f.high) / top + 8 : 0), 13, 600);
      y += 13;
    });
    lines(data.credit, 12, 400);
    svg.setAttribute("xmlns", SVG);
    svg.setAttribute("width", wide);
    svg.setAttribute("height", y + 14);
    svg.setAttribute("viewBox", "0 0 " + wide + " " + (y + 14));
    svg.setAttribute("direction", "ltr");
    svg.setAttribute("font-family", "system-ui, 'Noto Sans', 'Noto Sans Arabic', sans-serif");
    return { text: new XMLSerializer().serializeToString(svg), wide: wide, high: y + 14 };
  }
  var actions = {
    svg: function (chart) { save(chart, "image/svg+xml", picture(chart).text, "svg"); },
    csv: function (chart) { save(chart, "text/csv", csv(chart), "csv"); },
    png: function (chart) {
      var drawing = picture(chart);
      window.ctdhubSave.png(drawing.text, drawing.wide, drawing.high, name(chart, "png"));
    },
    share: function (_chart, button) {
      write();
      var status = button.parentNode.querySelector("[role=status]");
      var field = button.parentNode.querySelector("input"), link = location.href;
      function byHand() {
        field.parentNode.hidden = false;
        field.value = link;
        field.select();
        status.textContent = words.byhand;
      }
      if (!navigator.clipboard) return byHand();
      navigator.clipboard.writeText(link).then(function () { status.textContent = words.copied; }, byHand);
    },
  };

  function start(buffer) {
    var more = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, data.more)));
    intervals = new ctdhubIntervals(data, new ctdhubEngine(data, buffer), more);
    charts = data.charts;
    charts.forEach(build);
    charts.forEach(pick);
    id("explore-reset").addEventListener("click", function () {
      boxes.forEach(function (own, column) {
        own.forEach(function (box) { box.checked = false; });
        choose(column);
      });
      changed();
    });
    id("explore-close").addEventListener("click", function () { id("explore-card").close(); });
    /* Links inside the page keep the filters in the address. */
    document.addEventListener("click", function (event) {
      var link = event.target.closest('a[href^="#"]');
      var target = link && id(link.getAttribute("href").slice(1));
      if (!target) return;
      event.preventDefault();
      if (!target.hasAttribute("tabindex")) target.setAttribute("tabindex", "-1");
      target.focus();
      target.scrollIntoView();
    });
    addEventListener("hashchange", read);
    addEventListener("beforeprint", function () {
      charts.forEach(function (chart) { if (chart.stale) refresh(chart); });
    });
    id("explore-pick").hidden = false;
    read();
    if (location.hash && !location.hash.includes("=")) update();
    charts.forEach(function (chart) { watcher.observe(chart.figure); });
    document.documentElement.dataset.explore = "ready";
  }
  load(start);
})();
