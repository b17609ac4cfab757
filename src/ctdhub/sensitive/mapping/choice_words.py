"""The choices of a sheet of decisions in words, and which of them a text is likest to."""

from __future__ import annotations

from functools import lru_cache

from ctdhub.core.i18n import LANGUAGES, _, current, language
from ctdhub.core.text import fold
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.mapping.decisions import (
    NOT_RECORDED,
    OTHER_KIND,
    STAYS,
    Answer,
    Sheet,
    TextAsked,
)
from ctdhub.sensitive.mapping.nearest import nearest


def spellings_of(sheet: Sheet) -> dict[str, str]:
    """Folded codes, and labels in every language that name one choice only."""
    found: dict[str, set[str]] = {}
    for code in LANGUAGES:
        with language(code):
            for token in sheet.tokens():
                found.setdefault(fold(choice_words(sheet, token)), set()).add(token)
    named = {text: next(iter(tokens)) for text, tokens in found.items() if len(tokens) == 1}
    return named | {fold(token): token for token in sheet.tokens()}


def choice_words(sheet: Sheet, token: str) -> str:
    """A choice in the language in force."""
    if token == NOT_RECORDED:
        return _("means: not recorded")
    if token == OTHER_KIND:
        return _("another kind, none of these")
    if token == STAYS:
        return _("may stay unknown")
    return _named(next(iter(sheet.places)), token, sheet.flags, current())


@lru_cache(maxsize=8_192)
def _named(variable: str, token: str, flags: bool, code: str) -> str:
    if flags:
        return label(token, code)
    if load_schema().variable(variable).kind == "country":
        return countries.name(token, code)
    return code_label(variable, token, code)


class LikestChoice:
    """Finds what a text may mean: the choice with that label, else the likest text or label."""

    def __init__(self, sheet: Sheet) -> None:
        self._known: dict[str, Answer] = {fold(q.text): q.today for q in sheet.questions if q.today}
        for text, token in spellings_of(sheet).items():
            if token in sheet.choices:
                self._known.setdefault(text, (token,))

    def __call__(self, question: TextAsked) -> Answer:
        text = fold(question.text)
        if text in self._known:
            return self._known[text]
        return nearest(text, self._known) or ()
