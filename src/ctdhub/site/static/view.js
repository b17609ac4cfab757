/* What the explorer shows under some filters: rows of numbers and shares, two sets compared, and,
   where something was not measured, the nearest question that was.  No words and no drawing. */
var ctdhubView = (function () {
  "use strict";
  var SERIES = 6, OFFERS = 2, POINT = 0.3, RELATIVE = 1.6;
  var without = ctdhubEngine.without;

  function parsed(buffer, at) { return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, at))); }
  /* data: layout, people, period, names, questions, bounds, twice; load: a file's name to a promise
     of its bytes. */
  function View(data, buffer, load) {
    if (buffer.byteLength !== data.layout.size) throw new Error("size");
    this.data = data;
    this.load = load;
    this.engine = new ctdhubEngine(data.layout, buffer);
    this.numbers = new ctdhubEstimator(data, this.engine, parsed(buffer, data.layout.more));
    this.of = new Map();
    this.columns = new Map();
    data.questions.forEach(function (q) {
      /* A number of codes stands for all from 1 up to it. */
      ["codes", "recorded"].forEach(function (of) {
        if (typeof q[of] === "number") q[of] = Array.from({ length: q[of] }, function (_none, k) { return k + 1; });
      });
      q.columns = q.flags || [q.column];
      q.all = q.flags ? q.flags.concat(q.column) : q.columns;
      q.all.forEach(function (c) { this.of.set(c, q.name); }, this);
      this.columns.set("rows." + q.name, q.all);
    }, this);
  }
  /* A view of the files of a release, in the words of a language. */
  View.open = function (lang, load) {
    return Promise.all([load("texts-" + lang), load("rows")]).then(function (found) {
      return new View(parsed(found[0], 0), found[1], load);
    });
  };

  /* The view of a state, once all columns and tables that it needs are here. */
  View.prototype.show = function (state) {
    var self = this, found = this._show(state), wanted = Array.from(this.numbers.wanted);
    if (!wanted.length) return Promise.resolve(found);
    this.numbers.wanted.clear();
    this.numbers.counts.clear();
    this.numbers.bounds.clear();
    return Promise.all(Array.from(new Set(wanted.map(this._file, this))).map(function (name) {
      return self.load(name).then(function (buffer) {
        self.numbers.give(parsed(buffer, self.engine.give(self.columns.get(name) || [], buffer)));
      });
    })).then(function () { return self.show(state); });
  };
  /* The file of a column, or of the table of some. */
  View.prototype._file = function (key) {
    var names = String(key).split(",").map(function (c) { return this.of.get(+c); }, this).sort();
    var years = this.data.names[this.data.period], others = names.filter(function (name) { return name !== years; });
    if (names.length === 1 || others.length === 1) return "rows." + (others[0] || years);
    return others.length < names.length ? names.join(".") : names.pop();
  };

  View.prototype._show = function (state) {
    var self = this, chart = this._chart(state), where = new Map(state.where);
    var sets = [where];
    if (state.versus) sets.push(new Map(state.versus));
    var split = state.versus || state.split === null ? [] : this._parts(state, where);
    var series = split.length
      ? split.map(function (part) {
          return self._series(chart, new Map(where).set(part[0], [part[1]]), { part: part });
        })
      : sets.map(function (set) { return self._series(chart, set, {}); });
    var unmeasured = series.some(function (one) { return one.unmeasured; });
    var nothing = !unmeasured && where.size > 0 && series.every(function (one) {
      return one.rows.every(function (row) { return row.silent || row.people.state === "protected"; });
    });
    var offers = unmeasured || nothing ? this._offers(state, where) : [];
    return {
      totals: sets.map(function (set) {
        var found = self._people(set, null);
        if (!self.data.twice || found.n === null) return found;
        return Object.assign({ once: self._once(found.low, found.high, set) }, found);
      }),
      series: series,
      differ: state.versus ? this._differences(series) : null,
      offers: offers,
      nothing: nothing,
      able: this.data.questions.map(function (q) { return self._able(q, where); }),
      largest: series.length > 1 || this.data.questions[state.show].ranges ? -1 : this._largest(series[0])
    };
  };

  /* The chart of a state; where years are added up, with the codes of each sum, the last one first. */
  View.prototype._chart = function (state) {
    var chart = this.data.questions[state.show], codes = chart.codes, sums = [];
    if (!chart.years || state.years === 1) return chart;
    for (var end = codes.length; end > 0; end -= state.years) sums.unshift(codes.slice(Math.max(0, end - state.years), end));
    return Object.assign({}, chart, { sums: sums });
  };

  /* A number of people, or at most how many. */
  View.prototype._people = function (where, pivot) {
    var found = this.numbers.count(where, pivot);
    if (!found) {
      var high = this.numbers.bound(where, pivot, this.data.bounds);
      return { n: null, low: 0, high: high, state: "not_measured", published: false };
    }
    return stated(found, RELATIVE * found.n);
  };
  function stated(found, widest) {
    var state = found.low > 0 ? "shown" : "protected", width = found.high - found.low;
    if (state === "shown" && !found.published && width > widest) state = "imprecise";
    return { n: found.n, low: found.low, high: found.high, state: state,
      published: found.published };
  }
  /* Fieller's interval of part / whole: ctdhub.stats.cards. */
  function ratio(part, whole, correlation) {
    if (part.n === null || whole.n === null) return null;
    var x = part.n, y = whole.n, dx = Math.max(part.high - x, x - part.low);
    var dy = Math.max(whole.high - y, y - whole.low), a = y * y - dy * dy, c = x * x - dx * dx;
    var b = x * y - correlation * dx * dy;
    if (a <= 0 || x > y + dx + dy) return share(0, 0, 1, Infinity);
    var n = Math.min(1, x / y), root = Math.sqrt(Math.max(0, b * b - a * c));
    var low = Math.min(Math.max(0, (b - root) / a), n);
    return share(n, low, Math.max(Math.min(1, (b + root) / a), n), (2 * root) / a);
  }
  function share(n, low, high, width) {
    var state = low > 0 ? (width > POINT ? "imprecise" : "shown") : "protected";
    return { n: n, low: low, high: high, state: state, width: width };
  }
  /* The share of regions that were measured by themselves, as far as that of the records. */
  function reaching(n, cells) {
    var found = ratio(cells[0], cells[1], Math.sqrt(cells[0].variance / cells[1].variance));
    var low = Math.max(0, Math.min(n, found.low)), high = Math.max(n, found.high);
    return share(n, low, high, found.width + Math.max(0, high - low - (found.high - found.low)));
  }
  /* People of the whole outside a part; errors add in quadrature. */
  function outside(part, whole) {
    if (part.n === null || whole.n === null)
      return { n: null, low: 0, high: whole.high, state: "not_measured", published: false };
    function side(one) { return Math.max(one.high - one.n, one.n - one.low); }
    var n = Math.max(0, whole.n - part.n), spread = Math.hypot(side(whole), side(part));
    spread = Math.round(spread);
    return stated({ n: n, low: Math.max(0, n - spread), high: n + spread, published: false },
      RELATIVE * n);
  }

  /* The rows of one chart under one set of filters. */
  View.prototype._series = function (chart, where, extra) {
    var self = this, rows, unknown, known, some;
    var among = chart.flags ? where : without(where, chart.column);
    function having(column, codes) { return new Map(among).set(column, codes); }
    function row(column, codes) {
      var ticked = where.get(column), people = self._people(having(column, codes), column);
      function met(code) { return ticked.includes(code); }
      return { column: column, code: codes[0], codes: codes, people: people, share: null,
        on: Boolean(ticked) && codes.every(met), off: Boolean(ticked) && !codes.some(met),
        silent: !chart.flags && codes.every(function (code) { return chart.silent.includes(code); }) };
    }
    var all = this._people(among, null);
    if (chart.flags) {
      rows = chart.flags.map(function (c) { return row(c, [self.data.yes[c]]); });
      some = having(chart.column, [this.data.yes[chart.column]]);
      /* A filter that asks for those without any flag leaves nobody whose answer is recorded. */
      var ticked = where.get(chart.column), none = ticked && !ticked.includes(this.data.yes[chart.column]);
      known = none ? { n: 0, low: 0, high: 0, state: "protected", published: true }
        : this._people(some, chart.column);
      unknown = { column: chart.column, code: 0, codes: [0], people: outside(known, all), share: null };
    } else {
      rows = (chart.sums || chart.codes.map(function (code) { return [code]; })).map(function (codes) {
        return row(chart.column, codes);
      });
      some = having(chart.column, chart.recorded);
      known = this._people(some, chart.column);
      unknown = row(chart.column, [0]);
    }
    rows.forEach(function (one) {
      if (one.silent) return;
      var fitted = one.people.n && known.n, part = having(one.column, one.codes);
      var cells = fitted && self.numbers.ofRegions(part, some);
      one.share = cells ? reaching(one.people.n / known.n, cells)
        : ratio(one.people, known, fitted ? self.numbers.correlation(part, some) : 0);
    });
    if (chart.ranked) {
      var by = rows.some(function (one) { return one.people.n === null; }) ? "high" : "n";
      rows.sort(function (a, b) { return b.people[by] - a.people[by]; });
    }
    return Object.assign({
      rows: rows, unknown: unknown, all: all, known: known,
      where: Array.from(among),
      missing: all.n && known.n !== null ? Math.min(1, Math.max(0, 1 - known.n / all.n)) : null,
      published: rows.every(function (one) { return one.silent || one.people.published; }),
      unmeasured: rows.some(function (one) { return one.people.n === null; })
    }, extra);
  };

  /* Values of the variable that splits, [column, code], at most SERIES: those that are ticked or
     all, the largest ones where there are more. */
  View.prototype._parts = function (state, where) {
    var q = this.data.questions[state.split], engine = this.engine, yes = this.data.yes;
    if (!q || state.split === state.show) return [];
    var parts = q.flags ? q.flags.map(function (c) { return [c, yes[c]]; })
      : (where.get(q.column) || q.recorded).map(function (code) { return [q.column, code]; });
    if (parts.length <= SERIES || !this.numbers.holds(q.all.concat(Array.from(where.keys())))) return parts.slice(0, SERIES);
    var size = new Map(parts.map(function (part) {
      return [part, engine.count(part[0], without(where, part[0]))[part[1]]];
    }));
    var most = parts.slice().sort(function (a, b) { return size.get(b) - size.get(a); });
    return most.slice(0, SERIES);
  };

  /* The second interval, if everybody is counted once: LinkErrors of ctdhub.release.manifest. */
  View.prototype._doubles = function (number, where) {
    var twice = this.data.twice, codes = where.get(twice.column), most = twice.doubles;
    if (codes) {
      var held = codes.map(function (code) { return twice.by[code]; });
      held = held.filter(function (n) { return n !== null; });
      var high = held.reduce(function (sum, n) { return sum + n; }, twice.spread * Math.sqrt(held.length));
      most = Math.min(most, Math.ceil(Math.max(0, high) / twice.found));
    }
    return Math.min(most, Math.max(0, number) * twice.least);
  };
  View.prototype._once = function (low, high, where) {
    if (!this.data.twice) return [low, high];
    return [Math.max(0, low - this._doubles(low, where)), high + this.data.twice.merged];
  };
  View.prototype._shareOnce = function (low, high, whole, where) {
    if (!this.data.twice) return [low, high];
    var doubles = this._doubles(whole, where), merged = this.data.twice.merged;
    if (whole <= doubles) return [0, 1];
    var all = whole - doubles + merged;
    return [Math.min(low, Math.max(0, low * whole - doubles) / all),
      Math.max(high, Math.min(1, (high * whole + merged) / all))];
  };
  /* The row whose interval lies above all others, -1 if none does. */
  View.prototype._largest = function (one) {
    var best = -1, ends;
    if (one.unmeasured) return -1;
    one.rows.forEach(function (row, k) {
      if (row.silent || row.people.state !== "shown") return;
      if (best < 0 || row.people.n > one.rows[best].people.n) best = k;
    });
    if (best < 0) return -1;
    ends = one.rows.map(function (row) {
      return this._once(row.people.low, row.people.high, new Map(one.where).set(row.column, row.codes));
    }, this);
    return one.rows.some(function (row, k) {
      return k !== best && !row.silent && ends[k][1] >= ends[best][0];
    }) ? -1 : best;
  };

  /* Of two numbers "more", "fewer" or "same", as their wider intervals lie. */
  function differ(one, other, wider, once) {
    if (!one || !other || one.n === null || other.n === null) return null;
    var ends = [one, other].map(function (a, s) {
      return once(a.n - wider * (a.n - a.low), a.n + wider * (a.high - a.n), s);
    });
    return ends[0][0] > ends[1][1] ? "more" : ends[1][0] > ends[0][1] ? "fewer" : "same";
  }
  View.prototype._differences = function (series) {
    var self = this, rows = series[0].rows.filter(function (row) { return !row.silent; });
    var wider = this.numbers.wider[Math.max(0, rows.length - 1)];
    return series[0].rows.map(function (row) {
      var other = series[1].rows.find(function (found) {
        return found.column === row.column && found.code === row.code;
      });
      if (row.silent) return { people: null, share: null };
      function among(s) { return new Map(series[s].where); }
      function people(low, high, s) {
        return self._once(low, high, among(s).set(row.column, row.codes));
      }
      function share(low, high, s) {
        return self._shareOnce(low, high, series[s].known.n, among(s));
      }
      return { people: differ(row.people, other.people, wider, people),
        share: differ(row.share, other.share, wider, share) };
    });
  };

  /* Whether a chart was measured under some filters. */
  View.prototype._able = function (q, where) {
    var among = q.flags ? where : without(where, q.column), self = this;
    return q.all.every(function (c) {
      return self.numbers.measured(new Map(among).set(c, [0]).keys());
    });
  };
  /* Up to OFFERS sets of filters that leave out as few as they can, and under which the chart shows
     numbers; of those that leave out as many, the one that shows the most first. */
  View.prototype._offers = function (state, where) {
    var self = this, chart = this._chart(state), split = this.data.questions[state.split];
    var own = chart.flags ? -1 : chart.column;
    var columns = Array.from(where.keys()).filter(function (c) { return c !== own; });
    var sets = state.versus ? [new Map(state.versus)] : [], found = [];
    sets.forEach(function (set) {
      set.forEach(function (_codes, c) { if (c !== own && !columns.includes(c)) columns.push(c); });
    });
    sets.unshift(where);
    function left(set, out) {
      return new Map(Array.from(set).filter(function (one) { return !out.includes(one[0]); }));
    }
    function holds(out, whole) {
      return sets.every(function (set) {
        var rest = left(set, out);
        if (whole || !split || state.versus) return self._able(chart, rest);
        return split.columns.every(function (c) {
          return self._able(chart, new Map(rest).set(c, [0]));
        });
      });
    }
    /* Of how many rows a number is shown, in the set that shows the fewest. */
    function shown(out, whole) {
      return Math.min.apply(null, sets.map(function (set) {
        var rest = left(set, out), parts = whole || !split || state.versus ? [] : self._parts(state, rest);
        var wheres = parts.map(function (part) { return new Map(rest).set(part[0], [part[1]]); });
        return (parts.length ? wheres : [rest]).reduce(function (sum, one) {
          return sum + self._series(chart, one, {}).rows.filter(function (row) {
            return !row.silent && row.people.state === "shown";
          }).length;
        }, 0);
      }));
    }
    function add(out, whole) {
      if (found.length >= OFFERS || !holds(out, whole) || !shown(out, whole)) return;
      found.push({ drop: out, split: whole });
    }
    if (chart.years && holds([], false)) [5, 3].forEach(function (years) {
      if (years <= state.years) return;
      chart = self._chart(Object.assign({}, state, { years: years }));
      if (shown([], false)) found.push({ drop: [], years: String(years) });
    });
    chart = this._chart(state);
    if (split && !state.versus) add([], true);
    for (var n = 1, before = found.length; n <= columns.length && found.length === before; n++) {
      var outs = choose(columns, n).filter(function (out) { return holds(out, false); });
      outs.map(function (out) { return [shown(out, false), out]; })
        .sort(function (a, b) { return b[0] - a[0]; })
        .forEach(function (one) { add(one[1], false); });
    }
    for (n += 0; n <= columns.length && found.length < OFFERS; n++) {
      choose(columns, n).forEach(function (out) {
        var more = found.some(function (one) {
          return one.drop.length && one.drop.every(function (c) { return out.includes(c); });
        });
        if (!more) add(out, false);
      });
    }
    return found;
  };
  /* All sets of n of some things. */
  function choose(all, n) {
    if (!n) return [[]];
    return all.slice(0, all.length - n + 1).reduce(function (found, first, k) {
      return found.concat(choose(all.slice(k + 1), n - 1).map(function (rest) {
        return [first].concat(rest);
      }));
    }, []);
  }

  return View;
})();
