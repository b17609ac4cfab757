"""Each figure as files: ``<figure>.csv`` and ``<figure>.metadata.json``.

Belongs here: a figure's numbers for programs.  Does not belong here: words of a page.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

from ctdhub.insight import NumberCard, Row
from ctdhub.portal.figures import Figure

COLUMNS = ("kind", "people", "low", "high", "state", "share", "share_low", "share_high")


def write_charts(folder: Path, figures: tuple[Figure, ...]) -> None:
    """Write both files of every figure into a folder."""
    folder.mkdir(parents=True)
    for figure in figures:
        with (folder / f"{figure.id}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow([*_names(figure), *COLUMNS])
            writer.writerows(_line(figure, row) for row in figure.table.rows)
        meta = folder / f"{figure.id}.metadata.json"
        meta.write_text(json.dumps(_metadata(figure), ensure_ascii=False, indent=1) + "\n", "utf-8")


def _names(figure: Figure) -> tuple[str, ...]:
    many = len(figure.table.rows[0].codes) > 1
    return figure.table.variables if many or not _flags(figure) else ("flag",)


def _flags(figure: Figure) -> bool:
    return figure.table.variables[0].startswith("any_")


def _line(figure: Figure, row: Row) -> list[object]:
    codes = row.codes if len(row.codes) == len(_names(figure)) else ("",) * len(_names(figure))
    part = row.share
    return [
        *codes,
        row.kind,
        *(_whole(x) for x in (row.people.value, row.people.low, row.people.high)),
        row.people.state,
        *(("", "", "") if part is None else (_part(part, n) for n in ("value", "low", "high"))),
    ]


def _whole(value: float | None) -> str:
    return "" if value is None else str(round(value))


def _part(card: NumberCard, name: str) -> str:
    value = getattr(card, name)
    return "" if value is None or card.value is None else f"{value:.4f}"


def _metadata(figure: Figure) -> dict[str, object]:
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
        "caveat": base.caveat,
        "citation": base.citation,
        "contributors": list(base.contributors),
        "blanks": {
            "protected": "too few to show reliably, never zero",
            "not_recorded": "people whose answer is not known",
            "nobody_reports": "no contributor covers it",
            "not_measured": "this release holds no such table",
        },
    }
