"""The published counts as a spreadsheet for people: labels first, in one language; apart,
for it alone reads tables of Arrow here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.border import SHOWN
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, ngettext
from ctdhub.document.spreadsheet import Cell, PlainSheet, write_spreadsheet
from ctdhub.release.open import Release
from ctdhub.report.wording import caveat, citation, state_words
from ctdhub.schema.labels import code_label, label


def write_counts(path: Path, release: Release) -> None:
    """Write all published counts of a release in the language in force.

    Args:
        path: of the file, which ends with ``.xlsx``.
    """
    counts = release.protected.counts
    counts = counts.filter(pc.equal(counts["state"], SHOWN))
    sizes = pc.list_value_length(counts["columns"])
    sheets = [PlainSheet(_("About"), (24, 100), _about(release), heading=False)]
    for n in sorted(set(sizes.to_pylist()) - {0}):
        name = ngettext("{n} variable", "{n} variables", n).format(n=n)
        rows = _rows(n, counts.filter(pc.equal(sizes, n)))
        sheets.append(PlainSheet(name[:31], (*(28, 34) * n, 12, 14, 14), rows))
    write_spreadsheet(path, sheets, rtl=current() in RIGHT_TO_LEFT)


def _about(release: Release) -> Iterator[tuple[Cell, ...]]:
    people, facts = release.protected.people, release.facts
    if facts.invented:
        yield (
            _("Practice data"),
            _("Practice data: fictitious. No number on this page is about real people."),
        )
    yield _("People identified"), people.value
    yield _("Lower bound"), people.low
    yield _("Upper bound"), people.high
    yield _("How to read it"), caveat()
    yield (
        _("Not shown"),
        _(
            "A group that has no row here is not shown (below the reporting threshold); it "
            "is not zero."
        ),
    )
    yield _("Cite"), citation(release)
    yield _("Licence"), " ".join(x for x in (facts.licence, facts.licence_url) if x)


def _rows(n: int, counts: pa.Table) -> Iterator[tuple[Cell, ...]]:
    heads = (_("Variable"), _("Value"))
    yield (*heads * n, _("People"), _("Lower bound"), _("Upper bound"))
    lang, unknown = current(), state_words("not_recorded")

    @cache
    def words(name: str, code: str) -> tuple[str, str]:
        return label(name, lang), code_label(name, code, lang) if code else unknown

    parts = (counts[name].to_pylist() for name in ("columns", "values", "count", "low", "high"))
    for names, codes, *numbers in zip(*parts, strict=True):
        yield (*chain.from_iterable(map(words, names, codes)), *numbers)
