"""How to quote and cite a chart, the cards of its numbers, and the code behind it."""

import json
import re
from collections.abc import Sequence
from typing import Any

from ctdhub.core.format import isolated, people_words, share, signs
from ctdhub.core.i18n import _
from ctdhub.release.open import Release
from ctdhub.report.figures import Chart, Figure, numbers_place, source_line
from ctdhub.report.wording import called, caveat, citation, ranged, state_words, word, written

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
    if isinstance(chart, Figure) and not chart.named and (cells := _leading(chart)):
        names = ("label", "people", "low", "high", "share")
        values = dict(zip(names, cells, strict=True)) | {
            "people": people_words(cells[1]),
            "what": chart.caption,
            "base": chart.base,
            "source": source,
        }
        shares = values["share"] != "–" and not chart.by_year
        return _filled(_with_share() if shares else _without(), values)
    note = chart.base if isinstance(chart, Figure) else chart.note
    parts = (f"{chart.headline}.", f"{chart.caption}.", note, source)
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
        citation=citation(release), title=chart.caption, url=url
    )


def bibtex(id_: str, title: str, release: Release, url: str) -> str:
    """A chart as an entry of BibTeX; its parts may be fields that a script fills.

    Args:
        id_: of the chart, which ends the key of the entry.
    """
    facts = release.facts
    fields = {
        "author": f"{{{_escaped(called(facts))}}}",
        "title": f"{{{title if title == _FIELD else _escaped(title)}}}",
        "year": release.year,
        "version": release.version,
        "url": url,
        "note": _escaped(f"{_edition(release)}. {_terms(release)}"),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{ctdhub-{release.version}-{id_},\n{lines}}}"


def ris(title: str, release: Release, url: str) -> str:
    """A chart as a record of RIS; its parts may be fields that a script fills."""
    lines = (
        ("TY", "DATA"),
        ("AU", called(release.facts)),
        ("TI", title),
        ("PY", release.year),
        ("ET", _edition(release)),
        ("N1", _terms(release)),
        ("UR", url),
        ("ER", ""),
    )
    return "\n".join(f"{tag}  - {_one_line(value)}" for tag, value in lines)


def _with_share() -> str:
    return _(
        "{label}: {people} ({low} to {high}); {share} of those recorded. {what}. {base} {source}"
    )


def _without() -> str:
    return _("{label}: {people} ({low} to {high}). {what}. {base} {source}")


def _filled(text: str, values: dict[str, str]) -> str:
    """A text with some of its fields filled, in one go: what fills one is never read again."""
    names = "|".join(values)
    return re.sub(rf"\{{({names})\}}", lambda match: values[match[1]], text)


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
    most = max(row.people.value or 0 for row, _bar in pairs)
    chosen = [bar for row, bar in pairs if figure.by_year or row.people.value == most][-1]
    return (chosen.label, *chosen.cells)


def _source(release: Release, url: str) -> str:
    facts = release.facts
    text = _("{hub}, release {version}, licence: {licence}. {url}").format(
        hub=isolated(called(facts)),
        version=release.version,
        licence=facts.licence or _("not stated"),
        url=isolated(url),
    )
    return f"{text} {_practice(release)}".strip()


def _edition(release: Release) -> str:
    return _("Release {version}").format(version=release.version)


def _terms(release: Release) -> str:
    licence = _("Licence: {licence}").format(licence=release.facts.licence or _("not stated"))
    return f"{licence}. {_practice(release)}".strip()


def _practice(release: Release) -> str:
    return _("Practice data: fictitious.") if release.facts.invented else ""


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
        "people": json.dumps(signs()["people"]),
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

CODE = {"python": "Python", "r": "R", "curl": "curl", "sql": "SQL (DuckDB)"}


def snippets(figure: Figure, site: str, version: str) -> tuple[tuple[str, str], ...]:
    """The calls for a figure: the name of each language, and its lines.

    Args:
        site: public address of the site, with a slash at its end.
        version: of the release.
    """
    folder = f"{site}r/{version}"
    values: tuple[object, ...]
    if figure.measured:
        names = figure.measured.split("*")
        only = {name: next(iter(codes)) for name, codes in figure.where.items()}
        kind, values = "table", (names, only, site, version, folder)
    else:
        name, rows = figure.numbers
        kind, values = "file", (site + numbers_place(name, version), rows)
    return tuple(
        (language, written("snippets.txt", f"{kind}_{name}", *values).rstrip("\n"))
        for name, language in CODE.items()
    )


@word
def quoted(*texts: str) -> str:
    """Texts as strings of a program."""
    return ", ".join(map(json.dumps, texts))
