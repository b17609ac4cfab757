/* What a reader chose, and how the address holds it:
   variable=code,code&…   filters ("~" is not recorded)      vs.variable=code,…   a second group
   show=question          the chart      split=question      as=share      vs=all: the second is all
   years=3                sums of years */
var ctdhubChoice = (function () {
  "use strict";
  var node = ctdhubPlot.node, MOST = 8, SINCE = /^(since|depuis|desde|منذ)$/i;

  function Choice(data, say) {
    this.data = data;
    this.say = say;
    this.place = new Map(data.names.map(function (name, k) { return [name, k]; }));
    this.asked = new Map(data.questions.map(function (q, k) { return [q.name, k]; }));
    this.clear();
  }
  Choice.prototype.clear = function () {
    this.where = new Map();
    this.versus = null;
    this.show = 0;
    this.split = null;
    this.as = "count";
    this.years = "1";
    this.side = 0;
    this.last = null;
    this.unknown = [];
  };
  Choice.prototype.set = function () { return this.side && this.versus ? this.versus : this.where; };
  Choice.prototype.plain = function () {
    return { show: this.show, where: Array.from(this.where), split: this.split, as: this.as, years: +this.years,
      versus: this.versus ? Array.from(this.versus) : null };
  };

  /* The codes of a filter; a set of answers, as a region, stands for all of its own. */
  Choice.prototype._read = function (text, name, column) {
    var codes = this.data.codes[this.data.keys[column]], found = new Set(), self = this;
    text.split(",").forEach(function (one) {
      var code = -1, set = self.data.sets.find(function (own) { return own.column === column && own.code === one; });
      try { code = one === "~" ? 0 : codes.indexOf(decodeURIComponent(one) || null); } catch (_error) { code = -1; }
      if (set) set.codes.forEach(found.add, found);
      else if (code >= 0) found.add(code);
      else if (!self.unknown.includes(name)) self.unknown.push(name);
    });
    return Array.from(found).sort(function (a, b) { return a - b; });
  };
  /* Take the address; what it does not know is left out and named in "unknown". */
  Choice.prototype.read = function (hash) {
    var self = this, versus = new Map(), second = false, side = this.side;
    this.clear();
    hash.replace(/^#/, "").split("&").forEach(function (part) {
      var at = part.indexOf("="), name = part.slice(0, at), text = part.slice(at + 1), column;
      if (at < 1) return;
      if (name === "show" || name === "split") {
        if (self.asked.has(text)) self[name] = self.asked.get(text);
        else self.unknown.push(name);
      }
      else if (name === "as" ? text === "share" : name === "years" && /^[35]$/.test(text)) self[name] = text;
      else if (name === "vs") second = text === "all";
      else {
        var other = name.slice(0, 3) === "vs.", into = other ? versus : self.where;
        column = self.place.get(other ? name.slice(3) : name);
        if (column === undefined) return self.unknown.push(name);
        var codes = self._read(text, name, column);
        if (!codes.length) return;
        into.set(column, codes);
        second = second || other;
      }
    });
    if (second) {
      this.versus = versus;
      this.side = side;
    }
    if (this.split === this.show || this.versus) this.split = null;
  };
  Choice.prototype._written = function (set, prefix) {
    var self = this;
    return Array.from(set).map(function (one) {
      return prefix + self.data.names[one[0]] + "=" + self.say.parts(one[0], one[1]).map(function (part) {
        return encodeURIComponent(part.code || "~").replace(/%2C/g, ",");
      }).join(",");
    });
  };
  Choice.prototype.address = function () {
    var parts = this._written(this.where, "");
    if (this.show) parts.push("show=" + this.data.questions[this.show].name);
    if (this.split !== null) parts.push("split=" + this.data.questions[this.split].name);
    if (this.as !== "count") parts.push("as=" + this.as);
    if (this.years !== "1") parts.push("years=" + this.years);
    if (this.versus)
      parts = parts.concat(this.versus.size ? this._written(this.versus, "vs.") : ["vs=all"]);
    return parts.length ? "#" + parts.join("&") : "";
  };

  /* Tick answers, or untick them where all of them are. */
  Choice.prototype.toggle = function (column, codes) {
    var set = this.set(), old = set.get(column) || [];
    var rest = old.filter(function (code) { return !codes.includes(code); });
    if (old.length - rest.length < codes.length) rest = rest.concat(codes);
    if (rest.length) set.set(column, rest.sort(function (a, b) { return a - b; }));
    else set.delete(column);
    this.last = column;
  };
  /* Two groups: the two answers of the last filter where it has two, else the filters in force and
     the same without the last one. */
  Choice.prototype.compare = function () {
    var last = this.where.has(this.last) ? this.last : Array.from(this.where.keys()).pop();
    var parts = this.say.parts(last, this.where.get(last) || []);
    this.split = null;
    this.versus = new Map(this.where);
    if (parts.length === 2) {
      this.where.set(last, parts[0].codes);
      this.versus.set(last, parts[1].codes);
    } else this.versus.delete(last);
    this.last = last;
    this.side = 1;
  };

  /* The panel: one part for each question, made when it is opened.  "chosen" is called once several
     answers were taken at a time. */
  function Panel(data, say, choice, changed, chosen) {
    this.data = data;
    this.say = say;
    this.choice = choice;
    this.changed = changed;
    this.chosen = chosen;
    this.boxes = [];
    this.names = new Names();
    this._find();
    this.parts = data.questions.map(this._part, this);
  }
  Panel.prototype._options = function (chart) {
    var self = this, names = this.data.labels[this.data.keys[chart.column]], held = new Set(chart.held);
    if (chart.flags) return chart.flags.map(function (c) {
      return { column: c, codes: [self.data.yes[c]], code: self.say.code(c, self.data.yes[c]), label: self.data.titles[c] };
    });
    var codes = chart.years ? chart.codes : chart.recorded;
    /* Countries in the order of the site's list (sort_key in Python), first those with a number. */
    var key = names.map(function (name) { return ctdhubSearched.fold((name || "").replace(/^ال(?=..)/, "")); });
    if (chart.ranked) codes = codes.slice().sort(function (a, b) {
      return held.has(b) - held.has(a) || (key[a] < key[b] ? -1 : 1);
    });
    return this.data.sets.filter(function (set) { return set.column === chart.column; })
      .concat(codes.concat(0).map(function (code) { return self.say.part(chart.column, code); }));
  };
  /* How well a text is what is looked for, as in the search of the site: a place by any of its
     spellings, once they are there; else by what the page calls it. */
  function Names() { this.spelt = new Map(); }
  Names.prototype.load = function (ready) {
    var self = this;
    ctdhubSearched.places(function (spelt) {
      self.spelt = spelt;
      ready();
    });
  };
  Names.prototype.rank = function (text, typed) {
    var name = ctdhubSearched.fold(text), spelt = this.spelt.get(text);
    return Math.min(name.includes(typed) ? 2 : 9, ctdhubSearched.rank(spelt ? name + "|" + spelt : name, typed));
  };

  /* Finds an answer of any question, or with commas between them one answer each of several: as
     "women, Nigeria, Italy", where the country that is named first is that of citizenship. */
  Panel.prototype._find = function () {
    var self = this, words = this.data.words, label = node("label", { class: "search" }, words.find + " ");
    var box = label.appendChild(node("input", { type: "search", id: "explore-find" }));
    var list = node("ul", { id: "explore-found" });
    /* Of single words of a sentence a country has the whole spelling, anything else begins so. */
    function hits(typed, word) {
      var found = [];
      self.data.questions.forEach(function (chart) {
        self._options(chart).forEach(function (option) {
          var text = ctdhubSay.fill(words.pair, { question: chart.title, answers: option.label });
          var rank = option.spelt ? ctdhubSearched.rank(option.spelt, typed) : self.names.rank(option.label, typed);
          if (option.codes[0] && (!word || !rank || (rank !== 2 && !chart.ranked)))
            found.push(option.spelt ? [rank, -1, option.label, option] : [rank, found.length, text, option]);
        });
      });
      return ctdhubSearched.best(found).slice(0, MOST);
    }
    /* One hit of each part, those of different questions. */
    function together(parts) {
      return parts.reduce(function (sets, some) {
        return sets.flatMap(function (set) {
          return some.filter(function (hit) {
            return set.every(function (other) { return other[3].column !== hit[3].column; });
          }).map(function (hit) { return set.concat([hit]); });
        }).slice(0, MOST * MOST);
      }, [[]]);
    }
    /* The hits of each phrase of a sentence, the longest first; other words are left out and told. */
    function phrases(sentence, left) {
      var years = SINCE.test(sentence[0]) && self._since(ctdhubSearched.fold(sentence[1] || ""));
      if (years) return [[years]].concat(phrases(sentence.slice(2), left));
      for (var n = Math.min(3, sentence.length); n; n--) {
        var typed = ctdhubSearched.fold(sentence.slice(0, n).join("")), some = typed.length > 2 ? hits(typed, true) : [];
        if (some.length) return [some].concat(phrases(sentence.slice(n), left));
      }
      left.push.apply(left, sentence.slice(0, 1));
      return sentence.length ? phrases(sentence.slice(1), left) : [];
    }
    function show() {
      var all = ctdhubSearched.fold(box.value), left = [], whole = all ? hits(all) : [];
      var each = whole.length ? [] : box.value.split(/[,،;؛]/).filter(ctdhubSearched.fold).flatMap(function (part) {
        var some = hits(ctdhubSearched.fold(part));
        return some.length ? [some] : phrases(part.trim().split(/\s+/), left);
      });
      var found = together(each.length ? each : [whole]);
      if (all && !found.length) return list.replaceChildren(node("li", {}, words.unfound));
      list.replaceChildren.apply(list, found.slice(0, MOST).map(function (set) {
        var item = node("li"), button = node("button", { type: "button" }, set.map(function (hit) { return hit[2]; }).join(words.comma));
        item.append(button);
        button.addEventListener("click", function () {
          set.forEach(function (hit) {
            var column = hit[3].column, old = self.choice.set().get(column) || [];
            self.choice.toggle(column, hit[3].codes.filter(function (code) { return !old.includes(code); }));
          });
          box.value = "";
          show();
          self.changed();
          if (set.length > 1) self.chosen();
        });
        return item;
      }));
      if (left.length) list.append(node("li", {}, ctdhubSay.fill(words.left, { words: left.join(" ") })));
    }
    box.addEventListener("focus", function () { self.names.load(show); });
    box.addEventListener("input", show);
    document.getElementById("explore-parts").append(label, list);
  };
  /* A year and all after it, as a hit; null where it is none. */
  Panel.prototype._since = function (year) {
    var chart = this.data.questions.find(function (q) { return q.years; });
    var years = chart ? this._options(chart).filter(function (option) { return option.codes[0]; }) : [];
    var later = years.slice(years.findIndex(function (option) { return option.label === year; }));
    if (!later.length || later[0].label !== year) return null;
    var answers = year + "–" + later[later.length - 1].label, codes = later.map(function (option) { return option.codes[0]; });
    return [0, 0, ctdhubSay.fill(this.data.words.pair, { question: chart.title, answers: answers }),
      { column: chart.column, codes: codes }];
  };
  Panel.prototype.open = function (column) {
    var at = this.data.questions.findIndex(function (q) { return q.column === column || (q.flags || []).includes(column); });
    if (at >= 0) this.parts[at].node.open = true;
  };
  Panel.prototype._part = function (chart) {
    var self = this, part = node("details", { "data-name": chart.name }), head = node("summary", {}, chart.title), filled = false;
    var badge = head.appendChild(node("span", { class: "n" }));
    part.append(head);
    part.addEventListener("toggle", function () {
      if (part.open && !filled) self._fill(part, chart);
      filled = filled || part.open;
    });
    document.getElementById("explore-parts").append(part);
    return { columns: chart.flags || [chart.column], badge: badge, node: part };
  };
  Panel.prototype._fill = function (part, chart) {
    var self = this, set = node("fieldset"), words = this.data.words;
    set.append(node("legend", {}, chart.flags ? words.every : words.any));
    if (chart.ranked) set.append(this._search(set));
    this._options(chart).forEach(function (option) {
      var label = node("label"), box = node("input", { type: "checkbox" });
      box.name = self.data.names[option.column];
      box.value = option.code;
      self.boxes.push([box, option]);
      box.addEventListener("change", function () {
        self.choice.toggle(option.column, option.codes);
        self.changed();
      });
      label.append(box, " ", option.label);
      set.append(label);
    });
    part.append(set);
    this.refresh();
  };
  Panel.prototype._search = function (set) {
    var self = this, label = node("label", { class: "search" }, this.data.words.search + " ");
    var box = label.appendChild(node("input", { type: "search" }));
    function show() {
      var typed = ctdhubSearched.fold(box.value), all = Array.from(set.querySelectorAll("label:not(.search)"));
      var shown = new Set(ctdhubSearched.best(all.map(function (one, k) {
        return [typed ? self.names.rank(one.textContent.trim(), typed) : 0, k, one];
      })).map(function (hit) { return hit[2]; }));
      all.forEach(function (one) { one.hidden = !shown.has(one) && !one.firstChild.checked; });
    }
    box.addEventListener("focus", function () { self.names.load(show); });
    box.addEventListener("input", show);
    return label;
  };
  Panel.prototype.refresh = function () {
    var set = this.choice.set(), say = this.say;
    this.boxes.forEach(function (one) {
      var codes = set.get(one[1].column), on = Boolean(codes) && one[1].codes.every(function (code) { return codes.includes(code); });
      if (one[0].checked !== on) one[0].checked = on;
    });
    this.parts.forEach(function (part) {
      var n = part.columns.reduce(function (sum, c) { return sum + say.parts(c, set.get(c) || []).length; }, 0);
      ctdhubPlot.put(part.badge, n ? " · " + say.whole(n) : "");
    });
  };

  /* Chips of the chosen filters, one list for each group. */
  function chips(place, choice, say, changed) {
    var words = say.words, sets = choice.versus ? [choice.where, choice.versus] : [choice.where];
    place.replaceChildren.apply(place, sets.map(function (set, side) {
      var name = choice.versus
        ? ctdhubSay.fill(words.group, { letter: words.letters[side] }) : words.filters.split("{")[0];
      var list = node("ul", { "aria-label": name });
      if (choice.versus) list.append(node("li", { class: "who s" + side }, name + (set.size ? "" : ": " + words.all)));
      set.forEach(function (codes, column) {
        var text = say.filter(column, codes), chip = node("button", { type: "button", "data-key": "chip" + side + column });
        chip.append(node("span", {}, text), node("span", { "aria-hidden": "true" }, " ✕"));
        chip.setAttribute("aria-label", ctdhubSay.fill(words.remove, { filter: text }));
        chip.addEventListener("click", function () {
          set.delete(column);
          changed();
        });
        list.appendChild(node("li")).append(chip);
      });
      return list;
    }));
  }

  return { Choice: Choice, Panel: Panel, chips: chips };
})();
