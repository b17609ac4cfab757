"""The explorer in a real Chromium: its counts are those of the records, its journeys work."""

from __future__ import annotations

import csv
import json
import math
import random
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from invented_release import protected_answer
from playwright.sync_api import Browser, Page, Route, expect

from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.site.build import build_site, offered
from ctdhub.site.edition import Edition
from ctdhub.site.explorer.pack import explorer
from ctdhub.site.frame import address
from ctdhub.stats.answers import Answers
from tests.browser.conftest import RULES
from tests.browser.test_pages import PHONE, ZOOMED

VERSION, PATH = "2026.1", "explore.html"
SETTINGS = 1000
GENDER, AGE, FLAG = (
    "#explore-gender",
    "#explore-age_band",
    'input[name="exploitation_sexual"][value="yes"]',
)


@pytest.fixture(scope="module")
def offline(release: Release, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the site for disks."""
    out = tmp_path_factory.mktemp("disk") / "site"
    build_site(release, out, edition=Edition(offline=True))
    return f"{out.as_uri()}/"


@pytest.fixture(params=("web", "offline"))
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


def visit(tab: Page, base: str, lang: str = "en", hash: str = "") -> None:
    tab.goto(f"{base}{address(lang, VERSION, PATH)}{hash}")
    ready(tab)


def ready(tab: Page) -> None:
    tab.wait_for_selector("html[data-explore=ready]")


def tick(tab: Page, selector: str) -> None:
    """Tick a filter; its part opens first."""
    part = tab.locator("#explore-pick details", has=tab.locator(selector))
    if not part.evaluate("e => e.open"):
        part.locator("summary").click()
    tab.check(selector)


def downloaded(tab: Page, figure: str, kind: str) -> bytes:
    part = tab.locator(f"{figure} details.download")
    if not part.evaluate("e => e.open"):
        part.locator("summary").click()
    with tab.expect_download() as waiting:
        part.locator(f'[data-act="{kind}"]').click()
    assert waiting.value.suggested_filename == f"{figure[1:]}-{VERSION}.{kind}"
    return Path(waiting.value.path()).read_bytes()


def numbers(tab: Page, figure: str) -> list[tuple[str, ...]]:
    """Code, people, low, high and state of each row, as the file has them."""
    rows = csv.DictReader(downloaded(tab, figure, "csv").decode("utf-8").splitlines())
    return [(r["code"], r["people"], r["low"], r["high"], r["state"]) for r in rows]


def settings(columns: list[dict[str, Any]], n: int, seed: int) -> list[dict[str, list[str]]]:
    """Random filters: values by variable; the empty text is "not recorded"."""
    rng = random.Random(seed)
    found = []
    for _ in range(n):
        chosen = rng.sample(columns, rng.randint(0, 4))
        found.append(
            {
                c["name"]: rng.sample(c["codes"], rng.randint(1, min(3, len(c["codes"]))))
                for c in chosen
            }
        )
    return found


def true_counts(
    database: duckdb.DuckDBPyConnection, where: dict[str, list[str]], by: str
) -> dict[str, int]:
    """People by a variable among those who pass the filters of all others."""
    others = {name: codes for name, codes in where.items() if name != by}
    tests = [f"coalesce({name}, '') in (select unnest(?))" for name in others]
    query = f"select coalesce({by}, ''), count(*) from records where {{}} group by 1"
    asked = query.format(" and ".join(["true", *tests]))
    return dict(database.execute(asked, list(others.values())).fetchall())


@pytest.fixture(scope="module")
def database(release: Release) -> duckdb.DuckDBPyConnection:
    found = duckdb.connect()
    found.execute(
        f"create table records as from read_parquet('{release.path / 'records.parquet'}')"
    )
    return found


EVALUATE = """async asked => {
  const data = JSON.parse(document.getElementById("explore-data").textContent);
  const packed = await (await fetch(data.file)).arrayBuffer();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = await new Response(stream).arrayBuffer();
  const more = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, data.more)));
  const intervals = new ctdhubIntervals(data, new ctdhubEngine(data, buffer), more);
  const place = name => data.columns.findIndex(c => c.name === name);
  return asked.map(({where, by}) => {
    for (let c = 0; c < data.filters; c++) {
      const codes = (where[data.columns[c].name] || []).map(v => data.columns[c].codes.indexOf(v));
      intervals.choose(c, codes);
    }
    const column = place(by);
    return {
      total: intervals.total(),
      cells: data.columns[column].codes.map((_v, k) => intervals.within(column, [k])),
    };
  });
}"""


def test_counts_are_those_of_the_records(
    tab: Page, web: str, database: duckdb.DuckDBPyConnection, release: Release
) -> None:
    """1,000 settings: each count is what DuckDB counts, and each bound lies above it."""
    visit(tab, web)
    data = json.loads(tab.text_content("#explore-data") or "")
    rng = random.Random(5)
    asked = [
        {"where": where, "by": rng.choice(data["columns"])["name"]}
        for where in settings(data["columns"][: data["filters"]], SETTINGS, 11)
    ]
    found = tab.evaluate(EVALUATE, asked)
    codes = {c["name"]: c["codes"] for c in data["columns"]}
    sigma = release.protected.guarantee.sigma
    measured = {frozenset(key.split("*")) for key in sigma if key}
    states = set()
    for question, answer in zip(asked, found, strict=True):
        where, by = question["where"], question["by"]
        true = true_counts(database, where, by)
        assert {
            v: c["n"] for v, c in zip(codes[by], answer["cells"], strict=True) if c["n"]
        } == true
        assert answer["total"]["n"] == sum(
            n for v, n in true.items() if by not in where or v in where[by]
        )
        named = frozenset(where) - {by} | {by}
        for cell in answer["cells"]:
            assert 0 <= cell["low"] <= cell["n"] <= cell["high"]
            assert (cell["state"] == "not_measured") == (named not in measured)
            assert cell["state"] != "shown" or cell["low"] > 0
            states.add(cell["state"])
    assert states == {"shown", "protected", "not_measured"}


def test_sums_have_the_intervals_of_python(tab: Page, web: str, release: Release) -> None:
    """Filters with several answers: the script adds cells as ``Exploration.estimate`` does."""
    visit(tab, web)
    exploration = explorer(Answers(release)).exploration
    data = json.loads(tab.text_content("#explore-data") or "")
    rng, codes = random.Random(2), {c["name"]: c["codes"] for c in data["columns"]}
    tables = [sorted(names) for names in exploration.errors] * 10
    asked = [
        {"where": {v: rng.sample(codes[v], rng.randint(1, len(codes[v]))) for v in t}, "by": t[0]}
        for t in tables
        if all(v in list(codes)[: data["filters"]] for v in t)
    ]
    wide = 0
    for question, answer in zip(asked, tab.evaluate(EVALUATE, asked), strict=True):
        where, total = question["where"], answer["total"]
        cells = math.prod(len(values) for values in where.values())
        found = exploration.estimate(total["n"], cells, *where)
        assert (total["low"], total["high"]) == (found.low, found.high)
        wide += cells > 1 and exploration.errors[frozenset(where)].most > 0
    assert wide > 10


def test_intervals_are_those_of_the_release(tab: Page, web: str, release: Release) -> None:
    """Without and with one filter: the published interval where records and counts agree.

    The tolerance is one person: ends are rounded outwards on either side.
    """
    visit(tab, web)
    answers = Answers(release)
    data = json.loads(tab.text_content("#explore-data") or "")
    asked: list[dict[str, Any]] = [{"where": {}, "by": c["name"]} for c in data["columns"]]
    for first in ("gender", "exploitation_sexual", "year_of_registration"):
        for by in ("citizenship", "country_of_exploitation"):
            value = {"gender": "female", "year_of_registration": "2017"}.get(first, "yes")
            asked.append({"where": {first: [value]}, "by": by})
    codes = {c["name"]: c["codes"] for c in data["columns"]}
    compared = 0
    for question, answer in zip(asked, tab.evaluate(EVALUATE, asked), strict=True):
        by = question["by"]
        for value, cell in zip(codes[by], answer["cells"], strict=True):
            published = answers.count({**question["where"], by: [value]})
            if published.value:
                compared += 1
                for end in ("low", "high"):
                    assert abs(cell[end] - getattr(published, end)) <= 1
        if not question["where"]:
            people = release.protected.people
            assert answer["total"]["n"] == people.value
            assert (answer["total"]["low"], answer["total"]["high"]) == (people.low, people.high)
    assert compared > 50


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Release, str]]:
    """A release whose counts are those of its records, and the address of its explorer."""
    folder = tmp_path_factory.mktemp("agreed")
    answer = protected_answer(reconciled=True)
    found = open_release(write_release(answer, folder / "releases", VERSION, "First."))
    build_site(found, folder / "site", only=["explorer"])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder / "site")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def test_published_cells_are_those_of_the_release(tab: Page, agreed: tuple[Release, str]) -> None:
    """Number, interval and state of single cells; the label where it is a sum or unmeasured."""
    release, base = agreed
    answers = Answers(release)
    visit(tab, base)
    labels = [e.inner_text() for e in tab.locator("[data-source]").all()]
    assert set(labels) == {"Published count"}
    data = json.loads(tab.text_content("#explore-data") or "")
    asked: list[dict[str, Any]] = [{"where": {}, "by": c["name"]} for c in data["columns"]]
    for first in ("gender", "exploitation_sexual", "year_of_registration"):
        value = {"gender": "female", "year_of_registration": "2017"}.get(first, "yes")
        asked += [{"where": {first: [value]}, "by": v} for v in ("citizenship", "gender")]
    codes = {c["name"]: c["codes"] for c in data["columns"]}
    states = set()
    for question, found in zip(asked, tab.evaluate(EVALUATE, asked), strict=True):
        by = question["by"]
        where = {n: v for n, v in question["where"].items() if n != by}
        measured = answers.measured(*where, by) is not None
        for value, cell in zip(codes[by], found["cells"], strict=True):
            assert cell.get("published", False) == measured
            if not measured:
                continue
            published = answers.count({**where, by: [value]})
            states.add(cell["state"])
            if cell["state"] == "shown":
                ends = published.value, published.low, published.high
                assert (cell["n"], cell["low"], cell["high"]) == ends
            else:
                assert (published.value, published.low) == (0, 0)
                assert cell["high"] == max(cell["n"], published.high or 0)
    assert states == {"shown", "protected"}
    visit(tab, base, hash="#gender=female,male&age_band=9-17")
    tab.reload()
    ready(tab)
    tab.locator(AGE).scroll_into_view_if_needed()
    expect(tab.locator(f"{AGE} [data-source]")).to_have_text("From synthetic records")


def test_pages_show_the_counts_of_the_records(
    tab: Page, web: str, database: duckdb.DuckDBPyConnection
) -> None:
    """What stands on the page after some random settings in its address."""
    visit(tab, web)
    data = json.loads(tab.text_content("#explore-data") or "")
    labels = data["labels"]["age_band"]
    tab.locator(f"{AGE} details.table summary").click()
    shown = 0
    for where in settings(data["columns"][: data["filters"]], 25, 3):
        parts = [f"{name}={','.join(v or '~' for v in codes)}" for name, codes in where.items()]
        tab.goto(f"{web}{address('en', VERSION, PATH)}#{'&'.join(parts)}")
        tab.locator(AGE).scroll_into_view_if_needed()
        tab.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        true = true_counts(database, where, "age_band")
        rows = tab.locator(f"{AGE} tbody tr").all_inner_texts()
        for code, label in zip(data["columns"][2]["codes"], labels, strict=True):
            line = next(r for r in rows if r.startswith(label or data["words"]["blank"]))
            cells = line.split("\t")
            if len(cells) == 4 and cells[1].replace(",", "").isdigit():
                assert int(cells[1].replace(",", "")) == true[code]
                shown += 1
    assert shown


@pytest.mark.parametrize("lang", LANGUAGES)
def test_journey(tab: Page, base: str, lang: str, release: Release) -> None:
    """Filter three charts, read a card, share, download each format, change language, print."""
    visit(tab, base, lang)
    before = tab.inner_text("#explore-total")
    tick(tab, 'input[name="gender"][value="female"]')
    tick(tab, 'input[name="citizenship"][value="UKR"]')
    second = tab.inner_text("#explore-total")
    tick(tab, FLAG)
    third = tab.inner_text("#explore-total")
    assert len({before, second, third}) == 3
    value = tab.locator(f"{GENDER} .value").first
    text = value.inner_text()
    value.click()
    card = tab.locator("#explore-card")
    expect(card).to_be_visible()
    assert text == card.locator('[data-field="value"]').inner_text()
    for name in ("interval", "denominator", "missing", "state", "filters"):
        assert card.locator(f'[data-field="{name}"]').inner_text()
    assert VERSION in card.inner_text()
    tab.click("#explore-close")
    expect(card).to_be_hidden()

    found = numbers(tab, GENDER)
    assert any(state == "not_measured" for *_rest, state in found)
    svg = downloaded(tab, GENDER, "svg").decode("utf-8")
    for row in tab.locator(f"{GENDER} .rows .value").all_inner_texts():
        assert row in svg
    assert downloaded(tab, GENDER, "png").startswith(b"\x89PNG\r\n\x1a\n")
    tab.locator(f"{GENDER} details.table summary").click()
    rows = tab.locator(f"{GENDER} tbody tr")
    assert rows.count() == len(found)

    tab.locator(f'{GENDER} [data-act="share"]').click()
    expect(tab.locator(f"{GENDER} [role=status]")).not_to_be_empty()
    field = tab.locator(f"{GENDER} .deeds input")
    if field.is_visible():
        link = field.input_value()
    else:
        link = tab.evaluate("navigator.clipboard.readText()")
    assert link == tab.url
    other = tab.context.new_page()
    other.goto(link)
    ready(other)
    assert other.inner_text("#explore-total") == third
    assert numbers(other, GENDER) == found
    other.close()

    languages = offered(release)
    following = languages[(languages.index(lang) + 1) % len(languages)]
    tab.click(f'nav a[hreflang="{following}"]')
    ready(tab)
    assert tab.url.endswith(link[link.index("#") :])
    assert tab.locator("#explore-pick input:checked").count() == 3
    assert numbers(tab, GENDER) == found

    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(tab.locator("#explore-pick")).to_be_hidden()
    expect(tab.locator(f"{AGE} .rows")).to_be_visible()
    assert tab.locator("#explore-filters").inner_text()


def test_by_keyboard_alone(tab: Page, web: str) -> None:
    visit(tab, web)
    before = tab.inner_text("#explore-total")
    assert tab.get_attribute("#explore-total", "aria-live") == "polite"

    def onward(test: str) -> None:
        for _ in range(80):
            tab.keyboard.press("Tab")
            if tab.evaluate(f"(e => {test})(document.activeElement)"):
                return
        raise AssertionError(test)

    onward("e.matches('#explore-pick details:nth-of-type(2) summary')")
    tab.keyboard.press("Enter")
    onward("e.name === 'gender' && e.value === 'female'")
    tab.keyboard.press("Space")
    assert tab.inner_text("#explore-total") != before
    onward("e.matches('.value')")
    tab.keyboard.press("Enter")
    expect(tab.locator("#explore-card")).to_be_visible()
    assert tab.evaluate("document.activeElement.closest('#explore-card') !== null")
    tab.keyboard.press("Escape")
    expect(tab.locator("#explore-card")).to_be_hidden()
    assert tab.evaluate("document.activeElement.matches('.value')")


def test_without_its_data_the_page_says_what_to_do(
    browser: Browser, tab: Page, site: Path, web: str
) -> None:
    """Opened as a file; then served, but the data are missing."""
    tab.goto((site / address("en", VERSION, PATH)).as_uri())
    assert "--offline" in tab.inner_text("#explore-message")
    expect(tab.locator("#explore-pick")).to_be_hidden()
    expect(tab.locator(f"{GENDER} svg.chart")).to_be_visible()
    page = browser.new_page()
    page.route("**/explore.bin", lambda route: route.fulfill(body=b"no gzip"))
    page.goto(f"{web}{address('en', VERSION, PATH)}")
    expect(page.locator("#explore-message")).to_be_visible()
    expect(page.locator(f"{GENDER} svg.chart")).to_be_visible()
    page.close()


def test_results_take_the_width_where_no_filter_is_shown(tab: Page, site: Path, web: str) -> None:
    width = "e => e.getBoundingClientRect().width"
    tab.goto((site / address("en", VERSION, PATH)).as_uri())
    tab.wait_for_selector("#explore-message:not([hidden])")
    results = tab.locator(".explore > section:not(.filters)")
    assert results.evaluate(width) == tab.locator(".explore").evaluate(width)
    visit(tab, web)
    assert results.evaluate(width) < tab.locator(".explore").evaluate(width) - 200


def test_python_and_the_script_say_the_same(tab: Page, web: str, site: Path) -> None:
    """The numbers drawn in Python stay as they are when the data arrive."""
    tab.goto((site / address(LANGUAGES[-1], VERSION, PATH)).as_uri())
    read = "[...document.querySelectorAll('.deeds tbody :is(th, td)')].map(e => e.textContent)"
    heads = (
        "[...document.querySelectorAll('figure h3, [data-note]')].map(e => e.textContent.trim())"
    )
    before = [tab.evaluate(read), tab.evaluate(heads)]
    visit(tab, web, LANGUAGES[-1])
    for summary in tab.locator("details.table summary").all():
        summary.click()
    tab.wait_for_timeout(200)
    assert [tab.evaluate(read), tab.evaluate(heads)] == before


def test_unmeasured_counts_neither_choose_nor_order_countries(tab: Page, web: str) -> None:
    """Every country is listed, by what is known of it: the upper end of its number."""
    named = ("gender=male", "age_band=9-17", "means_threats=yes", "exploitation_sexual=yes")
    where = {v: [code] for v, code in (part.split("=") for part in named)}
    visit(tab, web, hash="#" + "&".join(named))
    data = json.loads(tab.text_content("#explore-data") or "")
    chart, by = "#explore-citizenship", "citizenship"
    column = next(c for c in data["columns"] if c["name"] == by)
    (answer,) = tab.evaluate(EVALUATE, [{"where": where, "by": by}])
    cells = dict(zip(column["codes"], answer["cells"], strict=True))
    assert {c["state"] for c in cells.values()} == {"not_measured"}
    ranked = sorted(column["codes"][1:], key=lambda code: -cells[code]["high"])
    assert ranked[:4] != sorted(column["codes"][1:], key=lambda code: -cells[code]["n"])[:4]
    found = numbers(tab, chart)
    assert found == [(v, "", "0", str(cells[v]["high"]), "not_measured") for v in [*ranked, ""]]
    tab.locator(f"{chart} details.table summary").click()
    labels = [data["labels"]["country"][column["codes"].index(v)] for v in ranked]
    expect(tab.locator(f"{chart} tbody th")).to_have_text([*labels, data["words"]["blank"]])
    assert tab.locator(f"{chart} .rows .name").all_text_contents()[:-1] == labels[: data["top"]]
    expect(tab.locator(f"{chart} caption span")).to_be_hidden()
    tab.locator(f"{chart} .value").first.click()
    card = tab.locator('#explore-card [data-field="records"]')
    assert card.inner_text() == data["words"]["unmeasured"]
    tab.click("#explore-close")
    tab.click("#explore-reset")
    expect(tab.locator(f"{chart} caption span")).to_be_visible()


def test_a_number_names_the_filters_it_obeys(tab: Page, web: str) -> None:
    """A chart's numbers leave out the filter of the chart; so do card, file and picture."""
    visit(tab, web, hash="#gender=female&exploitation_sexual=yes")
    data = json.loads(tab.text_content("#explore-data") or "")
    gender, sexual = (data["names"][v] for v in ("gender", "exploitation_sexual"))
    for chart, filters, named in (
        (GENDER, "exploitation_sexual=yes", [sexual]),
        (AGE, "gender=female&exploitation_sexual=yes", [gender, sexual]),
        ("#explore-exploitation", "gender=female&exploitation_sexual=yes", [gender, sexual]),
    ):
        rows = csv.DictReader(downloaded(tab, chart, "csv").decode("utf-8").splitlines())
        assert {r["filters"] for r in rows} == {filters}
        tab.locator(f"{chart} .value").first.click()
        card = tab.locator('#explore-card [data-field="filters"]').inner_text()
        tab.click("#explore-close")
        svg = downloaded(tab, chart, "svg").decode("utf-8")
        for name in (gender, sexual):
            assert (f"{name}: " in card) == (name in named)
            assert (f"{name}: " in svg) == (name in named)
    visit(tab, web, hash="#gender=male")
    tab.locator(f"{GENDER} .value").first.click()
    assert tab.inner_text('#explore-card [data-field="filters"]') == data["words"]["nofilter"]


def test_hostile_addresses_are_ignored(tab: Page, web: str) -> None:
    visit(tab, web, hash="#gender=%E0%A4%A,female,<b>&nothing=1&constructor=x&any_means=yes")
    assert tab.locator("#explore-pick input:checked").count() == 1
    tab.click("#explore-reset")
    tab.wait_for_url(lambda url: "#" not in url)
    assert tab.locator("#explore-pick input:checked").count() == 0


def test_a_country_can_be_searched(tab: Page, web: str) -> None:
    visit(tab, web)
    tab.locator("#explore-pick details", has=tab.locator('input[name="citizenship"]')).locator(
        "summary"
    ).click()
    tab.locator("#explore-pick details[open] input[type=search]").fill("ukr")
    shown = tab.locator("#explore-pick details[open] label:not(.search):visible")
    assert shown.count() == 1
    assert shown.locator("input").get_attribute("value") == "UKR"


def test_no_formula_in_a_file(tab: Page, web: str) -> None:
    """A label that a spreadsheet would compute is written as text."""

    def spoil(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"Ukraine"', '"=1+1"'))

    tab.route("**/explore.html", spoil)
    visit(tab, web)
    text = downloaded(tab, "#explore-citizenship", "csv").decode("utf-8")
    assert ",'=1+1," in text
    assert ",=1+1," not in text


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_accessible_while_in_use(tab: Page, web: str, lang: str) -> None:
    """Filtered, with a part, a table and a card open; and no wider than a phone."""
    visit(tab, web, lang, "#gender=female&citizenship=UKR&age_band=18-20")
    for part in ("#explore-pick details:nth-of-type(4)", f"{GENDER} .table", f"{AGE} .download"):
        tab.locator(f"{part} summary").click()
    found = Axe().run(tab, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    tab.locator(f"{AGE} .value").first.click()
    found = Axe().run(tab, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    tab.click("#explore-close")
    for size in (PHONE, ZOOMED):
        tab.set_viewport_size(size)
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_bars_are_mirrored_right_to_left(tab: Page, web: str) -> None:
    """A bar begins beside its label, whatever the direction of reading."""
    for lang in ("en", "ar"):
        visit(tab, web, lang)
        row = tab.locator(f"{GENDER} .rows li").first
        name, line, bar = (row.locator(part).bounding_box() for part in (".name", ".line", ".bar"))
        assert name is not None
        assert line is not None
        assert bar is not None
        if lang == "en":
            assert name["x"] < line["x"] == pytest.approx(bar["x"], abs=1)
        else:
            assert name["x"] > line["x"]
            assert bar["x"] + bar["width"] == pytest.approx(line["x"] + line["width"], abs=1)
