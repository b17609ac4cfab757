"""How to quote and cite a chart, the cards of its numbers, and the code behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ctdhub.core.format import isolated, share
from ctdhub.core.i18n import _
from ctdhub.release.open import Release
from ctdhub.report.figures import Chart, Figure, source_line
from ctdhub.report.wording import called, caveat, citation, ranged, state_words

# --------------------------------------------------------------------------------------------------
# How to quote and cite a chart: a sentence, a citation, BibTeX and RIS, each with its address.
#
# The day of access is known only when somebody reads, so the page's script adds it.

_BIBTEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}
_FIELD = "{title}"
_HIDDEN = re.compile("[\u200e\u200f\u2066-\u2069\u061c]")
"""Characters that set the direction of text, which no reference manager wants."""


def quote(chart: Chart, release: Release, url: str) -> str:
    """The number that a chart leads with as a sentence, in the language in force: what it is, its
    interval, its base, what is counted, release, licence, address.

    Args:
        url: where the chart stands for good.
    """
    source = _source(release, url)
    if isinstance(chart, Figure) and (cells := _leading(chart)):
        names = ("label", "people", "low", "high", "share")
        values = dict(zip(names, cells, strict=True)) | {
            "what": chart.subtitle,
            "base": chart.base,
            "source": source,
        }
        return _filled(_with_share() if values["share"] != "–" else _without(), values)
    note = chart.base if isinstance(chart, Figure) else chart.note
    parts = (f"{chart.headline}.", f"{chart.subtitle}.", note, source)
    return " ".join(part for part in parts if part.strip("."))


def template(release: Release, *, shares: bool = True) -> str:
    """The sentence of any number of a table, with the fields {label}, {people}, {low}, {high},
    {share}, {what}, {base} and {url} that a script fills.

    Args:
        shares: False for a number without a share.
    """
    text = _with_share() if shares else _without()
    return _filled(text, {"source": _source(release, "{url}")})


def reference(chart: Chart, release: Release, url: str) -> str:
    """How to cite a chart, in the language in force."""
    return _("{citation} Chart: {title}. {url}").format(
        citation=citation(release), title=chart.subtitle, url=url
    )


def bibtex(id_: str, title: str, release: Release, url: str) -> str:
    """A chart as an entry of BibTeX; its parts may be fields that a script fills.

    Args:
        id_: of the chart, which ends the key of the entry.
    """
    facts = release.facts
    note = f"Release {release.version}. Licence: {facts.licence}. {_practice(release)}"
    fields = {
        "author": f"{{{_escaped(facts.hub)}}}",
        "title": f"{{{title if title == _FIELD else _escaped(title)}}}",
        "year": release.year,
        "version": release.version,
        "url": url,
        "note": _escaped(note.strip()),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{ctdhub-{release.version}-{id_},\n{lines}}}"


def ris(title: str, release: Release, url: str) -> str:
    """A chart as a record of RIS; its parts may be fields that a script fills."""
    facts = release.facts
    lines = (
        ("TY", "DATA"),
        ("AU", facts.hub),
        ("TI", title),
        ("PY", release.year),
        ("ET", f"Release {release.version}"),
        ("N1", f"Licence: {facts.licence}. {_practice(release)}".strip()),
        ("UR", url),
        ("ER", ""),
    )
    return "\n".join(f"{tag}  - {_one_line(value)}" for tag, value in lines)


def _with_share() -> str:
    return _(
        "{label}: {people} people ({low} to {high}); {share} of those recorded. {what}. {base} "
        "{source}"
    )


def _without() -> str:
    return _("{label}: {people} people ({low} to {high}). {what}. {base} {source}")


def _filled(text: str, values: dict[str, str]) -> str:
    """A text with some of its fields filled, in one go: what fills one is never read again."""
    names = "|".join(values)
    return re.sub(rf"\{{({names})\}}", lambda found: values[found[1]], text)


def _leading(figure: Figure) -> Sequence[str]:
    """Label and cells of the number that the figure leads with, () where none is shown.

    Charts of assistance have bars of several tables, and none of their own.
    """
    pairs = [
        (row, bar)
        for row, bar in zip(figure.table.rows, figure.bars, strict=False)
        if row.kind == "value" and row.people.value is not None and len(bar.cells) == 4
    ]
    if not pairs:
        return ()
    largest = figure.table.largest
    chosen = [bar for row, bar in pairs if row is largest]
    if not chosen:
        most = max(row.people.value or 0 for row, _bar in pairs)
        chosen = [bar for row, bar in pairs if figure.by_year or row.people.value == most][-1:]
    return (chosen[0].label, *chosen[0].cells)


def _source(release: Release, url: str) -> str:
    facts = release.facts
    text = _("{hub}, release {version}, licence: {licence}. {url}").format(
        hub=isolated(called(facts)),
        version=release.version,
        licence=facts.licence or _("not stated"),
        url=isolated(url),
    )
    practice = _("Practice data: fictitious.") if facts.invented else ""
    return f"{text} {practice}".strip()


def _practice(release: Release) -> str:
    return "Practice data: fictitious." if release.facts.invented else ""


def _one_line(text: str) -> str:
    return " ".join(_HIDDEN.sub("", text).split())


def _escaped(text: str) -> str:
    return "".join(_BIBTEX.get(sign, sign) for sign in _one_line(text))


# --------------------------------------------------------------------------------------------------
# The number cards of a page with figures: what each number of a table is about.


def common(release: Release) -> dict[str, Any]:
    """What all cards of a release have in common: values of the template ``card.html``."""
    return {
        "level": share(release.protected.guarantee.level),
        "names": [called(c) for c in release.facts.contributors],
        "caveat": caveat(),
        "citation": citation(release),
        "source": source_line(release, "{url}"),
        "quote": template(release),
        "plain": template(release, shares=False),
        "bibtex": bibtex("{id}", "{title}", release, "{url}"),
        "ris": ris("{title}", release, "{url}"),
        "day": release.manifest.created[:10],
    }


def base(figure: Figure) -> str:
    """The people whose answer is recorded, with their interval, or why there is no number."""
    return ranged(figure.table.base)


def missing(figure: Figure) -> str:
    """The share whose answer is not recorded, or that it was not measured."""
    part = figure.table.missing
    return state_words("not_measured") if part is None else share(part)


# --------------------------------------------------------------------------------------------------
# The code behind a chart: the exact call that gives its numbers, in Python, R, curl and SQL.
#
# A chart whose numbers are cells of one measured table names that table; any other, such as one of
# sums for a region, names its own file, which holds what the chart shows.

LARGEST = 2
"""Variables of a table that has a file of its own in the interface for programs."""


@dataclass(frozen=True)
class Snippet:
    """A few lines of one language: its name, and the lines."""

    language: str
    text: str


def snippets(figure: Figure, site: str, version: str) -> tuple[Snippet, ...]:
    """The calls for a figure.

    Args:
        site: public address of the site, with a slash at its end.
        version: of the release.
    """
    folder = f"{site}r/{version}"
    if not figure.measured:
        return _of_file(figure, f"{folder}/charts/{figure.file}.csv")
    names = figure.measured.split("*")
    only = {name: next(iter(codes)) for name, codes in figure.where.items()}
    return (
        Snippet("Python", _python(names, only, site, version)),
        Snippet("R", _r(names, only, folder)),
        Snippet("curl", _curl(names, folder)),
        Snippet("SQL (DuckDB)", _sql(names, only, folder)),
    )


def _python(names: Sequence[str], only: dict[str, str], site: str, version: str) -> str:
    lines = [
        "from ctdhub import open_site",
        "",
        f"site = open_site({_quoted(site)}, {_quoted(version)})",
        f"table = site.table({', '.join(map(_quoted, names))})",
    ]
    lines += [f"table = table[table[{_quoted(n)}] == {_quoted(c)}]" for n, c in only.items()]
    return "\n".join((*lines, "print(table)"))


def _r(names: Sequence[str], only: dict[str, str], folder: str) -> str:
    if len(names) > LARGEST:
        lines = [
            f"counts <- arrow::read_parquet({_quoted(f'{folder}/counts.parquet')})",
            f"wanted <- c({', '.join(map(_quoted, names))})",
            "rows <- counts[sapply(counts$columns, identical, wanted), ]",
        ]
        lines += [
            f"rows <- rows[sapply(rows$values, `[`, {1 + list(names).index(name)}) == "
            f"{_quoted(code)}, ]"
            for name, code in only.items()
        ]
    else:
        file = _quoted(f"{folder}/api/tables/{'-'.join(names)}.csv")
        lines = [f"rows <- read.csv({file}, colClasses = c({_text_columns(names)}))"]
        lines += [f"rows <- rows[rows${n} == {_quoted(c)}, ]" for n, c in only.items()]
    return "\n".join((*lines, "print(rows)"))


def _text_columns(names: Sequence[str]) -> str:
    """Codes are text: "9-17" is no date and "2015" no number."""
    return ", ".join(f'{name} = "character"' for name in names)


def _curl(names: Sequence[str], folder: str) -> str:
    if len(names) > LARGEST:
        return f"curl -O {_quoted(f'{folder}/counts.parquet')}"
    return f"curl {_quoted(f'{folder}/api/tables/' + '-'.join(names) + '.csv')}"


def _sql(names: Sequence[str], only: dict[str, str], folder: str) -> str:
    columns = ", ".join(f'"values"[{k}] AS {name}' for k, name in enumerate(names, 1))
    wanted = ", ".join(f"'{name}'" for name in names)
    text = (
        f"SELECT {columns}, count, low, high, state\nFROM '{folder}/counts.parquet'\n"
        f"WHERE columns = [{wanted}]"
    )
    for name, code in only.items():
        text += f"\n  AND \"values\"[{1 + list(names).index(name)}] = '{code}'"
    return f"{text};"


def _of_file(figure: Figure, address: str) -> tuple[Snippet, ...]:
    """Calls that read the file of a figure, and of its figures this one where it holds several."""
    several = figure.id != figure.file and figure.file.startswith("places/")
    one = _quoted(figure.id)
    python = f"import pandas\n\nrows = pandas.read_csv({_quoted(address)}, keep_default_na=False)"
    r = f"rows <- read.csv({_quoted(address)})"
    sql = f"SELECT * FROM read_csv('{address}', all_varchar = true)"
    if several:
        python += f'\nrows = rows[rows["figure"] == {one}]'
        r += f"\nrows <- rows[rows$figure == {one}, ]"
        sql += f"\nWHERE figure = '{figure.id}'"
    return (
        Snippet("Python", f"{python}\nprint(rows)"),
        Snippet("R", f"{r}\nprint(rows)"),
        Snippet("curl", f"curl {_quoted(address)}"),
        Snippet("SQL (DuckDB)", f"{sql};"),
    )


def _quoted(text: str) -> str:
    return json.dumps(text)
