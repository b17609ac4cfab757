"""Linking by identifiers: who is found, what is refused, and that no identifier is written."""

from __future__ import annotations

import csv
import logging
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from ctdhub.errors import FileError, HubError
from ctdhub.intake import read_table
from ctdhub.link.identities import LEAVES, Held, link_files
from ctdhub.link.settings import LinkageSettings
from ctdhub.link.tokens import Identity, Tokeniser, plan, propose
from ctdhub.practice.naming import LISTS, write_names

pytest.importorskip("splink", reason="the extra splink is not installed")

FEBRL = Path(__file__).parents[2].parent / "shared" / "data" / "febrl4"
MAKER = Tokeniser(bytes(range(32)), "2026.1")
Rows = list[dict[str, str]]


def linked(
    files: Iterable[Path], out: Path, earlier: Path | None = None
) -> tuple[dict[str, Any], dict[str, Rows]]:
    """The summary, and the rows of the copies by name of the file without its ending."""
    held = []
    for file in files:
        raw = read_table(file)
        held.append(Held(raw, plan(raw, propose(raw))))
    summary = link_files(held, MAKER, out, LinkageSettings(), earlier, lambda *_said: None)
    return summary, {path.stem: rows_of(path) for path in sorted((out / LEAVES).iterdir())}


def rows_of(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(path: Path, rows: Rows) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        sheet = csv.DictWriter(file, list(rows[0]))
        sheet.writeheader()
        sheet.writerows(rows)
    return path


def figures(copies: dict[str, Rows], truth: dict[str, list[str]]) -> dict[tuple[str, str], Any]:
    """(precision, recall) of pairs of rows with equal tokens, by pair of files."""
    found = {}
    for one, other in combinations(copies, 2):
        said: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for name, mark in ((one, "one"), (other, "other")):
            for row, person in zip(copies[name], truth[name], strict=True):
                if row["link_token"]:
                    said[row["link_token"]].add((mark, person))
        pairs = [
            (a, b) for group in said.values() for m, a in group for n, b in group if (m, n) == ("one", "other")
        ]  # fmt: skip
        right = sum(a == b for a, b in pairs)
        real = len(set(truth[one]) & set(truth[other]))
        found[one, other] = (right / max(len(pairs), 1), right / real)
    return found


def invented(folder: Path, people: int, seed: int) -> tuple[dict[str, Path], dict[str, list[str]]]:
    files = write_names(folder, people, seed)
    person = {row["case"]: row["person"] for row in rows_of(folder / "truth.csv")}
    return files, {
        name: [person[row["case_number"]] for row in rows_of(path)] for name, path in files.items()
    }


def test_five_lists_in_four_scripts(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    files, truth = invented(tmp_path / "in", 3_000, 11)
    begin = time.process_time()
    summary, copies = linked(files.values(), tmp_path / "out")
    took = time.process_time() - begin
    alone = {
        name: [
            {"link_token": MAKER.tokens(Identity(r["given_name"], r["family_name"], r["birth_date"], r["town"]))[0]}
            for r in rows_of(path)
        ]
        for name, path in sorted(files.items())
    }  # fmt: skip
    tokens = figures(alone, truth)
    for pair, (precision, recall) in figures(copies, truth).items():
        scripts = " and ".join(LISTS[name] for name in pair)
        said = f"precision {precision:.4f}, recall {recall:.4f}, tokens alone {tokens[pair][1]:.4f}"
        record_property(scripts, said)
        assert precision >= 0.995, scripts
        assert recall >= 0.93, scripts
        assert recall > tokens[pair][1] + 0.2, scripts
    wrong = summary["expected_false_links"] / summary["links"]
    record_property("CPU s", f"{took:.1f}; expected false {wrong:.5f}")
    assert wrong < 0.005


@pytest.mark.skipif(not FEBRL.is_dir(), reason="the FEBRL data are not here")
def test_febrl_by_identifiers(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Nothing was chosen on these data: columns by their names, cut-offs by default."""
    begin = time.process_time()
    summary, copies = linked([FEBRL / "febrl4a.csv", FEBRL / "febrl4b.csv"], tmp_path / "out")
    took = time.process_time() - begin
    of = {row["b"]: row["a"] for row in rows_of(FEBRL / "febrl4_links.csv")}
    truth = {
        name: [of.get(row["rec_id"], row["rec_id"]) for row in rows_of(FEBRL / f"{name}.csv")]
        for name in copies
    }
    ((precision, recall),) = figures(copies, truth).values()
    record_property(
        "febrl4", f"precision {precision:.4f}, recall {recall:.4f}, {took:.1f} CPU s, "
        f"expected false {summary['expected_false_links']}, missed {summary['expected_missed_links']}"
    )  # fmt: skip
    assert precision >= 0.998
    assert recall >= 0.998
