"""Figures as files: ``<file>.csv`` and ``<file>.metadata.json``; each page writes its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ctdhub.core.datafiles import write_csv, write_json
from ctdhub.release.open import Release
from ctdhub.report.wording import caveat, citation
from ctdhub.schema.model import load_schema
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.table import Row, Table

CHARTS = "charts"
"""Folder of all charts' files, in the folder of the release; those with words by language."""
COLUMNS = ("kind", "people", "low", "high", "state", "share", "share_low", "share_high")


class Numbers(Protocol):
    """What a figure and a chart of trends have in common: a table, and words about it."""

    @property
    def id(self) -> str: ...
    @property
    def subtitle(self) -> str: ...
    @property
    def definition(self) -> str: ...
    @property
    def table(self) -> Table: ...


def write_figure(path: Path, figure: Numbers, release: Release) -> None:
    """Write both files of a figure.

    Args:
        path: of the files, without their endings; folders are made.
        release: that the figure is of.
    """
    names, rows = _names(figure), figure.table.rows
    _write(path, names, [_line(figure, row) for row in rows], _metadata(figure, release))


def write_figures(path: Path, chosen: Sequence[Numbers], release: Release) -> None:
    """Write several figures into one pair of files, whose rows begin with figure and variables."""
    lines = [_among_others(figure, row) for figure in chosen for row in figure.table.rows]
    facts = [_metadata(figure, release) for figure in chosen]
    _write(path, ("figure", "variables", "codes"), lines, facts)


def _write(
    path: Path, names: Sequence[str], lines: Sequence[Sequence[object]], facts: object
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(path.with_name(f"{path.name}.csv"), [*names, *COLUMNS], lines)
    write_json(path.with_name(f"{path.name}.metadata.json"), facts)


def _names(figure: Numbers) -> tuple[str, ...]:
    many = len(figure.table.rows[0].codes) > 1
    return figure.table.variables if many or not _flags(figure) else ("flag",)


def _flags(figure: Numbers) -> bool:
    return load_schema().is_indicator(figure.table.variables[0])


def _line(figure: Numbers, row: Row) -> list[object]:
    codes = row.codes if len(row.codes) == len(_names(figure)) else ("",) * len(_names(figure))
    part = row.share
    return [
        *codes,
        row.kind,
        *(_whole(x) for x in (row.people.value, row.people.low, row.people.high)),
        row.people.state,
        *(("", "", "") if part is None else (_part(part, n) for n in ("value", "low", "high"))),
    ]


def _among_others(figure: Numbers, row: Row) -> list[object]:
    """A row that begins with its figure, its variables, its codes."""
    names, line = _names(figure), _line(figure, row)
    codes = "|".join(str(code) for code in line[: len(names)])
    return [figure.id, "*".join(names), codes, *line[len(names) :]]


def _whole(value: float | None) -> str:
    return "" if value is None else str(round(value))


def _part(card: NumberCard, name: str) -> str:
    value = getattr(card, name)
    return "" if value is None or not card.has_range else f"{value:.4f}"


def _metadata(figure: Numbers, release: Release) -> dict[str, object]:
    base = figure.table.base
    return {
        "id": figure.id,
        "title": figure.subtitle,
        "definition": figure.definition,
        "denominator": {
            "people": base.value,
            "low": base.low,
            "high": base.high,
            "of": "people whose answer is recorded",
        },
        "missing_share": figure.table.missing,
        "interval_level": base.level,
        "caveat": caveat(),
        "citation": citation(release),
        "contributors": list(base.contributors),
        "blanks": {
            "imprecise": "the interval is too wide for one number: only its ends are given",
            "protected": "too few to show reliably, never zero",
            "not_recorded": "people whose answer is not known",
            "nobody_reports": "no contributor covers it",
            "not_measured": "this release holds no such table",
        },
    }
