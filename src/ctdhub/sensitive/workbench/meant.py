"""What a text that no rule knows may mean, with the reason, for a person to say yes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctdhub.core.i18n import Named, Numeral, Text
from ctdhub.core.text import fold
from ctdhub.schema import countries
from ctdhub.schema.country_names import look_up, resolve
from ctdhub.schema.country_words import country_said
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE
from ctdhub.sensitive.mapping.age_proposals import MAJORITY, band_holding, side
from ctdhub.sensitive.mapping.ages import about, years_in
from ctdhub.sensitive.mapping.choice_words import spellings_of
from ctdhub.sensitive.mapping.decisions import NOT_RECORDED, OTHER_KIND, STAYS, Answer, Sheet
from ctdhub.sensitive.mapping.glance import means_nothing
from ctdhub.sensitive.mapping.header_words import word
from ctdhub.sensitive.mapping.nearest import nearest
from ctdhub.sensitive.mapping.vocabulary import vocabulary
from ctdhub.sensitive.workbench.clusters import fingerprint

LIKENESSES = 300
"""Texts for which a likeness is looked for; it costs the most."""


@dataclass(frozen=True)
class SuggestedCode:
    """What a text may mean.

    Attributes:
        codes: tokens, as decisions have them.
        reason: why.
        sure: whether the text itself says so; else it only looks like one that does.
    """

    codes: Answer
    reason: Text
    sure: bool

    def as_json(self) -> dict[str, Any]:
        """As ``ask`` says it."""
        return {"codes": [*self.codes], "reason": self.reason.as_json(), "sure": self.sure}


class Meant:
    """Finds what the texts of a sheet may mean.

    Args:
        sheet: the sheet.
        today: folded texts that the mapping reads already, and as what.
        likely: the choices that its texts are likely to mean.
    """

    def __init__(
        self,
        sheet: Sheet,
        today: Mapping[str, tuple[str, Answer]],
        likely: frozenset[str] = frozenset(),
    ) -> None:
        self._sheet = sheet
        variable = next(iter(sheet.places))
        self._variable = "" if sheet.flags else variable
        self._country = not sheet.flags and load_schema().variable(variable).kind == "country"
        self._fits = likely or frozenset(sheet.choices)
        self._words: dict[str, Answer] = {
            text: (token,)
            for text, token in spellings_of(sheet).items()
            if token in sheet.choices and (not likely or token in likely)
        }
        self._known = {key: answer for key, (_text, answer) in today.items() if answer != (STAYS,)}
        self._spelt = {key: text for key, (text, _answer) in today.items()}
        self._keys: dict[str, str] = {}
        for key in self._known:
            self._keys.setdefault(fingerprint(key), key)
        self._vocabulary = self._own_words(variable)
        self._left = LIKENESSES

    def _own_words(self, variable: str) -> dict[str, Answer]:
        own = vocabulary()
        if not self._sheet.flags:
            return {key: (code,) for key, code in own.codes.get(variable, {}).items()}
        flags = self._fits
        found: dict[str, Answer] = {}
        for key, meant in own.flags.items():
            fits = sorted(meant & flags)
            if len(fits) == 1:
                found[key] = (fits[0],)
        return found

    def __call__(self, text: str) -> SuggestedCode | None:
        """What a text may mean, None where nothing speaks for anything."""
        key, said = fold(text), word(text)
        if (codes := self._words.get(key)) is not None:
            return SuggestedCode(codes, Text("it is the name of this choice"), True)
        if said and (codes := self._vocabulary.get(said)) is not None:
            return SuggestedCode(codes, Text("a known word for this choice"), True)
        if self._variable in (AGE, MAJORITY) and (found := self._as_age(text)):
            return found
        if self._country and (found := self._as_country(text)):
            return found
        if means_nothing(text):
            return SuggestedCode((NOT_RECORDED,), Text("it means “not recorded”"), True)
        if (like := self._keys.get(fingerprint(text))) is not None:
            reason = Text("spelt like “{text}”", text=self._spelt[like])
            return SuggestedCode(self._known[like], reason, True)
        return self._by_likeness(key)

    def _as_age(self, text: str) -> SuggestedCode | None:
        """The band of ages; where they are of several, or not exact, a person decides."""
        years = years_in(text)
        if years is None:
            vague = Text("an approximate age: choose its band, or leave it not recorded")
            return None if about(text) is None else SuggestedCode((NOT_RECORDED,), vague, False)
        said = Text("ages {low} to {high}", low=Numeral(years.low), high=Numeral(years.high))
        code = band_holding(years, self._sheet.choices) if self._variable == AGE else side(years)
        if code is not None:
            return SuggestedCode((code,), said, True)
        several = Text("ages of more than one band: no code says so")
        return SuggestedCode((NOT_RECORDED,), several, False)

    def _as_country(self, text: str) -> SuggestedCode | None:
        code = look_up(text).alpha3 or country_said(text)
        if code is not None:
            return SuggestedCode((code,), Text("a name of this country"), True)
        code = resolve(text).nearest
        if code is None:
            return None
        named = Named.of(lambda language: countries.name(code, language))
        reason = Text("looks like “{text}”", text=named)
        return SuggestedCode((code,), reason, False)

    def _by_likeness(self, key: str) -> SuggestedCode | None:
        if self._left <= 0 or self._country:
            return None
        self._left -= 1
        names = {name: name for name in {**self._words, **self._known} if len(name) > 3}
        if len(key) <= 3:
            return None
        like = nearest(key, names) or self._by_stems(key)
        if like is None:
            return None
        if sorted(c for c in like if c.isdigit()) != sorted(c for c in key if c.isdigit()):
            return None
        codes = self._known.get(like) or self._words[like]
        if codes == (OTHER_KIND,):
            return None
        reason = Text("looks like “{text}”", text=self._spelt.get(like, like))
        return SuggestedCode(codes, reason, False)

    def _by_stems(self, key: str) -> str | None:
        """The one choice whose words begin as all those of a text do, or the other way round."""
        mine = stems(key)
        found: dict[Answer, str] = {}
        for name, answer in {**self._words, **self._known}.items():
            theirs = stems(name)
            if mine and theirs and (mine <= theirs or theirs <= mine):
                found.setdefault(answer, name)
        return next(iter(found.values())) if len(found) == 1 else None


def stems(text: str) -> frozenset[str]:
    """The first letters of the longer words of a text.

    >>> sorted(stems("Par une annonce en ligne"))
    ['annon', 'ligne']
    """
    return frozenset(word[:_STEM] for word in fingerprint(text).split() if len(word) >= _STEM)


_STEM = 5


def all_meant(meant: Meant, texts: Sequence[str]) -> dict[str, SuggestedCode]:
    """What several texts may mean, in their order; those without a suggestion are left out."""
    found = ((text, meant(text)) for text in texts)
    return {text: one for text, one in found if one is not None}
