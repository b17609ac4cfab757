"""Files for people: spreadsheets open right in every language; the ZIP is the release."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import openpyxl
import pytest
from invented_release import people_rows, protected_answer

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.document.spreadsheet import PlainSheet, write_spreadsheet
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release, verify
from ctdhub.schema.labels import code_label, label
from ctdhub.site.pages.data import ZIP, write_counts, write_zip

OFFICE = shutil.which("soffice")
HOSTILE = [
    "9-17",
    "=1+1",
    "+1",
    "1/2",
    "007",
    "-5",
    "@x",
    "<b>&\"'",
    "سجل\u202e",
    "1e5",
    "2026-01-02",
    "\x00\x1b",
]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    facts = {"hub": '=cmd|"x" & <Hub>', "languages": list(LANGUAGES)}
    folder = tmp_path_factory.mktemp("sheets")
    return open_release(
        write_release(protected_answer(people_rows(2000), facts=facts), folder, "2026.1", "")
    )


def read(path: Path) -> dict[str, list[list[object]]]:
    book = openpyxl.load_workbook(path)
    return {
        name: [list(row) for row in book[name].iter_rows(values_only=True)]
        for name in book.sheetnames
    }


@pytest.mark.parametrize("code", LANGUAGES)
def test_counts_with_labels_first(release: Release, tmp_path: Path, code: str) -> None:
    with language(code):
        write_counts(tmp_path / "c.xlsx", release)
        age = label("age_band", code), code_label("age_band", "9-17", code)
    sheets = list(read(tmp_path / "c.xlsx").values())
    found = [row for row in sheets[1] if tuple(row[:2]) == age]
    published = next(
        r
        for r in release.protected.counts.to_pylist()
        if (r["columns"], r["values"]) == (["age_band"], ["9-17"])
    )
    assert [row[2:] for row in found] == [[published["count"], published["low"], published["high"]]]
    assert sum(len(rows) - 1 for rows in sheets[1:]) == release.protected.counts.num_rows - 1
    turned = openpyxl.load_workbook(tmp_path / "c.xlsx").worksheets[1].sheet_view.rightToLeft
    assert bool(turned) == (code == "ar")


def test_texts_stay_texts_whatever_they_look_like(tmp_path: Path) -> None:
    write_spreadsheet(
        tmp_path / "x.xlsx",
        [PlainSheet('a&"b', (10, 10), [("x", "n"), *((t, 5) for t in HOSTILE)])],
    )
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    cells = [row[0] for row in book.worksheets[0].iter_rows(min_row=2)]
    assert [c.value for c in cells[:-1]] == HOSTILE[:-1]
    assert not any(c.data_type in ("f", "d", "n") for c in cells[:-1])
    with pytest.raises(ValueError, match="no name"):
        write_spreadsheet(tmp_path / "y.xlsx", [PlainSheet("a/b", (), [])])


@pytest.mark.skipif(
    OFFICE is None, reason="LibreOffice is missing: apt-get install libreoffice-calc-nogui"
)
def test_libreoffice_opens_labels_of_each_language_and_keeps_ages_as_text(
    release: Release, tmp_path: Path
) -> None:
    ages = {}
    for code in LANGUAGES:
        with language(code):
            write_counts(tmp_path / f"{code}.xlsx", release)
            ages[code] = label("age_band", code), code_label("age_band", "9-17", code)
    write_spreadsheet(
        tmp_path / "h.xlsx", [PlainSheet("h", (10,), [("x",), *((t,) for t in HOSTILE[:-1])])]
    )
    form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    home = f"-env:UserInstallation=file://{tmp_path}/home"
    made = [OFFICE or "", home, "--headless", "--convert-to", form, "--outdir", str(tmp_path)]
    subprocess.run(
        [*made, *map(str, sorted(tmp_path.glob("*.xlsx")))],
        check=True,
        capture_output=True,
        timeout=240,
        env={**os.environ, "LC_ALL": "C.UTF-8"},  # else it writes English letters alone
    )
    for code, age in ages.items():
        texts = [p.read_text("utf-8") for p in tmp_path.glob(f"{code}-*.csv")]
        found = [row for text in texts for row in csv.reader(io.StringIO(text))]
        assert [row for row in found if tuple(row[:2]) == age], code
    (hostile,) = tmp_path.glob("h-*.csv")
    kept = [row[0] for row in csv.reader(io.StringIO(hostile.read_text("utf-8")))][1:]
    assert kept == HOSTILE[:-1]


def test_the_zip_is_the_release(release: Release, tmp_path: Path) -> None:
    write_zip(tmp_path, release)
    first = (tmp_path / ZIP).read_bytes()
    write_zip(tmp_path, release)
    assert (tmp_path / ZIP).read_bytes() == first
    with zipfile.ZipFile(tmp_path / ZIP) as file:
        held = {Path(name).name: file.read(name) for name in file.namelist()}
        file.extractall(tmp_path / "unpacked")
    assert held == {path.name: path.read_bytes() for path in release.path.iterdir()}
    (folder,) = (tmp_path / "unpacked").iterdir()
    assert verify(folder) == []
