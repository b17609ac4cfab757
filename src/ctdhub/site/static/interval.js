/* Numbers of people with their intervals: ctdhub.stats.estimator, step by step, in the browser. */
var ctdhubEstimator = (function () {
  "use strict";
  var OF_FIT = 1.05, BEYOND = 1.3, OF_REST = 0.25, without = ctdhubEngine.without, keyOf = ctdhubEngine.key;

  /* Half the width of the interval of a sum: the noise of its fit, how far the records are from the
     unbiased sum, the people in groups without one. */
  function halfWidth(z, sd, off, rest) {
    return Math.hypot(Math.max(z * OF_FIT * sd, off + BEYOND * sd), OF_REST * rest);
  }
  function product(numbers) { return numbers.reduce(function (m, n) { return m * n; }, 1); }
  /* Each choice of one code by column. */
  function singles(where) {
    return Array.from(where).reduce(function (cells, one) {
      return cells.flatMap(function (cell) {
        return one[1].map(function (code) { return new Map(cell).set(one[0], [code]); });
      });
    }, [new Map()]);
  }
  /* Cells of a table: their codes by column, their people. */
  function Cells(columns, sizes, places, people) {
    var self = this;
    this.columns = columns;
    this.sizes = sizes;
    this.people = people;
    this.codes = columns.map(function () { return new Uint16Array(places.length); });
    places.forEach(function (place, i) {
      for (var k = columns.length - 1; k >= 0; k--) {
        self.codes[k][i] = place % sizes[columns[k]];
        place = Math.floor(place / sizes[columns[k]]);
      }
    });
    this.kept = new Map();
  }
  /* [people, the largest cell] within the conditions, by the codes of a column (null: in all). */
  Cells.prototype.by = function (column, where) {
    var key = column + "|" + keyOf(where), found = this.kept.get(key);
    if (found) return found;
    var self = this, own = this.columns.indexOf(column), size = own < 0 ? 1 : this.sizes[column];
    var inside = this.columns.map(function (c) {
      if (!where.has(c)) return null;
      var pass = new Uint8Array(self.sizes[c]);
      where.get(c).forEach(function (code) { pass[code] = 1; });
      return pass;
    });
    found = [new Float64Array(size), new Float64Array(size)];
    for (var i = 0, n = this.people.length; i < n; i++) {
      for (var k = 0; k < inside.length; k++) if (inside[k] && !inside[k][this.codes[k][i]]) break;
      if (k < inside.length) continue;
      var at = own < 0 ? 0 : this.codes[own][i];
      found[0][at] += this.people[i];
      if (this.people[i] > found[1][at]) found[1][at] = this.people[i];
    }
    if (this.kept.size > 500) this.kept.clear();
    this.kept.set(key, found);
    return found;
  };
  /* People within the conditions; the pivot is the column that is asked for code by code. */
  Cells.prototype.total = function (where, pivot) {
    if (!where.has(pivot)) return this.by(null, where)[0][0];
    var people = this.by(pivot, without(where, pivot))[0];
    return where.get(pivot).reduce(function (sum, code) { return sum + people[code]; }, 0);
  };

  function running(steps) {
    var at = 0;
    return steps.map(function (step) { return (at += step); });
  }

  /* The variance of sums of cells in tables that were fitted together: ctdhub.stats.estimator.
     sizes holds of each column its codes in one sum, in another, and in both. */
  function Fitted(tail, sizes) {
    this.tables = tail.tables.map(function (columns, k) { return [columns, tail.drawn[k]]; })
      .filter(function (table) { return table[1]; });
    this.holding = sizes.map(function () { return []; });
    this.tables.forEach(function (table) {
      table[0].forEach(function (c) { this.holding[c].push(table); }, this);
    }, this);
    if (tail.all) this.tables.push([[], tail.all]);
    this.sizes = sizes;
    this.weights = new Map();
    this.products = new Map();
  }
  /* What all tables say of a component: the sum of one over its variances. */
  Fitted.prototype._weight = function (part) {
    var key = part.join(), sizes = this.sizes, found = this.weights.get(key);
    if (found === undefined) {
      found = 0;
      (part.length ? this.holding[part[0]] : this.tables).forEach(function (table) {
        if (!part.every(function (c) { return table[0].includes(c); })) return;
        found += 1 / (table[1] * table[1] * product(table[0].map(function (c) {
          return part.includes(c) ? 1 : sizes[c];
        })));
      });
      this.weights.set(key, found);
    }
    return found;
  };
  Fitted.prototype.covariance = function (all) {
    var key = all.join(";"), found = this.products.get(key), n = this.sizes;
    if (found !== undefined) return found;
    found = 0;
    for (var bits = 0; bits < 1 << all.length; bits++) {
      var own = 1, part = [];
      all.forEach(function (s, k) {
        if (bits & (1 << k)) {
          own *= s[3] - (s[1] * s[2]) / n[s[0]];
          part.push(s[0]);
        } else own *= (s[1] * s[2]) / (n[s[0]] * n[s[0]]);
      });
      if (own) found += own / this._weight(part);
    }
    this.products.set(key, found);
    return found;
  };
  Fitted.prototype.variance = function (where) {
    return this.covariance(Array.from(where).map(function (one) {
      var n = one[1].length;
      return [one[0], n, n, n];
    }).sort(function (a, b) { return a[0] - b[0]; }));
  };
  Fitted.prototype.correlation = function (one, two) {
    var self = this, columns = Array.from(new Set([...one.keys(), ...two.keys()]));
    columns.sort(function (a, b) { return a - b; });
    var held = columns.length ? this.holding[columns[0]] : this.tables;
    if (!held.some(function (table) {
      return columns.every(function (c) { return table[0].includes(c); });
    })) return 0;
    var sizes = columns.map(function (c) {
      var a = one.get(c), b = two.get(c), n = self.sizes[c];
      var both = a && b ? a.filter(function (code) { return b.includes(code); }).length : (a || b).length;
      return [c, a ? a.length : n, b ? b.length : n, both];
    });
    function own(k) {
      return self.covariance(sizes.map(function (s) { return [s[0], s[k], s[k], s[k]]; }));
    }
    return this.covariance(sizes) / Math.sqrt(own(1) * own(2));
  };

  /* Noisy cells of regions within the conditions, [people, variance]; null where these divide a
     group.  A table has columns, of each the codes of its groups, noisy, variance. */
  function regionSum(table, where) {
    if (!Array.from(where.keys()).every(function (c) { return table.columns.includes(c); })) return null;
    var whole = true, places = [0];
    table.groups.forEach(function (groups, k) {
      var wanted = where.get(table.columns[k]), met = 0, own = [];
      groups.forEach(function (codes, i) {
        if (wanted && !codes.every(function (code) { return wanted.includes(code); })) return;
        own.push(i);
        met += codes.length;
      });
      if (wanted && met !== wanted.length) whole = false;
      places = places.flatMap(function (p) {
        return own.map(function (i) { return p * groups.length + i; });
      });
    });
    var people = places.reduce(function (sum, p) { return sum + table.noisy[p]; }, 0);
    return whole ? [people, places.length * table.variance] : null;
  }

  /* data: people [n, low, high], period (column of the years or -1), names;
     tail: tables, sigma, drawn and all (of tables, and of all people), z, wider, cells. */
  function Estimator(data, engine, tail) {
    var self = this;
    this.engine = engine;
    this.sizes = engine.sizes;
    this.people = data.people;
    this.period = data.period;
    this.names = data.names;
    this.wider = tail.wider;
    this.z = tail.z;
    this.regions = tail.regions;
    this.fitted = new Fitted(tail, this.sizes);
    this.tables = tail.tables.map(function (named, k) {
      var columns = named.slice().sort(function (a, b) { return a - b; });
      return { columns: columns, key: columns.join(), sigma: tail.sigma[k],
        name: named.map(function (c) { return data.names[c]; }).join("*") };
    });
    this.byKey = new Map(this.tables.map(function (t) { return [t.key, t]; }));
    this.holding = this.sizes.map(function () { return []; });
    this.tables.forEach(function (t) {
      t.columns.forEach(function (c) { self.holding[c].push(t); });
    });
    this.wanted = new Set();
    this.counts = new Map();
    this.bounds = new Map();
    this.parts = new Map();
    this.give(tail.cells);
  }

  /* Take the published cells of some tables. */
  Estimator.prototype.give = function (cells) {
    var self = this;
    Object.keys(cells).forEach(function (key) {
      var table = self.byKey.get(key), given = cells[key], ends = new Map();
      table.at = running(given.at);
      table.at.forEach(function (place, k) { ends.set(place, k); });
      table.ends = ends;
      table.low = given.low;
      table.high = given.high;
      table.unseen = given.unseen;
      table.noisy = given.noisy;
    });
    this.counts.clear();
    this.bounds.clear();
  };
  /* Whether the records' columns, and the cells, of a table are here; what is not is wanted. */
  Estimator.prototype.holds = function (columns) {
    var away = columns.filter(function (c) { return !this.engine.columns[c]; }, this);
    away.forEach(this.wanted.add, this.wanted);
    return !away.length;
  };
  Estimator.prototype.has = function (table) {
    if (!table.at) this.wanted.add(table.key);
    return this.holds(table.columns) && Boolean(table.at);
  };

  Estimator.prototype.table = function (columns) {
    return this.byKey.get(Array.from(columns).sort(function (a, b) { return a - b; }).join());
  };
  /* The measured tables that hold all of some columns. */
  Estimator.prototype.holders = function (columns) {
    var self = this, fewest = columns.reduce(function (least, c) {
      return self.holding[c].length < least.length ? self.holding[c] : least;
    }, this.tables);
    return fewest.filter(function (t) {
      return columns.every(function (c) { return t.columns.includes(c); });
    });
  };
  /* Whether some measured table holds all of some columns. */
  Estimator.prototype.measured = function (columns) {
    var list = Array.from(columns).sort(function (a, b) { return a - b; }), key = list.join();
    if (!list.length || this.byKey.has(key)) return true;
    if (!this.held) this.held = new Map();
    if (!this.held.has(key)) this.held.set(key, this.holders(list).length > 0);
    return this.held.get(key);
  };

  Estimator.prototype.asked = function (where) {
    var found = new Map(), sizes = this.sizes;
    where.forEach(function (codes, c) { if (codes.length < sizes[c]) found.set(c, codes); });
    return found;
  };

  /* The people who meet all conditions: n, low, high, published; null where nothing was measured.
     The pivot is the column that is asked for code by code: what the others say is kept. */
  Estimator.prototype.count = function (where, pivot) {
    where = this.asked(where);
    var key = keyOf(where), found = this.counts.get(key);
    if (found === undefined) {
      found = this._count(where, pivot);
      this.counts.set(key, found);
    }
    return found;
  };
  Estimator.prototype._count = function (where, pivot) {
    if (!where.size)
      return { n: this.people[0], low: this.people[1], high: this.people[2], published: true };
    var single = Array.from(where.values()).every(function (codes) { return codes.length === 1; });
    var table = this.table(where.keys());
    if (single && table) return this._cell(table, where);
    if (!this.measured(where.keys())) return null;
    var sum = this._sum(where, pivot), value = sum[0];
    var low = Math.floor(value - sum[1]), high = Math.ceil(value + sum[1]);
    if (table) {
      var ends = this._withCells(table, where, pivot, low, high);
      low = ends[0];
      high = ends[1];
    }
    high = Math.min(high, this._leastWhole(where, pivot));
    return { n: value, low: Math.min(value, Math.max(0, low)), high: Math.max(value, high),
      published: false };
  };
  /* The least upper end of the same question without one of its conditions. */
  Estimator.prototype._leastWhole = function (where, pivot) {
    var self = this, least = Infinity;
    where.forEach(function (_codes, c) {
      var whole = self.count(without(where, c), pivot);
      if (whole) least = Math.min(least, whole.high);
    });
    return least;
  };
  Estimator.prototype._cell = function (table, where) {
    if (!this.has(table)) return { n: 0, low: 0, high: 0, published: true };
    var sizes = this.sizes, place = table.columns.reduce(function (at, c) {
      return at * sizes[c] + where.get(c)[0];
    }, 0);
    var k = table.ends.get(place);
    if (k === undefined)
      return { n: 0, low: 0, high: Math.min(table.unseen, this._leastWhole(where)), published: true };
    var n = this.engine.count(table.columns[0], without(where, table.columns[0]))[
      where.get(table.columns[0])[0]];
    return { n: n, low: table.low[k], high: table.high[k], published: true };
  };
  /* The ends of a sum of cells of a table, at least those of each of its cells. */
  Estimator.prototype._withCells = function (table, where, pivot, low, high) {
    if (!this.has(table)) return [low, high];
    var self = this, sizes = this.sizes, column = where.has(pivot) ? pivot : table.columns[0];
    if (!table.shown) table.shown = ["low", "high"].map(function (end) {
      return new Cells(table.columns, sizes, table.at, table[end]);
    });
    var most = table.shown.map(function (cells) { return cells.by(column, without(where, column))[1]; });
    where.get(column).forEach(function (code) {
      low = Math.max(low, most[0][code]);
      high = Math.max(high, most[1][code]);
    });
    if (high < table.unseen) singles(where).forEach(function (cell) {
      high = Math.max(high, self.count(cell, pivot).high);
    });
    return [low, high];
  };

  /* The number of records, and half the width of its interval, from the table of these columns and
     the years, or else the smallest one. */
  Estimator.prototype._sum = function (where, pivot) {
    var table = this.table(new Set([...where.keys(), this.period])) || this._smallest(where);
    if (!this.has(table)) return [0, 0];
    var value = this._value(where, pivot), region = this.inRegions(where, [where]);
    if (region) return [value, this.z * Math.sqrt(region[0][1]) + Math.abs(value - region[0][0])];
    var sd = Math.sqrt(this.fitted.variance(where)), rest, off = 0;
    if (table.noisy) {
      var parts = this._years(table).map(function (cells) { return cells.total(where, pivot); });
      rest = parts[1];
      off = Math.abs(value - parts[0] - rest);
    } else rest = this._rest(table).total(where, pivot);
    return [value, halfWidth(this.z, sd, off, rest)];
  };
  /* Sums of cells of the table of regions that answers a question; null where the fit does. */
  Estimator.prototype.inRegions = function (asked, sums) {
    var least = this.regions.reduce(function (best, table) {
      var own = sums.map(function (where) { return regionSum(table, where); });
      return own.every(Boolean) && (!best || own[0][1] < best[0][1]) ? own : best;
    }, null);
    return least && least[0][1] < OF_FIT * OF_FIT * this.fitted.variance(asked) ? least : null;
  };
  /* Of a part and its whole, with the interval of noise; null likewise. */
  Estimator.prototype.ofRegions = function (part, whole) {
    var self = this, one = this.asked(part), two = this.asked(whole), both = new Map(two);
    one.forEach(function (codes, c) {
      both.set(c, two.has(c) ? codes.filter(function (k) { return two.get(c).includes(k); }) : codes);
    });
    var sums = this.inRegions(one, [both, two]);
    return sums && sums.map(function (sum) {
      var half = self.z * Math.sqrt(sum[1]);
      return { n: sum[0], low: sum[0] - half, high: sum[0] + half, variance: sum[1] };
    });
  };
  /* The smallest table that holds these columns, the least noisy of several. */
  Estimator.prototype._smallest = function (where) {
    return this.holders(Array.from(where.keys())).reduce(function (best, t) {
      var less = t.columns.length - best.columns.length || t.sigma - best.sigma || (t.name < best.name ? -1 : 1);
      return less < 0 ? t : best;
    });
  };

  /* The records of a table in cells that are not published. */
  Estimator.prototype._rest = function (table) {
    if (!table.rest) {
      var tally = this._tally(table), places = [], people = [];
      tally[0].forEach(function (place, i) {
        if (table.ends.has(place)) return;
        places.push(place);
        people.push(tally[1][i]);
      });
      table.rest = new Cells(table.columns, this.sizes, places, people);
    }
    return table.rest;
  };
  Estimator.prototype._tally = function (table) {
    return table.tally || (table.tally = this.engine.tally(table.columns));
  };
  Estimator.prototype._value = function (where, pivot) {
    if (!where.has(pivot)) return this.engine.total(where);
    var counts = this.engine.count(pivot, without(where, pivot));
    return where.get(pivot).reduce(function (sum, code) { return sum + counts[code]; }, 0);
  };
  /* Noisy counts by year of a table, and the records of the groups that have none. */
  Estimator.prototype._years = function (table) {
    if (table.years) return table.years;
    var sizes = this.sizes, at = table.columns.indexOf(this.period), years = sizes[this.period];
    var after = product(table.columns.slice(at + 1).map(function (c) { return sizes[c]; }));
    var groups = new Set(running(table.noisy.at)), places = [], people = [], rest = [[], []];
    Array.from(groups).forEach(function (group, k) {
      table.noisy.people[k].forEach(function (n, year) {
        if (n === null) return;
        places.push((Math.floor(group / after) * years + year) * after + (group % after));
        people.push(n);
      });
    });
    var tally = this._tally(table);
    tally[0].forEach(function (place, i) {
      if (groups.has(Math.floor(place / (after * years)) * after + (place % after))) return;
      rest[0].push(place);
      rest[1].push(tally[1][i]);
    });
    table.years = [new Cells(table.columns, sizes, places, people),
      new Cells(table.columns, sizes, rest[0], rest[1])];
    return table.years;
  };
  /* Correlation of the errors of a part and its whole. */
  Estimator.prototype.correlation = function (part, whole) {
    return this.fitted.correlation(this.asked(part), this.asked(whole));
  };

  /* At most the least upper end among measured tables of some of the conditions, and what is said
     of the same question without one of its conditions. */
  Estimator.prototype.bound = function (where, pivot, most) {
    var key = keyOf(where), found = this.bounds.get(key);
    if (found === undefined) {
      found = this._bound(where, pivot, most);
      this.bounds.set(key, found);
    }
    return found;
  };
  Estimator.prototype._bound = function (where, pivot, most) {
    var self = this, parts = this._parts(Array.from(where.keys()), most), least = this.people[2];
    var wider = parts.length ? this.wider[parts.length - 1] : 1;
    parts.forEach(function (part) {
      var found = self.count(new Map(Array.from(where).filter(function (one) {
        return part.columns.includes(one[0]);
      })), pivot);
      least = Math.min(least, Math.ceil(found.n + (found.high - found.n) * wider));
    });
    where.forEach(function (_codes, c) {
      var others = without(where, c), whole = self.count(others, pivot);
      least = Math.min(least, whole ? whole.high : self.bound(others, pivot, most));
    });
    return least;
  };
  /* Measured tables within a set of columns that no other contains, a limited number. */
  Estimator.prototype._parts = function (columns, most) {
    var key = columns.slice().sort().join(), held = new Set(columns), self = this;
    if (!this.parts.has(key)) {
      var among = new Set();
      columns.forEach(function (c) { self.holding[c].forEach(function (t) { among.add(t); }); });
      var inside = Array.from(among).filter(function (t) {
        return t.columns.every(function (c) { return held.has(c); });
      });
      inside = inside.filter(function (part) {
        return !inside.some(function (other) {
          return other.columns.length > part.columns.length &&
            part.columns.every(function (c) { return other.columns.includes(c); });
        });
      }).sort(function (a, b) { return b.columns.length - a.columns.length || a.sigma - b.sigma; });
      this.parts.set(key, inside.slice(0, most));
    }
    return this.parts.get(key);
  };

  Estimator.halfWidth = halfWidth;
  Estimator.Fitted = Fitted;
  return Estimator;
})();
