"""The verb estimate: faults of a file are named, numbers are never made from bad input."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lists_of_invented_people import invented

from ctdhub.cli.app import command, run
from ctdhub.cli.output import console
from ctdhub.core.errors import HubError, UnreadableFile
from ctdhub.core.i18n import language, said
from ctdhub.stats.mse.lists import Lists
from ctdhub.stats.mse.read import lists_of

GOOD = "a,b,c,people\n1,0,0,361\n0,1,0,90\n0,0,1,40\n1,1,0,91\n1,0,1,40\n0,1,1,10\n1,1,1,9\n"
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run the verb on the text of a table; gives exit code and what was printed."""
    monkeypatch.setenv("CTDHUB_LANG", "en")
    monkeypatch.setattr(console, "width", 200)  # it was made before any test

    def said(text: str, *options: str) -> tuple[int, str]:
        file = tmp_path / "lists.csv"
        file.write_text(text, "utf-8")
        arguments = ["estimate", str(file), "--replicates", "100", *options]
        monkeypatch.setattr("sys.argv", ["ctdhub", *arguments])
        code = run(command("estimate"))
        return code, capsys.readouterr().out

    return said


FAULTS = {
    "lists-few": "a,people\n1,5\n",
    "lists-many": ",".join("abcdefghijk") + ",n\n" + "1," * 10 + "1,5\n",
    "lists-cell": GOOD.replace("1,1,1,9", "1,2,1,9"),
    "lists-count": GOOD.replace("1,1,1,9", "1,1,1,-9"),
    "lists-none": GOOD + "0,0,0,99\n",
    "lists-overlap": "a,b,people\n1,0,50\n0,1,60\n",
    "lists-empty": "a,b,people\n1,0,0\n0,1,0\n1,1,0\n",
}


@pytest.mark.parametrize("rule", FAULTS)
def test_bad_input_is_an_error_with_place_and_remedy(say: Say, rule: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        say(FAULTS[rule])
    error = caught.value
    assert error.exit_code == 2
    assert error.rule == rule
    assert error.file == "lists.csv"
    assert error.fix
    if rule in ("lists-cell", "lists-count", "lists-none"):
        assert error.row == {"lists-none": 9}.get(rule, 8)
    if rule in ("lists-cell", "lists-count"):
        assert error.column == {"lists-cell": "b", "lists-count": "people"}[rule]


@pytest.mark.parametrize(
    "cell", ["-1", "2.5", "", "many", "nan", "inf", "1e12", "1 000", "1_00", "١٠", "1e2", "+9"]
)
def test_counts_that_are_no_whole_numbers(say: Say, cell: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        say(GOOD.replace("1,1,1,9", f"1,1,1,{cell}"))
    assert caught.value.rule == "lists-count"


@pytest.mark.parametrize("cell", ["", "yes", "2", "-1", "0.5", "0.9999999999", "١", "1e0", "01"])
def test_cells_of_lists_that_are_neither_0_nor_1(say: Say, cell: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        say(GOOD.replace("1,1,1,9", f"1,{cell},1,9"))
    assert (caught.value.rule, caught.value.row, caught.value.column) == ("lists-cell", 8, "b")


@pytest.mark.parametrize("text", ["", "\n\n", "a,b,people\n"])
def test_empty_files(say: Say, text: str) -> None:
    with pytest.raises(HubError) as caught:
        say(text)
    assert "send" not in caught.value.fix.lower(), "whoever runs it has the file himself"


def test_two_lists_of_one_name() -> None:
    with pytest.raises(UnreadableFile) as caught:
        lists_of(["a", "a ", "n"], [(2, ["1", "1", "5"])], "x.csv")
    assert caught.value.rule == "lists-names"


def test_repeated_rows_are_added_up_with_a_warning() -> None:
    rows = [(2, ["1", "0", "30"]), (3, ["0", "1", "20"]), (4, ["1", "1", "6"]),
            (5, ["1.0", "1.0", "4.0"])]  # fmt: skip
    once = [*rows[:2], (4, ["1", "1", "10"])]
    lists, _strata, notes = lists_of(["a", "b", "n"], rows, "x.csv")
    same, _strata, none = lists_of(["a", "b", "n"], once, "x.csv")
    assert lists == same
    assert none == ()
    with language("en"):
        assert re.search(r"rows 4 and 5.*added up", said(notes[0]))


def test_order_of_rows_and_columns_changes_nothing(say: Say) -> None:
    head, *rows = GOOD.split()
    moved = [",".join(line.split(",")[k] for k in (2, 0, 1, 3)) for line in (head, *rows[::-1])]
    assert say(GOOD, "--format", "json") == say("\n".join(moved) + "\n", "--format", "json")


def test_text_says_what_was_asked_and_the_spread_first(say: Say) -> None:
    code, text = say(GOOD, "--same-place", "--no-refer")
    assert code == 0
    assert text.startswith("Asked of the organisations: Do the lists work in the same place? yes.")
    said = " ".join(text.split())
    assert "refuse each other’s people? no. Do they share a register? not answered." in said
    assert said.index("The estimate is ") < said.index("Lists taken as")
    assert "No range is given for the true number: the organisations have not answered" in said
    assert "z0" in text
    assert "If being on a halves the odds of being on b" in said
    assert "Without the list a" in text
    assert "If 5% of the true" in text
    all_three = ("--same-place", "--no-refer", "--own-registers")
    found = json.loads(say(GOOD, *all_three, "--format", "json")[1])
    assert found["answers"] == {"same_place": True, "refer": False, "one_register": False}
    assert "reach" not in found


def test_the_example_of_the_documentation_says_what_the_page_says(say: Say) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "estimate-the-hidden-population.md"
    table, sentence = re.findall(r"```\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    code, out = say("".join(f"{line.strip()}\n" for line in table.split()), "--replicates", "1000")
    assert code == 0
    assert " ".join(sentence.split()) in " ".join(out.split())
    assert "Left out" not in out


def test_json_has_stable_keys_and_the_numbers(say: Say) -> None:
    _code, text = say(GOOD, "--format", "json")
    found = json.loads(text)
    assert list(found) == [
        "answers", "says", "spread", "intervals", "tied", "level", "refused", "lists",
        "left_out", "seen", "overlapping", "noise", "cells", "methods", "if_lists_depend", "strata",
        "links", "changes", "warnings",
    ]  # fmt: skip
    assert found["seen"] == 641
    assert found["overlapping"] == 150
    assert found["lists"] == {"a": 501, "b": 200, "c": 99}
    names = [m["name"] for m in found["methods"]]
    assert names == ["independent", "stepwise"]
    for m in found["methods"]:
        assert m["low"] <= m["people"] <= m["high"]
        assert 900 < m["people"] < 1100
    assert found["spread"] == [
        min(m["people"] for m in found["methods"]), max(m["people"] for m in found["methods"])
    ]  # fmt: skip


def test_the_gate_gives_no_number_and_exit_code_1(say: Say, tmp_path: Path) -> None:
    few = "a,b,people\n1,0,500\n0,1,400\n1,1,9\n"
    code, text = say(few, "--chart", str(tmp_path / "m.svg"))
    assert code == 1
    assert text.startswith("No estimate: 9 people are on two or more lists")
    assert "500" not in text
    code, text = say(few, "--format", "json")
    assert code == 1
    assert json.loads(text)["methods"] == []
    assert json.loads(text)["spread"] is None
    assert "circle" not in (tmp_path / "m.svg").read_text("utf-8")


def test_a_wider_level_is_a_wider_interval(say: Say) -> None:
    wide, narrow = (json.loads(say(GOOD, "--format", "json", "--level", x)[1]) for x in
                    ("0.99", "0.5"))  # fmt: skip
    outer, inner = wide["intervals"], narrow["intervals"]
    assert outer[0] < inner[0] < inner[1] < outer[1]


@pytest.mark.parametrize(
    "options", [("--level", "1"), ("--format", "xml"), ("--chart", "a.png"), ("--lang", "xx")]
)
def test_options_that_cannot_be(say: Say, options: tuple[str, str]) -> None:
    with pytest.raises(HubError):
        say(GOOD, *options)


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_the_chart_stands_alone(say: Say, tmp_path: Path, lang: str) -> None:
    import xml.etree.ElementTree as ET

    target = tmp_path / "m.svg"
    say(GOOD.replace("a,b", "<b>,b"), "--chart", str(target), "--lang", lang)
    root = ET.fromstring(target.read_text("utf-8"))
    tags = [e.tag.rpartition("}")[2] for e in root.iter()]
    assert tags.count("circle") == 6  # two methods, four rows if lists depend
    assert "script" not in tags
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == lang
    middles = [float(e.get("cx", "0").strip("%")) for e in root.iter() if e.tag.endswith("circle")]
    assert all((x < 50) == (lang == "en") for x in middles)


def test_strata_are_columns_that_are_no_lists(say: Say) -> None:
    table = "gender,a,b,n\nf,1,0,400\nf,0,1,100\nf,1,1,100\nm,1,0,50\nm,0,1,450\nm,1,1,50\n"
    code, text = say(table, "--strata", "gender")
    assert code == 0
    assert "Strata: f and m" in text
    data = json.loads(say(table, "--strata", " gender,", "--format", "json")[1])
    assert data["lists"] == {"a": 600, "b": 700}
    assert data["strata"]["rows"][0]["people"] == 2000
    with pytest.raises(UnreadableFile) as caught:
        say(table)
    assert caught.value.rule == "lists-cell"


def test_a_parquet_table_is_read_too(tmp_path: Path, say: Say) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists = invented(5000, (0.3, 0.2), 1)
    table = pa.table({
        "a": [1, 0, 1], "b": [0, 1, 1], "people": [int(n) for n in lists.counts],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "lists.parquet")
    text = "a,b,people\n" + "".join(
        f"{a},{b},{n}\n" for a, b, n in zip(*table.to_pydict().values(), strict=True)
    )
    from ctdhub.cli.tables import _read_lists

    with language("en"):
        found, strata, notes, release = _read_lists(tmp_path / "lists.parquet")
    assert found == Lists(("a", "b"), lists.counts)
    assert (strata, notes, release) == ({}, (), None)
    assert say(text)[0] == 0
