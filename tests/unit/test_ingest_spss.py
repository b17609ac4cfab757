"""SPSS files: labels, blanks, dates and scripts as people see them; a damaged file is one error."""

from __future__ import annotations

import datetime
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import FileError, HostileFile
from ctdhub.core.i18n import said
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import read_table

NATIONALITY = {1.0: "Nigeria", 2.0: "Côte d’Ivoire", 3.0: "سوريا", 99.0: "refused"}


def written(path: Path, frame: pd.DataFrame, **how: object) -> Path:
    pyreadstat.write_sav(frame, path, **how)
    return path


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    frame = pd.DataFrame(
        {
            "sex": [1.0, 2.0, 1.0, None],
            "nat": [1.0, 3.0, 99.0, 2.0],
            "age": [17.0, 30.5, None, 41.0],
            "seen": pd.to_datetime(["2020-01-02", "2021-03-04", None, "2022-05-06"]),
            "name_of_place": ["a", " b ", "", "NA"],
        }
    )
    labels = {"sex": {1.0: "Female", 2.0: "Male"}, "nat": NATIONALITY}
    missing = {"nat": [{"lo": 99.0, "hi": 99.0}]}
    return written(
        tmp_path / "survey.sav", frame, variable_value_labels=labels, missing_ranges=missing
    )


def test_labels_are_read_and_nothing_declared_missing_is_lost(survey: Path) -> None:
    raw = read_table(survey)
    rows = raw.table.to_pydict()
    assert rows["sex"] == ["Female", "Male", "Female", None]
    assert rows["nat"] == ["Nigeria", "سوريا", "refused", "Côte d’Ivoire"]
    assert rows["age"] == ["17", "30.5", None, "41"]
    assert rows["seen"] == ["2020-01-02", "2021-03-04", None, "2022-05-06"]
    assert rows["name_of_place"] == ["a", " b", None, "NA"]
    assert rows["_row"] == [1, 2, 3, 4]
    assert raw.rows_read == 4
    assert len(raw.notes) == 1
    assert "2 columns have labels" in said(raw.notes[0])


def test_codes_stand_where_two_values_have_one_label(tmp_path: Path) -> None:
    frame = pd.DataFrame({"kind": [1.0, 2.0, 3.0]})
    labels = {"kind": {1.0: "Other", 2.0: "Other", 3.0: "Labour"}}
    raw = read_table(written(tmp_path / "a.sav", frame, variable_value_labels=labels))
    assert raw.table["kind"].to_pylist() == ["1", "2", "3"]


def test_compressed_files_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    assert read_table(written(tmp_path / "a.zsav", frame, compress=True)).rows_read == 2


def test_content_decides_and_the_name_is_told(survey: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "survey.csv"
    renamed.write_bytes(survey.read_bytes())
    assert any("an SPSS file" in said(note) for note in read_table(renamed).notes)


def test_rows_that_are_no_records_are_skipped(survey: Path) -> None:
    raw = read_table(survey, ReadOptions(skip_rows=(1,)))
    assert raw.table["_row"].to_pylist() == [2, 3, 4]


def test_limits_hold_before_anything_is_read(survey: Path) -> None:
    with pytest.raises(HostileFile, match="rows"):
        read_table(survey, limits=Limits(rows=3))
    with pytest.raises(HostileFile, match="columns"):
        read_table(survey, limits=Limits(columns=2))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_file_is_one_error_or_a_table(survey: Path, data: st.DataObject) -> None:
    content = bytearray(survey.read_bytes())
    for _change in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(5, len(content)))
    file = survey.with_name("damaged.sav")
    file.write_bytes(bytes(content[:cut]))
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
    assert done.stdout.startswith("spss-extra")
    assert "pip install pyreadstat" in done.stdout


def test_dates_before_1900_and_after_9999_do_not_end_in_a_traceback(tmp_path: Path) -> None:
    frame = pd.DataFrame({"d": [datetime.date(1899, 12, 31), datetime.date(9998, 1, 1)]})
    raw = read_table(written(tmp_path / "a.sav", frame))
    assert raw.table["d"].to_pylist() == ["1899-12-31", "9998-01-01"]
