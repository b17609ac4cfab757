"""The rules of a mapping as one Ibis expression over the views of the source columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from ctdhub.core.tables import fold
from ctdhub.schema.model import Variable, load_schema
from ctdhub.sensitive.ingest.shape.children import BLANK
from ctdhub.sensitive.mapping import parsers
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import OLDEST, SEPARATOR, Reading, View
from ctdhub.sensitive.mapping.row_faults import Fault
from ctdhub.sensitive.mapping.rule import Conditions, Exclusion, Rule, Rules
from ctdhub.sensitive.mapping.texts import KnownTexts

# --------------------------------------------------------------------------------------------------
# Which readings of which columns a mapping needs, and conditions on them.

_BLANKS = frozenset({"", BLANK})


class Readings:
    """The views that rules ask for; once all are known, they are columns of one table.

    Args:
        years: first and last year of the public bounds, both included.
    """

    def __init__(self, mapping: Mapping, years: tuple[int, int]) -> None:
        self._mapping = mapping
        self._years = years
        self._empty = _BLANKS | {*map(fold, mapping.empty)}
        self._known = KnownTexts(mapping)
        self._spelt = self._known.in_brackets
        self._table: ir.Table | None = None
        self.views: dict[View, str] = {}

    def table(self) -> ir.Table:
        """The table of all views asked for so far; its name is ``cells``."""
        columns = {"_row": "int64"} | dict.fromkeys(self.views.values(), "string")
        self._table = ibis.table(columns, name="cells")
        return self._table

    def view(self, rule: Rule, column: str, reading: Reading = "text") -> View:
        """The column as the rule wants it."""
        nulled = (text for text, code in (rule.map or {}).items() if code is None)
        nulls = self._empty | {fold(text) for text in (*rule.null_values, *nulled)}
        found = View(column, nulls, reading, rule.split, rule.take, spelt=self._spelt)
        found = replace(found, kinds=bool(rule.has))
        if reading not in ("date", "year"):
            return found
        first, last = self._years
        years = (first - OLDEST if rule.at else first, last)
        return replace(found, dates=self._mapping.dates, years=years)

    def banded(self, rule: Rule, column: str, target: str) -> View:
        bands = load_schema().domain(target)
        return replace(self.view(rule, column, "band"), bands=bands)

    def strays(self, rule: Rule, column: str) -> View:
        """Whether the list in a column holds what no rule knows."""
        known = self._known.known(column)
        return replace(self.view(rule, column, "strays"), known=known)

    def doubtful(self, rule: Rule, column: str) -> View:
        """Whether the list in a column holds what leaves it open whether anything is absent."""
        decided, nothing = self._known.decided(column), frozenset({""})
        return replace(self.view(rule, column, "strays"), known=decided, nulls=nothing)

    def asked(self, column: str, split: str | None = None, *, told: bool = False) -> View:
        """The column as a condition sees it: a list, if only of one text.

        Where rows are kept for what is ``told`` in a column of consent, no text is empty: a blank
        that is kept keeps no refusal.
        """
        told = told and vocabulary().about_consent(column)
        return View(column, _BLANKS if told else self._empty, "list", split, spelt=self._spelt)

    def day(self, column: str, reading: Reading = "date") -> View:
        """The column with the date at which an age is counted, of the years of records."""
        found = View(column, self._empty, reading, spelt=self._spelt)
        if reading != "date":
            return found
        return replace(found, dates=self._mapping.dates, years=self._years)

    def register(self, rule: Rule, target: str) -> None:
        """Ask for the views that a rule reads."""
        for column in rule.source:
            views = [self.view(rule, column, "list" if rule.has else "text")]
            if rule.refuses:
                views.append(self.strays(rule, column))
            if rule.doubts:
                views.append(self.doubtful(rule, column))
            if rule.at:
                views.append(self.view(rule, column, "date"))
            elif rule.band:
                views += [self.banded(rule, column, target), self.view(rule, column, "number")]
            elif rule.country:
                views.append(self.view(rule, column, "country"))
            elif load_schema().variable(target).kind == "year":
                views.append(self.view(rule, column, "year"))
            for view in views:
                self._name(view)
        for column in rule.when:
            self._name(self.asked(column))
        if rule.at:
            self._name(self.day(rule.at, "text"))
            self._name(self.day(rule.at))

    def register_exclusion(self, exclusion: Exclusion) -> None:
        """Ask for the views that an exclusion reads."""
        for column in exclusion.when:
            self._name(self.asked(column, exclusion.split))
        for column in exclusion.unless:
            self._name(self.asked(column, exclusion.split, told=True))

    def _name(self, view: View) -> None:
        self.views.setdefault(view, f"v{len(self.views)}")

    def cell(self, view: View) -> ir.StringValue:
        assert self._table is not None
        return self._table[self.views[view]]

    def holds(
        self, column: str, texts: tuple[str, ...], split: str | None = None, *, told: bool = False
    ) -> ir.BooleanValue:
        view = self.asked(column, split, told=told)
        cell, folded = self.cell(view), {fold(text) for text in texts}
        options = [cell.isnull()] if folded & view.nulls else []
        if wanted := sorted(folded - view.nulls):
            options.append(contains(cell, wanted))
        return reduce(or_, options)

    def all_hold(self, conditions: Conditions) -> ir.BooleanValue:
        return reduce(and_, (self.holds(c, texts) for c, texts in conditions.items()))

    def excludes(self, exclusion: Exclusion) -> ir.BooleanValue:
        held = [self.holds(c, t, exclusion.split) for c, t in exclusion.when.items()]
        unless = exclusion.unless.items()
        free = [~self.holds(c, t, exclusion.split, told=True) for c, t in unless]
        return reduce(and_, held + free)


def contains(lists: ir.StringValue, wanted: list[str]) -> ir.BooleanValue:
    """Whether a list between separators has one of the texts; false for null."""
    found = [lists.contains(SEPARATOR + text + SEPARATOR).fill_null(False) for text in wanted]
    while len(found) > 1:  # a tree and no chain, which Ibis would follow to its end by recursion
        found = [reduce(or_, found[at : at + 2]) for at in range(0, len(found), 2)]
    return found[0]


class Pair(NamedTuple):
    """A hub value and the number of the fault in its place (0 without one)."""

    value: ir.Value
    fault: ir.IntegerValue


@dataclass(frozen=True)
class Compiled:
    """An expression over the table ``cells`` and the key to its numbers.

    Attributes:
        views: the columns that ``cells`` must have, beside ``_row``.
        faults: fault number n is ``faults[n - 1]``.
        expression: ``_row``, ``_excluded`` (number of the exclusion, 0 without), one column per
            hub variable, one column ``fault:<variable>`` each.
    """

    views: dict[View, str]
    faults: tuple[Fault, ...]
    expression: ir.Table


def compile_rules(
    mapping: Mapping,
    columns: dict[str, Rules],
    years: tuple[int, int],
    names: Sequence[str],
    excluding: Sequence[Exclusion] = (),
) -> Compiled:
    """Compile rules of the mapping.

    Args:
        columns: the mapping's ``columns`` or those of its perpetrators.
        years: first and last year of the public bounds, both included.
        names: the hub variables to compile.
        excluding: which rows are left out (child rows never are).
    """
    readings = Readings(mapping, years)
    for name in followed(columns, names):
        for rule in columns[name]:
            readings.register(rule, name)
    for exclusion in excluding:
        readings.register_exclusion(exclusion)
    table = readings.table()
    compiler = _Compiler(readings, columns, years)
    pairs = {name: compiler.target(name) for name in names}
    excluded = ibis.literal(0, "int16")
    for i, exclusion in reversed(list(enumerate(excluding, 1))):
        excluded = readings.excludes(exclusion).ifelse(ibis.literal(i, "int16"), excluded)
    expression = table.select(
        table["_row"],
        _excluded=excluded,
        **{name: pair.value for name, pair in pairs.items()},
        **{f"fault:{name}": pair.fault.cast("int16") for name, pair in pairs.items()},
    )
    return Compiled(readings.views, tuple(compiler.faults), expression)


def followed(columns: dict[str, Rules], names: Iterable[str]) -> list[str]:
    """Hub variables and those that their rules follow (``from_hub``), each once."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting += [rule.from_hub for rule in columns[name] if rule.from_hub is not None]
    return found


def of_one_column(columns: dict[str, Rules]) -> dict[str, str | None]:
    """Hub variables that follow from the text of one column, which is named, or from none."""
    found: dict[str, str | None] = {}
    for name in columns:
        rules = [rule for other in followed(columns, [name]) for rule in columns[other]]
        sources = {column for rule in rules for column in rule.columns()}
        if len(sources) <= 1:
            found[name] = next(iter(sources), None)
    return found


class _Compiler:
    def __init__(
        self, readings: Readings, columns: dict[str, Rules], years: tuple[int, int]
    ) -> None:
        self.read, self.columns, self.years = readings, columns, years
        self.faults: list[Fault] = []
        self.done: dict[str, Pair] = {}

    def target(self, name: str) -> Pair:
        """The first rule that is not null wins; a fault before that stops the search."""
        if name not in self.done:
            variable = load_schema().variable(name)
            pairs = [self.rule(rule, variable) for rule in self.columns[name]]
            value, fault = pairs[-1]
            for before in reversed(pairs[:-1]):
                settled = before.value.notnull() | (before.fault != 0)
                value = ibis.coalesce(before.value, value)
                fault = settled.ifelse(before.fault, fault)
            self.done[name] = Pair(value, fault)
        return self.done[name]

    def rule(self, rule: Rule, variable: Variable) -> Pair:
        """What a rule makes of its columns, where its conditions hold."""
        if rule.value is not None and variable.kind == "year":
            pair = self._bounded(ibis.literal(int(rule.value)), variable.name, variable.name)
        elif rule.value is not None:
            pair = Pair(ibis.literal(rule.value), _NONE)
        elif rule.from_hub is not None:
            cell = self.target(rule.from_hub).value.cast("string").lower()
            nulls = sorted(self.read.view(rule, rule.from_hub).nulls)
            cell = cell.isin(nulls).ifelse(ibis.null("string"), cell)
            pair = self.one(rule, variable, rule.from_hub, cell)
        else:
            reading: Reading = "list" if rule.has else "text"
            pairs = [
                self.one(
                    rule, variable, column, self.read.cell(self.read.view(rule, column, reading))
                )
                for column in rule.source
            ]
            pair = _combined(pairs, variable.kind == "flag") if len(pairs) > 1 else pairs[0]
            if rule.doubts:
                pair = self._undecided(rule, pair)
        if not rule.when:
            return pair
        applies = self.read.all_hold(rule.when)
        nothing = ibis.null(pair.value.type())
        return Pair(applies.ifelse(pair.value, nothing), applies.ifelse(pair.fault, 0))

    def _undecided(self, rule: Rule, pair: Pair) -> Pair:
        """A flag that is not yes is null where a column holds what no rule knows, or "unknown"."""
        strays = [self.read.cell(self.read.doubtful(rule, c)).notnull() for c in rule.source]
        undecided = reduce(or_, strays) & (pair.value != "yes").fill_null(True)
        return Pair(undecided.ifelse(ibis.null("string"), pair.value), pair.fault)

    def one(self, rule: Rule, variable: Variable, column: str, cell: ir.StringValue) -> Pair:
        """What a rule makes of one column."""
        if rule.has:
            wanted = [fold(text) for text in rule.has]
            found = contains(cell, wanted) if rule.source else cell.isin(wanted)
            absent = ibis.literal(rule.absent) if rule.absent else ibis.null("string")
            other = cell.notnull().ifelse(absent, ibis.null("string"))
            fault = _NONE
            if rule.refuses:
                strays = self.read.cell(self.read.strays(rule, column))
                number = self._number(Fault("unknown-code", variable.name, column))
                fault = strays.notnull().ifelse(number, 0)
            return Pair(found.fill_null(False).ifelse("yes", other), fault)
        codes = {fold(t): code for t, code in (rule.map or {}).items() if code is not None}
        if variable.kind == "year":
            return self._year(rule, variable.name, column, cell, codes)
        if rule.at:
            return self._age_at(rule, variable.name, column, cell, codes)
        if rule.band:
            return self._band(rule, variable.name, column, cell, codes)
        if rule.country:
            value = _first(codes, cell, self.read.cell(self.read.view(rule, column, "country")))
            fault = Fault("unknown-country", variable.name, column, self.read.view(rule, column))
            return Pair(value, self._unless_null(rule, cell, value, fault))
        if not rule.map or rule.unknown == "keep":
            codes = {fold(code): code for code in load_schema().recorded(variable.name)} | codes
        value = _first(codes, cell)
        fault = Fault("unknown-code", variable.name, column)
        return Pair(value, self._unless_null(rule, cell, value, fault))

    def _year(
        self, rule: Rule, target: str, column: str, cell: ir.StringValue, codes: dict[str, str]
    ) -> Pair:
        read = self.read.cell(self.read.view(rule, column, "year")) if rule.source else cell
        year = _first(codes, cell, read).try_cast("int64")  # a hub code may be no number
        pair = self._bounded(year, target, column)
        unread = self._unless_null(rule, cell, year, Fault("unparsable-date", target, column))
        return Pair(pair.value, year.isnull().ifelse(unread, pair.fault))

    def _bounded(self, year: ir.IntegerValue, target: str, column: str) -> Pair:
        inside = year.between(*self.years)
        number = self._number(Fault("year-bounds", target, column))
        return Pair(
            inside.ifelse(year, ibis.null("int64")).cast("int16"),
            (year.notnull() & ~inside).ifelse(number, 0),
        )

    def _band(
        self, rule: Rule, target: str, column: str, cell: ir.StringValue, codes: dict[str, str]
    ) -> Pair:
        value = _first(codes, cell, self.read.cell(self.read.banded(rule, column, target)))
        number = self.read.cell(self.read.view(rule, column, "number"))
        unknown = self._unless_null(rule, cell, value, Fault("unknown-code", target, column))
        beyond = self._unless_null(rule, cell, value, Fault("age-bounds", target, column))
        return Pair(value, number.notnull().ifelse(beyond, unknown))

    def _age_at(
        self, rule: Rule, target: str, column: str, cell: ir.StringValue, codes: dict[str, str]
    ) -> Pair:
        assert rule.at is not None
        then = self.read.cell(self.read.day(rule.at, "text"))
        born = self.read.cell(self.read.view(rule, column, "date")).cast("date")
        at = self.read.cell(self.read.day(rule.at)).cast("date")
        early = (at.month() * 100 + at.day()) < (born.month() * 100 + born.day())
        age = (at.year() - born.year()).cast("int64") - early.cast("int64")
        steps = [(age < 0, ibis.null("string"))]
        for band in load_schema().domain(target):
            high = band.partition("-")[2] or str(parsers.OLDEST)
            steps.append((age <= int(high), ibis.literal(band)))
        value = _first(codes, cell, ibis.cases(*steps, else_=ibis.null("string")))
        number = _NONE
        if rule.unknown != "null":
            for wrong, fault in (
                (age.notnull(), Fault("age-bounds", target, column)),
                (then.notnull() & at.isnull(), Fault("unparsable-date", target, rule.at)),
                (born.isnull(), Fault("unparsable-date", target, column)),
            ):
                number = wrong.ifelse(self._number(fault), number)
        return Pair(value, (cell.notnull() & value.isnull()).ifelse(number, 0))

    def _unless_null(
        self, rule: Rule, cell: ir.StringValue, value: ir.Value, fault: Fault
    ) -> ir.IntegerValue:
        if rule.unknown == "null":
            return _NONE
        return (cell.notnull() & value.isnull()).ifelse(self._number(fault), 0)

    def _number(self, fault: Fault) -> int:
        if fault not in self.faults:
            self.faults.append(fault)
        return self.faults.index(fault) + 1


_NONE = ibis.literal(0)


def _first(codes: dict[str, str], cell: ir.StringValue, *others: ir.StringValue) -> ir.StringValue:
    """The code of a folded text, else the first of the others that is not null."""
    if not codes:
        return ibis.coalesce(*others) if others else ibis.null("string")
    looked_up = cell.cases(*codes.items(), else_=ibis.null("string"))
    return ibis.coalesce(looked_up, *others) if others else looked_up


def _combined(pairs: list[Pair], flag: bool) -> Pair:
    """Several columns: for a flag any yes, then any no; else the first that is not empty."""
    fault = reduce(lambda a, b: (a != 0).ifelse(a, b), (pair.fault for pair in pairs))
    found = [pair.value for pair in pairs]
    if not flag:
        return Pair(ibis.coalesce(*found), fault)
    some_yes = reduce(or_, (v.isin(["yes"]).fill_null(False) for v in found))
    return Pair(some_yes.ifelse("yes", ibis.coalesce(*found)), fault)
