"""Readings of cells: lists, in brackets or with a separator, numbers and bands."""

import json
import re
from collections.abc import Iterable

from ctdhub.core.tables import fold, trim
from ctdhub.schema.countries import fold_name
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary, word

# --------------------------------------------------------------------------------------------------
# Lists in brackets, as JSON writes them: what some programs put into one cell of a table.

OPENING = ("[", "{")
"""A cell that begins with one of these and that no rule spells out is a list, or cannot be read."""


def listed(cell: str) -> list[str] | None:
    """The texts of a list in brackets, trimmed; None where the cell is no list of single values.

    >>> listed('["a", " b ", null, 7]'), listed("['a']"), listed('[["a"]]'), listed("a")
    (['a', 'b', '', '7'], None, None, None)
    """
    if not cell.startswith("["):
        return None
    try:
        elements = json.loads(cell, parse_int=str, parse_float=str, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    if any(isinstance(element, list | dict) for element in elements):
        return None
    return [_text(element) for element in elements]


def broken(cell: str, spelt: frozenset[str]) -> bool:
    """Whether a cell begins like a list in brackets, is none, and begins with no text of a rule.

    Args:
        cell: the trimmed cell.
        spelt: folded texts in brackets that some rule names as they are.

    >>> broken("['a']", frozenset()), broken("[1] x; [2] y", frozenset({"[1] x"}))
    (True, False)
    """
    begins = cell.startswith(OPENING) and not fold(cell).startswith(tuple(spelt))
    return begins and listed(cell) is None


def _text(element: str | bool | None) -> str:
    if isinstance(element, str):
        return trim(element)
    return "" if element is None else str(element).lower()


def _refused(constant: str) -> str:
    raise ValueError(constant)


# --------------------------------------------------------------------------------------------------
# One text to a number or a band.
#
# Every function takes a folded text (``tables.fold``) and gives null where the text says nothing of
# the kind.

OLDEST = 120
"""Ages above are taken for a slip of the pen (the oldest documented age is 122)."""

_NUMBER = re.compile(r"\d{1,9}(?:\.\d+|,(?!\d{3}$)\d+)?")
_DASH = re.compile(r"\s*[-\u2010-\u2015]+\s*|\s+(?:to|a|à)\s+")


def number_of(text: str) -> float | None:
    """The text as a number; a comma before three digits may stand for thousands and is not guessed.

    A plus before it may mean "and over" (``+18``), which is no number.

    >>> number_of("17"), number_of("17,5"), number_of("1,250"), number_of("about 17")
    (17.0, 17.5, None, None)
    """
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def band_of(text: str, bands: tuple[str, ...]) -> str | None:
    """The band of a number up to :data:`OLDEST`, or a band in another spelling.

    ``9-17`` holds 9 <= number < 18; ``48+`` holds 48 and more.

    >>> bands = ("0-8", "9-17", "48+")
    >>> [band_of(text, bands) for text in ("17.9", "09--17", "48 +", "20")]
    ['9-17', '9-17', '48+', None]
    """
    age = number_of(text)
    if age is None:
        spelt = re.sub(r"\b0+(?=\d)", "", _DASH.sub("-", text).replace(" +", "+"))
        return spelt if spelt in bands else None
    if age >= OLDEST + 1:
        return None
    return next((band for band in bands if holds(band, age)), None)


def holds(band: str, number: float) -> bool:
    """Whether a number lies in a band."""
    low, _dash, high = band.rstrip("+").partition("-")
    return number >= int(low) and (not high or number < int(high) + 1)


# --------------------------------------------------------------------------------------------------
# Lists in cells, and columns by their names.


def elements_of(text: str, split: str | None) -> list[str]:
    r"""The elements of a list in a cell, trimmed; empty ones are kept, for their position counts.

    A list in brackets is taken apart as JSON, whatever the separator.  Without a separator any
    other text is one element.  Letters of the separator may be small or large; a line end separates
    whole lines; any other white space separates words, unless one of them is a negation: such a
    cell is one text, which no rule for a word of it knows.

    >>> elements_of("a; ;b", ";"), elements_of("a  b", " "), elements_of("a b\nc", "\n")
    (['a', '', 'b'], ['a', 'b'], ['a b', 'c'])
    >>> elements_of("no sexual", " "), elements_of("sin explotación sexual", " ")
    (['no sexual'], ['sin explotación sexual'])
    >>> elements_of('["a, b", "c"]', ","), elements_of("a, b", None)
    (['a, b', 'c'], ['a, b'])
    """
    if (elements := listed(trim(text))) is not None:
        return elements
    if split is None:
        return [trim(text)]
    if mark := trim(split):
        return [trim(e) for e in re.split(re.escape(mark), text, flags=re.IGNORECASE)]
    if "\n" in split:
        return [trim(e) for e in text.splitlines()]
    words = [trim(e) for e in text.split()]
    whole = len(words) > 1 and not vocabulary().negations.isdisjoint(map(fold_name, words))
    return [trim(text)] if whole else words


def kinds_of(text: str, split: str | None) -> list[str]:
    """The elements of a list of kinds; a denial that stands apart leaves the cell one text.

    Nobody knows whether it denies what stands before it, behind it, or both.

    >>> kinds_of("sexual; labour", ";"), kinds_of("sexual; no", ";"), kinds_of("no; no", ";")
    (['sexual', 'labour'], ['sexual; no'], ['no', 'no'])
    """
    elements = elements_of(text, split)
    denied = {word(e) in vocabulary().denials for e in elements if e}
    return [trim(text)] if len(denied) > 1 else elements


class Header:
    """Finds the columns of a file by name: exactly, else without regard to case.

    >>> Header(["Sex", "age"]).find("sex")
    'Sex'
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = {name for name in names if name != "_row"}
        self._folded: dict[str, list[str]] = {}
        for name in sorted(self._exact):
            self._folded.setdefault(fold(name), []).append(name)

    def find(self, name: str) -> str | None:
        """The column's name in the file, None where it is absent or the case leaves a doubt."""
        if name in self._exact:
            return name
        names = self._folded.get(fold(name), [])
        return names[0] if len(names) == 1 else None
