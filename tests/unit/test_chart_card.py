"""What a chart card offers: a sentence, citations that parse, code that runs, what is near."""

from __future__ import annotations

import contextlib
import csv
import functools
import html
import http.server
import io
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_release import protected_answer
from test_site_page import EVIL

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.document.charts.bars import Bar, draw_ranking
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.citing import bibtex, quote, reference, ris, snippets, template
from ctdhub.report.figures import (
    ALL,
    Among,
    Figure,
    figures,
    headline,
    listed_places,
    picture,
    sides,
)
from ctdhub.report.trends import trends as trend_charts
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.site.api import write_api, write_latest
from ctdhub.site.chart_files import blanks, write_figures
from ctdhub.site.edition import PLAIN, Content
from ctdhub.site.frame import Links, embed_code, explorer
from ctdhub.site.pages import home, places, trends
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, Row, Table
from ctdhub.stats.query import MOST, nearest

URL = "https://data.example.org/r/2026.1/en/index.html#gender"
UKRAINE = {"citizenship": ("UKR",)}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("hub") / "releases"
    return open_release(write_release(protected_answer(), folder, "2026.1", "First."))


@pytest.fixture(scope="module")
def answers(release: Release) -> Answers:
    return Answers(release)


@pytest.fixture(scope="module")
def site(answers: Answers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files for programs of a site, without its pages."""
    root = tmp_path_factory.mktemp("site")
    folder = root / "r" / "2026.1"
    folder.mkdir(parents=True)
    for file in answers.release.path.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with language("en"):
        write_api(answers, folder, ["en"])
        for kind in (home.KIND, places.KIND):
            kind.files(folder, Content(answers, PLAIN))
    write_latest(root, "2026.1", {})
    return root


@pytest.fixture(scope="module")
def web(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_given: object) -> None: ...

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def shown(answers: Answers) -> list[Figure]:
    """Figures of every sort: of all people, of one country, of a region."""
    with language("en"):
        country = Among(UKRAINE, "citizens-", "places/ukr")
        europe = Among({"citizenship": ("UKR", "MDA")}, "citizens-", "places/europe")
        return [
            f for among in (Among({}, "", ""), country, europe) for f in figures(answers, among)
        ]


def test_all_code_that_is_shown_runs(answers: Answers, site: Path, web: str) -> None:
    seen = set()
    for figure in shown(answers):
        if figure.file == "places/europe":
            continue  # the file of the real region; its code is that of places/ukr
        calls = dict(snippets(figure, web, "2026.1"))
        assert list(calls) == ["Python", "R", "curl", "SQL (DuckDB)"]
        assert all("2026.1" in text for text in calls.values())
        kind = bool(figure.measured), len(figure.measured.split("*"))
        if kind in seen and figure.measured:
            continue
        seen.add(kind)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(calls["Python"], "snippet", "exec"), {})
        assert said.getvalue().strip()
        sql = calls["SQL (DuckDB)"].replace(web, f"{site}/")
        rows = duckdb.sql(sql).fetchall()
        values = [r for r in figure.table.rows if r.people.value is not None]
        assert len(rows) >= len([r for r in values if r.kind == "value"])
        if figure.measured and len(figure.table.variables) == 1 and not figure.where:
            assert {r[1] for r in rows} >= {round(r.people.value or 0) for r in values}
        asked = calls["curl"].replace("curl ", "curl -sf -o /dev/null ", 1).replace(" -O", "")
        if shutil.which("curl"):  # a bare machine may lack it
            assert subprocess.run(shlex.split(asked), check=False).returncode == 0, asked
        for opened, closed in ("()", "[]"):
            assert calls["R"].count(opened) == calls["R"].count(closed)
    assert len(seen) >= 3


ENTRY = re.compile(r"@misc\{([a-zA-Z0-9.-]+),\n((?:  [a-z]+ = \{.*\},\n)+)\}")


def parsed(entry: str) -> dict[str, str]:
    """An entry of BibTeX, read strictly: braces are balanced, specials escaped."""
    found = ENTRY.fullmatch(entry)
    assert found, entry
    fields = dict(re.findall(r"  ([a-z]+) = \{(.*)\},\n", found[2]))
    for name, text in fields.items():
        bare = re.sub(r"\\text[a-z]+\{\}|\\[{}&%$#_]", "", text)
        assert bare.count("{") == bare.count("}"), text
        assert name == "url" or not re.search(r"[\\&%$#_]", bare), text
    return fields


@pytest.mark.parametrize("hub", ["Hub", EVIL, "100 % & {x}_y\\z ~^", "منصة البيانات"])
def test_citations_parse(hub: str, tmp_path: Path) -> None:
    answer = protected_answer(facts={"hub": hub, "licence": "CC-BY-4.0"})
    release = open_release(write_release(answer, tmp_path, "2026.1", ""))
    for code in LANGUAGES:
        with language(code):
            figure = figures(Answers(release))[0]
        fields = parsed(bibtex("gender", figure.subtitle, release, URL))
        assert fields["url"] == URL
        assert fields["year"] == release.year
        lines = ris(figure.subtitle, release, URL).split("\n")
        assert all(re.fullmatch(r"[A-Z][A-Z0-9]  - .*", line) for line in lines)
        assert [line[:2] for line in lines] == ["TY", "AU", "TI", "PY", "ET", "N1", "UR", "ER"]
        assert lines[0] == "TY  - DATA"


def test_reference_managers_get_the_language_of_the_page(tmp_path: Path) -> None:
    facts = {
        "hub": "Hub",
        "hub_names": {"fr": "Plateforme"},
        "licence": "CC-BY-4.0",
        "invented": True,
    }
    release = open_release(write_release(protected_answer(facts=facts), tmp_path, "2026.1", ""))
    with language("fr"):
        fields = parsed(bibtex("gender", "Genre", release, URL))
        lines = ris("Genre", release, URL).split("\n")
    assert fields["author"] == "{Plateforme}"
    assert "AU  - Plateforme" in lines
    assert "ET  - Publication 2026.1" in lines
    assert fields["note"].startswith("Publication 2026.1. Licence")
    assert fields["note"].endswith("CC-BY-4.0. Données d’exercice : fictives.")


def test_a_sentence_has_number_interval_base_and_source(release: Release, answers: Answers) -> None:
    for code in LANGUAGES:
        with language(code):
            gender = next(f for f in figures(answers) if f.id == "gender")
            text, any_number = quote(gender, release, URL), template(release)
            base = gender.base
        leading = max(gender.bars, key=lambda b: (not b.missing, b.size or 0))
        for part in (leading.label, *leading.cells, base, gender.subtitle, "2026.1", URL):
            assert part in text, (code, part)
        assert "CC-BY-4.0" in text
        fields = set(re.findall(r"\{(\w+)\}", any_number))
        assert fields == {"label", "people", "low", "high", "share", "what", "base", "url"}


def row(code: str, value: int, half: int) -> Row:
    def made(unit: str, size: float, wide: float) -> NumberCard:
        ends = size - wide, size + wide
        return NumberCard(size, *ends, 0.95, unit, None, None, "shown", ("One",), None)  # type: ignore[arg-type]

    return Row(
        (code,), "value", made("people", value, half), made("share", value / 1000, half / 1000)
    )


def test_nothing_is_called_most_frequent_where_intervals_overlap() -> None:
    base = row("", 1000, 10).people
    clear = Table(("gender",), (row("female", 700, 10), row("male", 300, 10)), base, 0.0)
    close = Table(("gender",), (row("female", 510, 10), row("male", 490, 10)), base, 0.0)
    with language("en"):
        assert headline(clear, lambda codes: codes[0], "Gender").startswith(
            "About seven in ten are women or girls: "
        )
        assert headline(close, lambda codes: codes[0], "Gender") == "Gender"
        rare = Table(("gender",), (row("female", 730, 99), row("male", 270, 9)), base, 0.5)
        said = headline(rare, lambda codes: codes[0], "Gender")
    assert "seven in ten" not in said, "the interval is not around the claim"
    assert said.endswith("; not recorded for 50% of people")


def test_of_ranges_that_differ_in_width_none_is_called_the_largest(answers: Answers) -> None:
    """Nine years of age against three: children are said to be children, or nothing is said."""
    bands = {code_label("age_band", code, "en") for code in load_schema().codes["age_band"]}
    with language("en"):
        wide = [f for among in _everybody(answers) for f in figures(answers, among)]
        said = [f.headline for f in wide if f.subject == "age_band"]
    assert any("under 18" in text for text in said)
    assert not [text for text in said for band in bands if band in text]


def _everybody(answers: Answers) -> list[Among]:
    places = [side for code in sorted(listed_places(answers)) for side in sides(code).values()]
    return [ALL, *places]


def test_whatever_leaves_a_chart_of_a_place_names_the_place_and_the_side(
    release: Release, answers: Answers, tmp_path: Path
) -> None:
    content = Content(answers, PLAIN)
    for code in LANGUAGES:
        with language(code):
            for key in sorted(listed_places(answers)):
                for (side, among), question in zip(
                    sides(key).items(), ("citizenship", "country_of_exploitation"), strict=True
                ):
                    names = countries.name(key, code), label(question, code)
                    for figure in figures(answers, among):
                        texts = (
                            quote(figure, release, URL),
                            reference(figure, release, URL),
                            ris(figure.caption, release, URL),
                            picture(figure, release, URL),
                            embed_code(figure, URL),
                        )
                        for text in texts:
                            assert all(html.escape(name) in text or name in text for name in names)
                        assert figure.name == f"{key.lower()}-{side}-{figure.id.partition('-')[2]}"
                        write_figures(tmp_path, [figure], content)
                        file, found = figure.numbers
                        assert found == {"place": key.lower(), "side": side}
                        with (tmp_path / f"charts/{file}.csv").open(encoding="utf-8") as held:
                            rows = [*csv.DictReader(held)]
                        assert len(rows) == len(figure.table.rows)
                        for row in rows:
                            assert row["filters"] == f"{question}={key}"
                            assert found.items() <= row.items()


def test_a_chart_of_lines_is_cited_by_what_it_counts(release: Release, answers: Answers) -> None:
    with language("en"):
        for chart in trend_charts(answers):
            for text in (quote(chart, release, URL), reference(chart, release, URL)):
                assert chart.subtitle in text
                assert "People identified" in text


def test_a_headline_is_never_the_subtitle_and_blanks_are_one_line(answers: Answers) -> None:
    with language("en"):
        for figure in shown(answers):
            assert figure.headline != figure.subtitle
            assert len(figure.headline) <= 120
            text = blanks(figure)
            assert bool(text) is bool(figure.not_shown)
            assert not text or text.startswith("Not shown (not zero): ")
            for bar in figure.not_shown:
                assert bar not in figure.drawn
                assert bar.cells[2] != "–", "the table has the upper bound"


NAMES = st.sampled_from("abcdef")


@given(st.lists(st.frozensets(NAMES, max_size=4), max_size=9), st.lists(NAMES, max_size=5))
def test_the_nearest_questions_are_the_largest_inside(
    tables: list[frozenset[str]], asked: list[str]
) -> None:
    found = nearest(tables, asked)
    assert len(found) <= MOST
    for names in found:
        assert frozenset(names) in tables
        assert set(names) < set(asked)
    inside = [t for t in tables if t and t < set(asked)]
    if frozenset(asked) in tables:
        assert found == ()
    elif inside:
        assert len(found[0]) == max(map(len, inside))


def test_a_state_of_the_explorer_is_an_address() -> None:
    links = Links("countries/ita.html", "en", "2026.1")
    where = {"vs.citizenship": ("MDA", "ROU"), "citizenship": ("UKR",)}
    assert explorer(links, where, "gender") == (
        "../explore.html#vs.citizenship=MDA,ROU&citizenship=UKR&show=gender"
    )


def test_a_page_for_frames_holds_the_card_alone(release: Release, answers: Answers) -> None:
    for code in ("en", "ar"):
        with language(code):
            content = Content(answers, PLAIN)
            kinds = (home.KIND, trends.KIND, places.KIND)
            pages = [page for kind in kinds for page in kind.cards(content)]
            for page in pages:
                text = render(page, release, LANGUAGES)
                assert "<script" not in text
                assert "script-src" not in text
                assert "<nav" not in text
                assert 'name="robots" content="noindex"' in text
                assert release.facts.licence in text
                for attributes in re.findall(r"<a ([^>]*)>", text):
                    assert 'target="_blank"' in attributes
                    assert "noopener" in attributes
    paths = [page.path for page in pages]
    assert "places/ukr.html" in paths
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize(("n", "lanes"), [(2, 1), (14, 6)])
def test_brackets_of_a_ranking_stand_beside_its_words(n: int, lanes: int) -> None:
    sizes = [900 - 12 * k for k in range(n)]
    rows = [
        Bar(f"Row {k}", "", size, size - 40 - k % 4 * 6, size + 30) for k, size in enumerate(sizes)
    ]
    drawing = str(draw_ranking(rows, "r", rtl=False))
    brackets = {float(x) for x in re.findall(r'class="bracket" x1="([0-9.]+)%', drawing)}
    labels = {float(x) for x in re.findall(r'class="label" x="([0-9.]+)%', drawing)}
    assert len(brackets) == lanes
    assert max(brackets) < min(labels) - 0.5
