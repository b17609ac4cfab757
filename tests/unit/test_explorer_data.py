"""The explorer's data and intervals: nothing lost in packing, small, honest about errors."""

from __future__ import annotations

import base64
import gzip
import html
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_release import TABLES, protected_answer
from typer.testing import CliRunner

from ctdhub.border import Protected
from ctdhub.cli.app import command
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.site import explorer as explore
from ctdhub.site.build import build_site, offered
from ctdhub.site.edition import Content, Edition
from ctdhub.site.explorer import (
    BOUNDS,
    ENGINE,
    FOLDER,
    WORKER,
    Codes,
    Exploration,
    Pack,
    coded,
    explorer,
    pack,
)
from ctdhub.site.frame import address, inlined
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.tables import distribution, flag_group

SIGMA = 4.0
VARIABLES = sorted({v for table in TABLES for v in table.split("*")})


def made(answer: Protected, folder: Path) -> Release:
    return open_release(write_release(answer, folder / "releases", "2026.1", "First."))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    answer = protected_answer(facts={"languages": list(LANGUAGES)}, sigma=SIGMA)
    return made(answer, tmp_path_factory.mktemp("hub"))


@dataclass(frozen=True)
class Unpacked:
    weights: list[int]
    columns: list[list[int]]


def unpacked(packed: Pack) -> Unpacked:
    """What the file's description says, read anew."""
    weights = np.frombuffer(packed.weights, dtype=f"<u{packed.weight}").tolist()
    columns = []
    for bits, part in zip(packed.bits, packed.columns.values(), strict=True):
        assert len(part) == math.ceil(packed.rows * bits / 8)
        if bits == 2:
            columns.append([(part[i // 4] >> (2 * (i % 4))) & 3 for i in range(packed.rows)])
        else:
            columns.append(np.frombuffer(part, dtype=f"<u{bits // 8}").tolist())
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
    few = [k for k, size in enumerate(sizes) if size <= 4]
    assert rows == sorted(rows, key=lambda r: ([not r[k] for k in few], [r[k] for k in few], r))
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
    packed = pack(columns, sizes)
    files = (packed.weights, *packed.columns.values())
    assert sum(len(gzip.compress(raw)) for raw in files) <= 1_500_000 * n / 200_000


def test_values_outside_the_domain_are_refused() -> None:
    records = protected_answer().records
    with pytest.raises(ValueError, match="outside the domain"):
        coded(records["gender"], ("", "female"))


def test_scripts_are_small() -> None:
    """As pages carry them, without comments."""
    text = "".join(inlined(name)[0] for name in (*ENGINE, *explore.SCRIPTS))
    assert len(gzip.compress(text.encode())) <= 30_000


def test_first_view_is_small_and_needs_no_script(release: Release) -> None:
    """The page keeps to 40 KiB packed and 200 KiB unpacked in every language."""
    for code in offered(release):
        with language(code):
            page = explore.page(Content(Answers(release), Edition()))
            text = render(page, release, offered(release)).encode()
        assert len(text) <= 200 * 1024
        assert len(gzip.compress(text)) <= 40 * 1024
        assert text.count(b'<svg class="chart"') == explore.DRAWN
        assert text.count(b"<figure ") == 1 + explore.WRITTEN - 1  # one is the script's


def test_intervals_grow_with_the_number_of_bounds(release: Release) -> None:
    exploration = Exploration(Answers(release), VARIABLES)
    found = exploration.wider()
    assert len(found) >= max(BOUNDS, *(len(d) for d in exploration.domains.values()))
    assert found == sorted(found)
    assert found[0] == pytest.approx(1)


def test_every_unfiltered_chart_equals_the_overview(release: Release) -> None:
    """Number and interval of each row, of groups too, and the base that the note names."""
    answers, rows = Answers(release), 0
    held = explorer(answers)
    for question in held.questions:
        figure, _spec = explore._chart(held, question)
        if question.flags:
            overview = flag_group(answers, question.name)
        else:
            overview = distribution(answers, question.name)
        wanted = {row.codes: row.people for row in overview.rows if row.people.value is not None}
        found = {r.codes: r.people for r in figure.table.rows if r.people.value is not None}
        assert found == wanted
        assert figure.table.base == overview.base
        rows += len(found)
    assert rows > 25


def test_every_variable_of_a_release_is_a_filter(release: Release) -> None:
    """Also those beyond the 32nd, and variables that the schema's list of charts does not name."""
    held, answers = explorer(Answers(release)), Answers(release)
    assert set(held.columns) == answers.variables
    names = [n for q in held.questions for n in q.columns]
    assert sorted(names) == sorted(answers.variables)
    assert len({q.name for q in held.questions}) == len(held.questions)


def test_all_measured_tables_go_along(release: Release) -> None:
    """Cells and their ends: one table in one file; numbers are those of the records."""
    held, answers = explorer(Answers(release)), Answers(release)
    tail = json.loads(held.tail)
    assert tail["sigma"] == [
        answers.release.protected.guarantee.sigma[k] for k in answers._tables.values()
    ]
    cells = dict(tail["cells"])
    files = held.files()
    del files["rows"]
    for name, raw in files.items():
        question = next((q for q in held.questions if f"rows.{q.name}" == name), None)
        at = sum(len(held.packed.columns[n]) for n in question.columns) if question else 0
        sent = json.loads(raw[at:])
        assert not cells.keys() & sent.keys()
        cells |= sent
    assert len(cells) == len(TABLES)
    for key, table in cells.items():
        names = tuple(held.columns[int(k)] for k in key.split(","))
        domains = [held.exploration.domains[n] for n in names]
        shown, at = answers.cells(*names), np.cumsum(table["at"]).astype(int)
        places = np.unravel_index(at, [len(d) for d in domains])
        assert len(shown) == len(table["at"])
        for k, (low, high) in enumerate(zip(table["low"], table["high"], strict=True)):
            cell = shown[tuple(d[p[k]] for d, p in zip(domains, places, strict=True))]
            assert (low, high) == (cell.low, cell.high)
        assert table["unseen"] == answers.unseen(answers.measured(*names) or "")


@pytest.mark.parametrize("offline", [False, True])
def test_each_build_has_one_kind_of_data_and_a_policy_for_it(
    release: Release, tmp_path: Path, offline: bool
) -> None:
    build_site(release, tmp_path / "site", edition=Edition(offline=offline), only=["explorer"])
    folder, held = tmp_path / "site" / "r" / "2026.1", explorer(Answers(release))
    ending = ".js" if offline else ".bin"
    files = {f"texts-{code}{ending}" for code in offered(release)}
    files |= {f"{name}{ending}" for name in held.files()}
    files |= set() if offline else {WORKER}
    assert {p.name for p in (folder / FOLDER).iterdir()} == files
    for name, raw in held.files().items():
        text = (folder / FOLDER / f"{name}{ending}").read_bytes()
        if offline:
            found = re.fullmatch(rf'ctdhubGiven\("{name}","(.*)"\);\n'.encode(), text)
            assert found
            text = base64.b64decode(found[1])
        assert gzip.decompress(text) == raw
    for code in offered(release):
        text = html.unescape((tmp_path / "site" / address(code, "explore.html")).read_text("utf-8"))
        (scripts,) = re.findall(r"script-src ([^;]*)", text)
        assert ("worker-src 'self'" in text) is not offline
        assert "'self'" in scripts.split()
        card = html.unescape((folder / code / "explore.html").read_text("utf-8"))
        (scripts,) = re.findall(r"script-src ([^;]*)", card)
        assert "worker-src 'self'" in card, "a card is the same in each site"
        assert "'self'" not in scripts.split()


def test_offline_is_one_flag(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command hands the flag on; what it makes is tested above."""
    app, drawn = command("site"), list[bool]()

    def drawing(
        _lead: Release,
        out: Path,
        _progress: object,
        edition: Edition,
        *_more: object,
        **_else: object,
    ) -> None:
        out.mkdir()
        drawn.append(edition.offline)

    monkeypatch.setattr("ctdhub.site.build.build_site", drawing)
    for flags in (["--offline"], []):
        out = tmp_path / f"site{len(flags)}"
        CliRunner().invoke(app, ["site", str(release.path), *flags, "--out", str(out)])
    assert drawn == [True, False]
