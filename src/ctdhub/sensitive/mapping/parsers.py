"""Readings of source columns: numbers, bands, lists in brackets, dates; each distinct text is
read once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from ctdhub.core.tables import fold, trim
from ctdhub.schema.countries import fold_name, look_up
from ctdhub.sensitive.mapping.dates import DAY_FIRST, DateForm, serial_dates
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
        found = json.loads(cell, parse_int=str, parse_float=str, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    if any(isinstance(element, list | dict) for element in found):
        return None
    return [_text(element) for element in found]


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
# Every function takes a folded text (``text.fold``) and gives null where the text says nothing of
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
# Views of source columns: each distinct text is read once, then put back where it stood.
#
# A view replaces each text by another or by null and never changes the number of rows, so a lookup
# cannot multiply them.

A_FEW = 1_000
"""Cells that are looked at before a whole column is."""

SEPARATOR = "\x1f"
"""Stands before, between and after the elements of a list."""


Reading = Literal["text", "list", "strays", "country", "number", "band", "date", "year"]
"""What a view makes of a text: the folded text, a list between separators, whether the cell or an
element of its list is none of the known texts, an alpha-3 code, a number, a band, an ISO date or
a year; all as text, null where the text says nothing of the kind."""


@dataclass(frozen=True)
class View:
    """One reading of one source column.

    Attributes:
        column: name of the source column.
        nulls: folded texts that mean "not recorded", for the cell and for each element.
        reading: what becomes of the text.
        split: separator of a list; only white space means any white space.
        take: which element stands for the list.
        bands: the bands to choose from.
        dates: how dates are written.
        years: first and last year that a date can mean, both included, where that is known.
        spelt: folded texts in brackets that the mapping names as they are: they are no lists.
        known: folded texts that some rule knows.
        kinds: whether the list names kinds, of which a denial that stands apart is none.

    >>> View("c", frozenset({""}), "list", split=";").read(" A;b ; ") == "\x1fa\x1fb\x1f"
    True
    >>> View("c", frozenset({"", "zz"}), "country", split=";", take="first").read("ZZ; Pérou")
    'PER'
    """

    column: str
    nulls: frozenset[str]
    reading: Reading = "text"
    split: str | None = None
    take: Literal["first", "last"] | None = None
    bands: tuple[str, ...] = ()
    dates: DateForm = DAY_FIRST
    years: tuple[int, int] | None = None
    known: frozenset[str] = frozenset()
    spelt: frozenset[str] = frozenset()
    kinds: bool = False

    def read(self, text: str) -> str | None:
        """What the text becomes."""
        cell = trim(text)
        if fold(cell) in self.nulls:
            return None
        if self.split or self.reading in ("list", "strays") or cell.startswith(OPENING):
            of = kinds_of if self.kinds else elements_of
            elements = [cell] if fold(cell) in self.spelt else of(cell, self.split)
            elements = [e for e in elements if fold(e) not in self.nulls]
            if not elements:
                return None
            if self.reading == "list":
                return SEPARATOR + SEPARATOR.join(map(fold, elements)) + SEPARATOR
            if self.reading == "strays":
                return None if all(fold(e) in self.known for e in elements) else "1"
            if self.split or len(elements) == 1:
                cell = elements[-1 if self.take == "last" else 0]
        if self.reading == "country":
            return look_up(cell).alpha3  # capitals count: NA is Namibia, na is not
        cell = fold(cell)
        match self.reading:
            case "number":
                return cell if number_of(cell) is not None else None
            case "band":
                return band_of(cell, self.bands)
            case "date":
                return self.dates.date(cell, self.years)
            case "year":
                return self.dates.year(cell, self.years)
        return cell

    def days(self, texts: Iterable[str]) -> dict[str, str] | None:
        """Numbered days as dates, or as their years; None where some text is no such day."""
        filled = {text: cell for text in texts if (cell := fold(text)) not in self.nulls}
        found = serial_dates(filled.values(), self.years) if self.years else None
        if found is None:
            return None
        end = 4 if self.reading == "year" else None
        return {text: found[cell][:end] for text, cell in filled.items()}


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
    if (found := listed(trim(text))) is not None:
        return found
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
    found = elements_of(text, split)
    denied = {word(e) in vocabulary().denials for e in found if e}
    return [trim(text)] if len(denied) > 1 else found


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
        found = self._folded.get(fold(name), [])
        return found[0] if len(found) == 1 else None


def serial_views(table: pa.Table, views: Iterable[View]) -> frozenset[View]:
    """The views of dates whose column holds days as Excel numbers them, and nothing else.

    Args:
        table: text columns of the whole file; a part of it could say otherwise than the rest.
    """
    header, found = Header(table.column_names), set()
    for view in views:
        source = header.find(view.column) if view.years and not view.split else None
        if source is not None and all(
            view.days(column.unique().drop_null().to_pylist())
            for column in (table[source].slice(0, A_FEW), table[source])
        ):
            found.add(view)
    return frozenset(found)
