"""Columns that a file has no more, and which of its columns may be read instead.

The texts of a column say what it is, by the share of them that the rules of the missing one read:
one text that nobody knows hides nothing.  Texts alone never make it sure: yes and no, countries,
and the sex of somebody else are in many columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from ctdhub.core.i18n import Text
from ctdhub.core.text import fold
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.mapping.dates import DAY_FIRST
from ctdhub.sensitive.mapping.decisions import Sheet, askable, meanings, rule_at
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import elements_of
from ctdhub.sensitive.mapping.patched_yaml import Document
from ctdhub.sensitive.mapping.rule import Rule
from ctdhub.sensitive.mapping.vocabulary import vocabulary
from ctdhub.sensitive.workbench.meant import stems
from ctdhub.sensitive.workbench.opened import OpenedFile
from ctdhub.sensitive.workbench.operations import Operation
from ctdhub.sensitive.workbench.rule_data import all_rules, rules_in

_HALF, _NEARLY_ALL = 0.5, 0.9
_LOOKED_AT, _OFFERED = 200, 4


class ReadInstead(NamedTuple):
    """An offer to read a column instead of one that is gone.

    Attributes:
        old: the column that is gone.
        reason: why.
        sure: whether nothing else is likely.
        operations: let its rules read both.
    """

    old: str
    reason: Text
    sure: bool
    operations: tuple[Operation, ...]


class _Likeness(NamedTuple):
    """What speaks for a column.

    Attributes:
        named: whether its header says the same.
        words: how many words both headers have.
        share: of its rows, those with texts that the rules of the missing column read.
    """

    named: bool
    words: int
    share: float

    @property
    def offered(self) -> bool:
        """Whether a person is asked."""
        return self.named or self.share >= _HALF

    @property
    def likely(self) -> bool:
        """Whether there is no doubt, as long as it is the only one."""
        return self.named and self.share >= _NEARLY_ALL


class RenamedColumns:
    """The columns that are gone from a file beside those that nobody has decided about.

    Args:
        file: the file.
        mapping: reads it.
        document: the mapping as YAML.
        gone: columns that rules read and that the file lacks.
        undecided: columns of the file that no rule reads and of which nothing is said.
    """

    def __init__(
        self,
        file: OpenedFile,
        mapping: Mapping,
        document: Document,
        gone: Sequence[str],
        undecided: Sequence[str],
    ) -> None:
        self._file, self._mapping, self._document = file, mapping, document
        self._undecided = tuple(undecided)
        self._gone = [c for c in gone if any(_reading_both(document, c, ""))] if undecided else []

    def instead(self, column: str) -> Iterator[ReadInstead]:
        """What a column may be read instead of, the likeliest first."""
        found = [(old, own[column]) for old, own in self._likeness.items() if column in own]
        found = [(old, like) for old, like in found if like.offered]
        for old, like in sorted(found, key=lambda one: one[1], reverse=True)[:_OFFERED]:
            sure = like.likely and self._is_only(old, column) and _about(column) == _about(old)
            operations = tuple(_reading_both(self._document, old, column))
            sure = sure and all(one["op"] != "setting" for one in operations)
            reason = (
                Text("its texts are those of “{column}”, which is missing", column=old)
                if like.share >= _HALF
                else Text("its name says the same as “{column}”, which is missing", column=old)
            )
            yield ReadInstead(old, reason, sure, operations)

    def _is_only(self, old: str, column: str) -> bool:
        """Whether no other column is as likely, nor another one that is gone."""
        likely = [(o, c) for o, own in self._likeness.items() for c in own if own[c].likely]
        return [one for one in likely if one[0] == old or one[1] == column] == [(old, column)]

    @cached_property
    def _likeness(self) -> dict[str, dict[str, _Likeness]]:
        """What speaks for each undecided column, by the column that is gone."""
        says = vocabulary().variables
        found = {}
        for old in self._gone:
            read = self._read_by(old)
            found[old] = {
                column: _Likeness(
                    bool(set(says(column)) & set(says(old))),
                    len(stems(column) & stems(old)),
                    read[column],
                )
                for column in self._undecided
            }
        return found

    def _read_by(self, old: str) -> dict[str, float]:
        """For each undecided column the share of its rows that the rules of a column read."""
        sheets = [s for s in askable(self._mapping) if fold(old) in map(fold, s.columns)]
        ways = [self._read_in(sheet) for sheet in sheets]
        if any(r.year and fold(old) in map(fold, r.source) for r in self._rules()):
            ways.append({c: self._share(c, None, _is_year) for c in self._undecided})
        return {c: max((way[c] for way in ways), default=0.0) for c in self._undecided}

    def _rules(self) -> list[Rule]:
        return [rule for _place, rule in self._mapping.uses() if isinstance(rule, Rule)]

    def _read_in(self, sheet: Sheet) -> dict[str, float]:
        """The same for the rules of one sheet; remembered, for each request asks it again."""
        rules = [rule_at(self._mapping, place) for place in sheet.places.values()]
        child = self._mapping.perpetrators
        inside = next(iter(sheet.places.values()))[0] == "perpetrators"
        split = child.split if inside and child else rules[0].split

        def found() -> dict[str, float]:
            every = dict.fromkeys(
                e for c in self._undecided for t, _rows in self._texts(c) for e in _parts(t, split)
            )
            answers = meanings(self._mapping, sheet, list(every))
            known = {fold(text) for text, answer in zip(every, answers, strict=True) if answer}
            return {c: self._share(c, split, lambda e: fold(e) in known) for c in self._undecided}

        key = repr((sheet, rules, split, self._mapping.empty, self._undecided))
        return self._file.remembered(("renamed", key), found)

    def _texts(self, column: str) -> Iterator[tuple[str, int]]:
        """Texts that say something, with their rows."""
        silent = {"", *map(fold, self._mapping.empty)}
        for one in self._file.counts(column)[:_LOOKED_AT]:
            if fold(one.text) not in silent:
                yield one.text, one.rows

    def _share(self, column: str, split: str | None, reads: Callable[[str], bool]) -> float:
        """Of the rows of a column those that are read, each element of a list a part of its row."""
        rows, read = 0, 0.0
        for text, n in self._texts(column):
            parts = _parts(text, split)
            rows, read = rows + n, read + n * sum(map(reads, parts)) / len(parts)
        return read / rows if rows else 0.0


def _about(header: str) -> tuple[bool, bool]:
    """Whether a header speaks of somebody else than the person, and whether of a perpetrator."""
    return vocabulary().about_others(header), vocabulary().about_perpetrators(header)


def _parts(text: str, split: str | None) -> list[str]:
    """The elements of a cell; the cell, if it is no list."""
    return [e for e in elements_of(text, split) if fold(e)] or [text]


def _is_year(text: str) -> bool:
    return DAY_FIRST.year(fold(text)) is not None


def _reading_both(document: Document, old: str, new: str) -> Iterator[Operation]:
    """The rules that read a column, reading another too; none where they can read only one."""
    flags = False
    found: list[Operation] = []
    for variable, rules in all_rules(document, "records").items():
        made, changed = [], False
        for rule in rules_in(rules):
            source = rule.get("from", [])
            columns = source if isinstance(source, list) else [source]
            if any(fold(c) == fold(old) for c in columns) and new not in columns:
                if "at" in rule:
                    return
                rule, changed = {**rule, "from": [*columns, new]}, True
            made.append(rule)
        if changed:
            flags = flags or load_schema().variable(variable).kind == "flag"
            one = made[0] if len(made) == 1 else made
            found.append({"op": "rule", "variable": variable, "rule": one})
    yield from found
    if flags:  # all columns of a flag have to be there, for any may hold the yes
        may_lack = document.get("optional") or []
        may_lack = may_lack if isinstance(may_lack, list) else [may_lack]
        if fold(old) not in map(fold, may_lack):
            yield {"op": "setting", "key": "optional", "value": [*may_lack, old]}
    decided = document.get("identifiers") or {}
    decision = next((d for c, d in decided.items() if fold(c) == fold(old)), None)
    if decision is not None:
        yield {"op": "identifier", "column": new, "decision": decision}
        yield {"op": "identifier", "column": old, "decision": None}
