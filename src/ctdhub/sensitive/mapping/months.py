"""Months by name, in the offered languages."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources

import yaml

_WORD = re.compile(r"\d+|[^\W\d_]+")
_SAME = str.maketrans({"ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه"})
_SIGNS = re.compile(r"[\w\s./,،'’°\-]*")


def parts_of(text: str) -> list[str | int] | None:
    """Numbers, as they are written, and months of a folded text, in order.

    A month that is named twice in a row (``آذار/مارس``) counts once.

    Returns:
        None where a word is neither a month nor goes with one, or a sign does not belong.

    >>> parts_of("jeudi 1er août 2020"), parts_of("12 تشرين الأول 2020"), parts_of("about 2020")
    (['1', 8, '2020'], ['12', 10, '2020'], None)
    """
    text = _bare(text)
    if not _SIGNS.fullmatch(text):
        return None
    months, beside = _words()
    found: list[str | int] = []
    words = _WORD.findall(text)
    while words:
        pair = " ".join(words[:2])
        if pair in months:
            month, words = months[pair], words[2:]
        elif words[0][0].isdecimal():
            found.append(words.pop(0))
            continue
        elif words[0] in months:
            month = months[words.pop(0)]
        elif words[0] in beside:
            words.pop(0)
            continue
        else:
            return None
        if not found or found[-1] != month:
            found.append(month)
    return found


def _bare(text: str) -> str:
    """A text without case, accents and vowel signs, its letters in one spelling."""
    apart = unicodedata.normalize("NFKD", text.lower().translate(_SAME))
    return "".join(c for c in apart if not unicodedata.combining(c) and c != "ـ")


@cache
def _words() -> tuple[dict[str, int], frozenset[str]]:
    """Words for months, and words that may stand beside them."""
    path = resources.files("ctdhub.sensitive.mapping") / "data" / "months.yaml"
    own = yaml.safe_load(path.read_text("utf-8"))
    beside = frozenset(_bare(word) for words in own.pop("beside") for word in words)
    return {
        " ".join(map(_bare, name.split())): month for month, names in own.items() for name in names
    }, beside
