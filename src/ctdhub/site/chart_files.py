"""Figures as files: ``<file>.csv`` and ``<file>.metadata.json``.

people-by-year, gender, …     the figures of the first page, each by itself
all-corridors                 every corridor that is shown
map-corridors, …              the maps of the page "Map", each also as ``<file>.svg``
trends-total, …               the charts of the page "Trends"
trends-total-change, …        their changes split, as .csv and .json
signals                       the page "Signals", also as ``signals.json``
assistance-gender, …          the charts of the page "Assistance" (``report.equity``)
mandated/<shape>/<country>    the tables for reports (``pages.mandated_files``)
estimates                     the page "Not seen", .json and .csv (``pages.estimates``)
places/<place>                all figures of a country or region; two more columns say which
stories/<story>-<number>      a figure of a story
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ctdhub.core.datafiles import write_csv, write_json
from ctdhub.release.open import Release
from ctdhub.report.balance import write_shifts
from ctdhub.report.equity import write_assistance
from ctdhub.report.figures import figures
from ctdhub.report.places import file as place_file
from ctdhub.report.places import listed_places, sides
from ctdhub.report.series import trends
from ctdhub.report.signal_charts import looked_for, write_signals
from ctdhub.report.wording import caveat, citation
from ctdhub.schema import countries
from ctdhub.schema.model import load_schema
from ctdhub.site.pages.corridors import FILE as CORRIDORS
from ctdhub.site.pages.corridors import figure as all_corridors
from ctdhub.site.pages.mandated_files import write_mandated
from ctdhub.site.pages.map import write_maps
from ctdhub.site.stories.page import story_figures
from ctdhub.site.stories.source import Story
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.tables import Row, Table

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


def write_charts(folder: Path, answers: Answers, told: Sequence[Story] = ()) -> None:
    """Write the files of every figure of the site and of its stories into a folder."""
    release = answers.release
    for figure in (*figures(answers), *story_figures(answers, told)):
        _write(folder / figure.file, [figure], release)
    if (found := all_corridors(answers)) is not None:
        _write(folder / CORRIDORS, [found], release)
    for drawn in write_maps(folder, answers):
        _write(folder / drawn.file, [drawn], release)
    for chart in trends(answers):
        _write(folder / chart.file, [chart], release)
        write_shifts(folder, chart.file, chart.shifts, release)
    write_signals(folder, looked_for(answers))
    write_assistance(folder, answers)
    write_mandated(folder, answers)
    for key in (*countries.regions(), *sorted(listed_places(answers))):
        found_here = [f for among in sides(key).values() for f in figures(answers, among)]
        if found_here:
            _write(folder / place_file(key), found_here, release, several=True)


def _write(
    path: Path, chosen: Sequence[Numbers], release: Release, *, several: bool = False
) -> None:
    """Both files of one figure, or of several, whose rows then begin with figure and variables."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("figure", "variables", "codes") if several else _names(chosen[0])
    lines = (
        _among_others(figure, row) if several else _line(figure, row)
        for figure in chosen
        for row in figure.table.rows
    )
    write_csv(path.with_name(f"{path.name}.csv"), [*names, *COLUMNS], lines)
    facts = [_metadata(figure, release) for figure in chosen]
    write_json(path.with_name(f"{path.name}.metadata.json"), facts if several else facts[0])


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
    return "" if value is None or card.value is None else f"{value:.4f}"


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
            "protected": "too few to show reliably, never zero",
            "not_recorded": "people whose answer is not known",
            "nobody_reports": "no contributor covers it",
            "not_measured": "this release holds no such table",
        },
    }
