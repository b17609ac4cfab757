"""Figures of one finished run: error of records and counts, corridors, coverage of intervals.

Belongs here: turning outputs and the true table into numbers; the error figures are those of
../shared/bench/score.py.  Does not belong here: comparing contenders, targets.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.coverage import Published, coverage
from engine.data import DataSet, load_script
from engine.store import Run

LENGTH = 3
PER_LENGTH = ("mpe_ge10", "supp_ge10", "fab_pct", "fab_mass_pct", "n_true", "n_out", "n_ge10")
RIGHT = 0.20
Pairs = Mapping[tuple[str, str], float]


def scores(run: Run, data: DataSet) -> dict[str, Any]:
    """All figures of a run; parts whose output is absent (not finished) are left out."""
    truth = data.read()
    ours = run.folder / "out"
    folder = ours if ours.exists() else run.folder
    result: dict[str, Any] = {"rows": len(truth)}
    if (folder / "records.csv").exists() and run.finished:
        records = pd.read_csv(folder / "records.csv", dtype=str, keep_default_na=False)
        result["records"] = error_figures(data, truth, records=records)
        if data.corridor:
            result["corridors_records"] = corridors(data, truth, pairs_of(records, data.corridor))
    counts: dict[str, float] | None = None
    if (folder / "counts.parquet").exists():
        published = Published.read(folder / "counts.parquet")
        counts = published.combinations(LENGTH)
        result["coverage"] = coverage(published, truth)
    elif (folder / "aggregates.csv").exists():
        counts = read_aggregates(folder / "aggregates.csv")
    if counts is not None:
        result["counts"] = error_figures(data, truth, counts=counts)
        if data.corridor:
            shown = pairs_in(counts, data.corridor)
            result["corridors_counts"] = corridors(data, truth, shown)
    return result


def error_figures(
    data: DataSet,
    truth: pd.DataFrame,
    records: pd.DataFrame | None = None,
    counts: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Distance of all 2-way and 3-way tables, and the errors of combinations of length 3."""
    scored = load_script("score").score(
        truth,
        records,
        counts,
        max_len=LENGTH,
        zero_is_value="ALL" if data.zero_is_value else "",
        tvd=records is not None,
    )
    part = scored["synthetic" if records is not None else "aggregate"]
    figures = {name: part[str(LENGTH)][name] for name in PER_LENGTH if str(LENGTH) in part}
    for name in ("tvd2", "tvd3", "max_tvd2", "records_out"):
        if name in part:
            figures[name] = part[name]
    return figures


def corridors(data: DataSet, truth: pd.DataFrame, shown: Pairs) -> dict[str, Any]:
    """Corridors (both countries recorded): share within 20 % of the truth, shown, false."""
    assert data.corridor is not None
    real = pairs_of(truth, data.corridor)
    figures: dict[str, Any] = {"true": len(real), "shown": len(shown)}
    figures["false"] = sum(1 for pair in shown if pair not in real)
    for least in (50, 100):
        large = {pair: count for pair, count in real.items() if count >= least}
        right = sum(abs(shown.get(p, 0) - count) <= RIGHT * count for p, count in large.items())
        figures[f"true_ge{least}"] = len(large)
        figures[f"right_ge{least}"] = 100 * right / len(large) if large else None
    return figures


def pairs_of(table: pd.DataFrame, columns: tuple[str, str]) -> dict[tuple[str, str], float]:
    """Rows of each pair of recorded values."""
    recorded = table[(table[columns[0]] != "") & (table[columns[1]] != "")]
    sizes = recorded.groupby(list(columns), observed=True).size()
    return {(str(a), str(b)): float(n) for (a, b), n in sizes.items()}


def pairs_in(counts: Mapping[str, float], columns: tuple[str, str]) -> dict[tuple[str, str], float]:
    """The counts of that pair of columns, out of selections such as `A:x;B:y`."""
    found: dict[tuple[str, str], float] = {}
    for selection, count in counts.items():
        if count <= 0 or selection.count(";") != 1:
            continue
        parts = dict(part.split(":", 1) for part in selection.split(";"))
        if parts.keys() == set(columns):
            found[parts[columns[0]], parts[columns[1]]] = count
    return found


def read_aggregates(path: Path) -> dict[str, float]:
    """A peer's aggregates: selections such as `A:x;B:y` and their counts."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return {selection: float(count) for selection, count in rows}


def floor(data: DataSet) -> dict[str, Any]:
    """The sampling floor: error of as many rows drawn from the truth with replacement."""
    truth = data.read()
    draw = np.random.default_rng(1).integers(0, len(truth), len(truth))
    return error_figures(data, truth, records=truth.iloc[draw].reset_index(drop=True))
