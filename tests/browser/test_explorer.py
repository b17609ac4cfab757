"""The explorer in a real Chromium: its numbers are those of ``Answers``, its journeys work."""

from __future__ import annotations

import csv
import io
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from axe_playwright_python.sync_playwright import Axe
from invented_release import OFTEN, TABLES, YEARS, counted_twice, protected_answer
from playwright.sync_api import Browser, Page, Route, expect

from ctdhub.border import MEASUREMENTS, Protected
from ctdhub.core.format import number
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.sentences import estimate, recorded_people
from ctdhub.report.wording import ranged
from ctdhub.schema import countries
from ctdhub.schema.model import DESTINATION, MERGED, ORIGIN, PERIOD, SEX, load_schema, value_groups
from ctdhub.site.build import build_site, offered
from ctdhub.site.edition import Edition
from ctdhub.site.frame import address, card_address
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, widening
from ctdhub.stats.query import Query
from tests.browser.conftest import RULES, loads
from tests.browser.test_pages import PHONE, ZOOMED

VERSION, PATH = "2026.1", "explore.html"
VIEWS = 200
SPANS = (2017,)
SUMS = ((2015, 2017), (2017, 2020))
"""The first year of a later span of years; first years, and first years after, of sums of spans."""
FEW_A_YEAR = "#citizenship=CIV&country_of_exploitation=~"
LARGE = (
    "year_of_registration*citizenship*country_of_exploitation",
    "gender*year_of_registration",
    "year_of_registration*gender*citizenship",
    "year_of_registration*gender*country_of_exploitation",
)
"""More tables: there are questions that were measured, and their neighbours were not."""


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Release, str]]:
    """A release whose counts are those of its records, and the address of its explorer."""
    folder = tmp_path_factory.mktemp("agreed")
    answer = with_regions(protected_answer(tables=(*TABLES, *LARGE)))
    found = open_release(write_release(answer, folder / "releases", VERSION, "First."))
    yield from served_explorer(found, folder)


def with_regions(answer: Protected) -> Protected:
    """The same with people by region, span of years and gender, on both sides, half a person more
    in each cell than there are records."""
    rows, found, sigma = answer.records.to_pylist(), [], {}
    groups = {
        n: {
            v: g
            for g, own in value_groups(n, load_schema().domain(n, YEARS), SPANS).items()
            for v in own
        }
        for n in (ORIGIN, DESTINATION, PERIOD)
    }
    for side in (ORIGIN, DESTINATION):
        names = [PERIOD, SEX, side]
        cells = Counter(tuple(groups.get(n, {}).get(r[n], r[n] or "") for n in names) for r in rows)
        axes = [
            {"", *groups.get(n, {}).values(), *(c[k] for c in cells)} for k, n in enumerate(names)
        ]
        columns = [MERGED.get(n, n) for n in names]
        sigma["*".join(columns)] = 1.0
        found += [
            {"columns": columns, "values": list(cell), "noisy": cells[cell] + 0.5}
            for cell in product(*map(sorted, axes))
        ]
    measured = pa.concat_tables([answer.measurements, pa.Table.from_pylist(found, MEASUREMENTS)])
    return replace(
        answer, measurements=measured, guarantee=replace(answer.guarantee, regions=sigma)
    )


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Release, str]]:
    """A release that estimates who is counted twice, and the address of its explorer."""
    folder = tmp_path_factory.mktemp("doubled")
    more = {"tables": (*TABLES, *LARGE), "facts": {"languages": list(LANGUAGES)}}
    yield from served_explorer(counted_twice(folder / "releases", **more), folder)


def served_explorer(found: Release, folder: Path) -> Iterator[tuple[Release, str]]:
    build_site(found, folder / "site", only=["explorer"])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder / "site")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def offline(release: Release, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the explorer in a site for disks."""
    out = tmp_path_factory.mktemp("disk") / "site"
    build_site(release, out, edition=Edition(offline=True), only=["explorer"])
    return f"{out.as_uri()}/"


@pytest.fixture
def base(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A tab that may copy; an error in the console fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, errors = context.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    yield page
    context.close()
    assert errors == []


def visit(tab: Page, base: str, lang: str = "en", hash: str = "", path: str = PATH) -> None:
    tab.goto("about:blank")
    tab.goto(f"{base}{address(lang, path)}{hash}")
    tab.wait_for_selector("html[data-explore=ready]")


def settled(tab: Page) -> None:
    """What was asked for is shown."""
    tab.wait_for_selector("#explore-figure:not([aria-busy])")


def tick(tab: Page, name: str, value: str) -> None:
    """Tick an answer of a question; its part opens first."""
    part = tab.locator(f'#explore-parts details[data-name="{name}"]')
    if not part.evaluate("e => e.open"):
        part.locator("summary").click()
    part.locator(f'input[name="{name}"][value="{value}"]').check()
    settled(tab)


def saved(tab: Page, kind: str) -> bytes:
    with tab.expect_download() as waiting:
        tab.click(f'[data-act="{kind}"]')
    assert waiting.value.suggested_filename.endswith(f"-{VERSION}.{kind}")
    return Path(waiting.value.path()).read_bytes()


def rows_of(tab: Page) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(saved(tab, "csv").decode("utf-8-sig"))))


EVALUATE = """async asked => {
  const ends = (r, k, all) => k < 12 || k >= all.length - 12;
  const page = JSON.parse(document.getElementById("explore-data").textContent);
  const bytes = async file => {
    const stream = (await fetch(file)).body.pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  };
  (0, eval)(await (await fetch(page.files.worker)).text());
  const view = await ctdhubView.open(page.lang,
    name => bytes(page.files.data.replace("{name}", name)));
  const data = view.data;
  const place = new Map(data.names.map((name, k) => [name, k]));
  const codes = c => data.codes[data.keys[c]];
  const set = where => Object.entries(where).map(([name, values]) => {
    const c = place.get(name);
    return [c, values.map(v => codes(c).indexOf(v)).sort((a, b) => a - b)];
  });
  const show = name => data.questions.findIndex(q => q.name === name);
  const found = [];
  for (const one of asked) {
    const state = {show: show(one.show), where: set(one.where), as: "count",
      versus: one.versus ? set(one.versus) : null, split: one.split ? show(one.split) : null,
      years: one.years};
    const seen = await view.show(state), chart = data.questions[state.show];
    const named = row => [data.names[row.column], ...row.codes.map(k => codes(row.column)[k])];
    const drops = seen.offers.map(offer => offer.drop.map(c => data.names[c]));
    const again = [];
    for (const offer of seen.offers) {
      const left = all => all && all.filter(([c]) => !offer.drop.includes(c));
      const next = await view.show({...state, where: left(state.where), versus: left(state.versus),
        split: offer.split ? null : state.split, years: +offer.years || state.years});
      const shows = s => s.rows.some(r => !r.silent && r.people.state === "shown");
      again.push(next.series.every(s => !s.unmeasured) &&
        (state.versus ? next.series.every(shows) : next.series.some(shows)));
    }
    const value = seen.series[0].rows.filter(r => !r.silent).length;
    found.push({totals: seen.totals, value, drops,
      differ: seen.differ && seen.differ.filter(ends), again,
      flags: !!chart.flags, unmeasured: seen.series.some(s => s.unmeasured),
      series: seen.series.map(s => ({known: s.known, missing: s.missing, all: s.all,
        where: s.where.map(([c, v]) => [data.names[c], v.map(k => codes(c)[k])]),
        rows: s.rows.filter(ends).concat(s.unknown).map(r => ({
          named: named(r), people: r.people, share: r.share, silent: r.silent}))}))});
  }
  return found;
}"""
"""Runs the worker's code in the page for many states, the tables fetched as they are needed."""


WRITTEN = (
    *((0.125, 0.1, 0.15), (0.0761, 0.00097, 0.152), (0.0338, 0.0089, 0.06), (0.0002, 0.0001, 0.3)),
    *((0.006, 0.00018, 0.012), (0.7, 0.699, 0.701), (0.5, 0.3, 0.7), (0.0049, 0.001, 0.0091)),
)
COUNTS = (7, 999, 1234, 9999, 12345, 1234567)


@pytest.mark.parametrize("code", LANGUAGES)
def test_numbers_are_written_as_on_every_other_page(tab: Page, web: str, code: str) -> None:
    visit(tab, web, code)
    counts, shares = tab.evaluate(
        """async ([counts, shares]) => {
        const page = JSON.parse(document.getElementById("explore-data").textContent);
        const packed = (await fetch(page.files.data.replace("{name}", "texts-" + page.lang))).body;
        const stream = packed.pipeThrough(new DecompressionStream("gzip"));
        const say = new ctdhubSay(await new Response(stream).json());
        return [counts.map(n => say.whole(n)),
          shares.map(([n, low, high]) => say.share({n, low, high, state: "shown"}))]; }""",
        [COUNTS, WRITTEN],
    )
    with language(code):
        assert counts == [number(n) for n in COUNTS]
        assert shares == [
            ranged(NumberCard(*ends, 0.95, "share", 100, None, "shown", (), None))
            for ends in WRITTEN
        ]


def states(answers: Answers, questions: list[dict[str, Any]], n: int, seed: int) -> list[Any]:
    """Random states: filters, a chart, sometimes a second group or a split."""
    rng, found = random.Random(seed), []
    columns = sorted(answers.variables)
    tables = [key.split("*") for key in answers.release.protected.guarantee.sigma if key]
    for _ in range(n):
        names = rng.choice(tables) if rng.random() < 0.6 else rng.sample(columns, rng.randint(0, 4))

        def where(names: list[str]) -> dict[str, list[str]]:
            picked = {}
            for name in names:
                every = [*answers.domain(name), ""]
                many = rng.choice((1, 1, 1, 2, 3, len(every) - 1))
                picked[name] = rng.sample(every, min(many, len(every)))
                if name in (ORIGIN, DESTINATION) and rng.random() < 0.3:
                    picked[name] = [*countries.members(rng.choice((*countries.regions(), "eu")))]
                elif name == PERIOD and rng.random() < 0.3:
                    picked[name] = [str(y) for y in range(*rng.choice(SUMS))]
            return picked

        one: dict[str, Any] = {"show": rng.choice(questions)["name"], "where": where(names)}
        one["years"] = (1, 3, 5)[len(found) % 3]
        if rng.random() < 0.2:
            one["versus"] = where(names)
        elif rng.random() < 0.2:
            one["split"] = rng.choice(questions)["name"]
        found.append(one)
    return found


def plain(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["n"], found["low"], found["high"], found["state"]


def test_every_number_is_that_of_answers(tab: Page, agreed: tuple[Release, str]) -> None:
    """200 random views: each row, share, base and total is what every other page prints; what was
    not measured is bounded, and what is offered instead was measured."""
    release, base = agreed
    answers = Answers(release)
    visit(tab, base)
    questions = tab.evaluate(
        """async () => {
        const page = JSON.parse(document.getElementById("explore-data").textContent);
        const packed = (await fetch(page.files.data.replace("{name}", "texts-" + page.lang))).body;
        const stream = packed.pipeThrough(new DecompressionStream("gzip"));
        return (await new Response(stream).json()).questions; }"""
    )
    asked = states(answers, questions, VIEWS, 7)
    tab.route("**/*.html", free)  # the test may evaluate code, which the policy of the page forbids
    tab.reload()
    seen = {"rows": 0, "unmeasured": 0, "offers": 0, "verdicts": 0, "regions": 0}
    elsewhere = Answers(release)
    elsewhere.regions = []  # what it would answer by the fit alone
    kinds = set()
    for state, view in zip(asked, tab.evaluate(EVALUATE, asked), strict=True):
        sets = [state["where"], *([state["versus"]] if "versus" in state else [])]
        for where, total in zip(sets, view["totals"], strict=True):
            check(answers, where, total, kinds)
        for series in view["series"]:
            among = dict(series["where"])
            for row in series["rows"]:
                name, *codes = row["named"]
                if view["flags"] and codes == [""]:
                    continue  # people outside of an indicator: no query asks for them
                asked_of = {**among, name: codes}
                check(answers, asked_of, row["people"], kinds)
                seen["rows"] += 1
                seen["regions"] += answers.count(asked_of) != elsewhere.count(asked_of)
            checked_shares(answers, among, view, series)
        seen["unmeasured"] += view["unmeasured"]
        seen["offers"] += len(view["again"])
        assert all(view["again"]), state
        if view["unmeasured"] and "split" not in state:
            assert view["again"], state  # something is always left
        seen["verdicts"] += verdicts(answers, view)
    assert kinds == {"shown", "imprecise", "protected", "not_measured"}
    assert min(seen.values()) > 20, seen


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_number_of_people_is_that_of_facts(
    tab: Page, doubled: tuple[Release, str], code: str
) -> None:
    """If everybody is counted once: for all, for women, for citizenships with many and with few
    who count twice."""
    release, base = doubled
    answers = Answers(release)
    for where in ({}, {"gender": ["female"]}, {"citizenship": [OFTEN]}, {"citizenship": ["UKR"]}):
        visit(tab, base, code, "#" + "&".join(f"{n}={','.join(c)}" for n, c in where.items()))
        with language(code):
            card = answers.card(Query(where))
            interval, rest = estimate(card).split(recorded_people(card))[0], recorded_people(card)
        shown = tab.locator("#explore-total").inner_text()
        assert rest in shown, where
        assert shown.startswith(interval.split(";")[0].split("؛")[0].strip()), where


def test_groups_are_compared_by_the_second_interval(
    tab: Page, doubled: tuple[Release, str]
) -> None:
    release, base = doubled
    answers = Answers(release)
    tab.route("**/*.html", free)
    visit(tab, base)
    groups = ({"gender": ["female"]}, {"citizenship": [OFTEN, "UKR"]}, {"citizenship": [OFTEN]})
    asked = [
        {"show": "age_band", "where": where, "versus": {"gender": ["male"]}} for where in groups
    ]
    for state, view in zip(asked, tab.evaluate(EVALUATE, asked), strict=True):
        for where, total in zip((state["where"], state["versus"]), view["totals"], strict=True):
            assert total["once"] == pytest.approx(answers.card(Query(where)).once), where
        wider = widening(release.protected.guarantee.level, view["value"])
        for one, other, found in zip(
            *(s["rows"] for s in view["series"]), [*view["differ"], None], strict=True
        ):
            if found is None or found["people"] is None:
                continue
            low, high = zip(
                *(
                    release.link_errors.once(  # type: ignore[union-attr]
                        n["n"] - wider * (n["n"] - n["low"]),
                        n["n"] + wider * (n["high"] - n["n"]),
                        of,
                    )
                    for n, of in zip(
                        (one["people"], other["people"]),
                        (state["where"].get("citizenship"), None),
                        strict=True,
                    )
                ),
                strict=True,
            )
            words = "more" if low[0] > high[1] else "fewer" if low[1] > high[0] else "same"
            assert found["people"] == words


def test_a_filter_without_any_flag_leaves_no_base(tab: Page, agreed: tuple[Release, str]) -> None:
    """The base of a group of flags lies within the filters, whoever wrote the address."""
    tab.route("**/*.html", free)
    visit(tab, agreed[1])
    asked = [
        {"show": "exploitation", "where": {"any_exploitation": [codes]}} for codes in ("", "yes")
    ]
    without, some = (view["series"][0] for view in tab.evaluate(EVALUATE, asked))
    assert (without["known"]["n"], without["missing"]) == (0, 1)
    shares = [row["share"] for row in without["rows"][:-1]]
    assert all(share is None or share["state"] == "protected" for share in shares)
    assert without["rows"][-1]["people"]["n"] == without["all"]["n"] > 0
    assert some["known"]["n"] == some["all"]["n"] > 0


def free(route: Route) -> None:
    """The page without its policy."""
    answer = route.fetch()
    text = answer.text().replace("Content-Security-Policy", "X-None")
    route.fulfill(response=answer, body=text)


def check(
    answers: Answers, where: dict[str, list[str]], found: dict[str, Any], kinds: set[str]
) -> None:
    card, number = answers.card(Query(where)), answers.count(where)
    kinds.add(found["state"])
    if card.state == "not_measured":
        assert (found["n"], found["low"], found["state"]) == (None, 0, "not_measured"), where
        assert found["high"] >= records(answers, where), where
        return
    assert plain(found) == (number.value, number.low, number.high, card.state), where


def records(answers: Answers, where: dict[str, list[str]]) -> int:
    """Synthetic records that meet the conditions."""
    rows = answers.release.protected.records
    inside = np.ones(rows.num_rows, dtype=bool)
    for name, codes in where.items():
        inside &= np.asarray(pc.is_in(pc.fill_null(rows[name], ""), pa.array(codes, pa.string())))
    return int(inside.sum())


def checked_shares(
    answers: Answers, among: dict[str, list[str]], view: dict[str, Any], series: dict[str, Any]
) -> None:
    """Shares of a variable's answers are those of ``Answers.table``."""
    name = series["rows"][-1]["named"][0]
    few = len(series["rows"]) <= 20  # whole tables of countries take long
    if view["flags"] or not few or series["known"]["state"] == "not_measured":
        return
    table = answers.table(Query(among, by=(name,)))
    cards = {row.codes[0]: row.share for row in table.rows}
    known = answers.count({**among, name: answers.domain(name)})
    assert (series["known"]["n"], series["known"]["low"]) == (known.value, known.low)
    if series["missing"] is not None and table.missing is not None:
        assert series["missing"] == pytest.approx(table.missing, abs=1e-9)
    for row in series["rows"][:-1]:
        _name, code, *more = row["named"]
        card = cards.get(code)
        if more or card is None or row["share"] is None:
            continue
        assert row["share"]["state"] == card.state
        assert (row["share"]["low"], row["share"]["high"]) == pytest.approx((card.low, card.high))


def verdicts(answers: Answers, view: dict[str, Any]) -> int:
    """Two groups differ where their intervals, made wider, have no point in common."""
    if not view["differ"]:
        return 0
    one, other = view["series"]
    wider = widening(answers.release.protected.guarantee.level, view["value"])
    by = {tuple(row["named"]): row for row in other["rows"]}
    compared = 0
    for row, found in zip(one["rows"][:-1], view["differ"], strict=True):
        if row["silent"] or tuple(row["named"]) not in by:
            continue
        compared += 1
        pair = [r["people"] for r in (row, by[tuple(row["named"])])]
        if None in (a["n"] for a in pair):
            assert found["people"] is None
            continue
        low = [a["n"] - wider * (a["n"] - a["low"]) for a in pair]
        high = [a["n"] + wider * (a["high"] - a["n"]) for a in pair]
        words = "more" if low[0] > high[1] else "fewer" if low[1] > high[0] else "same"
        assert found["people"] == words
    return compared


def test_nearest_questions_of_women_from_one_country_in_another(
    tab: Page, agreed: tuple[Release, str]
) -> None:
    """By year they were not measured: two links, narrowest first, lead to what was."""
    _release, base = agreed
    chosen = "#gender=female&citizenship=UKR&country_of_exploitation=POL"
    visit(tab, base, hash=chosen)
    links = tab.locator("#explore-offers a")
    expect(links).to_have_count(2)
    texts = links.all_inner_texts()
    assert all("can be shown" in text for text in texts)
    for k in range(2):
        visit(tab, base, hash=chosen)
        links.nth(k).click()
        settled(tab)
        expect(tab.locator("#explore-offers")).to_be_hidden()
        expect(tab.locator("#explore-source")).to_have_text("Published count")
        assert tab.locator("#explore-chips button").count() == 2
        assert tab.evaluate("document.activeElement.id") == "explore-total"


@pytest.mark.parametrize(
    ("base", "lang"),
    [("web", "en"), ("offline", "fr"), ("web", "ar")],
    indirect=["base"],
)
def test_journey(tab: Page, base: str, lang: str, release: Release) -> None:
    """Filter, look at another chart, read a card, copy, save each format, change language."""
    visit(tab, base, lang)
    before = tab.inner_text("#explore-total")
    tick(tab, "gender", "female")
    second = tab.inner_text("#explore-total")
    tick(tab, "citizenship", "UKR")
    third = tab.inner_text("#explore-total")
    assert len({before, second, third}) == 3
    assert tab.url.endswith("#gender=female&citizenship=UKR")
    tab.click('#explore-others [data-show="age_band"]')
    settled(tab)
    assert tab.url.endswith("&show=age_band")
    tab.click('#explore-others [data-show="country_of_exploitation"]')
    settled(tab)
    tab.locator("#explore-table summary").click()
    tab.locator("#explore-table td button").first.click()
    card = tab.locator("#explore-card")
    expect(card).to_be_visible()
    for name in ("value", "interval", "denominator", "missing", "state", "filters", "source"):
        assert card.locator(f'[data-field="{name}"]').inner_text()
    assert VERSION in card.inner_text()
    tab.click("#explore-close")
    found = rows_of(tab)
    assert {row["filters"] for row in found} == {"gender=female&citizenship=UKR"}
    assert all(row["source_url"].endswith(tab.url.partition("#")[2]) for row in found)
    svg = saved(tab, "svg").decode("utf-8")
    assert "CC" in svg or "licen" in svg.lower()
    assert "show=country_of_exploitation" in svg
    assert saved(tab, "png").startswith(b"\x89PNG\r\n\x1a\n")
    tab.click('[data-act="sentence"]')
    expect(tab.locator("#explore-status")).not_to_be_empty()
    tab.locator("#explore-code summary").click()
    expect(tab.locator("#explore-code pre")).to_have_count(4)
    assert "UKR" in tab.inner_text("#explore-code")
    languages = offered(release)
    following = languages[(languages.index(lang) + 1) % len(languages)]
    hash = tab.url.partition("#")[2]
    loads(tab, lambda: tab.click(f'nav a[hreflang="{following}"]'))
    tab.wait_for_selector("html[data-explore=ready]")
    assert tab.url.endswith(hash)
    assert rows_of(tab)[0]["people"] == found[0]["people"]
    tab.emulate_media(media="print")
    expect(tab.locator("#explore-pick")).to_be_hidden()
    expect(tab.locator("#explore-plot")).to_be_visible()


def test_back_undoes_one_filter(tab: Page, web: str) -> None:
    visit(tab, web)
    seen = [tab.inner_text("#explore-total")]
    for name, value in (("gender", "female"), ("citizenship", "UKR"), ("age_band", "9-17")):
        tick(tab, name, value)
        seen.append(tab.inner_text("#explore-total"))
    for k in (2, 1, 0):
        tab.go_back()
        expect(tab.locator("#explore-chips button")).to_have_count(k)
        settled(tab)
        assert tab.inner_text("#explore-total") == seen[k]
    assert tab.locator("#explore-pick input:checked").count() == 0
    tab.go_forward()
    expect(tab.locator("#explore-chips button")).to_have_count(1)


def test_a_bar_filters_by_mouse_and_by_key(tab: Page, web: str) -> None:
    """Bars and years; the focus stays, chips take filters off again."""
    visit(tab, web, hash="#show=gender")
    tab.locator("#explore-plot .line").first.click(position={"x": 20, "y": 9})
    settled(tab)
    assert "gender=female" in tab.url
    name = tab.locator("#explore-plot .name").first
    expect(name).to_have_attribute("aria-pressed", "true")
    name.focus()
    tab.keyboard.press("Enter")
    settled(tab)
    assert "gender=" not in tab.url
    assert tab.evaluate("document.activeElement.matches('.name')")
    visit(tab, web)
    year = tab.locator("#explore-plot .year[tabindex='0']")
    assert year.count() == 1
    year.focus()
    tab.keyboard.press("ArrowLeft")
    key = tab.evaluate("document.activeElement.dataset.key")
    tab.keyboard.press("Enter")
    settled(tab)
    assert "year_of_registration=2018" in tab.url
    assert tab.evaluate("document.activeElement.dataset.key") == key
    tab.locator("#explore-chips button").click()
    settled(tab)
    expect(tab.locator("#explore-chips button")).to_have_count(0)


def test_two_countries_are_compared_in_four_clicks(tab: Page, agreed: tuple[Release, str]) -> None:
    _release, base = agreed
    visit(tab, base)
    tick(tab, "country_of_exploitation", "POL")
    tab.click("#explore-compare")
    settled(tab)
    tab.locator('input[name="country_of_exploitation"][value="DEU"]').check()
    settled(tab)
    assert tab.url.endswith("#country_of_exploitation=POL&vs.country_of_exploitation=DEU")
    assert tab.locator("#explore-plot polyline").count() == 2
    assert "Poland" in tab.inner_text("#explore-plot")
    tab.click('[name="as"][value="share"]')
    tab.click('#explore-others [data-show="gender"]')
    settled(tab)
    told = set(tab.locator("#explore-plot .differ").all_inner_texts())
    assert told <= {"more in A", "more in B", "no difference beyond the noise", ""}
    expect(tab.locator("#explore-note")).to_contain_text("Shares are of")
    groups = {row["group"] for row in rows_of(tab)}
    assert groups == {"A: Poland", "B: Germany"}
    tab.click('[data-act="sentence"]')
    expect(tab.locator("#explore-status")).to_have_text("Copied.")
    copied = tab.evaluate("navigator.clipboard.readText()")
    number = r"[\d,]+ people \([\d,]+ to [\d,]+\)"
    assert re.match(rf"all people: A: Poland: {number}; B: Germany: {number}\. ", copied), copied
    assert "Poland. Group B: Country of exploitation: Germany. n = " in copied, copied
    assert re.search(r"Accessed on \d+ \w+ \d{4}", copied), copied
    tab.locator("#explore-code summary").click()
    expect(tab.locator("#explore-code")).to_contain_text("DEU")
    for code in tab.locator("#explore-code pre").all_inner_texts():
        assert ("POL" in code) == ("DEU" in code), code
    tab.click("#explore-compare")
    settled(tab)
    assert "vs." not in tab.url


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_countries_are_offered_by_the_alphabet_those_with_a_number_first(
    tab: Page, web: str, release: Release, lang: str
) -> None:
    visit(tab, web, lang)
    tab.locator('#explore-parts details[data-name="citizenship"] summary').click()
    boxes = tab.locator("#explore-parts details[data-name=citizenship] [type=checkbox]")
    expect(boxes.first).to_be_visible()
    codes = boxes.evaluate_all("all => all.map(one => one.value).filter(Boolean)")
    sets, codes = codes[:6], codes[6:]
    assert sets == [*countries.regions(), "eu"]
    shown = {code for (code,) in Answers(release).cells("citizenship") if code}
    few = [code for code in codes if code not in shown]
    assert codes == [*(code for code in codes if code in shown), *few]
    for some in (codes[: len(codes) - len(few)], few):
        names = [countries.sort_key(countries.name(code, lang)) for code in some]
        assert names == sorted(names)


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_a_region_is_one_filter_with_the_number_of_its_page(
    tab: Page, web: str, release: Release, lang: str
) -> None:
    """Its page leads here; the chip, the address and the copied sentence name it once; ticked with
    another, the two are compared."""
    with language(lang):
        europe, asia = (countries.region_name(key, lang) for key in ("europe", "asia"))
    loads(tab, lambda: tab.goto(f"{web}{address(lang, 'countries/europe.html')}#citizens"))
    told = tab.locator(".tabs b").last.inner_text()
    loads(tab, lambda: tab.locator("#citizens > p > a[href*='explore.html#']").click())
    tab.wait_for_selector("html[data-explore=ready]")
    assert tab.url.endswith("#citizenship=europe")
    assert told in tab.inner_text("#explore-total")
    expect(tab.locator("#explore-chips button")).to_contain_text(europe)
    assert tab.locator("#explore-chips button").inner_text().count("\n") == 0
    assert {row["filters"] for row in rows_of(tab)} == {"citizenship=europe"}
    tab.locator("#explore-find").fill(asia)
    tab.locator("#explore-found button", has_text=asia).first.click()
    settled(tab)
    assert tab.url.endswith("#citizenship=asia,europe")
    tab.click("#explore-compare")
    settled(tab)
    assert tab.url.endswith("#citizenship=asia&vs.citizenship=europe")
    tab.locator('#explore-pick input[value="europe"]').uncheck()
    settled(tab)
    assert tab.url.endswith("#citizenship=asia&vs=all")


def test_where_a_region_was_not_measured_the_nearest_question_is_offered(
    tab: Page, agreed: tuple[Release, str]
) -> None:
    visit(tab, agreed[1], hash="#citizenship=europe&country_of_exploitation=POL&age_band=children")
    expect(tab.locator("#explore-message")).to_contain_text("age_band")
    visit(tab, agreed[1], hash="#citizenship=europe&country_of_exploitation=POL&age_band=9-17")
    offers = tab.locator("#explore-offers a")
    expect(offers.first).to_contain_text("Without the filter")
    offers.first.click()
    settled(tab)
    expect(tab.locator("#explore-offers")).to_be_hidden()


def test_a_chart_is_split_on_one_scale(tab: Page, agreed: tuple[Release, str]) -> None:
    _release, base = agreed
    visit(tab, base, hash="#split=gender")
    assert tab.locator("#explore-plot polyline").count() >= 2
    tab.click('#explore-others [data-show="citizenship"]')
    settled(tab)
    panels = tab.locator("#explore-plot .panel")
    expect(panels).to_have_count(3)
    wide = "e => parseFloat(e.getAttribute('width'))"
    first, second = (panels.nth(k).locator("rect.bar").first.evaluate(wide) for k in (0, 1))
    assert 1.5 < first / second < 2.7  # twice as many women and girls as men and boys
    visit(tab, base, hash="#split=citizenship")
    assert tab.locator("#explore-plot polyline").count() <= 6
    assert "not recorded" in tab.inner_text("#explore-strip")


def test_embedded_in_a_page_of_somebody_else(tab: Page, agreed: tuple[Release, str]) -> None:
    """From another origin, with the state in the address of the frame."""
    release, base = agreed
    frame = f"{base}{card_address('en', '2026.1', 'explore.html')}#show=gender&citizenship=UKR"
    host = release.path.parents[1] / "site" / "host.html"
    host.write_text(f'<link rel="icon" href="data:,"><iframe src="{frame}"></iframe>', "utf-8")
    tab.goto(f"{base.replace('127.0.0.1', 'localhost')}host.html")
    inside = tab.frame_locator("iframe")
    expect(inside.locator("#explore-plot .name").first).to_have_text("Woman or girl")
    expect(inside.locator("nav")).to_have_count(0)
    link = inside.locator("#explore-full a").get_attribute("href") or ""
    assert link.endswith("explore.html#citizenship=UKR&show=gender")
    visit(tab, base, hash="#show=gender&citizenship=UKR")
    tab.click('[data-act="embed"]')
    expect(tab.locator("#explore-status")).to_have_text("Copied.")
    assert frame.partition("#")[2].split("&")[1] in tab.evaluate("navigator.clipboard.readText()")


def test_by_keyboard_alone(tab: Page, web: str) -> None:
    visit(tab, web)
    before = tab.inner_text("#explore-total")
    assert tab.get_attribute("#explore-total", "aria-live") == "polite"

    def onward(test: str) -> None:
        for _ in range(120):
            tab.keyboard.press("Tab")
            if tab.evaluate(f"(e => {test})(document.activeElement)"):
                return
        raise AssertionError(test)

    onward("e.matches('#explore-parts details:nth-of-type(2) summary')")
    tab.keyboard.press("Enter")
    onward("e.name === 'gender' && e.value === 'female'")
    tab.keyboard.press("Space")
    settled(tab)
    assert tab.inner_text("#explore-total") != before
    assert tab.evaluate("document.activeElement.name") == "gender"
    onward("e.matches('#explore-table summary')")
    tab.keyboard.press("Enter")
    onward("e.matches('#explore-table td button')")
    tab.keyboard.press("Enter")
    expect(tab.locator("#explore-card")).to_be_visible()
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.matches('#explore-table td button')")


def test_without_its_data_the_page_says_what_to_do(
    browser: Browser, tab: Page, site: Path, web: str
) -> None:
    """Opened as a file; then served, but a file of data is missing or broken."""
    tab.goto((site / address("en", PATH)).as_uri())
    assert "--offline" in tab.inner_text("#explore-message")
    expect(tab.locator("#explore-app")).to_be_hidden()
    expect(tab.locator("#explore-static svg.chart").first).to_be_visible()
    for file in ("rows.bin", "rows.year_of_registration.bin", "texts-en.bin", "counting.js"):
        page = browser.new_page()
        page.route(f"**/explore/{file}", lambda route: route.fulfill(body=b"no gzip", status=404))
        page.goto(f"{web}{address('en', PATH)}")
        expect(page.locator("#explore-message")).to_be_visible()
        expect(page.locator("#explore-static svg.chart").first).to_be_visible()
        page.close()


def test_on_a_phone_the_number_comes_first_and_filters_are_a_sheet(tab: Page, web: str) -> None:
    tab.set_viewport_size(PHONE)
    visit(tab, web)
    assert (
        tab.locator("#explore-total").bounding_box()["y"]
        < tab.locator(  # type: ignore[index]
            "#explore-plot"
        ).bounding_box()["y"]
    )  # type: ignore[index]
    expect(tab.locator("#explore-pick")).to_be_hidden()
    tab.click("#explore-open")
    expect(tab.locator("#explore-pick")).to_be_visible()
    tick(tab, "gender", "female")
    tab.click("#explore-done")
    expect(tab.locator("#explore-pick")).to_be_hidden()
    assert tab.evaluate("document.activeElement.id") == "explore-open"
    expect(tab.locator("#explore-chips button")).to_have_count(1)


def test_hostile_addresses_are_ignored(tab: Page, web: str) -> None:
    hostile = (
        "#gender=%E0%A4%A,female,<b>&nothing=1&constructor=x&show=__proto__&split=gender%00"
        "&as=cards&vs.toString=1&vs.gender=&any_means=maybe&=&&&show"
    )
    visit(tab, web, hash=hostile)
    expect(tab.locator("#explore-chips button")).to_have_count(1)
    assert tab.locator("#explore-plot svg.yearly").count() == 1
    tab.click("#explore-reset")
    tab.wait_for_url(lambda url: "#" not in url)
    expect(tab.locator("#explore-chips button")).to_have_count(0)


def test_what_an_address_names_and_the_release_lacks_is_said(tab: Page, web: str) -> None:
    """A filter that is dropped in silence would make the number of another question."""
    tab.goto(f"{web}{address('en', PATH)}#gender=female&exploited_in=ITA&show=nothing")
    tab.wait_for_selector("html[data-explore=ready]")
    expect(tab.locator("#explore-message")).to_contain_text("exploited_in, show")
    tab.get_by_role("button", name="Reset").or_(tab.locator("#explore-chips button")).first.click()
    expect(tab.locator("#explore-message")).to_be_hidden()


def test_where_nothing_can_be_shown_fewer_filters_are_offered(tab: Page, web: str) -> None:
    tab.goto(f"{web}{address('en', PATH)}#citizenship=ATA&show=gender")
    tab.wait_for_selector("html[data-explore=ready]")
    offers = tab.locator("#explore-offers")
    expect(offers).to_contain_text("below the reporting threshold, which is not zero")
    assert tab.locator("#explore-plot *").count() == 0
    offers.get_by_role("link", name="Without the filter Citizenship").click()
    expect(offers).to_be_hidden()
    assert tab.locator("#explore-plot *").count() > 0


def test_where_each_year_is_too_few_sums_of_years_are_offered(
    tab: Page, agreed: tuple[Release, str]
) -> None:
    """A sum is ticked as one answer, and its numbers are those of Answers."""
    release, base = agreed
    answers = Answers(release)
    visit(tab, base, hash=FEW_A_YEAR)
    expect(tab.locator("#explore-plot *")).to_have_count(0)
    tab.locator("#explore-offers").get_by_role("link", name="Sums of 5 years").click()
    settled(tab)
    assert "years=5" in tab.url
    found = [row for row in rows_of(tab) if row["state"] == "shown"]
    assert found
    where = {"citizenship": ["CIV"], "country_of_exploitation": [""]}
    for row in found:
        years = row["code"].split()
        assert len(years) == 5
        assert row["label"] == f"{years[0]}–{years[-1]}"
        sum_ = answers.count({**where, "year_of_registration": years})
        assert (int(row["people"]), int(row["low"]), int(row["high"])) == (
            sum_.value,
            sum_.low,
            sum_.high,
        )
    tab.locator("#explore-plot button.name", has_text=found[-1]["label"]).click()
    settled(tab)
    assert f"year_of_registration={','.join(found[-1]['code'].split())}" in tab.url


def test_a_country_can_be_searched(tab: Page, web: str) -> None:
    visit(tab, web)
    tick(tab, "citizenship", "MDA")
    tab.locator("#explore-pick details[open] input[type=search]").fill("ukr")
    shown = tab.locator("#explore-pick details[open] label:not(.search):visible")
    assert shown.count() == 2  # and the one that is ticked
    assert shown.locator("input").last.get_attribute("value") == "UKR"


def test_no_formula_in_a_file(tab: Page, web: str, release: Release) -> None:
    """A label that a spreadsheet would compute is written as text."""
    visit(tab, web, hash="#show=citizenship")
    written = tab.evaluate(
        """() => { const say = {label: () => "=1+1", code: () => "x", dated: {format: () => ""}};
          const page = {files: {page: "x"}, words: {}, names: ["a"], version: "v"};
          const files = new ctdhubFiles(page, say);
          const people = {n: 1, low: 1, high: 2, state: "shown"};
          const row = {column: 0, code: 1, codes: [1], people, share: null};
          return files.csv({name: "a"}, {address: () => "", _written: () => []},
            {series: [{where: [], rows: [row], unknown: {...row, code: 0}}]}); }"""
    )
    assert ",'=1+1," in written
    assert ",=1+1," not in written


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_accessible_while_in_use(tab: Page, web: str, lang: str) -> None:
    """Filtered, compared, with a part, the table and a card open; no wider than a phone."""
    for hash in (
        "#gender=female&citizenship=UKR&age_band=18-20",
        "#show=gender&citizenship=UKR&vs=all",
    ):
        visit(tab, web, lang, hash)
        tab.locator("#explore-parts details:nth-of-type(4) summary").click()
        tab.locator("#explore-table summary").click()
        tab.locator("#explore-code summary").click()
        tab.evaluate("scrollTo(0, 0)")  # the bar lies over what was scrolled below it
        found = Axe().run(tab, options=RULES)
        assert found.violations_count == 0, found.generate_report()
    tab.locator("#explore-plot .value").first.click()
    found = Axe().run(tab, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    tab.click("#explore-close")
    for size in (PHONE, ZOOMED):
        tab.set_viewport_size(size)
        # the chart is drawn anew for the new width by an observer, a frame or more later
        fits = "width => document.documentElement.scrollWidth <= width"
        tab.wait_for_function(fits, arg=size["width"])
    tab.click("#explore-open")
    found = Axe().run(tab, options=RULES)
    assert found.violations_count == 0, found.generate_report()


def test_bars_are_mirrored_right_to_left(tab: Page, web: str) -> None:
    """A bar begins beside its label, and the first year where reading starts."""
    for lang, side in (("en", "left"), ("ar", "right")):
        visit(tab, web, lang, "#show=gender")
        box = "e => e.getBoundingClientRect()"
        bar = tab.locator("#explore-plot rect.bar").first.evaluate(box)
        line = tab.locator("#explore-plot .line").first.evaluate(box)
        assert abs(bar[side] - line[side]) <= 1
        visit(tab, web, lang)
        at = [e.bounding_box() for e in tab.locator("#explore-plot .year").all()]
        xs = [box["x"] for box in at if box]
        assert xs == sorted(xs, reverse=lang == "ar")
        tab.locator("#explore-plot .year[tabindex='0']").focus()
        before = tab.locator("#explore-plot .year[tabindex='0']").bounding_box()
        tab.keyboard.press("ArrowLeft" if lang == "en" else "ArrowRight")
        after = tab.locator("#explore-plot .year[tabindex='0']").bounding_box()
        assert before
        assert after
        assert (after["x"] < before["x"]) == (lang == "en")
