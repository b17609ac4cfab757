/* What leaves the page: a picture, a table, a sentence, the code of the numbers on screen. */
var ctdhubFiles = (function () {
  "use strict";
  var plot = ctdhubPlot, fill = ctdhubSay.fill, WIDE = 760, MARGIN = 24, NS = "http://www.w3.org/2000/svg";

  function Files(data, say) {
    this.data = data;
    this.say = say;
  }
  /* The permanent address of a state. */
  Files.prototype.address = function (choice) {
    var page = this.data.public || new URL(this.data.files.card, location.href).href.split("#")[0];
    return page + choice.address();
  };
  Files.prototype.source = function (choice) {
    var data = this.data, words = data.words, parts = [fill(words.source, { hub: data.hub,
      version: data.version, licence: data.licence, url: this.address(choice) }),
      fill(words.accessed, { date: this.say.day(new Date()) })];
    return parts.concat(data.invented ? words.practice : []).join(" ");
  };
  Files.prototype.groups = function (choice) {
    var self = this, words = this.data.words;
    if (!choice.versus) return [this.say.filters(choice.where)];
    return [choice.where, choice.versus].map(function (set, k) {
      return fill(words.pair, { question: fill(words.group, { letter: words.letters[k] }),
        answers: set.size ? self.say.filters(set) : words.all });
    });
  };

  /* The largest row, or all people, as a sentence: number, interval, base, filters, source. */
  Files.prototype.sentence = function (chart, choice, view) {
    var one = view.series[0], cell = view.largest >= 0 ? one.rows[view.largest] : null;
    var say = this.say, words = this.data.words, found = cell ? cell.people : one.all;
    var values = { label: cell ? say.label(chart, cell) : words.all, what: chart.subtitle,
      filters: this.groups(choice).join(". ").replace(/\.?$/, "."), base: say.base(one, !cell), source: this.source(choice),
      people: say.people(found), low: say.whole(found.low), high: say.whole(found.high) };
    if (choice.versus) {
      values.label = words.all;
      values.people = this.both(choice, view);
      values.filters = [values.filters].concat(view.series.map(function (each) { return say.base(each, true); })).filter(Boolean).join(" ");
      return fill(words.most_sentence, values);
    }
    if (found.state !== "shown") return fill(words.most_sentence, values);
    values.people = say.counted(say.whole(found.n));
    return fill(words.sentence, values);
  };

  /* The numbers of both groups, each by its name. */
  Files.prototype.both = function (choice, view) {
    var self = this, say = this.say, words = this.data.words;
    return view.series.map(function (one, s) {
      var text = one.all.state === "shown" ? say.counted(say.ranged(one.all)) : say.people(one.all);
      return fill(words.pair, { question: self.named(one, s, choice), answers: text });
    }).join(words.then);
  };

  /* Text in CSV that a spreadsheet would run is written as text. */
  function cell(value) {
    var text = String(value);
    if (/^[=+\-@\t\r]/.test(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }
  Files.prototype.csv = function (chart, choice, view) {
    var self = this, say = this.say, data = this.data, url = this.address(choice);
    var lines = [["variable", "code", "label", "group", "kind", "people", "low", "high", "state", "share",
      "share_low", "share_high", "source", "filters", "release", "licence", "source_url", "accessed"]];
    var day = new Date().toISOString().slice(0, 10);
    view.series.forEach(function (one, s) {
      var filters = choice._written(new Map(one.where), "").map(decodeURIComponent).join("&");
      one.rows.concat(one.unknown).forEach(function (row) {
        var f = row.people, exact = f.state === "shown" && !row.silent, share = row.share;
        var known = share && share.state !== "protected" && !row.silent;
        lines.push([chart.name, row.code === 0 ? "" : chart.flags ? data.names[row.column] : row.codes.map(function (c) { return say.code(row.column, c); }).join(" "),
          say.label(chart, row), view.series.length > 1 ? self.named(one, s, choice) : "",
          row.silent ? "nobody_reports" : row.code === 0 ? "not_recorded" : "value",
          exact ? f.n : "", row.silent ? "" : f.low, row.silent ? "" : f.high, row.silent ? "" : f.state,
          known && share.state === "shown" ? share.n.toFixed(4) : "", known ? share.low.toFixed(4) : "",
          known ? share.high.toFixed(4) : "", f.n === null ? "bound" : f.published ? "published" : "sum",
          filters, data.version, data.licence, url, day]);
      });
    });
    return lines.map(function (line) { return line.map(cell).join(",") + "\r\n"; }).join("");
  };
  /* A series by its name. */
  Files.prototype.named = function (one, s, choice) {
    if (one.part) return choice.split !== null && this.data.questions[choice.split].flags
      ? this.data.titles[one.part[0]] : this.say.answer(one.part[0], one.part[1]);
    if (!choice.versus) return this.data.words.all;
    /* A group by the answers in which it differs from the other one. */
    var self = this, words = this.data.words, own = s ? choice.versus : choice.where;
    var other = s ? choice.where : choice.versus, answers = [];
    own.forEach(function (codes, column) {
      if (codes.join() !== (other.get(column) || []).join())
        answers.push(self.say.answers(column, codes));
    });
    return fill(words.pair, { question: words.letters[s], answers: answers.join(words.comma) || words.all });
  };

  /* The picture as SVG: title, filters, drawing, notes, source. */
  Files.prototype.picture = function (chart, choice, view, headline) {
    var self = this, say = this.say, svg = document.createElementNS(NS, "svg"), y = MARGIN;
    var rtl = plot.rtl, pen = document.createElement("canvas").getContext("2d");
    var family = getComputedStyle(document.documentElement).fontFamily, c = this.data.colours;
    function broken(text, size, weight) {
      pen.font = weight + " " + size + "px " + family;
      return String(text).split(/\s+/).reduce(function (lines, word) {
        var longer = lines.length ? lines[lines.length - 1] + " " + word : word;
        if (!lines.length || pen.measureText(longer).width > WIDE - 2 * MARGIN) lines.push(word);
        else lines[lines.length - 1] = longer;
        return lines;
      }, []);
    }
    function write(text, size, weight) {
      if (!text) return;
      broken(text, size, weight).forEach(function (line) {
        y += Math.round(size * 1.45);
        plot.shape(svg, "text", { x: rtl ? WIDE - MARGIN : MARGIN, y: y, "text-anchor": rtl ? "end" : "start",
          "unicode-bidi": "plaintext", "font-size": size, "font-weight": weight }, (rtl ? "\u200f" : "") + line);
      });
    }
    plot.shape(svg, "title", {}, headline);
    plot.shape(svg, "desc", {}, chart.subtitle + ". " + this.groups(choice).join(" "));
    plot.shape(svg, "metadata", {}, this.source(choice));
    plot.shape(svg, "style", {}, style(c));
    var paper = plot.shape(svg, "rect", { class: "paper", width: "100%", height: "100%" });
    write(headline, 19, 600);
    write(chart.subtitle, 14, 400);
    this.groups(choice).forEach(function (text) { write(text, 14, 400); });
    var found = plot.sorted(view, chart, this.data.top);
    if (view.series.length > 1) view.series.forEach(function (one, s) {
      y += 20;
      plot.mark(svg, s, MARGIN + 8, y - 5);
      plot.shape(svg, "text", { x: MARGIN + 20, y: y, "font-size": 13, "unicode-bidi": "plaintext" }, self.named(one, s, choice));
    });
    y += 12;
    if (chart.years && choice.years === "1") {
      var inner = plot.lines(view, chart, choice.plain(), say, WIDE - 2 * MARGIN, null);
      inner.setAttribute("x", MARGIN);
      inner.setAttribute("y", y);
      svg.append(inner);
      y += Number(inner.getAttribute("height"));
    } else y = bars(svg, found.drawn.concat(plot.unknownRow(view)), plot.scale(found.drawn, choice.as), choice.as, chart, say, y);
    y += 8;
    write(found.few.length ? fill(this.data.words.listed, { list: say.list(chart, found.few) }) : "", 12, 400);
    write(view.series.map(function (one) { return say.base(one); }).filter(Boolean).join(" "), 12, 400);
    write(say.source(view.series) + ". " + this.data.credit, 12, 400);
    write(this.source(choice), 12, 400);
    y += MARGIN;
    [["xmlns", NS], ["width", WIDE], ["height", y], ["viewBox", "0 0 " + WIDE + " " + y], ["direction", "ltr"],
      ["font-family", "system-ui, 'Noto Sans', 'Noto Sans Arabic', sans-serif"]].forEach(function (pair) {
      svg.setAttribute(pair[0], pair[1]);
    });
    paper.setAttribute("height", y);
    return { text: new XMLSerializer().serializeToString(svg), wide: WIDE, high: y };
  };
  function style(c) {
    var series = ["harbour", "ember", "fern", "mallow", "ink", "edge"].map(function (name, k) {
      return ".s" + k + "{fill:" + c[name] + ";stroke:" + c[name] + "}";
    }).join("");
    return "text{fill:" + c.ink + ";font-size:13px}.paper{fill:" + c.paper + "}" + series +
      ".bar{stroke:none}.join{fill:none;stroke-width:2}.band{stroke:none;fill-opacity:.2}.number{font-weight:600}" +
      ".whisker{stroke:" + c.ink + ";stroke-width:2;fill:none}.grid{stroke:" + c.muted + ";stroke-width:.5}" +
      ".unknown{fill:" + c.paper + ";stroke:" + c.muted + ";stroke-dasharray:4 3}";
  }
  function bars(svg, rows, top, as, chart, say, y) {
    var from = MARGIN + 210, span = 300, rtl = plot.rtl;
    function at(place) { return rtl ? WIDE - place : place; }
    function text(words, place, line, weight) {
      plot.shape(svg, "text", { x: at(place), y: line, "font-size": 13, "font-weight": weight,
        "text-anchor": rtl ? "end" : "start", "unicode-bidi": "plaintext" }, words);
    }
    rows.forEach(function (row) {
      var label = say.label(chart, row);
      text(label.length > 30 ? label.slice(0, 29) + "…" : label, MARGIN, y + 13, 400);
      row.cells.forEach(function (cell, s) {
        var found = plot.drawnAs(cell, as), words = say.cell(cell, as);
        function place(n) { return at(from + span * Math.min(1, n / top)); }
        if (found && found.n !== null && !(row.unknown && as === "share")) plot.shape(svg, "rect", { class: row.unknown ? "unknown" : "bar s" + s, y: y,
          x: Math.min(at(from), place(found.n)), width: span * Math.min(1, found.n / top), height: 16 });
        if (found && !(row.unknown && found.high > top)) plot.shape(svg, "path", { class: "whisker", d: "M" + place(found.low) +
          " " + (y + 8) + "H" + place(found.high) + "m0 -4v8M" + place(found.low) + " " + (y + 4) + "v8" });
        text(words, from + (found ? span * Math.min(1, found.high / top) + 8 : 0), y + 13, 600);
        y += 20;
      });
      y += 4;
    });
    return y;
  }

  /* The code of the numbers: a measured table where the chart is one, else a count of records. */
  Files.prototype.code = function (chart, choice, view) {
    var self = this, groups = this.groups(choice);
    if (!choice.versus) return this._code(chart, choice.where, view.series);
    var codes = [choice.where, choice.versus].map(function (set, s) { return self._code(chart, set, [view.series[s]]); });
    return codes[0].map(function (one, k) {
      var mark = one[0].slice(0, 3) === "SQL" ? "-- " : "# ", other = codes[1][k][1];
      return [one[0], one[1] === other ? other : mark + groups[0] + "\n" + one[1] + "\n\n" + mark + groups[1] + "\n" + other];
    });
  };
  Files.prototype._code = function (chart, set, series) {
    var data = this.data, say = this.say, folder = (data.site || "https://data.example.org/") + "r/" + data.version;
    var where = Array.from(set).filter(function (one) { return chart.flags || one[0] !== chart.column; });
    var only = where.map(function (one) {
      return [data.names[one[0]], one[1].map(function (code) { return say.code(one[0], code); })];
    });
    var name = data.names[chart.column], quoted = JSON.stringify;
    var python = only.map(function (one) {
      return quoted(one[0]) + ": [" + one[1].map(function (v) { return v ? quoted(v) : "None"; }).join(", ") + "]";
    });
    var columns = chart.flags ? chart.flags.map(function (c) { return data.names[c]; }) : [name];
    var asked = chart.flags
      ? columns.map(function (f) { return "print(" + quoted(f) + ", release.count({" + python.concat(quoted(f) + ": True").join(", ") + "}))"; }).join("\n")
      : "print(release.table(" + quoted(name) + ", where={" + python.join(", ") + "}).to_arrow())";
    function tests(equal, none, and, list) {
      return only.map(function (one) {
        var some = one[1].filter(Boolean), parts = [];
        if (some.length) parts.push(list(one[0], some));
        if (some.length < one[1].length) parts.push(none(one[0]));
        return parts.length > 1 ? "(" + parts.join(equal) + ")" : parts[0];
      }).join(and);
    }
    function sqlText(v) { return "'" + v.replace(/'/g, "''") + "'"; }
    var sql = tests(" OR ", function (n) { return n + " IS NULL"; }, "\n  AND ", function (n, some) {
      return n + " IN (" + some.map(sqlText).join(", ") + ")";
    });
    var r = tests(" | ", function (n) { return "is.na(" + n + ")"; }, " & ", function (n, some) {
      return n + " %in% c(" + some.map(quoted).join(", ") + ")";
    });
    var flags = columns.map(function (f) { return "count(*) FILTER (WHERE " + f + " = 'yes') AS " + f; });
    var cells = !chart.flags && series.every(function (one) { return one.published && !one.part; });
    if (cells) return published(name, only, folder, data.version, python);
    return [
      ["Python", "# needs ctdhub; the release as downloaded, unpacked in a folder\nimport ctdhub\n\nrelease = ctdhub.open_release(" + quoted(data.version) + ")\n" + asked],
      ["R", "records <- arrow::read_parquet(" + quoted(folder + "/records.parquet") + ")\n" +
        (r ? "records <- subset(records, " + r + ")\n" : "") +
        (chart.flags ? "print(colSums(records[c(" + columns.map(quoted).join(", ") + ")] == \"yes\", na.rm = TRUE))"
          : "print(table(records$" + name + ", useNA = \"always\"))")],
      ["curl", "curl -O " + quoted(folder + "/records.parquet") + " -O " + quoted(folder + "/counts.parquet")],
      ["SQL (DuckDB)", "SELECT " + (chart.flags ? flags.join(",\n  ") : name + ", count(*) AS people") + "\nFROM '" + folder + "/records.parquet'" +
        (sql ? "\nWHERE " + sql : "") + (chart.flags ? "" : "\nGROUP BY ALL ORDER BY ALL") + ";"],
    ];
  };

  /* The published cells of one measured table, with their intervals. */
  function published(name, only, folder, version, python) {
    var names = [name].concat(only.map(function (one) { return one[0]; })), quoted = JSON.stringify;
    var file = folder + "/counts.parquet";
    function value(of) { return "\"values\"[list_position(columns, '" + of + "')]"; }
    var sql = only.map(function (one) { return "\n  AND " + value(one[0]) + " = '" + one[1][0].replace(/'/g, "''") + "'"; });
    var r = only.map(function (one) { return "rows <- rows[mapply(\\(n, v) v[match(" + quoted(one[0]) + ", n)] == " + quoted(one[1][0]) + ", rows$columns, rows$values), ]\n"; });
    return [
      ["Python", "# needs ctdhub; the release as downloaded, unpacked in a folder\nimport ctdhub\n\nrelease = ctdhub.open_release(" + quoted(version) +
        ")\nprint(release.table(" + quoted(name) + ", where={" + python.join(", ") + "}).to_arrow())"],
      ["R", "counts <- arrow::read_parquet(" + quoted(file) + ")\nrows <- counts[sapply(counts$columns, setequal, c(" + names.map(quoted).join(", ") + ")), ]\n" +
        r.join("") + "print(rows)"],
      ["curl", "curl -O " + quoted(file)],
      ["SQL (DuckDB)", "SELECT " + value(name) + " AS " + name + ", count, low, high, state\nFROM '" + file + "'\nWHERE list_sort(columns) = list_sort([" +
        names.map(function (n) { return "'" + n + "'"; }).join(", ") + "])" + sql.join("") + ";"],
    ];
  }

  return Files;
})();
