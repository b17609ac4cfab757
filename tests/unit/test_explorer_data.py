"""The explorer's data and intervals: nothing lost in packing, small, honest about errors."""

from __future__ import annotations

import base64
import gzip
import html
import json
import math
import random
import re
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_release import TABLES, people_rows, protected_answer
from typer.testing import CliRunner

from ctdhub.border import Protected, restore
from ctdhub.cli.site import register
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema.model import load_schema
from ctdhub.site.build import build_site, offered
from ctdhub.site.edition import Edition
from ctdhub.site.explorer import page as explore
from ctdhub.site.explorer.encoding import Pack, pack
from ctdhub.site.explorer.pack import DATA, FILTERS, SCRIPT, explorer
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.explore import BOUNDS, Codes, Exploration, coded
from ctdhub.stats.tables import distribution, flag_group

SIGMA = 4.0
VARIABLES = sorted({v for table in TABLES for v in table.split("*")})


def made(answer: Protected, folder: Path) -> Release:
    return open_release(write_release(answer, folder / "releases", "2026.1", "First."))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    answer = protected_answer(facts={"languages": list(LANGUAGES)}, sigma=SIGMA)
    return made(answer, tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def reconciled(tmp_path_factory: pytest.TempPathFactory) -> Release:
    answer = protected_answer(sigma=SIGMA, reconciled=True)
    return made(answer, tmp_path_factory.mktemp("reconciled"))


@pytest.fixture(scope="module")
def strayed(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A release whose records differ from its counts, as fitted records do."""
    rows = people_rows()
    rng = random.Random(3)
    other = [{**row} for row in rows]
    for row, donor in zip(rng.sample(other, 300), rng.sample(rows, 300), strict=True):
        row.update({k: donor[k] for k in ("gender", "age_band", "citizenship")})
    return made(fitted(rows, other), tmp_path_factory.mktemp("strayed"))


def fitted(rows: list[dict[str, str | None]], other: list[dict[str, str | None]]) -> Protected:
    """Counts of some people, records of others."""
    counts, records = protected_answer(rows, sigma=SIGMA), protected_answer(other).records
    return restore(
        records=records,
        counts=counts.counts,
        people=counts.people,
        case_records=counts.case_records,
        guarantee=counts.guarantee,
        facts=counts.facts,
    )


@dataclass(frozen=True)
class Unpacked:
    weights: list[int]
    columns: list[list[int]]


def unpacked(packed: Pack) -> Unpacked:
    """What the file's description says, read anew."""
    raw = gzip.decompress(packed.data)
    assert len(raw) == packed.size
    at = packed.rows * packed.weight
    weights = np.frombuffer(raw[:at], dtype=f"<u{packed.weight}").tolist()
    columns = []
    for bits in packed.bits:
        n = math.ceil(packed.rows * bits / 8)
        part, at = raw[at : at + n], at + n
        if bits == 2:
            columns.append([(part[i // 4] >> (2 * (i % 4))) & 3 for i in range(packed.rows)])
        else:
            columns.append(np.frombuffer(part, dtype=f"<u{bits // 8}").tolist())
    assert at == packed.more
    return Unpacked(weights, columns)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([1, 2, 4, 5, 200, 256, 257, 700]), min_size=1, max_size=5),
    n=st.integers(0, 60),
    seed=st.integers(0, 2**16),
)
def test_packing_loses_nothing(sizes: list[int], n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns: dict[str, Codes] = {
        str(k): rng.integers(0, min(size, 3), n).astype(np.uint16 if size > 256 else np.uint8)
        * np.array(max(1, (size - 1) // 2)).astype(np.uint16 if size > 256 else np.uint8)
        for k, size in enumerate(sizes)
    }
    for name, size in zip(columns, sizes, strict=True):
        columns[name] = np.minimum(columns[name], size - 1).astype(columns[name].dtype)
    packed = pack(columns, sizes)
    found = unpacked(packed)
    rows = list(zip(*found.columns, strict=True))
    assert len(set(rows)) == len(rows) == packed.rows
    assert rows == sorted(rows)
    tally = dict(zip(rows, found.weights, strict=True))
    assert tally == Counter(zip(*(c.tolist() for c in columns.values()), strict=True))
    assert pack(columns, sizes) == packed


def test_many_equal_rows_need_wide_weights() -> None:
    for n, weight in ((255, 1), (256, 2), (65_536, 4)):
        packed = pack({"a": np.zeros(n, dtype=np.uint8)}, [2])
        assert (packed.rows, packed.weight, unpacked(packed).weights) == (1, weight, [n])


def test_packed_records_are_small() -> None:
    """A tenth of 200,000 records of 32 columns takes a tenth of the budget of 1.5 MB.

    Fewer rows are harder, as sorted rows share more with their neighbours the more there are; the
    full size is in benchmarks/explorer.py.
    """
    rng, n = np.random.default_rng(1), 20_000
    sizes = [21, 4, 10, 151, 151, 5, 5, *[3] * 25]
    columns: dict[str, Codes] = {}
    for k, size in enumerate(sizes):
        odds = 1 / np.arange(1, size + 1)
        columns[str(k)] = rng.choice(size, n, p=odds / odds.sum()).astype(np.uint8)
    assert len(columns) == FILTERS
    assert len(pack(columns, sizes).data) <= 1_500_000 * n / 200_000


def test_values_outside_the_domain_are_refused() -> None:
    records = protected_answer().records
    with pytest.raises(ValueError, match="outside the domain"):
        coded(records["gender"], ("", "female"))


def test_scripts_are_small() -> None:
    names = ("engine.js", "interval.js", "save.js", "explore.js")
    folder = resources.files("ctdhub.site") / "static"
    assert len(gzip.compress(b"".join((folder / n).read_bytes() for n in names))) <= 30_000


def test_first_view_is_small_and_needs_no_script(release: Release) -> None:
    for code in offered(release):
        with language(code):
            page = explore.page(Answers(release), offline=False)
            text = render(page, release, offered(release))
        assert len(gzip.compress(text.encode())) <= 100_000
        assert text.count('<svg class="chart"') == text.count("<figure ") == 7


def test_errors_are_the_noise_where_records_agree(release: Release) -> None:
    exploration = Exploration(Answers(release), VARIABLES)
    assert set(exploration.errors) == {frozenset(t.split("*")) for t in TABLES}
    for names, error in exploration.errors.items():
        shown = exploration.answers.cells(*names)
        assert error.cell == (SIGMA if shown else math.ceil(SIGMA * math.sqrt(2) * 100) / 100)


def test_intervals_cover_what_was_published(strayed: Release) -> None:
    """Records that stray widen the intervals: at least 95 of 100 hold the published count."""
    answers = Answers(strayed)
    exploration = Exploration(answers, VARIABLES)
    inside = total = 0
    for table in TABLES:
        names = table.split("*")
        places = [{v: k for k, v in enumerate(exploration.domains[n])} for n in names]
        for cell, published in answers.cells(*names).items():
            chosen = np.ones(strayed.protected.people.value, dtype=bool)
            for name, place, value in zip(names, places, cell, strict=True):
                chosen &= exploration.codes[name] == place[value]
            found = exploration.estimate(int(chosen.sum()), 1, *names)
            assert found.low is not None
            assert found.high is not None
            assert found.high - found.low >= published.high - published.low - 2 or found.low == 0
            inside += found.low <= published.value <= found.high
            total += 1
    assert total > 100
    assert inside / total >= 0.95
    assert exploration.errors[frozenset({"age_band"})].cell > SIGMA
    assert exploration.errors[frozenset({"year_of_registration"})].cell == SIGMA


def test_sums_cover_what_the_fit_moved_between_cells_not_shown(tmp_path: Path) -> None:
    """Sixty citizenships of six people each; the records gather them all in twenty of them."""
    common = {"UKR", "MDA", "PHL", "CIV"}
    rare = [c for c in load_schema().domain("citizenship", (2015, 2019)) if c not in common][:60]
    people = people_rows()
    moved = [{**row} for row in people]
    for k in range(360):
        people[k]["citizenship"] = rare[k % 60]
        moved[k]["citizenship"] = rare[k % 20]
    answers = Answers(made(fitted(people, moved), tmp_path))
    exploration = Exploration(answers, VARIABLES)
    assert not {(c,) for c in rare} & answers.cells("citizenship").keys()
    none = int((exploration.count("citizenship") == 0).sum())
    emptied = exploration.estimate(0, none, "citizenship")
    assert emptied.high is not None
    assert emptied.high >= 40 * 6
    error = exploration.errors[frozenset({"citizenship"})]
    assert error.most == 360
    one = exploration.estimate(100, 1, "citizenship")
    assert one.high == math.ceil(100 + answers.z * error.cell)
    assert exploration.errors[frozenset({"any_means"})][1:] == (0, 0)


def test_quantiles_grow_with_the_number_of_bounds(release: Release) -> None:
    exploration = Exploration(Answers(release), VARIABLES)
    found = exploration.quantiles()
    assert len(found) == BOUNDS
    assert found == sorted(found)
    assert found[0] == pytest.approx(exploration.answers.z)


def test_unfiltered_tables_agree_with_the_published(release: Release) -> None:
    answers = Answers(release)
    table = Exploration(answers, VARIABLES).table("age_band")
    for row in table.rows:
        published = answers.count({"age_band": list(row.codes)})
        if row.people.value is not None:
            assert row.people.value == published.value
            assert row.people.low == pytest.approx(published.low, abs=1)
            assert row.people.high == pytest.approx(published.high, abs=1)


def test_every_unfiltered_chart_equals_the_overview(reconciled: Release) -> None:
    """Number and interval of each row, of groups too, and the label on the page."""
    answers, rows = Answers(reconciled), 0
    held = explorer(answers)
    for chart in explore._charts(held):
        name = chart.spec["name"]
        if "flags" in chart.spec:
            overview = flag_group(answers, name).rows
        else:
            overview = distribution(answers, name).rows
        wanted = {row.codes: row.people for row in overview if row.people.value is not None}
        found = {r.codes: r.people for r in chart.figure.table.rows if r.people.value is not None}
        assert found.keys() == wanted.keys()
        for codes, card in found.items():
            assert (card.value, card.low, card.high) == (
                wanted[codes].value,
                wanted[codes].low,
                wanted[codes].high,
            )
            rows += 1
    assert rows > 25
    page = render(explore.page(answers, offline=False), reconciled, offered(reconciled))
    assert page.count("<span data-source>Published count</span>") == 7


def test_published_cells_go_along_where_counts_are_those_of_records(
    release: Release, reconciled: Release
) -> None:
    assert json.loads(_more(explorer(Answers(release)).packed)) == {}
    answers = Answers(reconciled)
    held = explorer(answers)
    sent = json.loads(_more(held.packed))
    assert len(sent) == len(held.exploration.errors) == len(TABLES)
    for key, (steps, low, high, unseen) in sent.items():
        names = [held.columns[int(k)] for k in key.split(",")]
        domains = [held.exploration.domains[n] for n in names]
        places = np.unravel_index(np.cumsum(steps).astype(int), [len(d) for d in domains])
        cells = answers.cells(*names)
        assert len(cells) == len(steps)
        for k, ends in enumerate(zip(low, high, strict=True)):
            found = cells[tuple(d[p[k]] for d, p in zip(domains, places, strict=True))]
            assert ends == (found.low, found.high)
        assert unseen == answers.unseen(answers.measured(*names) or "")


def _more(packed: Pack) -> bytes:
    return gzip.decompress(packed.data)[packed.more :]


@pytest.mark.parametrize("offline", [False, True])
def test_each_build_has_one_file_of_data_and_a_policy_for_it(
    release: Release, tmp_path: Path, offline: bool
) -> None:
    build_site(release, tmp_path / "site", edition=Edition(offline=offline), only=["explorer"])
    folder = tmp_path / "site" / "r" / "2026.1"
    assert (folder / DATA).exists() is not offline
    assert (folder / SCRIPT).exists() is offline
    data = explorer(Answers(release)).packed.data
    if offline:
        found = re.fullmatch(r'window\.ctdhubData="(.*)";\n', (folder / SCRIPT).read_text("ascii"))
        assert found
        assert base64.b64decode(found[1]) == data
    else:
        assert (folder / DATA).read_bytes() == data
    for file in folder.rglob("*.html"):
        text = html.unescape(file.read_text("utf-8"))
        here = file.name == explore.PATH
        assert ("connect-src 'self'" in text) is (here and not offline)
        assert ("'self' file:" in text) is (here and offline)


def test_offline_is_one_flag(release: Release, tmp_path: Path) -> None:
    app = typer.Typer()
    register(app)
    out = tmp_path / "site"
    arguments = ["site", str(release.path), "--offline", "--out", str(out)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert (out / "r" / "2026.1" / SCRIPT).exists()
