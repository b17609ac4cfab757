"""The question behind a number, in the words of one language."""

from __future__ import annotations

from ctdhub.core.format import listed, number, span
from ctdhub.core.i18n import _, current
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.roles import PERIOD
from ctdhub.stats.query import Query

FEW_CODES = 3


def asked(query: Query | None) -> str:
    """The question of a card in words: each condition with its answers, or how many there are."""
    if query is None:
        return "–"
    parts = []
    for name, held in query.where.items():
        codes = tuple(held)
        if name == PERIOD and all(codes):
            answers = span((int(codes[0]), int(codes[-1])))
        elif len(codes) <= FEW_CODES:
            answers = listed([code_label(name, c, current()) for c in codes])
        else:
            answers = _("{n} values").format(n=number(len(codes)))
        parts.append(
            _("{question}: {answers}").format(question=label(name, current()), answers=answers)
        )
    return _("; ").join(parts) or _("all people")
