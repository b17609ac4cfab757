/* Exact weighted counts of packed records under at most 32 filters.
   mask[i] has bit c set where row i fails the filter of column c; columns below 32 have a bit. */
var ctdhubEngine = (function () {
  "use strict";

  function unpack(bytes, bits, rows) {
    if (bits === 16) return new Uint16Array(bytes.slice(0, 2 * rows).buffer);
    if (bits === 8) return bytes.slice(0, rows);
    var codes = new Uint8Array(rows);
    for (var i = 0; i < rows; i++) codes[i] = (bytes[i >> 2] >> (2 * (i & 3))) & 3;
    return codes;
  }

  function Engine(layout, buffer) {
    var bytes = new Uint8Array(buffer), at = layout.rows * layout.weight, self = this;
    var kind = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[layout.weight];
    this.rows = layout.rows;
    this.weights = new kind(buffer, 0, layout.rows);
    this.columns = layout.columns.map(function (column) {
      var codes = unpack(bytes.subarray(at), column.bits, self.rows);
      at += Math.ceil((self.rows * column.bits) / 8);
      return codes;
    });
    this.sizes = layout.columns.map(function (column) { return column.codes.length; });
    this.mask = new Int32Array(this.rows);
    this.cache = new Map();
  }

  /* Rows whose code in the column is not among these fail; null lets all pass. */
  Engine.prototype.filter = function (column, codes) {
    var bit = 1 << column, mask = this.mask, values = this.columns[column], rows = this.rows;
    var fails = new Int32Array(this.sizes[column]), i;
    if (codes) {
      fails.fill(bit);
      codes.forEach(function (code) { fails[code] = 0; });
    }
    for (i = 0; i < rows; i++) mask[i] = (mask[i] & ~bit) | fails[values[i]];
    this.cache.forEach(function (entry, key, cache) {
      if (entry.need & bit) cache.delete(key);
    });
  };

  Engine.prototype._kept = function (key, need, make) {
    var entry = this.cache.get(key);
    if (!entry) {
      entry = { need: need, value: make() };
      this.cache.set(key, entry);
    }
    return entry.value;
  };

  /* Rows that pass all filters whose bits are in need. */
  Engine.prototype.passing = function (need) {
    var self = this;
    return this._kept("rows " + need, need, function () {
      var found = new Uint32Array(self.rows), n = 0, mask = self.mask, rows = self.rows;
      for (var i = 0; i < rows; i++) {
        found[n] = i;
        n += (mask[i] & need) === 0 ? 1 : 0;
      }
      return found.slice(0, n);
    });
  };

  /* People by the codes of a column, among the rows that pass. */
  Engine.prototype.count = function (column, need) {
    var self = this;
    return this._kept(column + " " + need, need, function () {
      var counts = new Float64Array(self.sizes[column]), weights = self.weights;
      var values = self.columns[column], rows, n, i;
      if (need === 0) {
        for (i = 0, n = self.rows; i < n; i++) counts[values[i]] += weights[i];
      } else {
        rows = self.passing(need);
        for (i = 0, n = rows.length; i < n; i++) counts[values[rows[i]]] += weights[rows[i]];
      }
      return counts;
    });
  };

  /* People among the rows that pass. */
  Engine.prototype.total = function (need) {
    var self = this;
    return this._kept("total " + need, need, function () {
      var mask = self.mask, weights = self.weights, n = self.rows, sum = 0;
      for (var i = 0; i < n; i++) sum += (mask[i] & need) === 0 ? weights[i] : 0;
      return sum;
    });
  };

  return Engine;
})();
