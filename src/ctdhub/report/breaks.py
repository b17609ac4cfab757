"""Breaks that contributors declared, in the words of one language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from ctdhub.core.format import day, listed, set_apart
from ctdhub.core.i18n import _, current, said
from ctdhub.release.changes import BREAKS
from ctdhub.release.facts import PublicFacts
from ctdhub.report.called import called_all
from ctdhub.schema.labels import group_label, label
from ctdhub.schema.model import load_schema
from ctdhub.stats.breaks import DeclaredBreak


def break_sentence(found: DeclaredBreak, facts: PublicFacts | None = None) -> str:
    """Who declared a break, from which day on, why, and for what.

    Args:
        facts: for the contributor's name in the language in force; its one name without them.
    """
    why = said(BREAKS[found.kind])
    if found.note:
        why = _("{why} ({note})").format(why=why, note=set_apart(found.note))
    words = {
        "name": set_apart(called_all((found.name,), facts)[0]),
        "day": day(date.fromisoformat(found.day)),
        "why": why,
    }
    if not found.variables:
        return _(
            "A break was declared here: {name}, from {day} on: {why}. Figures before and after it "
            "are not comparable."
        ).format(**words)
    names = listed([_named(name) for name in found.variables])
    return _(
        "A break was declared here: {name}, from {day} on, for {variables}: {why}. Figures before "
        "and after it are not comparable."
    ).format(**words, variables=names)


def _named(variable: str) -> str:
    """A variable or a group in quotation marks; one of another schema by its own name."""
    lang = current()
    try:
        name = (group_label if variable in load_schema().groups else label)(variable, lang)
    except KeyError:
        name = variable
    return _("“{name}”").format(name=name)


def break_data(found: Sequence[DeclaredBreak]) -> list[dict[str, Any]]:
    """Breaks as plain values, with their sentences."""
    return [
        {
            "contributor": one.name,
            "date": one.day,
            "kind": one.kind,
            "variables": list(one.variables),
            "note": one.note,
            "sentence": break_sentence(one),
        }
        for one in found
    ]
