"""What the rules of a mapping make of a table: values, faults and exclusions, in one pass.

Each distinct text of a column is trimmed, folded, taken apart and read once.  What a rule makes of
one column is worked out for its texts and not for its rows; results on different columns meet on
the rows, as numbers.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.i18n import LocalName, Text, in_english, joined
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.schema import countries
from ctdhub.schema.countries import look_up, resolve
from ctdhub.schema.model import Variable, load_schema
from ctdhub.sensitive.ingest.rejects import as_fields
from ctdhub.sensitive.ingest.shape.children import BLANK
from ctdhub.sensitive.mapping import parsers
from ctdhub.sensitive.mapping.dates import DAY_FIRST, DateForm, serial_dates
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary, word
from ctdhub.sensitive.mapping.mapping import Conditions, Exclusion, Mapping, Rule, Rules, followed

# --------------------------------------------------------------------------------------------------
# A table as codes of the distinct texts of its columns: each text is read once.

_FEW = 126
"""Texts of which a byte can hold the code, and one code more."""


def as_codes(table: pa.Table) -> pa.Table:
    """The table with each column of texts as one array of codes; ``_row`` stays.

    >>> codes = as_codes(pa.table({"a": ["x", None, "x"], "_row": [2, 3, 4]}))["a"]
    >>> codes.chunk(0).indices.to_pylist()
    [0, None, 0]
    """
    columns = []
    for name in table.column_names:
        column = table[name]
        if name != ROW and not pa.types.is_dictionary(column.type):
            column = narrow(column.cast(pa.string()).dictionary_encode().combine_chunks())
        columns.append(column)
    return pa.table(columns, names=table.column_names)


def narrow(coded: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same in a byte each, where the texts are few."""
    if len(coded.dictionary) > _FEW:
        return coded
    codes = coded.indices.cast(pa.int8(), safe=False)
    return pa.DictionaryArray.from_arrays(codes, coded.dictionary, safe=False)


# --------------------------------------------------------------------------------------------------
# The texts of a column that the rules of a mapping name, in the form in which texts are compared.
#
# A file asks this of each of its columns, so a mapping is gone through once.


class KnownTexts:
    """What the rules of a mapping name.

    Args:
        mapping: the mapping.

    Attributes:
        in_brackets: folded texts that begin like a list in brackets and that some rule names as
            they are, in any column.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._empty = frozenset(map(fold, mapping.empty))
        self._rules: dict[str, list[Rule]] = {}
        self._wanted: dict[str, set[str]] = {}
        every = {*mapping.empty}
        for _place, rule in mapping.uses():
            conditions = [rule.when]
            if isinstance(rule, Exclusion):
                conditions.append(rule.unless)
            else:
                every.update(rule.map or {}, rule.has, rule.known, rule.null_values)
                for column in {fold(source) for source in rule.source}:
                    self._rules.setdefault(column, []).append(rule)
            for name, wanted in (pair for c in conditions for pair in c.items()):
                self._wanted.setdefault(fold(name), set()).update(wanted)
                every.update(wanted)
        self.in_brackets = frozenset(t for t in map(fold, every) if t.startswith(parsers.OPENING))

    def texts(self, column: str) -> frozenset[str]:
        """Folded texts that some rule knows in a column, however it is split.

        Texts that mean "not recorded" count as known; :meth:`decided` leaves them out.
        """
        texts = {BLANK}
        for rule in self._rules.get(fold(column), ()):
            texts.update(rule.map or {}, rule.null_values)
        return self.decided(column) | self._empty | frozenset(map(fold, texts))

    def decided(self, column: str) -> frozenset[str]:
        """Folded texts of a column that say something: beside them what is absent is absent.

        A list that also holds "unknown" says of nothing that it is absent.
        """
        texts = {"", *self._wanted.get(fold(column), ())}
        for rule in self._rules.get(fold(column), ()):
            texts.update(rule.has, rule.known)
            texts.update(text for text, code in (rule.map or {}).items() if code is not None)
        return frozenset(map(fold, texts))


# --------------------------------------------------------------------------------------------------
# Why a rule rejects a row, and the sentence that says so.

FaultKind = Literal[
    "unknown-code", "unknown-country", "unparsable-date", "year-bounds", "age-bounds",
    "broken-list", "several-values",
]  # fmt: skip


_REASONS: dict[FaultKind, Text] = {
    "unknown-code": Text(
        "The value in {column} is not a code defined in the mapping or in {target}."
    ),
    "unknown-country": Text("The text in {column} is not a known name or code of a country."),
    "unparsable-date": Text(
        "The text in {column} is not a date whose year is certain. Dates are read as 2020-03-12, "
        "20200312, 12/03/2020, 12 March 2020 (in English, French, Spanish or Arabic), 03/2020, "
        "March 2020 or 2020; two-digit years where the mapping says their century under dates; "
        "Excel's numbers of days where the whole column holds them."
    ),
    "year-bounds": Text("The year in {column} is outside the hub's years."),
    "broken-list": Text(
        "The cell in {column} begins like a list in brackets but cannot be read as one: correct "
        "it, or name the text as it is in the rule."
    ),
    "several-values": Text(
        "The cell in {column} holds a list of several texts: give the rule split and take, or has."
    ),
    "age-bounds": Text("The age in {column} is below 0 or above 120."),
}


class Taken(NamedTuple):
    """How one value is taken out of a cell.

    Attributes:
        nulls: folded texts that mean "not recorded", for the cell and for each element.
        spelt: folded texts in brackets that the mapping names as they are: they are no lists.
        split: separator of a list; only white space means any white space.
        take: which element stands for the list.
    """

    nulls: frozenset[str]
    spelt: frozenset[str]
    split: str | None = None
    take: Literal["first", "last"] | None = None


@dataclass(frozen=True)
class Fault:
    """Why a rule rejects a row.

    Attributes:
        kind: the rule that is broken.
        target: the hub variable.
        column: the source column (the hub variable for a constant or ``from_hub``).
        text: for countries how the offending text is taken out of the cell.
    """

    kind: FaultKind
    target: str
    column: str
    text: Taken | None = None

    def reason(self) -> Text:
        """What is wrong, without the text that is."""
        target = {"target": self.target} if self.kind == "unknown-code" else {}
        return _REASONS[self.kind].holding(column=self.column, **target)

    def country_reason(self, text: str, search: bool) -> Text:
        """The reason with the nearest country name, which is public, in place of the text."""
        resolution = resolve(text) if search else None
        if resolution and resolution.several:
            return Text(
                "The text in {column} stands for several countries: decide in the map.",
                column=self.column,
            )
        if resolution and (code := resolution.nearest):
            name = LocalName.of(lambda lang: countries.name(code, lang))
            near = Text("The nearest name is {name} ({code}).", name=name, code=code)
            return joined([self.reason(), near], " ")
        return self.reason()


_FIELDS = ("target", "column", "rule", "reason", "fields")
LOCAL = pa.schema([("source_row", pa.int64()), *((name, pa.string()) for name in _FIELDS)])
"""A reject of a slice: the hub's reject table with the hub variable and without the file."""


def rejects_at(
    fault: Fault, rows: pa.Array, reasons: list[Text] | None = None, places: pa.Array = None
) -> pa.Table:
    """The rejects of rows for one fault.

    Args:
        fault: why.
        rows: their numbers.
        reasons: where they differ, each once, with the ``places`` of the rows among them.
    """
    said = reasons or [fault.reason()]
    places = pa.repeat(pa.scalar(0), len(rows)) if reasons is None else places
    same = (fault.target, fault.column, fault.kind)
    words = (pa.array([form(one) for one in said], pa.string()) for form in (in_english, as_fields))
    columns = [rows, *(pa.repeat(pa.scalar(one), len(rows)) for one in same)]
    return pa.table([*columns, *(each.take(places) for each in words)], LOCAL)


# --------------------------------------------------------------------------------------------------
# The rules of a mapping over a table.

Bools = NDArray[np.bool_]
Numbers = NDArray[np.int32]
"""Codes by ``TextTable.number``, 0 for null; or faults by ``TextTable.fault``, 0 for none."""
Places = NDArray[np.intp]
Texts = frozenset[str]
T = TypeVar("T")

# --------------------------------------------------------------------------------------------------
# The distinct texts of a column, and of a table.


@dataclass(frozen=True)
class Reader:
    """What a text says beside its own code.

    Attributes:
        kind: an alpha-3 code, a number, a band, an ISO date or a year.
        bands: the bands to choose from.
        dates: how dates are written.
        years: first and last year that a date can mean, both included.

    >>> Reader("country").read("Pérou"), Reader("year").read("3/2/2019"), Reader("number").read("x")
    ('PER', '2019', None)
    """

    kind: Literal["country", "number", "band", "date", "year"]
    bands: tuple[str, ...] = ()
    dates: DateForm = DAY_FIRST
    years: tuple[int, int] | None = None

    def read(self, cell: str) -> str | None:
        """What a trimmed text says, None where it says nothing of the kind."""
        if self.kind == "country":
            return look_up(cell).alpha3  # capitals count: NA is Namibia, na is not
        cell = fold(cell)
        match self.kind:
            case "number":
                return cell if parsers.number_of(cell) is not None else None
            case "band":
                return parsers.band_of(cell, self.bands)
            case "date":
                return self.dates.date(cell, self.years)
        return self.dates.year(cell, self.years)


class Elements(NamedTuple):
    """The texts of a column taken apart: the place of the text, and the piece, of each element."""

    of: Places
    piece: Places


class AnswerCache:
    """What was asked before is not worked out again; the latest answers are kept."""

    MOST = 400

    def __init__(self) -> None:
        self._cache: OrderedDict[Any, Any] = OrderedDict()

    def once(self, key: Any, made: Callable[[], T]) -> T:
        """The answer, worked out if it is not kept."""
        if key not in self._cache:
            self._cache[key] = made()
            while len(self._cache) > self.MOST:
                self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        answer: T = self._cache[key]
        return answer


class TextColumn(AnswerCache):
    """The distinct texts of a column; the empty cell stands behind them.

    Args:
        texts: each once.

    Attributes:
        size: how many there are, the empty cell among them.
        pieces: their trimmed texts, and those of their elements.
        cells: the piece of each text, -1 for the empty cell.

    >>> column = TextColumn(["a; B", "b", "-"])
    >>> column.some(column.elements(";"), frozenset({"-"}), column.among({"b"})).tolist()
    [True, True, False, False]
    """

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self.size = len(texts) + 1
        self.pieces: list[str] = []
        self._places: dict[str, int] = {}
        self._folds: dict[str, int] = {}
        self._fold_of: list[int] = []
        self.cells: Places = np.array([*(self._place(trim(t)) for t in texts), -1], np.intp)
        self._lists = [i for i, at in enumerate(self.cells[:-1])
                       if self.pieces[at].startswith(parsers.OPENING)]  # fmt: skip

    def _place(self, piece: str) -> int:
        place = self._places.setdefault(piece, len(self.pieces))
        if place == len(self.pieces):
            self.pieces.append(piece)
            self._fold_of.append(self._folds.setdefault(piece.lower(), len(self._folds)))
        return place

    def among(self, folded: Iterable[str]) -> Bools:
        """Which pieces are one of some folded texts."""
        mask = np.zeros(len(self._folds), bool)
        mask[[self._folds[text] for text in folded if text in self._folds]] = True
        return mask[np.array(self._fold_of, np.intp)]

    def empty(self, nulls: Texts) -> Bools:
        """Which texts, and the empty cell, are one of those that mean nothing."""
        return np.append(self.among(nulls), True)[self.cells]

    def broken(self, spelt: Texts) -> Bools:
        """Which texts begin like a list in brackets and cannot be read as one."""

        def mask() -> Bools:
            of = np.zeros(self.size, bool)
            of[[i for i in self._lists if parsers.broken(self.pieces[self.cells[i]], spelt)]] = True
            return of

        return self.once(("broken", spelt), mask)

    def several(self, spelt: Texts, nothing: Collection[str]) -> Bools:
        """Which texts are a list in brackets of several texts, those that mean nothing left out."""
        mask = np.zeros(self.size, bool)
        for i in self._lists:
            cell = self.pieces[self.cells[i]]
            filled = [e for e in parsers.listed(cell) or () if fold(e) not in nothing]
            mask[i] = len(filled) > 1 and fold(cell) not in spelt
        return mask

    def elements(
        self, split: str | None, spelt: Texts = frozenset(), *, kinds: bool = False,
        whole: Bools | None = None,
    ) -> Elements:  # fmt: skip
        """The texts taken apart.

        Args:
            split: separator of the lists.
            spelt: folded texts in brackets that the mapping names as they are: they are no lists.
            kinds: whether a list names kinds (``parsers.kinds_of``).
            whole: texts that are one element each.
        """
        of: list[int] = []
        pieces: list[int] = []
        denials = vocabulary().denials
        denies: dict[int, bool] = {}
        for i, cell in enumerate(self.cells[:-1].tolist()):
            text = self.pieces[cell]
            if (whole is not None and whole[i]) or (spelt and text.lower() in spelt):
                places = [cell]
            else:
                places = [self._place(e) for e in parsers.elements_of(text, split)]
            if kinds and len(places) > 1:
                for place in places:
                    if place not in denies:
                        denies[place] = word(self.pieces[place]) in denials
                if len({denies[place] for place in places if self.pieces[place]}) > 1:
                    places = [cell]
            of += [i] * len(places)
            pieces += places
        return Elements(np.array(of, np.intp), np.array(pieces, np.intp))

    def lists(self, split: str | None, spelt: Texts, *, kinds: bool = False) -> Elements:
        """The texts taken apart as rules do; see :meth:`elements`."""
        key = ("lists", split, kinds, spelt if self._lists else None)
        return self.once(key, lambda: self.elements(split, spelt, kinds=kinds))

    def some(self, lists: Elements, nulls: Texts, chosen: Bools | None = None) -> Bools:
        """Which texts have an element that is chosen and does not mean nothing."""
        wanted = ~self.among(nulls) if chosen is None else chosen & ~self.among(nulls)
        mask = np.zeros(self.size, bool)
        mask[lists.of[wanted[lists.piece]]] = True
        return mask & ~self.empty(nulls)

    def taken(self, how: Taken) -> Places:
        """The piece that stands for each text where a rule takes one value; -1 for none."""
        return self.once(("taken", how), lambda: self._taken(how))

    def _taken(self, how: Taken) -> Places:
        cells = np.where(self.empty(how.nulls), -1, self.cells)
        if how.split is None and not self._lists:
            return cells
        lists = self.lists(how.split, how.spelt)
        kept = ~self.among(how.nulls)[lists.piece]
        of, piece = lists.of[kept], lists.piece[kept]
        number = np.bincount(of, minlength=self.size)
        back = slice(None) if how.take == "last" else slice(None, None, -1)
        last = np.full(self.size, -1, np.intp)
        last[of[back]] = piece[back]
        apart = np.full(self.size, bool(how.split))
        apart[self._lists] |= number[self._lists] < 2
        return np.where(apart & (cells >= 0), last, cells)

    def read(self, reader: Reader, piece: int) -> str | None:
        """What a piece says; each is read once."""
        said: dict[int, str | None] = self.once(reader, dict)
        if piece not in said:
            said[piece] = reader.read(self.pieces[piece])
        return said[piece]

    def days(self, nulls: Texts, years: tuple[int, int]) -> dict[str, str] | None:
        """Numbered days by the folded text; None unless every text is one (``serial_dates``)."""
        folded = (self.pieces[at].lower() for at in self.cells[:-1].tolist())
        filled = (text for text in folded if text not in nulls)
        return self.once(("days", nulls, years), lambda: serial_dates(filled, years))


class Answer(NamedTuple):
    """What rules make of a table.

    Attributes:
        on: the column of whose texts this is; ``_row`` where it is of rows, None of all alike.
        values: numbers of codes.
        faults: numbers of faults.
    """

    on: str | None
    values: Numbers
    faults: Numbers


class TextTable(AnswerCache):
    """A table by the distinct texts of its columns.

    Args:
        table: text columns and ``_row``.

    Attributes:
        table: the same, as ``evaluation.as_codes`` gives it.
        numbers: those of the rows.
        faults: fault number n is ``faults[n - 1]``.
    """

    def __init__(self, table: pa.Table) -> None:
        super().__init__()
        self.table = as_codes(table)
        self.numbers: pa.Array = table[ROW].combine_chunks()
        self.header = parsers.Header(table.column_names)
        self.faults: list[Fault] = []
        self._codes: dict[str, Places] = {}
        self._columns: dict[str | None, TextColumn] = {}
        self._numbers: dict[str | None, int] = {None: 0}
        self._values: list[str | None] = [None]

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.table.num_rows)

    def on(self, column: str) -> str | None:
        """A column by the name that the table gives it, None where it is not there."""
        return self.header.find(column)

    def column(self, name: str | None) -> TextColumn:
        """The texts of a column; of one that is not there, the empty cell."""
        if name not in self._columns:
            self._columns[name] = TextColumn(() if name is None else self.texts(name))
        return self._columns[name]

    def texts(self, name: str) -> list[str]:
        """The texts of a column as they are written, each once."""
        texts: list[str] = self.table[name].combine_chunks().dictionary.to_pylist()
        return texts

    def size(self, on: str | None) -> int:
        """Of how many an answer on a column is."""
        return self.rows if on == ROW else self.column(on).size

    def codes(self, on: str) -> Places:
        """The place of each row's text among those of the column."""
        if on not in self._codes:
            column = self.table[on].combine_chunks()
            codes = column.indices.fill_null(len(column.dictionary)).to_numpy(zero_copy_only=False)
            self._codes[on] = codes
        return self._codes[on]

    def by_row(self, on: str | None, values: NDArray[Any]) -> NDArray[Any]:
        """What is so on a column, for each row."""
        if on is None:
            return np.broadcast_to(values, self.rows)
        return values if on == ROW else values[self.codes(on)]

    def number(self, value: str | None) -> int:
        """A value as a number that stays the same for this table; None is 0."""
        number = self._numbers.setdefault(value, len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number

    def value(self, number: int) -> str | None:
        """The value of such a number."""
        return self._values[number]

    def fault(self, fault: Fault) -> int:
        """A fault as such a number."""
        if fault not in self.faults:
            self.faults.append(fault)
        return self.faults.index(fault) + 1


# --------------------------------------------------------------------------------------------------
# Rules.

_BLANKS = frozenset({"", BLANK})


class _Cells(NamedTuple):
    """The texts that a rule reads, by their place among some; -1 for none."""

    on: str | None
    places: Places
    texts: Sequence[str]

    def each(self, made: Callable[[int], int], none: int = 0) -> Numbers:
        """What a function makes of each place."""
        used, back = np.unique(self.places, return_inverse=True)
        numbers = [none if place < 0 else made(place) for place in used.tolist()]
        return np.array(numbers, np.int32)[back.reshape(-1)]


class Evaluation:
    """What rules of a mapping make of a table.

    Args:
        mapping: the mapping.
        texts: the table.
        years: first and last year of the public bounds, both included.
        columns: the mapping's ``columns``, or those of its perpetrators.

    Attributes:
        answers: each variable's.
        known: what the mapping's rules name.
        numbered: columns of numbered days, with the day of each folded text.
    """

    def __init__(
        self, mapping: Mapping, texts: TextTable, years: tuple[int, int], columns: dict[str, Rules]
    ) -> None:
        self.mapping, self.texts, self.known = mapping, texts, KnownTexts(mapping)
        self._years, self._columns = years, columns
        self._empty = _BLANKS | {*map(fold, mapping.empty)}
        self._spelt = self.known.in_brackets
        self._whole = columns is mapping.columns
        """Whether the table is a file and not child rows: only then days may be numbered."""
        self.numbered: dict[str, dict[str, str]] = {}
        self.answers: dict[str, Answer] = {}
        for name in columns:
            self._target(name)
        self.answers = {name: self.answers[name] for name in columns}

    # What a rule reads.

    def reader(self, kind: Any, target: str = "", born: bool = False) -> Reader:
        """The reader of a kind; of days of birth earlier years are meant."""
        if kind == "band":
            return Reader(kind, bands=tuple(load_schema().domain(target)))
        if kind in ("date", "year"):
            first, last = self._years
            years = (first - parsers.OLDEST if born else first, last)
            return Reader(kind, dates=self.mapping.dates, years=years)
        return Reader(kind)

    def readers(self, rule: Rule, target: str) -> Iterator[tuple[str, Reader]]:
        """The columns of which a rule reads more than the text, with their readers."""
        if rule.at:
            yield rule.at, self.reader("date")
        for column in rule.source:
            if rule.at:
                yield column, self.reader("date", born=True)
            elif rule.band:
                yield column, self.reader("band", target)
                yield column, self.reader("number")
            elif rule.country:
                yield column, self.reader("country")
            elif load_schema().variable(target).kind == "year":
                yield column, self.reader("year")

    def _nulls(self, rule: Rule) -> Texts:
        nulled = (text for text, code in (rule.map or {}).items() if code is None)
        return self._empty | {fold(text) for text in (*rule.null_values, *nulled)}

    def taken(self, rule: Rule) -> Taken:
        """How a rule takes one value out of a cell."""
        return Taken(self._nulls(rule), self._spelt, rule.split, rule.take)

    def _cells(self, column: str, how: Taken) -> _Cells:
        on = self.texts.on(column)
        texts = self.texts.column(on)
        return _Cells(on, texts.taken(how), texts.pieces)

    def reading(self, column: str, reader: Reader, how: Taken) -> Callable[[int], str | None]:
        """How pieces of a column are read: as what they say, or as numbered days."""
        on = self.texts.on(column)
        texts = self.texts.column(on)
        if on is not None and reader.years and not how.split and self._whole:
            days = texts.days(how.nulls, reader.years)
            if days is not None:
                self.numbered[on] = days
                end = 4 if reader.kind == "year" else None
                return lambda piece: days.get(fold(texts.pieces[piece]), "")[:end] or None
        return lambda piece: texts.read(reader, piece)

    # What a rule makes of that.

    def _target(self, name: str) -> Answer:
        """The first rule that is not null wins; a fault before that stops the search."""
        if name not in self.answers:
            schema = load_schema()
            key = (name, self._whole, self._years, self.mapping.dates, self._empty, self._spelt)
            parts = [self._basis(other) for other in dict.fromkeys(followed(self._columns, name))]

            def made() -> tuple[Answer, dict[str, dict[str, str]]]:
                numbered, self.numbered = self.numbered, {}
                rules = [self._rule(r, schema.variable(name)) for r in self._columns[name]]
                own, self.numbered = self.numbered, numbered
                return reduce(self._else, rules), own

            self.answers[name], own = self.texts.once((*key, *parts), made)
            self.numbered |= own
        return self.answers[name]

    def _basis(self, name: str) -> tuple[Any, ...]:
        """All that the rules of a variable depend on, beside what holds for the whole mapping."""
        rules = self._columns[name]
        lists = {column for rule in rules if rule.has for column in rule.source}
        known = [(c, self.known.texts(c), self.known.decided(c)) for c in sorted(lists)]
        return name, *(r.model_dump_json(exclude_unset=True) for r in rules), *known

    def _else(self, first: Answer, then: Answer) -> Answer:
        on, a, b, fault, later = self._meet(
            (first.on, first.values), (then.on, then.values),
            (first.on, first.faults), (then.on, then.faults),
        )  # fmt: skip
        settled = (a != 0) | (fault != 0)
        return self._answer(on, np.where(a != 0, a, b), np.where(settled, fault, later))

    def _meet(self, *parts: tuple[str | None, NDArray[Any]]) -> tuple[Any, ...]:
        """Arrays on different columns as arrays on one, or on rows."""
        different = {on for on, _array in parts if on is not None}
        if len(different) < 2:
            return next(iter(different), None), *(array for _on, array in parts)
        return ROW, *(array if on is None else self.texts.by_row(on, array) for on, array in parts)

    def _answer(self, on: str | None, values: Any, faults: Any = 0) -> Answer:
        whole = np.zeros(self.texts.size(on), np.int32)
        return Answer(on, whole + np.asarray(values), whole + np.asarray(faults))

    def _rule(self, rule: Rule, variable: Variable) -> Answer:
        """What a rule makes of its columns, where its conditions hold."""
        if rule.value is not None and variable.kind == "year":
            year = np.array([int(rule.value)])
            answer = self._bounded(None, year, variable.name, variable.name, np.zeros(1, np.int32))
        elif rule.value is not None:
            answer = self._answer(None, self.texts.number(rule.value))
        elif rule.from_hub is not None:
            answer = self._one(rule, variable, rule.from_hub, self._of_hub(rule, rule.from_hub))
        else:
            of = [
                self._has(rule, variable, column)
                if rule.has
                else self._one(rule, variable, column, self._cells(column, self.taken(rule)))
                for column in rule.source
            ]
            answer = self._combined(of, variable.kind == "flag") if len(of) > 1 else of[0]
            if rule.doubts:
                answer = self._undecided(rule, answer)
        if not rule.when:
            return answer
        applies = self._all_hold(rule.when)
        on, values, faults, holds = self._meet(
            (answer.on, answer.values), (answer.on, answer.faults), applies
        )
        return self._answer(on, np.where(holds, values, 0), np.where(holds, faults, 0))

    def _of_hub(self, rule: Rule, name: str) -> _Cells:
        """The codes of another variable, whatever faults its row has."""
        of, nulls = self._target(name), self._nulls(rule)
        codes = ["", *(self.texts.value(n) or "" for n in range(1, of.values.max(initial=0) + 1))]
        null = np.array([not code or fold(code) in nulls for code in codes])
        return _Cells(of.on, np.where(null[of.values], -1, of.values).astype(np.intp), codes)

    def _combined(self, of: list[Answer], flag: bool) -> Answer:
        """Several columns: for a flag any yes, then any no; else the first that is not empty."""
        on, *arrays = self._meet(
            *((one.on, one.values) for one in of), *((one.on, one.faults) for one in of)
        )
        values = reduce(_first, arrays[: len(of)])
        if flag:
            yes = self.texts.number("yes")
            some = reduce(np.logical_or, [each == yes for each in arrays[: len(of)]])
            values = np.where(some, yes, values)
        return self._answer(on, values, reduce(_first, arrays[len(of) :]))

    def _has(self, rule: Rule, variable: Variable, column: str) -> Answer:
        """A flag by what is in a list."""
        on = self.texts.on(column)
        texts, nulls = self.texts.column(on), self._nulls(rule)
        lists = texts.lists(rule.split, self._spelt, kinds=True)
        yes, absent = self.texts.number("yes"), self.texts.number(rule.absent)
        some = texts.some(lists, nulls, texts.among(map(fold, rule.has)))
        values = np.where(some, yes, np.where(texts.some(lists, nulls), absent, 0))
        faults: Any = 0
        if rule.refuses:
            stray = texts.some(lists, nulls, ~texts.among(self.known.texts(column)))
            faults = np.where(stray, self._fault("unknown-code", variable.name, column), 0)
        return self._answer(on, values, faults)

    def _undecided(self, rule: Rule, answer: Answer) -> Answer:
        """A flag that is not yes is null where a column holds what no rule knows, or "unknown"."""
        strays = []
        for column in rule.source:
            on = self.texts.on(column)
            texts = self.texts.column(on)
            other = ~texts.among(self.known.decided(column))
            lists = texts.lists(rule.split, self._spelt, kinds=True)
            strays.append((on, texts.some(lists, frozenset({""}), other)))
        on, values, faults, *doubts = self._meet(
            (answer.on, answer.values), (answer.on, answer.faults), *strays
        )
        open_ = reduce(np.logical_or, doubts) & (values != self.texts.number("yes"))
        return self._answer(on, np.where(open_, 0, values), faults)

    def _one(self, rule: Rule, variable: Variable, column: str, cells: _Cells) -> Answer:
        """What a rule makes of the one value of a column."""
        target, number = variable.name, self.texts.number
        codes = {fold(t): code for t, code in (rule.map or {}).items() if code is not None}
        if rule.has:
            codes, absent = dict.fromkeys(map(fold, rule.has), "yes"), number(rule.absent)
            other = cells.each(lambda _place: absent)
            return self._answer(cells.on, _first(self._coded(cells, codes), other))
        if variable.kind == "year":
            return self._year(rule, target, column, cells, codes)
        if rule.at:
            return self._age_at(rule, target, column, cells, codes)
        fault: Any = self._fault("unknown-code", target, column)
        if rule.band:
            how = self.taken(rule)
            band = self.reading(column, self.reader("band", target), how)
            age = self.reading(column, self.reader("number"), how)
            beyond = self._fault("age-bounds", target, column)
            values = self._coded(cells, codes, band)
            aged = cells.each(lambda piece: age(piece) is not None)
            fault = np.where(aged, beyond, fault)
        elif rule.country:
            country = self.reading(column, self.reader("country"), self.taken(rule))
            values = self._coded(cells, codes, country)
            fault = self._fault("unknown-country", target, column, self.taken(rule))
        else:
            if variable.kind != "entity" and (not rule.map or rule.unknown == "keep"):
                codes = {fold(code): code for code in load_schema().recorded(target)} | codes
            values = self._coded(cells, codes)
        return self._answer(cells.on, values, _unless_null(rule, cells, values == 0, fault))

    def _coded(
        self, cells: _Cells, codes: dict[str, str],
        reading: Callable[[int], str | None] | None = None,
    ) -> Numbers:  # fmt: skip
        """The code of each text, else what it is read as."""

        def made(place: int) -> int:
            code = codes.get(fold(cells.texts[place]))
            if code is None and reading is not None:
                code = reading(place)
            return self.texts.number(code)

        return cells.each(made)

    def _year(
        self, rule: Rule, target: str, column: str, cells: _Cells, codes: dict[str, str]
    ) -> Answer:
        reading: Callable[[int], str | None] = cells.texts.__getitem__
        if rule.source:
            reading = self.reading(column, self.reader("year"), self.taken(rule))

        def made(place: int) -> int:
            year = codes.get(fold(cells.texts[place])) or reading(place) or ""
            return int(year) if year.isdecimal() else -1  # a hub code may be no number

        years = cells.each(made, -1)
        fault = self._fault("unparsable-date", target, column)
        unread = _unless_null(rule, cells, years < 0, fault)
        return self._bounded(cells.on, years, target, column, unread)

    def _bounded(
        self, on: str | None, years: Numbers, target: str, column: str, unread: Numbers
    ) -> Answer:
        """Years within the public bounds; -1 is none."""
        first, last = self._years
        numbers = np.array([self.texts.number(str(y)) for y in range(first, last + 1)] or [0])
        inside = (first <= years) & (years <= last)
        values = np.where(inside, numbers[np.clip(years - first, 0, len(numbers) - 1)], 0)
        outside = np.where(inside, 0, self._fault("year-bounds", target, column))
        return self._answer(on, values, np.where(years < 0, unread, outside))

    def _age_at(
        self, rule: Rule, target: str, column: str, cells: _Cells, codes: dict[str, str]
    ) -> Answer:
        assert rule.at is not None
        own, day = self.taken(rule), Taken(self._empty, self._spelt)
        then = self._cells(rule.at, day)
        coded = self._coded(cells, codes)
        born = cells.each(_day(self.reading(column, self.reader("date", born=True), own)))
        at = then.each(_day(self.reading(rule.at, self.reader("date"), day)))
        on, coded, born, filled, at, has_day = self._meet(
            (cells.on, coded), (cells.on, born), (cells.on, cells.places >= 0),
            (then.on, at), (then.on, then.places >= 0),
        )  # fmt: skip
        both = (born > 0) & (at > 0)
        age = np.where(both, at // 10_000 - born // 10_000 - (at % 10_000 < born % 10_000), -1)
        bands = load_schema().domain(target)
        highest = [int(band.partition("-")[2] or parsers.OLDEST) for band in bands]
        numbers = np.array([*map(self.texts.number, bands), 0])
        band = np.where(age < 0, 0, numbers[np.searchsorted(highest, age)])
        values = _first(coded, band)
        if rule.unknown == "null":
            return self._answer(on, values)
        fault = np.where(both, self._fault("age-bounds", target, column), 0)
        unread = self._fault("unparsable-date", target, rule.at)
        fault = np.where(has_day & (at == 0), unread, fault)
        fault = np.where(born == 0, self._fault("unparsable-date", target, column), fault)
        return self._answer(on, values, np.where(filled & (values == 0), fault, 0))

    def _fault(self, kind: FaultKind, target: str, column: str, text: Taken | None = None) -> int:
        return self.texts.fault(Fault(kind, target, column, text))

    # Conditions, and which rows are left out.

    def _holds(
        self, column: str, texts: Iterable[str], split: str | None = None, *, unless: bool = False
    ) -> tuple[str | None, Bools]:
        """Where a column, as a list if only of one text, holds one of the texts.

        Where rows are kept for what a column of consent holds (``unless``), no text is empty: a
        blank that is kept keeps no refusal.
        """
        on = self.texts.on(column)
        cells, wanted = self.texts.column(on), {*map(fold, texts)}
        nulls = _BLANKS if unless and vocabulary().about_consent(column) else self._empty
        lists = cells.lists(split, self._spelt)
        mask = cells.some(lists, nulls, cells.among(wanted))
        return on, mask | ~cells.some(lists, nulls) if wanted & nulls else mask

    def _all_hold(self, conditions: Conditions) -> tuple[str | None, Bools]:
        on, *masks = self._meet(*(self._holds(c, texts) for c, texts in conditions.items()))
        return on, reduce(np.logical_and, masks)

    def _excludes(self, exclusion: Exclusion) -> Bools:
        parts = [self._holds(c, t, exclusion.split) for c, t in exclusion.when.items()]
        for column, texts in exclusion.unless.items():
            on, kept = self._holds(column, texts, exclusion.split, unless=True)
            parts.append((on, ~kept))
        on, *all_ = self._meet(*parts)
        return self.texts.by_row(on, reduce(np.logical_and, all_))

    def excluded(self) -> Numbers:
        """For each row the first exclusion that leaves it out, from 1; 0 for none."""
        numbers = np.zeros(self.texts.rows, np.int32)
        for number, exclusion in reversed([*enumerate(self.mapping.exclude, 1)]):
            numbers[self._excludes(exclusion)] = number
        return numbers

    def brackets(self) -> Iterator[tuple[str, Answer]]:
        """Faults of cells that begin like a list in brackets and that a rule cannot read.

        Taken apart by another separator such a cell would say that everything is absent.  A column
        is looked at once for lists and once for single values; a rule that makes unknown texts null
        asks for none.
        """
        for target, column, single in _uses(self.mapping):
            on = self.texts.on(column)
            if on is None:
                continue
            texts = self.texts.column(on)
            number = self._fault("broken-list", target, column)
            faults = np.where(texts.broken(self._spelt), number, 0)
            if single:
                nothing = self.known.texts(column) - self.known.decided(column) | {""}
                several = texts.several(self._spelt, nothing) & (faults == 0)
                number = self._fault("several-values", target, column)
                faults = np.where(several, number, faults)
            if faults.any():
                yield column, self._answer(on, 0, faults)


def _uses(mapping: Mapping) -> Iterator[tuple[str, str, bool]]:
    """Target and column, and whether a rule reads one value of it; each column once for lists,
    which come first, and once for single values.
    """
    uses: dict[tuple[bool, str], tuple[str, str]] = {}
    for place, rule in mapping.uses():
        if isinstance(rule, Exclusion):
            for column in rule.columns():
                uses.setdefault((False, fold(column)), (column, column))
            continue
        for column in rule.columns() if rule.unknown != "null" else ():
            lists = rule.has or rule.split or place[0] == "perpetrators"
            single = column == rule.at or (column in rule.source and not lists)
            uses.setdefault((single, fold(column)), (str(place[-1]), column))
    for (single, _folded), (target, column) in sorted(uses.items(), key=lambda use: use[0][0]):
        yield target, column, single


def _first(a: Numbers, b: Numbers) -> Numbers:
    return np.where(a != 0, a, b)


def _unless_null(rule: Rule, cells: _Cells, unknown: Bools, fault: Any) -> Numbers:
    """The fault where a text is unknown; a rule that makes such texts null has none."""
    asked = (cells.places >= 0) & unknown & (rule.unknown != "null")
    return np.where(asked, fault, 0).astype(np.int32)


def _day(reading: Callable[[int], str | None]) -> Callable[[int], int]:
    """An ISO date as a number whose digits are year, month and day; 0 for none."""
    return lambda piece: int((reading(piece) or "0").replace("-", ""))
