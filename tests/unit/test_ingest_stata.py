"""Stata files: labels, all 27 missing values, dates and scripts; a damaged file is one error."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import FileError, HostileFile, UnreadableFile
from ctdhub.core.i18n import said
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest, suggest
from ctdhub.sensitive.mapping.run import harmonise

VERSIONS = [8, 10, 12, 13, 14, 15]


def written(path: Path, frame: pd.DataFrame, **how: object) -> Path:
    pyreadstat.write_dta(frame, path, **how)
    return path


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    frame = pd.DataFrame(
        {
            "sex": [1.0, 2.0, "a", None],
            "age": [17.0, "z", None, 41.0],
            "seen": pd.to_datetime(["2020-01-02", "2021-03-04", None, "2022-05-06"]),
            "place": ["مرسيليا", " b ", "", "NA"],
        }
    )
    return written(
        tmp_path / "survey.dta",
        frame,
        variable_value_labels={"sex": {1: "Female", 2: "Male", "a": "refused"}},
        missing_user_values={"sex": ["a"], "age": ["z"]},
    )


def test_labels_dates_and_missing_values_are_read_as_stata_shows_them(survey: Path) -> None:
    raw = read_table(survey)
    rows = raw.table.to_pydict()
    assert rows["sex"] == ["Female", "Male", "refused", None]
    assert rows["age"] == ["17", ".z", None, "41"]
    assert rows["seen"] == ["2020-01-02", "2021-03-04", None, "2022-05-06"]
    assert rows["place"] == ["مرسيليا", " b", None, "NA"]
    assert rows["_row"] == [1, 2, 3, 4]
    assert any("labels" in said(note) for note in raw.notes)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_release_of_the_format(tmp_path: Path, version: int) -> None:
    frame = pd.DataFrame({"sex": [1.0, 2.0], "place": ["Lome", "Peru"]})
    labels = {"sex": {1: "Female", 2: "Male"}}
    path = written(tmp_path / "a.dta", frame, version=version, variable_value_labels=labels)
    assert read_table(path).table["sex"].to_pylist() == ["Female", "Male"]
    renamed = tmp_path / "a.csv"
    renamed.write_bytes(path.read_bytes())
    assert any("a Stata file" in said(note) for note in read_table(renamed).notes)


def test_old_files_are_of_the_encoding_that_is_stated(tmp_path: Path) -> None:
    path = written(tmp_path / "a.dta", pd.DataFrame({"place": ["Cote"]}), version=12)
    path.write_bytes(path.read_bytes().replace(b"Cote", "Côte".encode("cp1252")))
    assert read_table(path).table["place"].to_pylist() == ["Côte"]
    path.write_bytes(path.read_bytes().replace("Côte".encode("cp1252"), "Côte".encode("cp850")))
    stated = read_table(path, ReadOptions(encoding="cp850"))
    assert stated.table["place"].to_pylist() == ["Côte"]


@pytest.mark.parametrize(
    ("form", "counts", "texts"),
    [
        ("%tm", [720.0, 731.0, -1.0], ["2020-01", "2020-12", "1959-12"]),
        ("%tq", [240.0, 243.0, 0.0], ["2020q1", "2020q4", "1960q1"]),
        ("%th", [121.0, 0.0, 1.0], ["2020h2", "1960h1", "1960h2"]),
        ("%tw", [3120.0, 3171.0, 0.0], ["2020w1", "2020w52", "1960w1"]),
        ("%ty", [2020.0, 2021.0, 1999.0], ["2020", "2021", "1999"]),
    ],
)
def test_counts_of_months_are_no_years(
    tmp_path: Path, form: str, counts: list[float], texts: list[str]
) -> None:
    frame = pd.DataFrame({"when": counts})
    path = written(tmp_path / "a.dta", frame, variable_format={"when": form})
    assert read_table(path).table["when"].to_pylist() == texts


def test_a_draft_reads_it(tmp_path: Path) -> None:
    frame = pd.DataFrame({"sex": [1.0, 2.0] * 5, "age": [17.0, 31.0] * 5, "year": [2020.0] * 10})
    labels = {"sex": {1: "Female", 2: "Male"}}
    path = written(tmp_path / "a.dta", frame, variable_value_labels=labels)
    raw, read = read_to_suggest(path)
    done = harmonise(raw, suggest(raw, read).mapping, "c", (2002, 2030), bytes(32))
    assert done.conservation.records == 10
    assert done.records["gender"].to_pylist()[:2] == ["female", "male"]


def test_limits_hold(survey: Path) -> None:
    with pytest.raises(HostileFile, match="rows"):
        read_table(survey, limits=Limits(rows=3))
    with pytest.raises(HostileFile, match="columns"):
        read_table(survey, limits=Limits(columns=2))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
@pytest.mark.parametrize("version", [12, 15])
def test_a_damaged_file_is_one_error_or_a_table(
    tmp_path: Path, version: int, data: st.DataObject
) -> None:
    file = tmp_path / "damaged.dta"
    frame = pd.DataFrame({"sex": [1.0, 2.0], "place": ["Lome", "Peru"]})
    written(file, frame, version=version, variable_value_labels={"sex": {1: "F", 2: "M"}})
    content = bytearray(file.read_bytes())
    for _change in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(11, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(bytes(content[: data.draw(st.integers(12, len(content)))]))
    with suppress(FileError):  # anything else, a library's own error above all, fails
        read_table(file)


def test_without_the_library_the_remedy_is_named(survey: Path) -> None:
    code = (
        "import sys; sys.modules['pyreadstat'] = None\n"
        "from pathlib import Path; from ctdhub.core.errors import UnreadableFile\n"
        "from ctdhub.sensitive.ingest.raw import read_table\n"
        "try: read_table(Path(sys.argv[1]))\n"
        "except UnreadableFile as e: print(e.rule, e.fix)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(survey)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("stata-extra")
    assert "pip install pyreadstat" in done.stdout


def test_what_only_begins_like_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.dta"
    path.write_bytes(b"<stata_dta>" + b"\0" * 40)
    with pytest.raises(UnreadableFile) as caught:
        read_table(path)
    assert caught.value.rule == "content"
