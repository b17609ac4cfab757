"""A contributor's commands without ``fcntl`` and what only a hub needs; what needs it says so."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest

from ctdhub.cli.main import OF_A_HUB
from ctdhub.dp.secagg.parties import read_sum

HERE = Path(__file__).parent
PLAIN = ",".join(("fcntl", *OF_A_HUB))
PEOPLE = [
    ("Amina", "Diallo", "1994-03-01", "Female", "CIV", "2019"),
    ("Rosa", "Perez", "2001-11-23", "Female", "COL", "2020"),
    ("Ivan", "Petrov", "1988-06-09", "Male", "UKR", "2021"),
] * 40
DOMAINS = """\
version: 1
checked: true
columns:
  gender: {values: [Female, Male]}
  year: {values: ["2019", "2020", "2021"]}
  citizenship: {values: [CIV, COL, UKR]}
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``ctdhub`` in a folder with two small tables, as a contributor has it."""
    names = ["first_name", "last_name", "date_of_birth", "gender", "citizenship", "year"]
    for file, columns in (("names.csv", range(6)), ("cases.csv", (3, 4, 5))):
        with (tmp_path / file).open("w", newline="", encoding="utf-8") as out:
            rows = csv.writer(out)
            rows.writerows([row[k] for k in columns] for row in [names, *PEOPLE])
    (tmp_path / "domains.yaml").write_text(DOMAINS, "utf-8")

    def all_of(*typed: str, barred: str = PLAIN) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(HERE / "barred.py"), barred],
            input="".join(json.dumps(words.split()) + "\n" for words in typed),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "CTDHUB_LANG": "en", "COLUMNS": "200"},
        )

    return all_of


def fine(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_help(run: Run) -> None:
    shown = fine(run("--help", "protect --help"))
    assert "harmonise" in shown
    assert "--ledger" in shown


def test_a_contributor_suggests_and_harmonises(run: Run, tmp_path: Path) -> None:
    fine(
        run(
            "suggest cases.csv --out mapping.yaml",
            "harmonise cases.csv --mapping mapping.yaml --out records",
        )
    )
    records = pyarrow.parquet.read_table(tmp_path / "records/records.parquet")
    assert records.num_rows == len(PEOPLE)
    assert set(records["gender"].to_pylist()) == {"female", "male"}


def test_a_contributor_reads_the_codebook(run: Run, tmp_path: Path) -> None:
    fine(run("codebook --format csv --out codebook"))
    assert list((tmp_path / "codebook").rglob("*.csv"))


def test_a_contributor_makes_tokens(run: Run, tmp_path: Path) -> None:
    fine(
        run(
            "key new --for linkage --out link.key",
            "tokens names.csv --key link.key --release 2026.1 --yes --out leaves.csv",
        )
    )
    left = pyarrow.csv.read_csv(tmp_path / "leaves.csv")
    assert left.num_rows == len(PEOPLE)
    assert not {"first_name", "last_name", "date_of_birth"} & set(left.column_names)


def test_a_round_of_counts(run: Run, tmp_path: Path) -> None:
    """Contributors count and draw their noise with numpy; only the hub, which pays, needs more."""
    names = ("refuge", "hotline", "clinic")
    hub, parties = "exchange --keep hub-secret", " ".join(f"--contributor {n}" for n in names)
    promise = "--epsilon 100 --delta 1e-6 --max-people 1000"
    fine(
        run(
            f"count new {hub} --domains domains.yaml {promise} {parties}",
            *(f"count join exchange --keep keep-{n} --name {n}" for n in names),
            f"count start {hub}",
            *(f"count mask cases.csv exchange --keep keep-{n}" for n in names),
        )
    )
    paid = f"count close {hub} --ledger ledger --new-ledger people --budget 100"
    for barred, rule in ((PLAIN, "needs-hub"), ("fcntl", "no-lock")):
        refused = run(paid, barred=barred)
        assert refused.returncode == 2
        assert f"rule {rule}" in refused.stderr
    assert not (tmp_path / "exchange/request.count").exists()
    fine(run(paid, barred="nothing"))
    fine(run(*(f"count reveal exchange --keep keep-{n}" for n in names), f"count sum {hub}"))
    found = read_sum(tmp_path / "hub-secret/sum.count").tables
    exact = {
        ("gender",): [0, 240, 120],
        ("gender", "citizenship"): [[0, 0, 0, 0], [0, 120, 120, 0], [0, 0, 0, 120]],
    }
    for table, cells in exact.items():  # of three shares of noise, whose variance is 4 each or more
        assert abs(found[table] - cells).max() < 100


PROTECT = (
    "protect cases.csv --domains domains.yaml --epsilon 1 --delta 1e-6 --max-people 1000 "
    "--ledger ledger --new-ledger people --out protected"
)


@pytest.mark.parametrize(
    ("barred", "rule", "remedy"),
    [(PLAIN, "no-lock", "Windows"), ("numba", "needs-hub", "pip install '.[hub]'")],
)
def test_what_cannot_be_done_says_so_before_anything_is_paid(
    run: Run, tmp_path: Path, barred: str, rule: str, remedy: str
) -> None:
    done = run(PROTECT, barred=barred)
    assert done.returncode == 2
    assert f"rule {rule}" in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "protected").exists()
    assert not (tmp_path / "ledger/ledger.jsonl").exists()
