"""Figures as files: ``<file>.csv``, its description by CSVW, and ``<file>.metadata.json``.

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
from ctdhub.report.figures import Chart, Figure, FigureBar, line_of
from ctdhub.report.trends import Trend
from ctdhub.report.wording import caveat, citation, file_numbers
from ctdhub.schema.model import SEX, load_schema
from ctdhub.site import frame
from ctdhub.site.edition import Content, Edition
from ctdhub.stats.cards import NumberCard, Row

CHARTS = "charts"
"""Folder of all charts' files, in the folder of the release; those with words by language."""
COLUMNS = (
    *("kind", "people", "low", "high", "state", "share", "share_low", "share_high"),
    *("filters", "release", "licence", "source_url"),
)
_NUMBERS = {
    **dict.fromkeys(("people", "low", "high"), "integer"),
    **dict.fromkeys(("share", "share_low", "share_high"), "number"),
}
CSVW = "http://www.w3.org/ns/csvw"


Numbers = Figure | Trend
"""Charts whose numbers are a table of cards."""


def write_figure(path: Path, figure: Numbers, content: Content) -> None:
    """Write the files of a figure.

    Args:
        path: of the files, without their endings, in the folder of charts; folders are made.
        content: what the figure is made of.
    """
    names, rows = _names(figure), figure.table.rows
    facts = _metadata(figure, content.release)
    _write(path, names, [_line(figure, row) for row in rows], facts, figure.caption, content)


def write_each(folder: Path, chosen: Iterable[Numbers], content: Content) -> None:
    """The files of several figures, each by itself, in the folder of a release."""
    for figure in chosen:
        write_figure(folder / CHARTS / figure.file, figure, content)


def write_figures(path: Path, chosen: Sequence[Numbers], content: Content) -> None:
    """Write several figures into the files of one, whose rows begin with figure and variables."""
    lines = [_among_others(figure, row) for figure in chosen for row in figure.table.rows]
    facts = [_metadata(figure, content.release) for figure in chosen]
    title = "; ".join(dict.fromkeys(figure.caption for figure in chosen))
    _write(path, ("figure", "variables", "codes"), lines, facts, title, content)


def _write(
    path: Path,
    names: Sequence[str],
    lines: Sequence[Sequence[object]],
    facts: object,
    title: str,
    content: Content,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = _source(path, content)
    end = (content.release.version, content.release.facts.licence, source)
    write_csv(path.with_name(f"{path.name}.csv"), [*names, *COLUMNS], [[*x, *end] for x in lines])
    write_json(path.with_name(f"{path.name}.metadata.json"), facts)
    columns = [
        {"name": column, "titles": column, "datatype": _NUMBERS.get(column, "string")}
        for column in (*names, *COLUMNS)
    ]
    own = {"url": f"{path.name}.csv", "dc:title": title, "dc:source": source}
    described = csvw(content.release, {**own, "tableSchema": {"columns": columns}})
    write_json(path.with_name(f"{path.name}.csv-metadata.json"), described)


def _source(path: Path, content: Content) -> str:
    """Where the CSV of a figure is published."""
    parts = path.parts
    inside = parts[len(parts) - parts[::-1].index(CHARTS) - 1 :] if CHARTS in parts else parts[-1:]
    return content.edition.sharing.place(f"r/{content.release.version}/{'/'.join(inside)}.csv")


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
    part = row.share
    return [
        *codes,
        row.kind,
        *file_numbers(row.people),
        row.people.state,
        *(("", "", "") if part is None else (_part(part, n) for n in ("value", "low", "high"))),
        _filters(figure),
    ]


def _filters(figure: Numbers) -> str:
    """The conditions that all people of the figure meet, as an address of the explorer has them."""
    where = figure.where if isinstance(figure, Figure) else {}
    return "&".join(
        f"{name}={','.join(code or '~' for code in sorted(codes))}" for name, codes in where.items()
    )


def _among_others(figure: Numbers, row: Row) -> list[object]:
    """A row that begins with its figure, its variables, its codes."""
    names, line = _names(figure), _line(figure, row)
    codes = "|".join(str(code) for code in line[: len(names)])
    return [figure.id, "*".join(names), codes, *line[len(names) :]]


def _part(card: NumberCard, name: str) -> str:
    value = getattr(card, name)
    return "" if value is None or not card.has_range else f"{value:.4f}"


def _metadata(figure: Numbers, release: Release) -> dict[str, object]:
    base = figure.table.base
    return {
        "id": figure.id,
        "title": figure.caption,
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


# --------------------------------------------------------------------------------------------------
# The picture of a figure on a page: bars, or a line of years; and what stands around it.

FEW = 3
"""Labels of blanks that stand in one line; of more, how many there are."""


def card_values(
    path: str, links: frame.Links, release: Release, edition: Edition
) -> dict[str, Any]:
    """What chart cards on a page need: values and functions of the templates.

    Args:
        path: of the page, in the folder of its language.
    """
    sharing, here = edition.sharing, frame.address(links.lang, release.version, path)
    root = sharing.public("") or frame.EXAMPLE

    def embed_address(figure: Chart) -> str:
        inside = frame.address(links.lang, release.version, frame.embed_path(figure.file))
        return f"{root}{inside}#{figure.id}"

    return {
        "here": sharing.place(here),
        "here_path": here,
        "public": bool(sharing.url),
        "root": root,
        "covered_years": span(release.years),
        "embed_address": embed_address,
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
    if figure.subject == SEX and figure.where and bars.fits(shown):
        return bars.draw_whole(shown, figure.id, rtl=rtl, whole=_known(figure, other=other))
    return bars.draw_bars(shown, figure.id, rtl=rtl)


def _known(figure: Figure, *, other: bool) -> float | None:
    """All people whose answer is recorded, in the unit of the picture."""
    in_people = (figure.unit == "people") is not other
    return figure.table.base.value if in_people else 1.0


def blanks(figure: Figure) -> str:
    """Which answers are not shown, in one line; empty where all are."""
    found = figure.not_shown
    if not found:
        return ""
    labels = _spans(figure) if figure.by_year else [bar.label for bar in found]
    if len(labels) > FEW and not figure.by_year:
        text = _("{n} answers").format(n=number(len(found)))
    else:
        text = listed(labels)
    return _("Not shown (not zero): {what}").format(what=text)


def at_most(bar: FigureBar) -> str:
    """A blank with its upper bound."""
    return _("{label}: at most {n}").format(label=bar.label, n=bar.cells[2])


def _spans(figure: Figure) -> list[str]:
    """Years that are not shown, those that follow each other as one span."""
    pairs = zip(figure.table.rows, figure.bars, strict=True)
    found: Sequence[int] = [
        int(row.codes[0]) for row, bar in pairs if bar.kind == "protected" and not bar.missing
    ]
    runs: list[list[int]] = []
    for when in found:
        if runs and when == runs[-1][-1] + 1:
            runs[-1].append(when)
        else:
            runs.append([when])
    return [year(r[0]) if len(r) == 1 else f"{year(r[0])}–{year(r[-1])}" for r in runs]
