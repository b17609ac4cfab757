/* Intervals of counted records: the method of ctdhub.stats.explore, in the browser. */
var ctdhubIntervals = (function () {
  "use strict";

  function bits(columns) {
    return columns.reduce(function (all, c) { return all | (1 << c); }, 0);
  }

  /* Half the interval of a sum of cells; errors of the table: of a cell, unseen, at most unseen. */
  function width(z, cells, errors) {
    return z * Math.sqrt(cells) * errors[0] + Math.min((cells - 1) * errors[1], errors[2]);
  }

  /* Published cells of a table by their place: low and high end; the upper end of all others. */
  function published(steps, low, high, unseen) {
    var at = 0, cells = new Map();
    steps.forEach(function (step, k) {
      at += step;
      cells.set(at, [low[k], high[k]]);
    });
    return { cells: cells, unseen: unseen };
  }

  function Intervals(data, engine, more) {
    this.engine = engine;
    this.more = more;
    this.published = new Map();
    this.people = data.people;
    this.quantiles = data.quantiles;
    this.chosen = new Map();
    this.errors = new Map(Object.entries(data.errors));
    this.tables = Object.keys(data.errors).map(function (key) {
      return { columns: key.split(",").map(Number), errors: data.errors[key] };
    });
    this.parts = new Map();
  }

  /* Codes that a column may have, null for any; the filter of the engine goes along. */
  Intervals.prototype.choose = function (column, codes) {
    if (codes && codes.length) this.chosen.set(column, codes);
    else this.chosen.delete(column);
    this.engine.filter(column, codes && codes.length ? codes : null);
  };

  /* Columns with a filter, but for this one. */
  Intervals.prototype.filters = function (without) {
    return Array.from(this.chosen.keys()).filter(function (c) { return c !== without; });
  };

  Intervals.prototype._cells = function (columns) {
    var chosen = this.chosen;
    return columns.reduce(function (m, c) { return m * chosen.get(c).length; }, 1);
  };

  /* People with these codes of a column who pass the filters of all other columns. */
  Intervals.prototype.within = function (column, codes) {
    var filters = this.filters(column), counts = this.engine.count(column, bits(filters));
    var n = codes.reduce(function (sum, code) { return sum + counts[code]; }, 0);
    return this._interval(n, filters, column, codes);
  };

  /* People who pass all filters, but for the one of a column. */
  Intervals.prototype.total = function (without) {
    var filters = this.filters(without);
    if (!filters.length) {
      var all = this._stated(this.people[0], this.people[1], this.people[2]);
      all.published = true;
      return all;
    }
    return this._interval(this.engine.total(bits(filters)), filters, null, []);
  };

  /* The difference of two: their errors add in quadrature. */
  Intervals.prototype.less = function (whole, part) {
    if (whole.state === "not_measured" || part.state === "not_measured")
      return { n: whole.n - part.n, low: 0, high: whole.high, state: "not_measured" };
    function side(found) { return Math.max(found.high - found.n, found.n - found.low); }
    var half = Math.round(Math.hypot(side(whole), side(part))), n = whole.n - part.n;
    var found = this._stated(n, Math.max(0, n - half), n + half);
    found.published = whole.published && part.published;
    return found;
  };

  Intervals.prototype._stated = function (n, low, high) {
    return { n: n, low: low, high: high, state: low > 0 ? "shown" : "protected" };
  };

  Intervals.prototype._interval = function (n, filters, column, codes) {
    var set = (column === null ? filters : filters.concat(column)).sort(function (a, b) {
      return a - b;
    });
    var errors = this.errors.get(set.join(","));
    if (errors === undefined) return this._bound(n, set, column, codes);
    var cells = this._cells(filters) * (column === null ? 1 : codes.length);
    if (cells === 1 && this.more[set.join(",")]) return this._published(n, set, column, codes);
    var half = width(this.quantiles[0], cells, errors);
    return this._stated(n, Math.max(0, Math.floor(n - half)), Math.ceil(n + half));
  };

  /* One cell of a measured table: as it was published. */
  Intervals.prototype._published = function (n, set, column, codes) {
    var key = set.join(","), self = this;
    if (!this.published.has(key)) this.published.set(key, published.apply(null, this.more[key]));
    var place = set.reduce(function (at, c) {
      return at * self.engine.sizes[c] + (c === column ? codes[0] : self.chosen.get(c)[0]);
    }, 0);
    var table = this.published.get(key), ends = table.cells.get(place);
    var found = ends ? this._stated(n, ends[0], ends[1])
      : this._stated(n, 0, Math.max(n, table.unseen));
    found.published = true;
    return found;
  };

  /* At most the least upper end among measured tables of some of the columns. */
  Intervals.prototype._bound = function (n, set, column, codes) {
    var self = this, parts = this._parts(set), z = this.quantiles[parts.length - 1];
    var high = parts.reduce(function (least, part) {
      var among = part.columns.filter(function (c) { return c !== column; }), need = bits(among);
      var own = among.length < part.columns.length, counts = own && self.engine.count(column, need);
      var sum = own
        ? codes.reduce(function (s, code) { return s + counts[code]; }, 0)
        : self.engine.total(need);
      var cells = self._cells(among) * (own ? codes.length : 1);
      return Math.min(least, Math.ceil(sum + width(z, cells, part.errors)));
    }, this.people[2]);
    return { n: n, low: 0, high: high, state: "not_measured" };
  };

  /* Measured tables within a set of columns that no other contains, a limited number. */
  Intervals.prototype._parts = function (set) {
    var key = set.join(",");
    if (!this.parts.has(key)) {
      var held = new Set(set), all = function (part) {
        return part.columns.every(function (c) { return held.has(c); });
      };
      var inside = this.tables.filter(all);
      inside = inside.filter(function (part) {
        return !inside.some(function (other) {
          return other.columns.length > part.columns.length &&
            part.columns.every(function (c) { return other.columns.includes(c); });
        });
      });
      inside.sort(function (a, b) {
        return b.columns.length - a.columns.length || a.errors[0] - b.errors[0];
      });
      this.parts.set(key, inside.slice(0, this.quantiles.length));
    }
    return this.parts.get(key);
  };

  return Intervals;
})();
