/* Exact weighted counts of packed records.  A condition is a column and its codes; conditions are a
   Map.  Rows that meet conditions are kept as lists, each made from a list with one condition less,
   so that a filter costs one pass over the rows that are left and columns are not limited. */
var ctdhubEngine = (function () {
  "use strict";
  var KEPT = 48, VECTORS = 2000;

  function unpack(bytes, bits, rows) {
    if (bits === 16) return new Uint16Array(bytes.slice(0, 2 * rows).buffer);
    if (bits === 8) return bytes.slice(0, rows);
    var codes = new Uint8Array(rows);
    for (var i = 0; i < rows; i++) codes[i] = (bytes[i >> 2] >> (2 * (i & 3))) & 3;
    return codes;
  }

  /* layout: rows, weight (bytes of one), bits by column, sizes of the columns' domains. */
  function Engine(layout, buffer) {
    var kind = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[layout.weight];
    this.rows = layout.rows;
    this.bits = layout.bits;
    this.weights = new kind(buffer, 0, layout.rows);
    this.columns = [];
    this.sizes = layout.sizes;
    this.lists = new Map();
    this.vectors = new Map();
  }
  /* Take some columns, packed one after the other; where they end. */
  Engine.prototype.give = function (columns, buffer) {
    var bytes = new Uint8Array(buffer);
    return columns.reduce(function (at, c) {
      this.columns[c] = unpack(bytes.subarray(at), this.bits[c], this.rows);
      return at + Math.ceil((this.rows * this.bits[c]) / 8);
    }.bind(this), 0);
  };

  /* The same text for the same conditions. */
  Engine.key = function (where) {
    return Array.from(where.keys()).sort(function (a, b) { return a - b; }).map(function (c) {
      return c + ":" + where.get(c).join();
    }).join(";");
  };
  Engine.without = function (where, column) {
    var rest = new Map(where);
    rest.delete(column);
    return rest;
  };

  function kept(cache, key, most, make) {
    var found = cache.get(key);
    if (found === undefined) {
      found = make();
      if (cache.size >= most) cache.delete(cache.keys().next().value);
      cache.set(key, found);
    }
    return found;
  }

  /* Rows that meet all conditions; null stands for every row. */
  Engine.prototype.passing = function (where) {
    if (!where.size) return null;
    var self = this;
    return kept(this.lists, Engine.key(where), KEPT, function () {
      var columns = Array.from(where.keys()), last = columns.find(function (c) {
        return where.size > 1 && self.lists.has(Engine.key(Engine.without(where, c)));
      });
      if (last === undefined) last = columns[columns.length - 1];
      var from = self.passing(Engine.without(where, last)), values = self.columns[last];
      var pass = new Uint8Array(self.sizes[last]), n = 0, i, row;
      where.get(last).forEach(function (code) { pass[code] = 1; });
      var size = from ? from.length : self.rows, found = new Uint32Array(size);
      if (from) {
        for (i = 0; i < size; i++) {
          row = from[i];
          found[n] = row;
          n += pass[values[row]];
        }
      } else {
        for (i = 0; i < size; i++) {
          found[n] = i;
          n += pass[values[i]];
        }
      }
      return found.slice(0, n);
    });
  };

  /* People by the codes of a column, among those who meet the conditions. */
  Engine.prototype.count = function (column, where) {
    var self = this;
    return kept(this.vectors, column + "|" + Engine.key(where), VECTORS, function () {
      var counts = new Float64Array(self.sizes[column]), weights = self.weights, i, n;
      var values = self.columns[column], rows = self.passing(where);
      if (!rows) {
        for (i = 0, n = self.rows; i < n; i++) counts[values[i]] += weights[i];
      } else {
        for (i = 0, n = rows.length; i < n; i++) counts[values[rows[i]]] += weights[rows[i]];
      }
      return counts;
    });
  };

  /* People who meet the conditions. */
  Engine.prototype.total = function (where) {
    var column = where.size ? where.keys().next().value : 0;
    return this.count(column, where).reduce(function (sum, n) { return sum + n; }, 0);
  };

  /* People in each cell of a table that has any, by its flat place: [places, people]. */
  Engine.prototype.tally = function (columns) {
    var self = this, size = columns.reduce(function (m, c) { return m * self.sizes[c]; }, 1);
    var values = columns.map(function (c) { return self.columns[c]; }), weights = this.weights;
    var steps = columns.map(function (_c, k) {
      return columns.slice(k + 1).reduce(function (m, c) { return m * self.sizes[c]; }, 1);
    });
    var places = new Float64Array(this.rows), i, k, n = this.rows;
    for (k = 0; k < columns.length; k++) {
      var own = values[k], step = steps[k];
      for (i = 0; i < n; i++) places[i] += own[i] * step;
    }
    if (size > 8e6) {
      var many = new Map();
      for (i = 0; i < n; i++) many.set(places[i], (many.get(places[i]) || 0) + weights[i]);
      return [Array.from(many.keys()), Array.from(many.values())];
    }
    var people = new Float64Array(size), at = [];
    for (i = 0; i < n; i++) {
      if (!people[places[i]]) at.push(places[i]);
      people[places[i]] += weights[i];
    }
    return [at, at.map(function (place) { return people[place]; })];
  };

  return Engine;
})();
