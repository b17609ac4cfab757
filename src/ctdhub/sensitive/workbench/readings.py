"""What a column that no rule reads may be, as rules that a click adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctdhub.core.i18n import LANGUAGES, Named, Numeral, Text, field_as_json
from ctdhub.core.text import fold
from ctdhub.schema.country_names import look_up
from ctdhub.schema.labels import group_label, label
from ctdhub.schema.model import YEARS, Variable, load_schema
from ctdhub.schema.roles import AGE, SEX
from ctdhub.sensitive.mapping.child_drafts import record_proposals
from ctdhub.sensitive.mapping.dates import DAY_FIRST
from ctdhub.sensitive.mapping.glance import Glance
from ctdhub.sensitive.mapping.header_words import word
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.patched_yaml import Document
from ctdhub.sensitive.mapping.proposal import Doubt, Proposal
from ctdhub.sensitive.mapping.sexes import sexes
from ctdhub.sensitive.mapping.values import number_of
from ctdhub.sensitive.mapping.vocabulary import vocabulary
from ctdhub.sensitive.workbench.opened import OpenedFile
from ctdhub.sensitive.workbench.operations import Operation
from ctdhub.sensitive.workbench.rule_data import all_rules, as_yaml_data, rules_in

_SURE, _SOME = 0.8, 0.5
_LOOKED_AT = 500
"""Texts of a column that are tried as the words of every variable."""


def named(variable: str) -> Any:
    """A variable's name in every language, for JSON."""
    return field_as_json(Named(tuple(label(variable, code) for code in LANGUAGES)))


def readings(file: OpenedFile, column: str, document: Document) -> list[dict[str, Any]]:
    """Likely readings of a column, the surest first, then every variable that it could be."""
    if column not in file.codes.column_names:
        return []
    seen = file.glance(column)
    found = list(record_proposals(file.raw, seen))
    made = [_likely(group, document) for group in _by_reading(found)]
    taken = {one["variable"] for one in made}
    every = [_forced(seen, v, document) for v in load_schema().records if v.name not in taken]
    guessed = sorted((one for one in every if one), key=lambda one: -one["share"])
    return [*made, *guessed]


def doubt(file: OpenedFile, column: str) -> Text | None:
    """Why nothing is proposed for a column that looks like something."""
    found = record_proposals(file.raw, file.glance(column))
    return next((each.reason for each in found if isinstance(each, Doubt)), None)


def _by_reading(found: Sequence[Proposal | Doubt]) -> list[list[Proposal]]:
    """Proposals by what they read the column as: a list of kinds is one reading."""
    lists: dict[str, list[Proposal]] = {}
    for each in found:
        if isinstance(each, Proposal):
            group = load_schema().variable(each.target).group if "has" in each.rule else None
            lists.setdefault(group or each.target, []).append(each)
    return sorted(lists.values(), key=lambda own: -own[0].score)


def _likely(own: list[Proposal], document: Document) -> dict[str, Any]:
    first = own[0]
    operations = [rule_added(document, each.target, rule_data(each)) for each in own]
    group = load_schema().variable(first.target).group
    name = named(first.target)
    if "has" in first.rule and group:
        name = field_as_json(Named(tuple(group_label(group, code) for code in LANGUAGES)))
    return {
        "label": name,
        "variable": first.target,
        "reason": first.reason.as_json(),
        "sure": first.score >= _SURE and not first.doubts,
        "share": first.score,
        "operations": operations,
    }


def rule_data(proposal: Proposal) -> dict[str, Any]:
    """A proposed rule as YAML has it."""
    source: Any = [*proposal.sources] if proposal.also else proposal.column
    rule = {"from": source, **proposal.rule}
    if proposal.null_values:
        rule["null_values"] = [*proposal.null_values]
    data: dict[str, Any] = as_yaml_data(rule)
    return data


def rule_added(document: Document, variable: str, rule: dict[str, Any]) -> Operation:
    """The operation that lets a variable follow from a rule too, behind those that it has."""
    there = rules_in(all_rules(document, "records").get(variable))
    return {"op": "rule", "variable": variable, "rule": [*there, rule] if there else rule}


def _forced(seen: Glance, variable: Variable, document: Document) -> dict[str, Any] | None:
    """A reading that the header does not speak for: known texts are mapped, all others asked.

    Those come first whose words most rows of the column hold, and that no rule fills yet.
    """
    rule: dict[str, Any]
    texts = seen.texts[:_LOOKED_AT]
    match variable.kind:
        case "year":
            rule = {"year": True}
            known = [t for t in texts if _is_year(t)]
        case "country":
            rule = {"country": True}
            known = [t for t in texts if len(t) > 1 and look_up(t).alpha3]
        case "flag":
            said = {t: yes[t] for t in texts if t in (yes := vocabulary().yes_no([t]) or {})}
            rule, known = {"map": said}, list(said)
        case "code" | "status" if variable.name == AGE:
            rule = {"band": True}
            known = [t for t in texts if number_of(fold(t)) is not None]
        case "code" | "status":
            found = _codes(seen, variable.name)
            rule, known = {"map": found}, list(found)
        case _:
            return None
    there = all_rules(document, "records").get(variable.name) is not None
    share = seen.weight(known)
    data = as_yaml_data({"from": seen.name, **rule})
    reason = Text("only you can know this")
    if share >= _SOME:
        reason = Text(
            "{n} of its {all} texts would be read", n=Numeral(len(known)), all=Numeral(len(texts))
        )
    return {
        "label": named(variable.name),
        "variable": variable.name,
        "reason": reason.as_json(),
        "sure": False,
        "share": share if _telling(seen, variable) and not there else 0.0,
        "operations": [rule_added(document, variable.name, data)],
    }


def _telling(seen: Glance, variable: Variable) -> bool:
    """Whether texts alone say something: small numbers may be codes, and yes or no of anything."""
    if variable.kind == "flag" or variable.name == AGE:
        return False
    return not vocabulary().about_others(seen.name)


def _is_year(text: str) -> bool:
    year = DAY_FIRST.year(fold(text))
    return year is not None and YEARS[0] <= int(year) <= YEARS[1]


def _codes(seen: Glance, variable: str) -> dict[str, str]:
    if variable == SEX:
        return sexes(seen.name, seen.texts)
    known = vocabulary().codes.get(variable, {})
    return {text: known[word(text)] for text in seen.texts if word(text) in known}


def renamed(file: OpenedFile, mapping: Mapping, document: Document, column: str) -> Iterator[Any]:
    """Rules whose column is gone and that may read this one instead.

    Yields:
        The column that is gone, why, whether that is sure, and the operations.
    """
    gone = [c for c in mapping.needed() if file.header.find(c) is None]
    own = set(vocabulary().variables(column))
    texts = file.counts(column)[:200]
    for old in gone:
        operations = list(_reading_both(document, old, column))
        if not operations:
            continue
        known = mapping.known(old)
        rows = sum(one.rows for one in texts)
        same = sum(one.rows for one in texts if fold(one.text) in known)
        if rows and same >= 0.5 * rows and len(known) > 2:
            reason = Text("its texts are those of “{column}”, which is missing", column=old)
            yield old, reason, same >= 0.9 * rows, operations
        elif own & set(vocabulary().variables(old)):
            reason = Text("its name says the same as “{column}”, which is missing", column=old)
            yield old, reason, False, operations


def _reading_both(document: Document, old: str, new: str) -> Iterator[Operation]:
    """The rules that read a column, reading another too."""
    for variable, rules in all_rules(document, "records").items():
        made, changed = [], False
        for rule in rules_in(rules):
            source = rule.get("from", [])
            columns = source if isinstance(source, list) else [source]
            if any(fold(c) == fold(old) for c in columns) and new not in columns:
                rule, changed = {**rule, "from": [*columns, new]}, True
            made.append(rule)
        if changed:
            one = made[0] if len(made) == 1 else made
            yield {"op": "rule", "variable": variable, "rule": one}
    decided = document.get("identifiers") or {}
    decision = next((d for c, d in decided.items() if fold(c) == fold(old)), None)
    if decision is not None:
        yield {"op": "identifier", "column": new, "decision": decision}
        yield {"op": "identifier", "column": old, "decision": None}
