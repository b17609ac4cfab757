/* Numbers, answers and filters in the words of the page. */
var ctdhubSay = (function () {
  "use strict";
  var FINE = 0.02, LEAST = 0.001;

  function Say(data) {
    var lang = document.documentElement.lang, locale = (lang === "en" ? "en-GB" : lang) + "-u-nu-" + data.digits;
    this.data = data;
    this.words = data.words;
    this.signs = data.signs;
    this.dated = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  }
  Say.fill = function (text, values) {
    return text.replace(/\{(\w+)\}/g, function (all, name) {
      return name in values ? values[name] : all;
    });
  };
  var fill = Say.fill;

  /* x times 10 to the power of k as a whole number, ties to the even one, as core/format.py rounds. */
  function rounded(x, k) {
    var text = String(x), scaled = text.indexOf("e") < 0 ? Number(text + "e" + k) : x * Math.pow(10, k);
    var low = Math.floor(scaled), rest = scaled - low;
    return low + (rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? 1 : 0);
  }
  /* A whole number of tenths (places 1) or of ones (places 0) in the signs of the language. */
  Say.prototype._written = function (n, places) {
    var signs = this.signs, text = String(Math.abs(n)).padStart(places + 1, "0");
    var whole = text.slice(0, text.length - places), part = text.slice(text.length - places);
    if (whole.length >= signs.grouped) whole = whole.replace(/\B(?=(\d{3})+$)/g, "g");
    return ((n < 0 ? "-" : "") + whole + (places ? "d" + part : "")).replace(/[gd\d]/g, function (sign) {
      return sign === "g" ? signs.group : sign === "d" ? signs.decimal : signs.digits[sign];
    });
  };
  /* A date in words; in French the first of a month is an ordinal, as in core/format.py. */
  Say.prototype.day = function (date) {
    var text = this.dated.format(date);
    return document.documentElement.lang === "fr" ? text.replace(/^1 /, "1er ") : text;
  };
  Say.prototype.whole = function (n) { return this._written(rounded(n, 0), 0); };
  /* A share; one above zero never reads zero. */
  Say.prototype.percent = function (share, fine) {
    if (share > 0 && share <= LEAST / 2) return this.signs.least;
    var places = fine || (share > 0 && share < 0.005) ? 1 : 0;
    return fill(this.signs.percent, { n: this._written(rounded(share, 2 + places), places) });
  };
  /* Ends of an interval of shares, rounded outwards: interval in ctdhub.core.format. */
  Say.prototype._ends = function (share, fine) {
    var steps = fine ? 1000 : 100, few = share.low > 0 && share.low < 0.01 ? 1000 : steps;
    var low = Math.floor(share.low * few + 1e-9) / few, high = Math.ceil(share.high * steps - 1e-9) / steps;
    return [this.percent(low || Math.min(share.low, LEAST / 2), fine || few > steps), this.percent(high, fine)];
  };

  /* A number of people, or why there is none. */
  Say.prototype.people = function (found) {
    var words = this.words;
    if (found.state === "protected") return words.few;
    if (found.state === "not_measured") return fill(words.most, { n: this.whole(found.high) });
    if (found.state === "imprecise") return this.between(found);
    var even = Math.abs(found.high + found.low - 2 * found.n) <= 1;
    if (!even) return this.ranged(found);
    return fill(words.sized, { value: this.whole(found.n),
      half: this.whole(Math.max(found.high - found.n, found.n - found.low)) });
  };
  /* The number of people of a question, by the second interval where there is one: estimate in
     ctdhub.report.sentences. */
  Say.prototype.total = function (found) {
    var words = this.words;
    if (found.state === "protected") return words.few;
    if (!found.once) return this.counted(this.people(found));
    var noise = found.state === "imprecise" ? words.between : words.noise;
    return fill(words.estimate, {
      interval: this.counted(this.between({ low: found.once[0], high: found.once[1] })),
      recorded: fill(words.recorded, { doubles: this.whole(found.low - found.once[0]),
        interval: fill(noise, { low: this.whole(found.low), high: this.whole(found.high),
          people: this.whole(found.n) }) }) });
  };
  Say.prototype.counted = function (written) { return ctdhubPeople(this.signs.people, written); };
  Say.prototype.ranged = function (found) {
    return fill(this.words.ranged, { people: this.whole(found.n), low: this.whole(found.low),
      high: this.whole(found.high) });
  };
  Say.prototype.between = function (found) {
    return fill(this.words.between, { low: this.whole(found.low), high: this.whole(found.high) });
  };
  Say.prototype.share = function (share) {
    if (!share) return this.words.unmeasured;
    if (share.state === "protected") return this.words.few;
    var fine = Math.max(share.high - share.n, share.n - share.low) < FINE;
    var ends = this._ends(share, fine && share.state === "shown");
    if (share.state === "imprecise")
      return fill(this.words.between, { low: ends[0], high: ends[1] });
    return fill(this.words.ranged, { people: this.percent(share.n, fine), low: ends[0],
      high: ends[1] });
  };
  /* What a row shows: people or their share, or why neither. */
  Say.prototype.cell = function (row, as) {
    if (row.silent) return this.words.silent;
    return as === "share" && row.share ? this.share(row.share) : this.people(row.people);
  };

  Say.prototype.answer = function (column, code) {
    return code === 0 ? this.words.blank : this.data.labels[this.data.keys[column]][code];
  };
  Say.prototype.code = function (column, code) {
    return this.data.codes[this.data.keys[column]][code];
  };
  /* A row of a chart by its name. */
  Say.prototype.label = function (chart, row) {
    if (row.code === 0) return this.words.blank;
    if (chart.flags) return this.data.titles[row.column];
    var last = row.codes ? row.codes[row.codes.length - 1] : row.code, first = this.answer(row.column, row.code);
    return last === row.code ? first : first + "–" + this.answer(row.column, last);
  };
  /* Answers as a reader names them: sets of which all are there, as regions, then the others. */
  Say.prototype.parts = function (column, codes) {
    var self = this, left = codes;
    return this.data.sets.filter(function (set) {
      var all = set.column === column && set.codes.every(function (code) { return left.includes(code); });
      if (all) left = left.filter(function (code) { return !set.codes.includes(code); });
      return all;
    }).concat(left.map(function (code) { return self.part(column, code); }));
  };
  Say.prototype.part = function (column, code) {
    return { column: column, codes: [code], code: this.code(column, code), label: this.answer(column, code) };
  };
  Say.prototype.answers = function (column, codes) {
    return this.parts(column, codes).map(function (part) { return part.label; }).join(this.words.comma);
  };
  Say.prototype.filter = function (column, codes) {
    return fill(this.words.pair, { question: this.data.titles[column], answers: this.answers(column, codes) });
  };
  Say.prototype.filters = function (where) {
    var self = this, parts = Array.from(where).map(function (one) {
      return self.filter(one[0], one[1]);
    });
    return parts.length ? parts.join(" · ") : this.words.nofilter;
  };
  /* The base of a series; next to the number of all its people none where nearly all answers are
     recorded: one number has one interval. */
  Say.prototype.base = function (series, beside) {
    var known = series.known;
    if (known.state === "not_measured" || known.state === "protected") return "";
    if (beside && (series.missing === null || series.missing < 0.005)) return "";
    var text = fill(this.words.known, { n: this.whole(known.n), low: this.whole(known.low),
      high: this.whole(known.high) });
    if (series.missing === null || series.missing < 0.005) return text;
    return text + " " + fill(this.words.missing, { share: this.percent(series.missing) });
  };
  Say.prototype.source = function (series) {
    var sources = this.words.sources;
    if (series.some(function (one) { return one.unmeasured; })) return sources.bound;
    return series.every(function (one) { return one.published; }) ? sources.published : sources.sum;
  };
  /* Labels of years in runs: 2002–2010, 2012; others in a list. */
  Say.prototype.list = function (chart, rows) {
    var self = this, runs = [];
    rows.forEach(function (row) {
      var last = runs[runs.length - 1];
      if (chart.years && last && row.code === last[1].code + 1 && row.codes.length === 1) last[1] = row;
      else runs.push([row, row]);
    });
    return runs.map(function (run) {
      var first = self.label(chart, run[0]);
      return run[0] === run[1] ? first : first + "–" + self.label(chart, run[1]);
    }).join(this.words.comma);
  };

  return Say;
})();
