"""Which parts of a name tokens go by: the person's own, the family's, and what else there is.

The order of given and family name, what stands before or between them and how many there are
differ by language and by office.  What is decided here follows from one row and the public list
of names alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ctdhub.sensitive.linkage.pprl.name_list import COMMON, languages, listed, name_list, sound
from ctdhub.sensitive.linkage.pprl.phonetics import TITLES, parts
from ctdhub.sensitive.linkage.pprl.scripts import romanised

_ARTICLE = re.compile("(?:al|el)[- ]|ال", re.IGNORECASE)
_ARABIC = re.compile("[\u0600-\u06ff]")
_SYLLABLE = re.compile("[aeiouy]+")
_DOUBLED = re.compile(r"(.)\1+")
_VIETNAMESE = frozenset({"vietnamese"})
_NO_NAMES = ("thi", "van")
"""Vietnamese middle names that say woman and man."""

EUROPEAN = frozenset(("english", "romanian", "spanish", "nigerian"))
"""Languages of the list in which the last part is the family's, and others may stand between."""


@dataclass(frozen=True)
class Names:
    """What tokens are made of; all of it sounds, and none of it empty.

    Attributes:
        own: the person's own name.
        family: the family's name.
        other: the part that stands for the family's where an office chose another one.
        chain: names of father and grandfather may follow the own name and replace the family's.
        short: of one syllable each, so that vowels tell names apart.
        rare: the own name may stand alone beside a whole birth date.
    """

    own: str
    family: str
    other: str
    chain: bool = False
    short: bool = False
    rare: bool = False


@lru_cache(maxsize=200_000)
def names_of(given: str, family: str) -> Names | None:
    """The names in two cells; None with fewer than two parts.

    >>> names_of("Thị Lan", "Nguyễn") == names_of("Nguyen", "Lan")
    True
    >>> names_of("Bill", "Smith") == names_of("William", "Smyth")
    True
    """
    first, last = list(parts(given)), list(parts(family))
    if len(first) + len(last) < 2:
        return None
    if found := _vietnamese(given, family):
        return found
    if _turned(given, family, first, last):
        first, last = last, first
    spoken = _spoken(given + family, first + last)
    chain = [sound(part, frozenset(spoken)) for part in first + last]
    arabic, european = spoken["arabic"], max(spoken[some] for some in EUROPEAN)
    if arabic and arabic >= european:
        return Names(chain[0], chain[-1], chain[1], chain=True, rare=_rare(first + last))
    own = chain[0]
    if not first or not last:
        return Names(own, chain[-1], chain[-1])
    other = chain[-1] if european or len(first) == 1 else chain[1]
    return Names(own, chain[len(first)], other)


def _turned(given: str, family: str, first: Sequence[str], last: Sequence[str]) -> bool:
    """Whether the family name stands in the cell of the given name."""
    if not first or not last or _ARTICLE.match(family):
        return False
    if _ARTICLE.match(given):
        return True
    known, own, other = name_list(), first[0], last[0]
    return own in known.family and own not in known.given and other in known.given


def _spoken(text: str, every: Sequence[str]) -> Counter[str]:
    """How many parts are common in each language; Arabic letters are Arabic."""
    if _ARABIC.search(text):
        return Counter({"arabic": len(every)})
    return Counter(language for part in every for language in languages(part))


def _rare(chain: Sequence[str]) -> bool:
    """Whether the first of a chain is no common name, of a language that the list knows."""
    known, own = name_list(), chain[0]
    rank = known.given.get(own, {}).get("arabic")
    if rank is not None:
        return rank >= COMMON
    if listed(own, frozenset({"arabic"})):
        return False
    return any("arabic" in languages(part) for part in chain[1:])


def _vietnamese(given: str, family: str) -> Names | None:
    """Family name first or last, middle names with either, words of one syllable."""
    cells = [[_righted(p) for p in romanised(cell).split() if p not in TITLES]
             for cell in (given, family)]  # fmt: skip
    every = [part for cell in cells for part in cell]
    if not all(len(_SYLLABLE.findall(part)) == 1 and len(part) < 8 for part in every):
        return None
    known = sum(part in _NO_NAMES or "vietnamese" in languages(part) for part in every)
    ranks = {form: some["vietnamese"] for form, some in name_list().family.items()
             if "vietnamese" in some}  # fmt: skip
    if 2 * known < len(every) or not ranks.keys() & set(every):
        return None
    first, last = ([p for p in cell if p not in _NO_NAMES] or cell for cell in cells)
    if first and (not last or ranks.get(first[0], 99) < ranks.get(last[0], 99)):
        first, last = last, first
    own = first[-1] if first else last[-1]
    house = sound(last[0], _VIETNAMESE)
    return Names(_DOUBLED.sub(r"\1", own.replace("y", "i")), house, house, short=True)


def _righted(part: str) -> str:
    """The commonest family name put right where a letter is wrong."""
    return "nguyen" if listed(part, _VIETNAMESE) == "nguyen" else part


def beginning(name: str, more: int = 0) -> str:
    """How a name begins: two classes of consonants, three where a vowel comes first."""
    return name[: more + (3 if name[:1] == "a" else 2)]
