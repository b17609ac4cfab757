"""The practice files: reproducible, honest about being fictitious, in the formats they claim."""

import csv
import hashlib
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import HubFolderError
from ctdhub.hub.folder import Agreement, read_settings
from ctdhub.practice.contributor_files import token
from ctdhub.practice.write import CONTRIBUTORS, PracticeSummary, write_practice
from ctdhub.schema.model import load_schema

SMALL = 1_500
FICTITIOUS = re.compile(r"fictitious|fictif|ficticio", re.IGNORECASE)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> PracticeSummary:
    return write_practice(tmp_path_factory.mktemp("small"), SMALL)


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def casework(summary: PracticeSummary) -> list[dict[str, str]]:
    text = summary.files["harbour-casework"].read_bytes().decode("cp1252")
    return list(csv.DictReader(text.splitlines(), delimiter=";"))


def test_the_same_seed_gives_the_same_bytes(small: PracticeSummary, tmp_path: Path) -> None:
    write_practice(tmp_path / "again", SMALL)
    assert hashes(tmp_path / "again") == hashes(small.folder)
    other = write_practice(tmp_path / "other", SMALL, seed=small.seed + 1)
    changed = hashes(other.folder)
    for file in small.files.values():
        assert changed[file.name] != hashes(small.folder)[file.name]


def test_sixty_thousand_people_by_default(tmp_path: Path) -> None:
    summary = write_practice(tmp_path)
    assert summary.people == 60_000
    assert pq.read_metadata(tmp_path / "truth" / "people.parquet").num_rows == 60_000
    assert len(casework(summary)) == summary.sent["harbour-casework"].rows
    share = summary.sent["rivage-refuge"].people / 60_000
    assert share == pytest.approx(0.06, abs=0.005)


@pytest.mark.parametrize("people", [0, 999, 2_000_001])
def test_sizes_out_of_range_are_refused(people: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="people must be between"):
        write_practice(tmp_path, people)


def test_every_file_says_that_it_is_fictitious(small: PracticeSummary) -> None:
    assert set(small.files) == set(CONTRIBUTORS)
    assert "everything in this folder is fictitious" in (small.folder / "README.txt").read_text()
    assert json.loads((small.folder / "truth.json").read_text())["invented"] is True
    for file in small.files.values():
        assert FICTITIOUS.search(file.name)
    for contributor in ("beacon-hotline", "rivage-refuge"):
        (sheet,) = load_workbook(small.files[contributor], read_only=True).sheetnames
        assert FICTITIOUS.search(sheet)
    for kind in ("mappings", "contributors"):
        for contributor in CONTRIBUTORS:
            text = (small.folder / kind / f"{contributor}.yaml").read_text("utf-8")
            assert FICTITIOUS.search(text.splitlines()[0])


def test_names_and_numbers_are_placeholders(small: PracticeSummary) -> None:
    for row in casework(small):
        assert re.fullmatch(r"Practice person \d+", row["ClientName"])
        assert re.fullmatch(r"PRACTICE-\d{6}", row["CaseNo"])
        assert re.fullmatch(r"\+44 7700 900\d{3}", row["ClientPhone"])
    book = load_workbook(small.files["rivage-refuge"], read_only=True)
    names, labels, *rows = book.active.iter_rows(values_only=True)
    assert names[0] == "cas_CaseOwner"
    assert labels[0] == "Responsable du dossier"
    for row in rows:
        values = dict(zip(names, row, strict=False))
        assert re.fullmatch(r"Personne de pratique \d+", values["prs_FirstName"])
        assert values["prs_Email"].endswith("@example.org")
        assert values["prs_SecondName"] is None


def test_casework_is_as_its_codebook_says(small: PracticeSummary) -> None:
    rows = casework(small)
    assert {row["MeansThreats"] for row in rows} == {"0", "1", "-99"}
    assert {row["MeansUsesChildren"] for row in rows} <= {"1", "-99"}
    assert "NA" in {row["Nationality"] for row in rows}
    for row in rows:
        lists = [row[c].split(";") for c in ("PerpGender", "PerpAgeBand", "PerpRole")]
        assert len({len(cells) for cells in lists}) == 1


def test_observatory_opens_with_a_byte_order_mark_and_loses_accents_at_times(
    small: PracticeSummary,
) -> None:
    data = small.files["mirador-observatory"].read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    assert {"Perú", "Peru"} <= {row["Nacionalidad"] for row in rows}
    assert "24 a 29" in {row["Grupo de edad"] for row in rows}
    assert all(re.fullmatch(r"\d\d/\d\d/\d{4}", row["Fecha"]) for row in rows)


def test_refuge_labels_keep_the_blanks_of_the_standard(small: PracticeSummary) -> None:
    book = load_workbook(small.files["rivage-refuge"], read_only=True)
    texts = {cell for row in book.active.iter_rows(values_only=True) for cell in row}
    assert "Féminin\u00a0" in texts
    assert any("Servitude pour dettes " in str(text) for text in texts)


def test_some_people_call_twice(small: PracticeSummary) -> None:
    book = load_workbook(small.files["beacon-hotline"], read_only=True)
    names, *rows = book.active.iter_rows(values_only=True)
    keys = [row[names.index("Situation ID")] for row in rows]
    assert len(set(keys)) == small.sent["beacon-hotline"].people < len(keys)
    cells = [str(row[names.index("Nationalities")]) for row in rows]
    assert any("; " in cell for cell in cells)


def test_tokens_are_in_three_contributors_and_match_the_truth(small: PracticeSummary) -> None:
    truth = pq.read_table(small.folder / "truth" / "people.parquet")
    assert truth["token"].to_pylist()[:3] == [token(1), token(2), token(3)]
    tokens = {row["LinkToken"] for row in casework(small)}
    known = truth.filter(truth["known_to_harbour-casework"])["token"].to_pylist()
    assert tokens == set(known)
    book = load_workbook(small.files["beacon-hotline"], read_only=True)
    first = next(book.active.iter_rows(max_row=1, values_only=True))
    assert not [name for name in first if "token" in name.lower()]


def test_agreements_are_complete(small: PracticeSummary) -> None:
    kinds = load_schema().domain("source_type")
    for contributor in CONTRIBUTORS:
        path = small.folder / "contributors" / f"{contributor}.yaml"
        agreement = read_settings(path, Agreement)
        assert agreement.id == contributor
        assert agreement.kind in kinds
        assert agreement.invented
        assert agreement.budget_limit


def test_progress_goes_up_to_one(tmp_path: Path) -> None:
    parts: list[float] = []
    write_practice(tmp_path, 1_000, progress=lambda text, part: parts.append(part))
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


def test_the_verb_writes_and_says_so(tmp_path: Path) -> None:
    app = command("practice")
    done = CliRunner().invoke(
        app, ["practice", str(tmp_path / "p"), "--people", "1000", "--seed", "3"]
    )
    assert done.exit_code == 0
    assert (tmp_path / "p" / "truth.json").is_file()
    assert "beacon-hotline" in done.output
    few = CliRunner().invoke(app, ["practice", str(tmp_path / "q"), "--people", "10"])
    assert few.exit_code == 2


def test_the_verb_refuses_a_hub(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("name: real\n")
    app = command("practice")
    done = CliRunner().invoke(app, ["practice", str(tmp_path)])
    assert isinstance(done.exception, HubFolderError)
    assert [path.name for path in tmp_path.iterdir()] == ["hub.yaml"]
