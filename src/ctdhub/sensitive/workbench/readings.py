"""What a column that no rule reads may be, and which column may be read in place of one that is
gone.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ctdhub.core.i18n import LANGUAGES, LocalName, Numeral, Text
from ctdhub.core.tables import fold
from ctdhub.schema.countries import look_up
from ctdhub.schema.labels import group_label, label, table_label
from ctdhub.schema.model import AGE, Variable, load_schema
from ctdhub.sensitive.mapping.dates import DAY_FIRST
from ctdhub.sensitive.mapping.drafting import proposals
from ctdhub.sensitive.mapping.drafting.proposals import Doubt, Glance, Proposal
from ctdhub.sensitive.mapping.drafting.row_unit import record_proposals
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary, word
from ctdhub.sensitive.mapping.edits import Operation, all_rules, as_yaml_data, rules_in, texts_in
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import Document
from ctdhub.sensitive.mapping.parsers import elements_of, kinds_of, number_of
from ctdhub.sensitive.workbench.facets import OpenedFile, Sheet, askable, meanings, stems

# --------------------------------------------------------------------------------------------------
# What a column that no rule reads may be, as rules that a click adds.

_SURE, _SOME = 0.8, 0.5
_NAMED, _GUESSED, _LIKE = 1.0, 0.9, 0.8
"""Weight of a reading that the header speaks for, and of one that the texts alone do."""

_LOOKED_AT = 500
"""Texts of a column that are tried as the words of every variable."""


class Proposed(NamedTuple):
    """Something that a click can decide."""

    label: Text
    reason: Text
    sure: bool
    operations: tuple[Operation, ...]


def click(label: Text, reason: Text, sure: bool, op: str, **keys: Any) -> Proposed:
    """A proposal of one operation."""
    return Proposed(label, reason, sure, ({"op": op, **keys},))


def name_of(variable: str) -> LocalName:
    """The name of a variable, or of a table of child rows, in every language."""
    name = label if load_schema().has(variable) else table_label
    return LocalName.of(lambda code: name(variable, code))


def _named_group(group: str) -> LocalName:
    return LocalName.of(lambda code: group_label(group, code))


class Guess(NamedTuple):
    """What a column may be, whatever the mapping says.

    Attributes:
        label: a name in every language.
        rules: a rule for each variable that it would fill.
        reason: why.
        sure: whether header and texts leave no doubt.
        share: how much speaks for it, 0 to 1.
        named: whether the header speaks for it.
    """

    label: LocalName
    rules: dict[str, dict[str, Any]]
    reason: Text
    sure: bool
    share: float
    named: bool


class Reading(NamedTuple):
    """A guess, with the operations that make a mapping say so."""

    label: LocalName
    reason: Text
    sure: bool
    share: float
    named: bool
    operations: tuple[Operation, ...]


def readings(file: OpenedFile, column: str, document: Document) -> list[Reading]:
    """Likely readings of a column, the surest first, then every variable that it could be."""
    if column not in file.codes.column_names:
        return []
    there = all_rules(document, "records")
    made = []
    for guess in file.once(("readings", column), lambda: _guesses(file, column)):
        taken = there.get(next(iter(guess.rules))) is not None and guess.reason == _ONLY
        rules, follows = proposals.with_implied(guess.rules)
        operations = (
            rule_added(
                there, name, *([rules[name]] if name in rules else []), *follows.get(name, ())
            )
            for name in dict.fromkeys((*rules, *follows))
        )
        share = 0.0 if taken else guess.share
        said = (guess.label, guess.reason, guess.sure, share, guess.named)
        made.append(Reading(*said, tuple(operations)))
    return made


def said(likely: Sequence[Reading]) -> str | None:
    """The variable that a header says its column is, and as which half of its texts can be read.

    None where it says none or several.
    """
    if not likely or not likely[0].named or likely[0].share < _SOME:
        return None
    if likely[0].share in [one.share for one in likely[1:]]:
        return None
    variable: str = likely[0].operations[0]["variable"]
    return variable


def doubt(file: OpenedFile, column: str) -> Doubt | None:
    """Why nothing is proposed for a column that looks like something."""
    candidates = _proposals(file, column)
    return next((each for each in candidates if isinstance(each, Doubt)), None)


def received(doubtful: Doubt, document: Document) -> Iterator[Proposed]:
    """The rule that holds where the answer to a doubt about assistance is that it was received."""
    if (offer := doubtful.offer) is not None:
        rule = rule_added(all_rules(document, "records"), offer.target, _rule_data(offer))
        yield Proposed(Text("it was received"), offer.reason, False, (rule,))


def _proposals(file: OpenedFile, column: str) -> list[Proposal | Doubt]:
    return file.once(
        ("proposals", column), lambda: [*record_proposals(file.raw, file.glance(column))]
    )


def _guesses(file: OpenedFile, column: str) -> list[Guess]:
    seen = file.glance(column)
    made = [*_likely(_proposals(file, column))]
    made += _kinds(seen) if not any("has" in r for g in made for r in g.rules.values()) else []
    taken = {next(iter(guess.rules)) for guess in made}
    yes_no = vocabulary().yes_no(seen.texts[:_LOOKED_AT])
    every = (_forced(seen, v, yes_no) for v in load_schema().records if v.name not in taken)
    guessed = [guess for guess in every if guess is not None]
    return sorted([*made, *guessed], key=lambda guess: -guess.share)


def _likely(candidates: Sequence[Proposal | Doubt]) -> Iterator[Guess]:
    """What header and texts speak for; a list of kinds is one reading."""
    schema, lists = load_schema(), dict[str, list[Proposal]]()
    for each in candidates:
        if isinstance(each, Proposal):
            group = schema.variable(each.target).group if "has" in each.rule else None
            lists.setdefault(group or each.target, []).append(each)
    for name, own in sorted(lists.items(), key=lambda one: -one[1][0].score):
        first, rules = own[0], {each.target: _rule_data(each) for each in own}
        label = name_of(name) if schema.has(name) else _named_group(name)
        sure = first.score >= _SURE and not first.doubts
        yield Guess(label, rules, first.reason, sure, max(first.score, _NAMED), True)


def _kinds(seen: Glance) -> list[Guess]:
    """A list of kinds whose header does not say so."""
    own, schema = vocabulary(), load_schema()
    mark = seen.separator(own.kinds)
    elements = {t: [e for e in kinds_of(t, mark) if e] for t in seen.texts[:_LOOKED_AT]}
    guesses = []
    for group in dict.fromkeys(v.group for v in schema.records if v.group and v.kind == "flag"):
        rules: dict[str, dict[str, Any]] = {}
        known = set()
        for text, parts in elements.items():
            for part in parts:
                if flag := own.flag_in(group, part) or _by_label(group, part):
                    rule = {"from": seen.name, "has": []} | ({"split": mark} if mark else {})
                    has = rules.setdefault(flag, rule)["has"]
                    known.add(text)
                    if part not in has:
                        has.append(part)
        share = seen.weight(known)
        if rules and not (set(map(word, known)) <= own.other):
            reason = Text(
                "{n} of its {all} texts would be read",
                n=Numeral(len(known)), all=Numeral(len(elements)),
            )  # fmt: skip
            rules = as_yaml_data(rules)
            share *= _GUESSED
            guesses.append(Guess(_named_group(group), rules, reason, False, share, False))
    return guesses


def _by_label(group: str, text: str) -> str | None:
    """The flag of a group whose label begins with the same words, None where several do."""
    mine = stems(text)
    own = [
        v.name
        for v in load_schema().records
        if v.group == group and mine
        and any(mine <= stems(label(v.name, code)) for code in LANGUAGES)
    ]  # fmt: skip
    return own[0] if len(own) == 1 else None


def _rule_data(proposal: Proposal) -> dict[str, Any]:
    """A proposed rule as YAML has it."""
    nulls = {"null_values": proposal.null_values} if proposal.null_values else {}
    data: dict[str, Any] = as_yaml_data(proposal.whole() | nulls)
    return data


def rule_added(every: dict[str, Any], variable: str, *rules: dict[str, Any]) -> Operation:
    """The operation that lets a variable follow from rules too, behind those that it has."""
    there = rules_in(every.get(variable))
    made = [*there, *(rule for rule in rules if rule not in there)]
    return {"op": "rule", "variable": variable, "rule": made if len(made) > 1 else made[0]}


def _forced(seen: Glance, variable: Variable, yes_no: dict[str, str]) -> Guess | None:
    """A reading that the header does not speak for: known texts are mapped, all others asked."""
    rule: dict[str, Any]
    texts = seen.texts[:_LOOKED_AT]
    headed = vocabulary().variables(seen.name).get(variable.name, 0.0)
    if not headed and variable.name in vocabulary().rooted(seen.name):
        headed = _LIKE
    match variable.kind:
        case "year":
            rule = {"year": True}
            known = [t for t in texts if proposals.is_year(DAY_FIRST.year(fold(t)))]
        case "country":
            rule = {"country": True}
            known = [t for t in texts if len(t) > 1 and look_up(t).alpha3]
        case "flag":
            rule, known = {"map": yes_no}, list(yes_no)
        case "code" | "status" if variable.name == AGE:
            rule = {"band": True}
            known = [t for t in texts if number_of(fold(t)) is not None]
        case "code" | "status":
            codes = dict[str, str | None](proposals.known_codes(seen, variable.name))
            if variable.kind == "status" and not codes:
                codes = proposals.received(seen)
            rule, known = {"map": codes}, list(codes)
        case _:
            return None
    share = seen.weight(known)
    reason = _ONLY
    if share >= _SOME and (headed or _telling(seen, variable)):
        reason = Text(
            "{n} of its {all} texts would be read", n=Numeral(len(known)), all=Numeral(len(texts))
        )
    else:
        share = 0.0
    rules = {variable.name: as_yaml_data({"from": seen.name, **rule})}
    weight = _NAMED if headed else _GUESSED
    share = max(weight * share, 0.1 * headed)
    return Guess(name_of(variable.name), rules, reason, False, share, bool(headed))


_ONLY = Text("only you can know this")


def _telling(seen: Glance, variable: Variable) -> bool:
    """Whether texts alone say something: small numbers may be codes, and yes or no of anything."""
    if variable.kind == "flag" or variable.name == AGE:
        return False
    return not vocabulary().about_others(seen.name)


# --------------------------------------------------------------------------------------------------
# Columns that a file has no more, and which of its columns may be read instead.
#
# The texts of a column say what it is, by the share of them that the rules of the missing one read:
# one text that nobody knows hides nothing.  Texts alone never make it sure: yes and no, countries,
# and the sex of somebody else are in many columns.

_HALF, _NEARLY_ALL = 0.5, 0.9
_RENAMED_LOOKED_AT, _OFFERED = 200, 4


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

    def instead(self, column: str) -> Iterator[Proposed]:
        """What a column may be read instead of, the likeliest first."""
        pairs = [(old, own[column]) for old, own in self._likeness.items() if column in own]
        pairs = [(old, like) for old, like in pairs if like.offered]
        for old, like in sorted(pairs, key=lambda one: one[1], reverse=True)[:_OFFERED]:
            sure = like.likely and self._is_only(old, column) and _about(column) == _about(old)
            operations = tuple(_reading_both(self._document, old, column))
            sure = sure and all(one["op"] != "optional" for one in operations)
            reason = (
                Text("its texts are those of “{column}”, which is missing", column=old)
                if like.share >= _HALF
                else Text("its name says the same as “{column}”, which is missing", column=old)
            )
            label = Text("read “{column}” instead of “{old}”", column=column, old=old)
            yield Proposed(label, reason, sure, operations)

    def _is_only(self, old: str, column: str) -> bool:
        """Whether no other column is as likely, nor another one that is gone."""
        likely = [(o, c) for o, own in self._likeness.items() for c in own if own[c].likely]
        return [one for one in likely if one[0] == old or one[1] == column] == [(old, column)]

    @cached_property
    def _likeness(self) -> dict[str, dict[str, _Likeness]]:
        """What speaks for each undecided column, by the column that is gone."""
        says = vocabulary().variables
        likeness = {}
        for old in self._gone:
            read = self._read_by(old)
            likeness[old] = {
                column: _Likeness(
                    bool(set(says(column)) & set(says(old))),
                    len(stems(column) & stems(old)),
                    read[column],
                )
                for column in self._undecided
            }
        return likeness

    def _read_by(self, old: str) -> dict[str, float]:
        """For each undecided column the share of its rows that the rules of a column read."""
        sheets = [s for s in askable(self._mapping) if fold(old) in map(fold, s.columns)]
        ways = [self._read_in(sheet) for sheet in sheets]
        rules = (rule for *_where, rule in self._mapping.rules() if rule.year)
        if any(fold(old) in map(fold, rule.source) for rule in rules):
            ways.append({c: self._share(c, None, _has_year) for c in self._undecided})
        return {c: max((way[c] for way in ways), default=0.0) for c in self._undecided}

    def _read_in(self, sheet: Sheet) -> dict[str, float]:
        """The same for the rules of one sheet; remembered, for each request asks it again."""
        split = sheet.split

        def shares() -> dict[str, float]:
            every = dict.fromkeys(
                e for c in self._undecided for t, _rows in self._texts(c) for e in _parts(t, split)
            )
            answers = meanings(self._mapping, sheet, list(every))
            known = {fold(text) for text, answer in zip(every, answers, strict=True) if answer}
            return {c: self._share(c, split, lambda e: fold(e) in known) for c in self._undecided}

        key = repr((sheet, self._mapping.empty, self._undecided))
        return self._file.once(("renamed", key), shares)

    def _texts(self, column: str) -> Iterator[tuple[str, int]]:
        """Texts that say something, with their rows."""
        silent = {"", *map(fold, self._mapping.empty)}
        for one in self._file.counts(column)[:_RENAMED_LOOKED_AT]:
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


def _has_year(text: str) -> bool:
    return DAY_FIRST.year(fold(text)) is not None


def _reading_both(document: Document, old: str, new: str) -> Iterator[Operation]:
    """The rules that read a column, reading another too; none where they can read only one."""
    flags = False
    operations: list[Operation] = []
    for variable, rules in all_rules(document, "records").items():
        made, changed = [], False
        for rule in rules_in(rules):
            columns = texts_in(rule.get("from"))
            if any(fold(c) == fold(old) for c in columns) and new not in columns:
                if "at" in rule:
                    return
                rule, changed = {**rule, "from": [*columns, new]}, True
            made.append(rule)
        if changed:
            flags = flags or load_schema().variable(variable).kind == "flag"
            one = made[0] if len(made) == 1 else made
            operations.append({"op": "rule", "variable": variable, "rule": one})
    yield from operations
    if flags:  # all columns of a flag have to be there, for any may hold the yes
        yield {"op": "optional", "column": old, "on": True}
    decided = document.get("identifiers") or {}
    decision = next((d for c, d in decided.items() if fold(c) == fold(old)), None)
    if decision is not None:
        yield {"op": "identifier", "column": new, "decision": decision}
        yield {"op": "identifier", "column": old, "decision": None}
