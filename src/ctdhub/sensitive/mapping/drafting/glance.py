"""What stands in one column of an unknown file: its distinct texts, how often, and its lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

import pyarrow as pa

from ctdhub.core.tables import fold
from ctdhub.schema.countries import look_up
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary, word
from ctdhub.sensitive.mapping.parsers import elements_of, number_of

FEW = 80
"""Up to so many distinct texts a column is taken to be coded, and its texts may be shown."""

LOOKED_AT = 5_000
"""Distinct texts of a column that are looked at."""

WORDY = 60
"""Characters from which a text is a sentence of somebody and is never shown."""

SENTENCE = 9
"""Words from which it is one; labels of choices are shorter."""

SEPARATORS = (";", "|", ",", "،", "؛")

SORTED_LISTS = 3
"""Lists of several elements from which their order is evidence."""

_PLACEHOLDER = re.compile(r"[-\u2010-\u2015\u2212_.…/?]+")


@dataclass(frozen=True)
class Glance:
    """A column: its distinct texts with how often each stands, most frequent first.

    Attributes:
        name: its header.
        texts: texts that say something.
        empty: texts that mean "not recorded" in some language; of consent none does.
        rows: rows by text, of both.
        all: rows of the file.
        details: columns of the file that hold one choice each of this column's lists.
    """

    name: str
    texts: tuple[str, ...]
    empty: tuple[str, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    all: int = 0
    details: tuple[str, ...] = ()

    def share(self, test: Callable[[str], object]) -> float:
        """Share of the distinct texts for which the test holds, 0 where there are none."""
        return sum(bool(test(text)) for text in self.texts) / max(len(self.texts), 1)

    def rows_of(self, texts: Iterable[str]) -> int:
        """Rows that hold one of the texts."""
        return sum(self.rows.get(text, 0) for text in texts)

    def weight(self, texts: Iterable[str]) -> float:
        """The rows of some texts as a share of the rows of all texts that say something."""
        return self.rows_of(texts) / max(self.rows_of(self.texts), 1)

    @property
    def coded(self) -> bool:
        """Whether so few texts stand in the column that they are likely to be codes."""
        return 0 < len(self.texts) <= FEW

    @property
    def repeats(self) -> bool:
        """Whether a text stands in two rows or more on average; else texts may be names."""
        return sum(self.rows.values()) >= 2 * len(self.rows)

    @property
    def shown(self) -> bool:
        """Whether a draft may show the texts: few, repeated, and no sentences of somebody."""
        longest = max((len(text) for text in self.texts), default=0)
        most = max((len(text.split()) for text in self.texts), default=0)
        return self.coded and self.repeats and longest < WORDY and most < SENTENCE

    def separator(
        self,
        known: Dictionary[str, Collection[str]] | None = None,
        marks: Iterable[str] = SEPARATORS,
    ) -> str | None:
        """The mark between elements of lists, None where the cells are no lists.

        The first mark that some texts hold; a comma, of any script, in every fifth, for sentences
        hold it too.  A blank only where every piece of every text is one of the known words, no
        text of several is one as a whole, and two kinds meet in one cell.

        Args:
            known: words with the kinds that each names.
            marks: the marks to try.
        """
        for mark in marks:
            share = self.share(partial(_holds, mark))
            if share > (0.2 if mark in ",،" else 0.0):
                return mark
        named = known or {}
        cells = {word(text): [word(piece) for piece in text.split()] for text in self.texts}
        if not all(piece in named for pieces in cells.values() for piece in pieces):
            return None
        if any(len(pieces) > 1 and whole in named for whole, pieces in cells.items()):
            return None
        pairs = (pair for pieces in cells.values() for pair in combinations(pieces, 2))
        return " " if any({*named[a]}.isdisjoint(named[b]) for a, b in pairs) else None

    def sets(self, mark: str) -> bool:
        """Whether the lists are sorted and repeat nothing: sets, whose positions say nothing."""
        lists = [[e for e in elements_of(text, mark) if e] for text in self.texts if mark in text]
        lists = [elements for elements in lists if len(elements) > 1]
        return self.rows_of(t for t in self.texts if mark in t) >= SORTED_LISTS and all(
            [*map(fold, e)] == sorted({*map(fold, e)}) for e in lists
        )


def _holds(mark: str, text: str) -> bool:
    return mark in text


def glance(table: pa.Table, name: str) -> Glance:
    """Look at a column of a raw table."""
    counts = Counter(
        {e["values"]: e["counts"] for e in table[name].drop_null().value_counts().to_pylist()}
    )
    meant = vocabulary().meant_by(name)
    texts = [text for text, _n in counts.most_common(LOOKED_AT) if fold(text)]
    consent = vocabulary().about_consent(name)  # "none" and "refused" are answers there
    country = vocabulary().is_country(name)  # DK is Denmark there, elsewhere "don't know"
    empty = {
        text
        for text in texts
        if not consent
        and means_nothing(text)
        and word(text) not in meant
        and not (country and text.isupper() and look_up(text).alpha3)
    }
    details = (other for other in table.column_names if re.match(rf"{re.escape(name)}[/.:]", other))
    return Glance(
        name,
        tuple(text for text in texts if text not in empty),
        tuple(text for text in texts if text in empty),
        {text: counts[text] for text in texts},
        table.num_rows,
        tuple(details),
    )


def means_nothing(text: str) -> bool:
    """Of numbers only -99 counts, for 99 may be an age; "NA" never does, for it is Namibia."""
    plain = fold(text)
    if plain in ("-99", "n/a", "#n/a", "n/d", "#n/d", "s/d") or _PLACEHOLDER.fullmatch(plain):
        return True
    return word(text) in vocabulary().empty and number_of(plain) is None
