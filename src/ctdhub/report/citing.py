"""How to quote and cite a chart: a sentence, a citation, BibTeX and RIS, each with its address.

The day of access is known only when somebody reads, so the page's script adds it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from ctdhub.core.format import isolated
from ctdhub.core.i18n import _
from ctdhub.release.open import Release
from ctdhub.report.called import called
from ctdhub.report.figures import Figure
from ctdhub.report.wording import citation

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


class Titled(Protocol):
    """What a figure and a chart of years have in common."""

    @property
    def id(self) -> str: ...
    @property
    def headline(self) -> str: ...
    @property
    def subtitle(self) -> str: ...
    @property
    def note(self) -> str: ...


def quote(chart: Titled, release: Release, url: str) -> str:
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


def reference(chart: Titled, release: Release, url: str) -> str:
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
