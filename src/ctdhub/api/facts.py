"""The facts of a place, or of a whole release, in words of one language."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.report.facts import FORMS, headline_sheet, place_sheet
from ctdhub.schema.country_names import resolve
from ctdhub.schema.places import find_place
from ctdhub.stats.answers import Answers
from ctdhub.stats.headline import place_facts


@dataclass(frozen=True)
class FactsDocument:
    """Sentences and numbers with their intervals, as ``ctdhub facts`` states them.

    Attributes:
        title: the place, or the hub, in words.
        lang: the language, for example "fr".
    """

    title: str
    lang: str
    _text: str = field(repr=False)
    _markdown: str = field(repr=False)
    _json: str = field(repr=False)

    def to_text(self) -> str:
        """Sentences, what to know about them, the citation."""
        return self._text

    def to_markdown(self) -> str:
        """Sentences, a table of the numbers, the citation.

        >>> import ctdhub
        >>> facts = ctdhub.open_hub("my-hub").release().facts("ITA", lang="fr")
        >>> print(facts.to_markdown().splitlines()[0].split(",")[0])
        # Italie
        """
        return self._markdown

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, with the keys of ``ctdhub facts --format json``."""
        found: dict[str, Any] = json.loads(self._json)
        return found


def facts_of(
    answers: Answers, place: str | None, years: tuple[int, int] | None, lang: str
) -> FactsDocument:
    """See :meth:`ctdhub.api.release.PublishedRelease.facts`.

    Raises:
        QuestionError: no such language, place or years.
    """
    if lang not in LANGUAGES:
        raise error("usage/language", name="lang", values=", ".join(LANGUAGES))
    first, last = answers.release.years
    if years is not None and not first <= years[0] <= years[1] <= last:
        raise error("years/api", first=first, last=last)
    found = place and find_place(place, lambda text: resolve(text).alpha3)
    with language(lang):
        sheet = (
            place_sheet(place_facts(answers, found, years), answers.release)
            if found
            else headline_sheet(answers, years)
        )
        text, markdown, data = (FORMS[form](sheet) for form in ("text", "markdown", "json"))
    return FactsDocument(sheet.title, lang, text, markdown, data)
