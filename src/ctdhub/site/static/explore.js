/* The explorer: asks for the view of what is chosen and shows it.  Words come from the page. */
(function () {
  "use strict";
  var page = JSON.parse(document.getElementById("explore-data").textContent);
  var node = ctdhubPlot.node, put = ctdhubPlot.put, fill = ctdhubSay.fill;
  var embedded = document.documentElement.hasAttribute("data-embed"), wide = matchMedia("(min-width:60rem)");
  var data, words = page.words, say, choice, files, bars, ask, panel = null, current = null, asked = 0, width = 0, kept = null;
  function id(name) { return document.getElementById("explore-" + name); }
  function message(text) {
    put(id("message"), text);
    id("message").hidden = !text;
  }

  /* A gzip stream beside the page of a site for disks, from a classic script. */
  var given = new Map();
  window.ctdhubGiven = function (stem, text) { given.get(stem)(text); };
  function take(stem) {
    return new Promise(function (done, wrong) {
      var tag = node("script", { src: page.files.data.replace("{name}", stem) });
      given.set(stem, done);
      tag.onerror = wrong;
      document.head.append(tag);
    }).then(function (text) {
      var held = atob(text), bytes = new Uint8Array(held.length);
      for (var i = 0; i < held.length; i++) bytes[i] = held.charCodeAt(i);
      return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    });
  }

  /* Views come from a worker; in a site for disks, where workers cannot start, from this page. */
  function worker() {
    var waiting = new Map(), thread, n = 0;
    try { thread = new Worker(page.files.worker); } catch (_error) { return failed(); }
    thread.onerror = failed;
    thread.onmessage = function (event) {
      var one = waiting.get(event.data.id);
      waiting.delete(event.data.id);
      if (event.data.failed) failed(); else one(event.data.found);
    };
    ask = function (asked, done) {
      waiting.set(++n, done);
      thread.postMessage(Object.assign({ id: n }, asked));
    };
    ask({ lang: page.lang, file: new URL(page.files.data, location.href).href.replace("%7Bname%7D", "{name}") }, begin);
  }
  function inline() {
    ctdhubView.open(page.lang, take).then(function (view) {
      ask = function (asked, done) { view.show(asked.state).then(done, failed); };
      begin(view.data);
    }).catch(failed);
  }

  function changed() {
    message("");
    var to = choice.address() || location.pathname + location.search;
    kept = document.activeElement ? document.activeElement.dataset.key : null;
    setTimeout(function () {
      try { history[embedded ? "replaceState" : "pushState"](null, "", to); }
      catch (_error) { /* browsers limit how often; the next choice writes the address */ }
    });
    update();
  }
  function update() {
    var mine = ++asked;
    id("figure").setAttribute("aria-busy", "true");
    ask({ state: choice.plain() }, function (view) {
      if (mine !== asked) return;
      current = view;
      show();
      id("figure").removeAttribute("aria-busy");
      document.documentElement.dataset.explore = "ready";
    });
    setTimeout(around);
  }
  function around() {
    if (embedded) {
      put(id("filters"), files.groups(choice).join(" "));
      id("full").querySelectorAll("a").forEach(function (link) { link.hash = choice.address(); });
      return;
    }
    ctdhubChoice.chips(id("chips"), choice, say, changed);
    panel.refresh();
    sides();
    document.querySelectorAll("nav a[hreflang]").forEach(function (a) { a.hash = choice.address(); });
  }

  var act = {
    pick: function (row) {
      if (embedded || (row.unknown && chart().flags)) return;
      choice.toggle(row.column, row.codes);
      changed();
    },
    card: function (row, series) { card(row, series); },
    named: function (one, s) { return files.named(one, s, choice); },
    spoken: function (label, series, text) {
      var all = current.series.length > 1 ? act.named(current.series[series], series) + words.comma + label : label;
      return fill(words.pair, { question: all, answers: text });
    }
  };
  function chart() { return data.questions[choice.show]; }
  function drawn() { return chart().years && choice.years === "1"; }

  function headline() {
    var first = current.series[0];
    if (current.differ) {
      var rows = current.differ.filter(function (one) { return one.people; }), as = choice.as === "share" ? "share" : "people";
      return fill(words.differing, { all: say.whole(rows.length),
        n: say.whole(rows.filter(function (one) { return one[as] && one[as] !== "same"; }).length) });
    }
    if (current.largest < 0 || chart().years) return chart().title;
    var row = first.rows[current.largest];
    return fill(words.largest, { label: say.label(chart(), row), people: say.counted(say.people(row.people)) });
  }
  function total() {
    return current.totals.map(function (one, k) {
      var text = say.total(one);
      return current.totals.length > 1 ? fill(words.pair, { question: words.letters[k], answers: text }) : text;
    }).join(" · ");
  }
  function show() {
    var view = current, focus = document.activeElement.dataset.key || kept;
    kept = null;
    var found = ctdhubPlot.sorted(view, chart(), data.top);
    put(id("total"), total());
    var bound = view.totals.some(function (one) { return one.state === "not_measured"; });
    put(id("reason"), words.reason);
    id("reason").hidden = !bound;
    put(id("headline"), headline());
    put(id("subtitle"), chart().subtitle);
    if (view.nothing || drawn()) bars.made = "";
    if (view.nothing) id("plot").replaceChildren();
    else if (drawn()) {
      id("plot").className = "";
      var parts = [ctdhubPlot.lines(view, chart(), choice.plain(), say, width || 640, act)];
      if (view.series.length > 1 && width < 560) parts.unshift(legend(view));
      id("plot").replaceChildren.apply(id("plot"), parts);
    } else bars.draw(view, chart(), choice, found);
    strip(view, found);
    put(id("source"), say.source(view.series));
    put(id("note"), notes(view));
    put(id("compared"), view.differ ? fill(words.compared, { n: say.whole(view.differ.filter(function (d) { return d.people; }).length) }) : "");
    put(id("meaning"), chart().meaning);
    offers(view);
    if (!embedded) {
      others(view);
      tools();
      table();
      code();
      put(id("status"), "");
    }
    if (focus && document.activeElement === document.body) {
      var again = document.querySelector('[data-key="' + CSS.escape(focus) + '"]') || id("total");
      if (!again.matches("button,g")) again.setAttribute("tabindex", "-1");
      again.focus({ preventScroll: true });
    }
  }
  function notes(view) {
    var bases = view.series.map(function (one, s) {
      var base = say.base(one, true);
      return base && view.series.length > 1 ? fill(words.pair, { question: act.named(one, s), answers: base }) : base;
    });
    if (choice.as === "share") bases.unshift(words.shares);
    return bases.filter(Boolean).join(" ");
  }
  function legend(view) {
    var list = node("ul", { class: "legend" });
    view.series.forEach(function (one, s) {
      var item = list.appendChild(node("li")), svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("width", 16);
      svg.setAttribute("height", 16);
      svg.setAttribute("class", "yearly");
      svg.setAttribute("aria-hidden", "true");
      ctdhubPlot.mark(svg, s, 8, 8);
      item.append(svg, act.named(one, s));
    });
    return list;
  }
  function strip(view, found) {
    var texts = [];
    if (drawn()) view.series.forEach(function (one, s) {
      var label = view.series.length > 1 ? act.named(one, s) + words.comma + words.blank : words.blank;
      texts.push(fill(words.outside, { label: label, people: say.people(one.unknown.people) }) + ".");
    });
    if (found.few.length && !chart().ranked) texts.push(fill(words.listed, { list: say.list(chart(), found.few) }));
    if (found.silent.length) texts.push(fill(words.uncovered, { list: say.list(chart(), found.silent) }));
    put(id("strip"), texts.join(" "));
  }
  function offers(view) {
    var list = id("offers").querySelector("ul");
    put(id("offers").querySelector("p"), view.nothing ? words.unshown : words.nearest);
    id("offers").hidden = !view.offers.length;
    list.replaceChildren.apply(list, view.offers.map(function (offer) {
      var next = new ctdhubChoice.Choice(data, say), item = node("li");
      next.read(choice.address());
      offer.drop.forEach(function (column) {
        next.where.delete(column);
        if (next.versus) next.versus.delete(column);
      });
      if (offer.split) next.split = null;
      if (offer.years) next.years = offer.years;
      var text = offer.years ? fill(words.summed, { n: say.whole(offer.years) }) : offer.split && !offer.drop.length ? fill(words.unsplit, { chart: chart().title })
        : fill(view.nothing ? words.wider : words.offer, { chart: chart().title, filters: offer.drop.map(function (c) { return data.titles[c]; }).join(words.comma) });
      var link = item.appendChild(node("a", { href: next.address() || "#show=" + chart().name }, text));
      link.addEventListener("click", function (event) {
        event.preventDefault();
        choice.read(next.address());
        changed();
        id("total").setAttribute("tabindex", "-1");
        id("total").focus();
      });
      return item;
    }));
  }
  function others(view) {
    var list = id("others");
    if (!list.children.length) data.questions.forEach(function (q, k) {
      var button = node("button", { type: "button", "data-show": q.name }, q.title);
      button.addEventListener("click", function () {
        choice.show = k;
        if (choice.split === k) choice.split = null;
        changed();
        id("headline").setAttribute("tabindex", "-1");
        id("headline").focus({ preventScroll: true });
        id("total").scrollIntoView({ block: "start" });
      });
      list.appendChild(node("li")).append(button);
    });
    data.questions.forEach(function (q, k) {
      var button = list.children[k].firstChild;
      put(button, view.able[k] ? q.title : fill(words.measurable, { chart: q.title }));
      button.classList.toggle("why", !view.able[k]);
      if (k === choice.show) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
    });
  }
  function tools() {
    document.querySelectorAll(".explore-tools [name]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.value === choice[button.name]));
    });
    id("years").hidden = !chart().years;
    var select = id("split");
    if (!select.options.length) {
      select.append(new Option(words.none, ""));
      data.questions.forEach(function (q, k) { select.append(new Option(q.title, k)); });
    }
    select.value = choice.split === null ? "" : choice.split;
    select.disabled = Boolean(choice.versus);
    put(id("compare"), choice.versus ? words.stop : words.compare);
  }
  function sides() {
    var place = id("sides");
    place.hidden = !choice.versus;
    if (!choice.versus) return;
    if (!place.children.length) words.letters.forEach(function (letter, side) {
      var button = node("button", { type: "button" }, fill(words.group, { letter: letter }));
      button.addEventListener("click", function () {
        choice.side = side;
        panel.refresh();
        sides();
      });
      place.append(button);
    });
    Array.from(place.children).forEach(function (button, side) {
      button.setAttribute("aria-pressed", String(choice.side === side));
    });
  }
  function table() {
    if (!id("table").open) return;
    var body = id("table").querySelector("tbody"), lines = [], many = current.series.length > 1;
    id("table").querySelector(".group").hidden = !many;
    current.series.forEach(function (one, s) {
      one.rows.concat(one.unknown).forEach(function (row) {
        if (chart().ranked && row.people.state === "protected" && row.code !== 0) return;
        var f = row.people, line = node("tr"), value = node("td", { class: "n" });
        line.append(node("th", { scope: "row" }, say.label(chart(), row)));
        if (many) line.append(node("td", {}, act.named(one, s)));
        if (row.silent) {
          line.append(node("td", { colspan: 4 }, words.silent));
          return lines.push(line);
        }
        var text = f.state === "shown" ? say.whole(f.n) : f.state === "imprecise" ? words.states.imprecise
          : f.state === "protected" ? words.few : words.unmeasured;
        var button = value.appendChild(node("button", { type: "button", "aria-haspopup": "dialog" }, text));
        button.setAttribute("aria-label", act.spoken(say.label(chart(), row), s, text));
        button.addEventListener("click", function () { card(row, s); });
        line.append(value, node("td", { class: "n" }, say.whole(f.low)), node("td", { class: "n" }, say.whole(f.high)),
          node("td", { class: "n" }, row.share ? say.share(row.share) : "–"));
        lines.push(line);
      });
    });
    body.replaceChildren.apply(body, lines);
  }
  function code() {
    if (!id("code").open) return;
    var place = id("code").querySelector("div"), exact = current.series.every(function (one) { return one.published; });
    put(id("code").querySelector("p"), exact && !chart().flags && (choice.versus || current.series.length === 1) ? words.coded : words.counted);
    place.replaceChildren.apply(place, files.code(chart(), choice, current).reduce(function (all, one) {
      return all.concat(node("h4", {}, one[0]), node("pre", { dir: "ltr", tabindex: 0, "aria-label": one[0] }, one[1]));
    }, []));
  }

  /* The number card. */
  function card(row, s) {
    var one = current.series[s], cell = row.cells ? row.cells[s] : row, found = cell.people, dialog = id("card");
    var known = one.known.state === "shown", silent = cell.silent;
    var fields = {
      title: fill(words.pair, { question: chart().title, answers: say.label(chart(), row) }),
      value: silent ? words.silent : say.people(found),
      interval: silent ? words.silent : say.between(found),
      share: cell.share && !silent ? say.share(cell.share) : "–",
      denominator: known ? say.people(one.known) : words.unmeasured,
      missing: known && one.missing !== null ? say.percent(one.missing) : words.unmeasured,
      state: silent ? words.silent : words.states[found.state],
      source: words.sources[found.n === null ? "bound" : found.published ? "published" : "sum"],
      filters: say.filters(new Map(one.where))
    };
    if (one.known.state === "protected") fields.denominator = fields.missing = words.few;
    Object.keys(fields).forEach(function (name) { put(dialog.querySelector('[data-field="' + name + '"]'), fields[name]); });
    dialog.showModal();
  }

  function name(ending) { return "explore-" + chart().name + "-" + data.version + "." + ending; }
  function copy(text) {
    var field = id("copy");
    function byHand() {
      field.closest("p").hidden = false;
      field.value = text;
      field.select();
      put(id("status"), words.byhand);
    }
    if (!navigator.clipboard) return byHand();
    navigator.clipboard.writeText(text).then(function () { put(id("status"), words.copied); }, byHand);
  }
  function picture() { return files.picture(chart(), choice, current, headline()); }
  var deeds = {
    svg: function () { window.ctdhubSave.file(new Blob([picture().text], { type: "image/svg+xml" }), name("svg")); },
    png: function () {
      var drawing = picture();
      window.ctdhubSave.png(drawing.text, drawing.wide, drawing.high, name("png"));
    },
    csv: function () {
      window.ctdhubSave.file(new Blob(["\ufeff" + files.csv(chart(), choice, current)], { type: "text/csv" }), name("csv"));
    },
    sentence: function () { copy(files.sentence(chart(), choice, current)); },
    share: function () { copy(files.address(choice)); },
    embed: function () {
      var title = chart().title.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
      copy('<iframe src="' + files.address(choice) + '" title="' + title +
        '" width="100%" height="' + (id("plot").offsetHeight + 760) + '" style="border:0" loading="lazy" sandbox="allow-scripts allow-same-origin allow-popups"></iframe>');
    }
  };

  /* The panel: a sheet where there is no room beside the chart. */
  function place() {
    var sheet = id("pick");
    if (sheet.open) sheet.close();
    if (wide.matches) sheet.setAttribute("open", "");
    document.documentElement.classList.toggle("explore-wide", wide.matches);
  }
  function wire() {
    panel = new ctdhubChoice.Panel(data, say, choice, changed, function () { if (!wide.matches) id("pick").close(); });
    place();
    wide.addEventListener("change", place);
    id("open").addEventListener("click", function () { id("pick").showModal(); });
    id("done").addEventListener("click", function () { id("pick").close(); });
    id("reset").addEventListener("click", function () {
      choice.where.clear();
      choice.versus = null;
      changed();
    });
    id("compare").addEventListener("click", function () {
      if (choice.versus) choice.versus = null;
      else {
        choice.compare();
        if (!wide.matches) id("pick").showModal();
        panel.open(choice.last);
      }
      changed();
    });
    id("split").addEventListener("change", function () {
      choice.split = id("split").value === "" || Number(id("split").value) === choice.show ? null : Number(id("split").value);
      changed();
    });
    document.querySelectorAll(".explore-tools [name]").forEach(function (button) {
      button.addEventListener("click", function () {
        choice[button.name] = button.value;
        changed();
      });
    });
    id("table").addEventListener("toggle", function () { if (current) table(); });
    id("code").addEventListener("toggle", function () { if (current) code(); });
    id("figure").addEventListener("click", function (event) {
      var button = event.target.closest("button[data-act]");
      if (button && current) deeds[button.dataset.act]();
    });
    /* Links inside the page keep the choice in the address. */
    document.addEventListener("click", function (event) {
      var link = event.target.closest('a[href^="#"]'), target = link && document.getElementById(link.getAttribute("href").slice(1));
      if (!target) return;
      event.preventDefault();
      if (!target.hasAttribute("tabindex")) target.setAttribute("tabindex", "-1");
      target.focus();
      target.scrollIntoView();
    });
  }
  function start() {
    if (!embedded) wire();
    id("close").addEventListener("click", function () { id("card").close(); });
    addEventListener("popstate", arrived);
    id("app").hidden = false;
    if (id("static")) id("static").hidden = true;
    new ResizeObserver(function (entries) {
      var now = Math.floor(entries[0].contentRect.width);
      if (now === width) return;
      width = now;
      if (current && chart().years) show();
    }).observe(id("plot"));
    width = id("plot").clientWidth;
    arrived();
  }
  /* An address was opened, or gone back to. */
  function arrived() {
    choice.read(location.hash);
    message(choice.unknown.length ? fill(words.ignored, { names: choice.unknown.join(words.comma) }) : "");
    update();
  }
  function failed() {
    id("app").hidden = true;
    if (id("static")) id("static").hidden = false;
    message(words.failed);
  }
  function begin(found) {
    data = found;
    words = data.words;
    data.files = page.files;
    say = new ctdhubSay(data);
    choice = new ctdhubChoice.Choice(data, say);
    files = new ctdhubFiles(data, say);
    bars = new ctdhubPlot.Bars(id("plot"), say, act);
    start();
  }
  if (typeof DecompressionStream === "undefined") message(words.old);
  else if (!page.offline && location.protocol === "file:") message(words.server);
  else (page.offline ? inline : worker)();
})();
