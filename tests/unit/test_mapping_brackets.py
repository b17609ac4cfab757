"""Lists in brackets, as Primero and others write them: taken apart before any rule runs."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from ctdhub.sensitive.ingest.raw import RawTable, read_table
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.mapping.drafting.suggest import suggest
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

CONCERNS = """
columns:
  exploitation_sexual: {from: c, split: ",", has: [sexually_exploited], absent: no}
  exploitation_forced_labour: {from: c, split: ",", has: [worst_forms_of_child_labor], absent: no}
"""
SEXUAL, LABOUR = '["sexually_exploited"]', '["worst_forms_of_child_labor"]'
BOTH = '["sexually_exploited", "worst_forms_of_child_labor"]'


def run(text: str, **columns: list[str | None]) -> Harmonised:
    texts = {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
    [rows] = {len(cells) for cells in columns.values()}
    table = pa.table({**texts, "_row": pa.array(range(2, 2 + rows), pa.int64())})
    raw = RawTable("file.csv", "ab" * 32, table, REJECTS.empty_table(), rows)
    mapping = parse_mapping("version: 1\n" + text, "m")
    return harmonise(raw, mapping, "ngo", (2002, 2025), b"k" * 16)


def flags(found: Harmonised) -> list[tuple[str | None, str | None]]:
    names = ("exploitation_sexual", "exploitation_forced_labour")
    return list(zip(*(found.records[name].to_pylist() for name in names), strict=True))


def rejects(found: Harmonised) -> list[tuple[int, str, str]]:
    return sorted((r["source_row"], r["column"], r["rule"]) for r in found.rejects.to_pylist())


@pytest.mark.parametrize("split", ['split: ",", ', 'split: ";", ', "split: ' ', ", ""])
def test_lists_in_brackets_are_lists_whatever_the_separator(split: str) -> None:
    """The three people of a Primero file, all of them "no" to both once."""
    done = run(CONCERNS.replace('split: ",", ', split), c=[SEXUAL, LABOUR, BOTH, "[]", None])
    assert flags(done) == [("yes", "no"), ("no", "yes"), ("yes", "yes"), (None, None), (None, None)]
    assert rejects(done) == []


def test_a_primero_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(
        "unit,protection_concerns,nationality,sex,note\n"
        f'a1,"{SEXUAL.replace(chr(34), chr(34) * 2)}","[""GHA"", ""TGO""]",female,\'-99\n'
        f'a2,"{BOTH.replace(chr(34), chr(34) * 2)}","[""TGO""]","[""male""]",\'=cmd\n',
        "utf-8",
    )
    text = CONCERNS.replace("from: c", "from: protection_concerns")
    text += '  citizenship: {from: nationality, country: true, split: ",", take: first}\n'
    text += "  gender: {from: sex}\n  means_threats: {from: note, map: {'-99': null, '=cmd': yes}}"
    mapping = parse_mapping("version: 1\n" + text, "m")
    done = harmonise(read_table(path), mapping, "ngo", (2002, 2025), b"k" * 16)
    assert rejects(done) == []
    assert flags(done) == [("yes", "no"), ("yes", "yes")]
    assert done.records["citizenship"].to_pylist() == ["GHA", "TGO"]
    assert done.records["gender"].to_pylist() == ["female", "male"]
    assert done.records["means_threats"].to_pylist() == [None, "yes"]


def test_a_draft_for_such_a_file_reads_it_as_it_is(tmp_path: Path) -> None:
    rows = [
        f'c{n},2021-03-{n:02},{sex},"[""GHA"", ""TGO""]","[""{kind}""]"'
        for n, (sex, kind) in enumerate([("female", "sexual"), ("male", "forced labour")] * 4, 1)
    ]
    path = tmp_path / "cases.csv"
    path.write_text(
        "\n".join(["id,registration_date,sex,nationality,exploitation", *rows]), "utf-8"
    )
    raw = read_table(path)
    done = harmonise(raw, suggest(raw).mapping, "ngo", (2002, 2025), b"k" * 16)
    assert rejects(done) == []
    assert set(done.records["citizenship"].to_pylist()) == {"GHA"}
    assert flags(done) == [("yes", None), (None, "yes")] * 4


BROKEN = ["['a', 'b']", '["sexually_exploited"', '{"a": 1}', '[["a"]]', "{sexual,other}", "[NaN]"]


@pytest.mark.parametrize("cell", [*BROKEN, " " + BROKEN[0], "[" * 50_000])
def test_what_begins_like_a_list_and_is_none_rejects_the_row(cell: str) -> None:
    for extra in ("", ", unknown: pass", ", unknown: reject"):
        done = run(CONCERNS.replace("absent: no", "absent: no" + extra), c=[SEXUAL, cell])
        assert rejects(done) == [(3, "c", "broken-list")]
        assert cell.strip() not in str(done.rejects.to_pylist())
        assert flags(done) == [("yes", "no")]
    done = run("columns:\n  gender: {from: c}", c=["female", cell])
    assert rejects(done) == [(3, "c", "broken-list")]
    assert done.conservation.rejected == 1


def test_a_text_in_brackets_that_a_rule_names_is_a_text() -> None:
    text = """
empty: ['', '[refused]']
columns: {gender: {from: c, map: {'[F]': female, '["m"]': male}}}
"""
    done = run(text, c=["[f]", '["M"]', "[Refused]", "[x]"])
    assert done.records["gender"].to_pylist() == ["female", "male", None]
    assert rejects(done) == [(5, "c", "broken-list")]
    bands = "columns:\n  age_band: {from: c, band: true, map: {'[9,18)': 9-17}}"
    assert run(bands, c=["[9,18)"]).records["age_band"].to_pylist() == ["9-17"]


def test_numbers_in_brackets_before_labels_are_no_lists() -> None:
    """A survey's labels; the same column with a list of another program is still refused."""
    text = """
columns:
  exploitation_sexual: {from: c, split: ";", has: ["[1] Sexual"], absent: no}
  exploitation_forced_labour: {from: c, split: ";", has: ["[2] Labour"], absent: no}
"""
    done = run(text, c=["[1] sexual; [2] Labour", "[2] labour", "[1] Sexual;[9] new", "['1', '2']"])
    assert flags(done) == [("yes", "yes"), ("no", "yes"), ("yes", None)]
    assert rejects(done) == [(5, "c", "broken-list")]


def test_a_list_of_several_where_one_value_is_wanted_is_rejected_with_the_remedy() -> None:
    text = "columns:\n  gender: {from: c, null_values: [n/a]}"
    done = run(
        text, c=['["female"]', '["female", "n/a"]', '["female", null]', '["female", "male"]']
    )
    assert done.records["gender"].to_pylist() == ["female"] * 3
    assert rejects(done) == [(5, "c", "several-values")]
    assert "split and take" in done.rejects["reason"][0].as_py()
    last = text.replace("null_values", "split: ';', take: last, null_values")
    assert run(last, c=['["female", "male"]']).records["gender"].to_pylist() == ["male"]


def test_conditions_and_exclusions_look_into_lists() -> None:
    text = """
exclude:
  - {rule: not-a-victim, split: ",", when: {c: [not_trafficked]}}
  - {rule: closed, when: {status: [closed]}}
columns:
  gender: {from: s}
  means_threats: {value: "yes", when: {w: [threatened, "b"]}}
  means_debt_bondage: {value: "no", when: {w: ""}}
"""
    cells: list[str | None] = ['["other", "not_trafficked"]', '["other"]', "['x']", None, None]
    ways: list[str | None] = ["x", '["a", "Threatened"]', "x", "[]", "threatened"]
    status: list[str | None] = [None, '["open"]', None, None, '["open", "Closed"]']
    done = run(text, c=cells, s=["female"] * 5, w=ways, status=status)
    assert done.conservation.excluded == {"not-a-victim": 1, "closed": 1}
    assert done.records["means_threats"].to_pylist() == ["yes", None]
    assert done.records["means_debt_bondage"].to_pylist() == [None, "no"]
    assert rejects(done) == [(4, "c", "broken-list")]


def test_who_wants_nothing_of_unknown_texts_gets_no_reject() -> None:
    """A free text that begins with a bracket, and a column that no rule reads."""
    text = "columns:\n  country_of_exploitation: {from: c, country: true, unknown: null}"
    done = run(text, c=["[near the border]", '["Peru"]'], other=["{x", "[y"])
    assert done.records["country_of_exploitation"].to_pylist() == [None, "PER"]
    assert rejects(done) == []


def test_elements_of_lists_in_brackets_that_no_rule_knows_are_counted() -> None:
    done = run(CONCERNS, c=['["sexually_exploited", "caafag"]', '["caafag"]'])
    assert flags(done) == [("yes", None), (None, None)]
    assert [entry.ignored for entry in done.lineage] == [2, 2]


def test_a_list_that_cannot_be_read_is_among_the_unknown_texts() -> None:
    """So that the steward finds it; the known elements of lists that can be read are not."""
    cells = ["['a', 'b']", "['a', 'b']", BOTH, '["caafag"]']
    done = run(CONCERNS, c=cells)
    found = {t.text: (t.rows, t.outcome) for t in done.texts.unknown}
    assert found == {"['a', 'b']": (2, "rejected"), "caafag": (1, "flags-unknown")}
