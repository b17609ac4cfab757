"""Which readings of which columns a mapping needs, and conditions on them."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import and_, or_

import ibis
import ibis.expr.types as ir

from ctdhub.core.text import fold
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.shape.list_cell import BLANK
from ctdhub.sensitive.mapping.known_texts import KnownTexts
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import SEPARATOR, Reading, View
from ctdhub.sensitive.mapping.rule import Conditions, Exclusion, Rule
from ctdhub.sensitive.mapping.values import OLDEST


class Readings:
    """The views that rules ask for; once all are known, they are columns of one table.

    Args:
        years: first and last year of the public bounds, both included.
    """

    def __init__(self, mapping: Mapping, years: tuple[int, int]) -> None:
        self._mapping = mapping
        self._years = years
        self._empty = frozenset({"", BLANK, *map(fold, mapping.empty)})
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

    def asked(self, column: str, split: str | None = None) -> View:
        """The column as a condition sees it: a list, if only of one text."""
        return View(column, self._empty, "list", split, spelt=self._spelt)

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
        for column in exclusion.columns():
            self._name(self.asked(column, exclusion.split))

    def _name(self, view: View) -> None:
        self.views.setdefault(view, f"v{len(self.views)}")

    def cell(self, view: View) -> ir.StringValue:
        assert self._table is not None
        return self._table[self.views[view]]

    def holds(
        self, column: str, texts: tuple[str, ...], split: str | None = None
    ) -> ir.BooleanValue:
        cell = self.cell(self.asked(column, split))
        folded = {fold(text) for text in texts}
        options = [cell.isnull()] if folded & self._empty else []
        if wanted := sorted(folded - self._empty):
            options.append(contains(cell, wanted))
        return reduce(or_, options)

    def all_hold(self, conditions: Conditions) -> ir.BooleanValue:
        return reduce(and_, (self.holds(c, texts) for c, texts in conditions.items()))

    def excludes(self, exclusion: Exclusion) -> ir.BooleanValue:
        held = [self.holds(c, t, exclusion.split) for c, t in exclusion.when.items()]
        free = [~self.holds(c, t, exclusion.split) for c, t in exclusion.unless.items()]
        return reduce(and_, held + free)


def contains(lists: ir.StringValue, wanted: list[str]) -> ir.BooleanValue:
    """Whether a list between separators has one of the texts; false for null."""
    found = (lists.contains(SEPARATOR + text + SEPARATOR).fill_null(False) for text in wanted)
    return reduce(or_, found)
