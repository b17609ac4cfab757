"""Figures as files: ``<file>.csv``, and what it means as CSVW, ``<file>.csv-metadata.json``.

Each page writes its own.  A row says of whom it is, of which release, under what licence, and where
it was published, so that it can be cited when it has left its file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ctdhub.core.format import listed, number, span, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.core.tables import write_csv, write_json
from ctdhub.document.charts import bars, years
from ctdhub.release.open import Release
from ctdhub.report.citing import quote, reference, snippets
from ctdhub.report.figures import Figure, FigureBar, line_of, numbers_place
from ctdhub.report.trends import Trend
from ctdhub.report.wording import caveat, citation, file_numbers
from ctdhub.schema.model import load_schema
from ctdhub.site import frame
from ctdhub.site.edition import Content, Edition
from ctdhub.stats.cards import NumberCard, Row

CHARTS = "charts"
"""Folder of all charts' files, in the folder of the release; those with words by language."""
COLUMNS = (
    *("kind", "people", "low", "high", "state", "share", "share_low", "share_high"),
    *("denominator", "denominator_low", "denominator_high", "missing_share"),
    *("filters", "release", "licence", "source_url"),
)
_NUMBERS = {
    **dict.fromkeys(("people", "low", "high"), "integer"),
    **dict.fromkeys(("denominator", "denominator_low", "denominator_high"), "integer"),
    **dict.fromkeys(("share", "share_low", "share_high", "missing_share"), "number"),
}
BLANKS = {
    "imprecise": "The interval is too wide for one number: only its ends are given.",
    "protected": "Too few to show reliably, never zero.",
    "not_recorded": "The empty value: people whose answer is not known.",
    "nobody_reports": "A year outside the years of all contributors: there can be no count.",
    "not_measured": "This release holds no table that answers the question.",
}
"""What is said of each kind of blank in files for programs."""
CSVW = "http://www.w3.org/ns/csvw"


Numbers = Figure | Trend
"""Charts whose numbers are a table of cards."""


def write_figures(folder: Path, chosen: Iterable[Numbers], content: Content) -> None:
    """Write the files of figures, those of one subject of all places into one file.

    Args:
        folder: of the release; of the site for figures of stories.
        content: what the figures are made of.
    """
    files: dict[str, list[Numbers]] = {}
    for figure in chosen:
        files.setdefault(figure.numbers[0], []).append(figure)
    for name, figures in files.items():
        _write(folder / CHARTS, name, figures, content)


def _write(folder: Path, name: str, figures: Sequence[Numbers], content: Content) -> None:
    """Write a file of figures whose rows have the same columns, and what it means."""
    release, first = content.release, figures[0]
    path = folder / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    source = content.edition.sharing.place(numbers_place(name, release.version))
    end = (release.version, release.facts.licence, source)
    names = (*first.numbers[1], *_names(first), *COLUMNS)
    write_csv(path, names, [[*_line(f, row), *end] for f in figures for row in f.table.rows])
    columns = [{"name": n, "titles": n, "datatype": _NUMBERS.get(n, "string")} for n in names]
    own = {
        "url": path.name,
        "dc:title": first.subtitle if first.numbers[1] else first.caption,
        "dc:source": source,
        "tableSchema": {"columns": columns},
        "notes": [_meaning(first)],
    }
    write_json(path.with_name(f"{path.name}-metadata.json"), csvw(release, own))


def csvw(release: Release, own: Mapping[str, object]) -> dict[str, object]:
    """The description of CSV files that W3C's "CSV on the Web" looks for beside them.

    Args:
        own: what the files are, as a table or a group of tables.
    """
    facts = release.facts
    return {
        "@context": [CSVW, {"@language": "en"}],
        "dc:publisher": facts.hub,
        "dc:license": {"@id": facts.licence_url} if facts.licence_url else facts.licence,
        "dc:created": release.manifest.created[:10],
        "dc:description": caveat(),
        "dc:bibliographicCitation": citation(release),
        **own,
    }


def _names(figure: Numbers) -> tuple[str, ...]:
    many = len(figure.table.rows[0].codes) > 1
    return figure.table.variables if many or not _flags(figure) else ("flag",)


def _flags(figure: Numbers) -> bool:
    return load_schema().is_indicator(figure.table.variables[0])


def _line(figure: Numbers, row: Row) -> list[object]:
    codes = row.codes if len(row.codes) == len(_names(figure)) else ("",) * len(_names(figure))
    part, missing = row.share, figure.table.missing
    return [
        *figure.numbers[1].values(),
        *codes,
        row.kind,
        *file_numbers(row.people),
        row.people.state,
        *(("", "", "") if part is None else (_part(part, n) for n in ("value", "low", "high"))),
        *file_numbers(figure.table.base),
        "" if missing is None else f"{missing:.4f}",
        _filters(figure),
    ]


def _filters(figure: Numbers) -> str:
    """The conditions that all people of the figure meet, as an address of the explorer has them."""
    where = figure.where if isinstance(figure, Figure) else {}
    return "&".join(
        f"{name}={','.join(code or '~' for code in sorted(codes))}" for name, codes in where.items()
    )


def _part(card: NumberCard, name: str) -> str:
    value = getattr(card, name)
    return "" if value is None or not card.has_range else f"{value:.4f}"


def _meaning(figure: Numbers) -> dict[str, object]:
    """What the numbers of a figure are, of whatever place."""
    return {
        "definition": figure.definition,
        "denominator": "people whose answer is recorded",
        "missing_share": "share of all whose answer is not recorded",
        "interval_level": figure.table.base.level,
        "contributors": list(figure.table.base.contributors),
        "blanks": BLANKS,
    }


# --------------------------------------------------------------------------------------------------
# The picture of a figure on a page: bars, or a line of years; and what stands around it.

FEW = 3
"""Labels of blanks that stand in one line; of more, how many there are."""


def card_values(links: frame.Links, edition: Edition, release: Release) -> dict[str, Any]:
    """What chart cards on a page need: values and functions of the templates."""
    return {
        "here_path": frame.address(links.lang, links.path),
        "public": bool(edition.sharing.url),
        "root": edition.sharing.public("") or frame.EXAMPLE,
        "for_good": edition.sharing.place,
        "covered_years": span(release.years),
        "cited": frame.cited,
        "numbers_place": numbers_place,
        "embed_code": frame.embed_code,
        "plot": plot,
        "blanks": blanks,
        "at_most": at_most,
        "quote": quote,
        "reference": reference,
        "snippets": snippets,
        "figure_files": frame.figure_files,
        "chart_files": frame.chart_files,
        "onward": frame.onward,
    }


def plot(figure: Figure, *, other: bool = False) -> Markup:
    """The picture, in the language in force.

    Args:
        other: in the figure's other unit, people or shares.
    """
    rtl = current() in RIGHT_TO_LEFT
    if figure.by_year:
        return years.draw(line_of(figure), figure.id, rtl=rtl)
    shown = replace(figure, bars=figure.other).drawn if other else figure.drawn
    return bars.draw_bars(shown, rtl=rtl).chart(figure.id)


def blanks(figure: Figure) -> str:
    """Which answers are not shown, in one line; empty where all are."""
    gaps = figure.not_shown
    if not gaps:
        return ""
    labels = _spans(figure) if figure.by_year else [bar.label for bar in gaps]
    if len(labels) > FEW and not figure.by_year:
        text = _("{n} answers").format(n=number(len(gaps)))
    else:
        text = listed(labels)
    return _("Not shown (not zero): {what}").format(what=text)


def at_most(bar: FigureBar) -> str:
    """A blank with its upper bound."""
    return _("{label}: at most {n}").format(label=bar.label, n=bar.cells[2])


def _spans(figure: Figure) -> list[str]:
    """Years that are not shown, those that follow each other as one span."""
    pairs = zip(figure.table.rows, figure.bars, strict=True)
    gaps: Sequence[int] = [
        int(row.codes[0]) for row, bar in pairs if bar.kind == "protected" and not bar.missing
    ]
    runs: list[list[int]] = []
    for when in gaps:
        if runs and when == runs[-1][-1] + 1:
            runs[-1].append(when)
        else:
            runs.append([when])
    return [year(r[0]) if len(r) == 1 else f"{year(r[0])}–{year(r[-1])}" for r in runs]
