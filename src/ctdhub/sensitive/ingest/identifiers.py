"""Columns that are likely to identify a person directly, by their names and by their cells.

Looks at a sample spread evenly over the filled cells, the same each time, so the work is bounded;
only the sign @ is looked for everywhere.  A column that merely says yes or no is never a finding.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import Text, read_shipped
from ctdhub.sensitive.ingest.raw import RawTable, buffers

# --------------------------------------------------------------------------------------------------
# Words of column names that speak of direct identifiers, in the languages of contributors.

Kind = Literal[
    "name", "telephone", "email", "document_number", "case_number", "birth_date", "free_text"
]


_WORDS_OF = read_shipped(resources.files("ctdhub.sensitive.ingest") / "identifier_words.yaml")
PHRASES: dict[Kind, tuple[str, ...]] = {
    kind: tuple(said) for kind, said in _WORDS_OF["kinds"].items()
}
PLACE = tuple(_WORDS_OF["place"])
NOT_A_PERSON = frozenset(_WORDS_OF["no_person"])

_ALONE: dict[str, Kind] = {"id": "case_number", "pass": "document_number", "cell": "telephone"}
"""Words that mean something only as the whole name of a column."""

_PERHAPS = ("name", "names", "nom", "noms", "nombre", "nombres", "nome", "اسم", "الاسم", "mobile")


def words(header: str) -> tuple[str, ...]:
    """The words of a column name, small and without accents.

    >>> words("prs_FirstName"), words("Date de naissance"), words("IDNumber")
    (('prs', 'first', 'name'), ('date', 'de', 'naissance'), ('id', 'number'))
    """
    split = re.sub(r"(?<=[a-zà-ÿ0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", header)
    plain = "".join(c for c in unicodedata.normalize("NFKD", split) if not unicodedata.combining(c))
    return tuple(re.findall(r"[^\W_]+", plain.casefold()))


ROLE_WORDS = {role: frozenset(words(said)) for role, said in _WORDS_OF["roles"].items()}
"""Words of column names by what the column says of a person; ``where`` is that of a place."""


def kind_of(header: str) -> Kind | None:
    """The kind of identifier that a column name speaks of.

    >>> kind_of("prs_HomePhone"), kind_of("Nom de famille"), kind_of("org_Name"), kind_of("age")
    ('telephone', 'name', None, None)
    """
    terms = words(header)
    if len(terms) == 1 and terms[0] in _ALONE:
        return _ALONE[terms[0]]
    for kind, phrases in PHRASES.items():
        for phrase in phrases:
            if _has(terms, phrase) and not (phrase in _PERHAPS and NOT_A_PERSON & set(terms)):
                return kind
    return None


def is_place(header: str) -> bool:
    """Whether a column name speaks of an exact place.

    >>> is_place("prs_MailingStreet"), is_place("province")
    (True, False)
    """
    terms = words(header)
    return any(_has(terms, phrase) for phrase in PLACE)


def is_of_no_person(header: str) -> bool:
    """Whether a column name speaks of a country, an organisation or the like.

    >>> is_of_no_person("Country of origin"), is_of_no_person("ref")
    (True, False)
    """
    return not set(words(header)).isdisjoint(_WORDS_OF["bodies"])


def is_part_of_date(header: str) -> bool:
    """Whether a column name speaks of a day or a month.

    >>> is_part_of_date("birth_day"), is_part_of_date("birth_year")
    (True, False)
    """
    return not set(words(header)).isdisjoint(_WORDS_OF["date_parts"])


def _has(terms: tuple[str, ...], phrase: str) -> bool:
    return f" {phrase} " in f" {' '.join(terms)} "


SAMPLE = 3_000
"""Cells looked at in each column."""

ENOUGH = 20
"""Cells below which loose forms (codes, single words, sentences) prove nothing by not repeating."""

ALONE = 0.1
"""Share of cells with a piece of their own up to which a column may be a list of choices."""

A_FEW = 6
"""Cells from which strict forms (telephones, documents, full names) count."""

_EMAIL = r"[^\s@;,]+@[^\s@;,]+\.\pL{2,}"
_TELEPHONE = (
    r"^\s*(?:(?:\+|00)[\s(]*[1-9][\d\s().\-/]{6,20}|0[1-9][\d\s\-/]{7,14}"
    r"|\(?\d{2,4}\)?[\s.\-]\d{3,4}[\s.\-]\d{3,4})\s*$"
)
_DATE = (
    r"^\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    r"|\d{1,2}[\s\-]\pL{3,10}\.?[\s\-]\d{2,4}|\pL{3,10}\.?\s\d{1,2},?\s\d{4})(?:[T\s].*)?$"
)
_PACKED_DATE = r"^(?:(?:19|20)\d{2}[01]\d[0-3]\d|[0-3]\d[01]\d(?:19|20)\d{2}|[1-5]\d{4})$"
_WORDED_DATE = r"^\s*(?:\D*\pL\D*)?\d{1,2}(?:\D*\pL\D*|\D{1,3})\d{4}(?:\D.*)?$"
_DOCUMENT = r"^\s*(?:\pL{1,3}[\s\-]?\d{6,9}|[XYZ]?-?\d{7,8}-?\pL|\d{2}\pL{2}\d{5})\s*$"
_DIGITS = r"^\s*(?:\d[\s\-]?){8,19}\d\s*$"
_CALL = r"(?:^|[^\d.,+])\+[1-9](?:[\s().\-/]{0,2}\d){8,14}(?:\D|$)"
_WORDS = r"^\s*[\pL\pM][\pL\pM'’.\-]+(?:,?\s+[\pL\pM][\pL\pM'’.\-]*){1,4}\s*$"
_WORD = r"^\s*[\pL\pM][\pL\pM'’\-]{2,}\s*$"
_PART = r"^\s*(?:\d{1,2}|\pL{3,10}\.?)\s*$"
_KEY = r"^\s*(?:\pL*[\-_/.:#]?)*\d[\pL\d\-_/.:#]*\s*$"
_NUMBER = r"^\s*[+-]?\d{1,4}$|^\s*[+-]?\d*[.,]\d+(?:[eE][+-]?\d+)?\s*$|%\s*$"
_TIME = r"^\s*\d{1,2}:\d{2}"
_FULL_NAME = r"^\s*\p{Lu}[\pL'’.\-]+(?:\s+(?:\p{Lu}[\pL'’.\-]*|d[aei]l?|van|von|bin|al)){1,4}\s*$"
_COMMON = (
    r"(?i)^\s*(?:yes|no|y|n|true|false|t|f|0|1|-?99?|oui|non|si|sí|ja|nein|نعم|لا|na|n/a|null|none"
    r"|unknown|not specified|refused|inconnu|desconocido|don['’]t know|ne sait pas|nsp|no sabe"
    r"|não sabe|لا أعرف|لا يعرف|لا تعرف|[x✓?؟])\s*$"
)


@dataclass(frozen=True)
class IdentifierFinding:
    """A column that is likely to hold direct identifiers; never one of its values.

    Attributes:
        column: its name.
        kind: what it is likely to hold.
        share: share of the looked-at filled cells that have the form found, 0 to 1; 1 where the
            column name alone gives it away.
        reason: one translated sentence.
    """

    column: str
    kind: Kind
    share: float
    reason: Text

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError("a share lies between 0 and 1")


def _plain(cell: str) -> str:
    """The cell with digits of any script as 0 to 9 and without marks that nobody sees."""
    if cell.isascii():
        return cell
    kept = unicodedata.normalize("NFKC", cell)
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c
        for c in kept
        if unicodedata.category(c) != "Cf"
    )


def find_identifiers(raw: RawTable) -> tuple[IdentifierFinding, ...]:
    """Likely direct identifiers, at most one finding for a column, in the order of the columns.

    Cells of child rows are looked at one by one, not in the lists that they were folded into.
    """
    findings = (_look(name, _Column(raw.cells(name))) for name in raw.column_names())
    return tuple(finding for finding in findings if finding is not None)


class _Column:
    """Figures of a column, each found when asked for."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._whole = column
        filled = np.flatnonzero(column.is_valid().to_numpy()) if column.null_count else None
        n = len(column) if filled is None else len(filled)
        spread = np.unique(np.linspace(0, max(n - 1, 0), min(n, SAMPLE)).astype(np.int64))
        chosen = spread if filled is None else filled[spread]
        cells = column.take(pa.array(chosen, pa.int64())).combine_chunks()
        self.cells = pa.array([_plain(cell) for cell in cells.to_pylist()], pa.string())
        self.n = len(self.cells)

    def share(self, pattern: str) -> float:
        """Share of the looked-at cells that match."""
        return float(pc.mean(pc.match_substring_regex(self.cells, pattern)).as_py())

    @cached_property
    def distinct(self) -> float:
        """Different cells as a share of the looked-at cells."""
        return len(self.cells.unique()) / self.n

    @cached_property
    def spaces(self) -> float:
        """Mean number of blanks in a cell: one less than its words."""
        return float(pc.mean(pc.count_substring(self.cells, " ")).as_py())

    @cached_property
    def length(self) -> float:
        """Mean number of characters."""
        return float(pc.mean(pc.utf8_length(self.cells)).as_py())

    @cached_property
    def is_list(self) -> bool:
        """Whether most cells, or the pieces between semicolons, come from a short list.

        Where cells hold several pieces, pieces that come five times each are one already: notes do
        not repeat, and a file of few rows has no room for more.  Where many cells have a piece of
        their own among pieces that repeat, it is a note, or a name, in a list.
        """
        if self.alone > ALONE:
            return False
        pieces = pc.list_flatten(pc.split_pattern(self.cells, ";"))
        share = 0.2 if len(pieces) >= 2 * self.n else 0.1
        return len(pc.utf8_trim_whitespace(pieces).unique()) <= max(5, share * len(pieces))

    @cached_property
    def alone(self) -> float:
        """Share of the cells with a piece, of several, that is in no other: a note in a list."""
        cells = [
            {piece.strip() for piece in cell.split(";")} - {""}
            for cell in self.cells.to_pylist()
            if ";" in cell
        ]
        times = Counter(piece for pieces in cells for piece in pieces)
        own = sum(any(times[piece] == 1 for piece in pieces) for pieces in cells)
        return own / self.n

    @property
    def says_yes_or_no(self) -> bool:
        """Whether the column is a flag."""
        return bool(self.share(_COMMON) == 1)

    def email_share(self) -> float:
        """Share of e-mail addresses in the whole column if there is an @ anywhere, else 0."""
        if not any((buffers(c)[1] == 64).any() for c in self._whole.chunks if len(c)):
            return 0.0
        hits = pc.sum(pc.match_substring_regex(self._whole, _EMAIL)).as_py() or 0
        return float(hits / (len(self._whole) - self._whole.null_count))


Sign = tuple[Kind, float, Text]
"""A kind, the share of the cells that have its form, and the reason."""


def _look(name: str, column: _Column) -> IdentifierFinding | None:
    if not column.n or column.says_yes_or_no:
        return None
    sign = next((s for s in _signs(name, column) if s[1]), None)
    return IdentifierFinding(name, *sign) if sign else None


def _signs(name: str, column: _Column) -> Iterator[Sign]:
    """What a column may be, the surest first; the rest is not looked for once one is found."""
    yield "email", column.email_share(), Text("Cells hold e-mail addresses.")
    yield from _by_name(name, column)
    yield "telephone", column.share(_CALL), Text("Cells hold international telephone numbers.")
    if column.n >= A_FEW and column.distinct >= 0.3:
        yield from _by_form(column)
        if column.distinct >= 0.5 and not column.is_list:
            yield from _by_words(name, column)


_NAME_REASONS: dict[Kind, Text] = {
    "name": Text("The column name suggests a person's name."),
    "telephone": Text("The column name suggests a telephone number."),
    "email": Text("The column name suggests an e-mail address."),
    "document_number": Text("The column name suggests an identity document."),
    "case_number": Text("The column name suggests a case, file or client number."),
}


def _by_name(name: str, column: _Column) -> Iterator[Sign]:
    kind = kind_of(name)
    if kind == "birth_date":
        share = column.share(f"{_DATE}|{_PACKED_DATE}|{_WORDED_DATE}")
        reason = Text("The column name suggests a birth date, and cells contain exact dates.")
        yield kind, share * (share > 0.05), reason
        share = column.share(_PART) if is_part_of_date(name) else 0
        reason = Text("The column holds the day or month of birth, which with the year is a date.")
        yield kind, share * (share > 0.5), reason
    elif is_place(name):
        yield "free_text", 1.0, Text("The column name suggests an address or an exact place.")
    elif kind == "free_text":
        if column.spaces >= 2 and (column.n < ENOUGH or not column.is_list):
            yield kind, 1.0, Text("The column name suggests notes in free text.")
    elif kind is not None:
        yield kind, 1.0, _NAME_REASONS[kind]


def _by_form(column: _Column) -> Iterator[Sign]:
    share = column.share(_TELEPHONE)
    if share >= 0.5 and column.share(_DATE) < 0.5:
        yield "telephone", share, Text("Cells have the form of telephone numbers.")
    if column.distinct < 0.9:
        return
    # Long patterns of letters take longest, so they wait for what each match of them holds.
    share = max(column.share(r"\d{5}") > 0.7 and column.share(_DOCUMENT), column.share(_DIGITS))
    reason = Text("Cells have the form of passport or identity numbers and hardly repeat.")
    yield "document_number", share * (share >= 0.8), reason
    share = column.share(_KEY) if column.n >= ENOUGH else 0
    if share >= 0.9 and column.share(f"{_DATE}|{_NUMBER}|{_TIME}|{_PACKED_DATE}") < 0.2:
        yield "case_number", share, Text("Cells are codes that hardly repeat.")


def _by_words(name: str, column: _Column) -> Iterator[Sign]:
    any_script = column.distinct >= 0.9 and not is_of_no_person(name)  # also without capitals
    share = column.share(_WORDS if any_script else _FULL_NAME) if column.share(r"\s") > 0.7 else 0
    reason = Text("Cells have the form of full names and hardly repeat.")
    yield "name", share * (share >= 0.8), reason
    if column.n < ENOUGH:
        return
    share = column.share(_WORD) if any_script else 0
    reason = Text("Cells are single words that hardly repeat, as names and places are.")
    yield "name", share * (share >= 0.9), reason
    if column.spaces >= 4 and column.length >= 25:
        share = column.share(r"(?:\S*\s){4}")
        yield "free_text", share, Text("Cells hold sentences that hardly repeat.")
