"""What a column that no rule reads may be, as rules that a click adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

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
from ctdhub.sensitive.mapping.parsers import elements_of
from ctdhub.sensitive.mapping.patched_yaml import Document
from ctdhub.sensitive.mapping.proposal import Doubt, Proposal
from ctdhub.sensitive.mapping.sexes import sexes
from ctdhub.sensitive.mapping.values import number_of
from ctdhub.sensitive.mapping.vocabulary import vocabulary
from ctdhub.sensitive.workbench.meant import stems
from ctdhub.sensitive.workbench.opened import OpenedFile
from ctdhub.sensitive.workbench.operations import Operation
from ctdhub.sensitive.workbench.rule_data import all_rules, as_yaml_data, rules_in

_SURE, _SOME = 0.8, 0.5
_NAMED, _GUESSED, _LIKE = 1.0, 0.9, 0.8
"""Weight of a reading that the header speaks for, and of one that the texts alone do."""

_LOOKED_AT = 500
"""Texts of a column that are tried as the words of every variable."""


def named(variable: str) -> Any:
    """A variable's name in every language, for JSON."""
    return field_as_json(Named(tuple(label(variable, code) for code in LANGUAGES)))


class Guess(NamedTuple):
    """What a column may be, whatever the mapping says.

    Attributes:
        label: a name in every language, for JSON.
        rules: a rule for each variable that it would fill.
        reason: why.
        sure: whether header and texts leave no doubt.
        share: how much speaks for it, 0 to 1.
    """

    label: Any
    rules: tuple[tuple[str, dict[str, Any]], ...]
    reason: Text
    sure: bool
    share: float


def readings(file: OpenedFile, column: str, document: Document) -> list[dict[str, Any]]:
    """Likely readings of a column, the surest first, then every variable that it could be."""
    if column not in file.codes.column_names:
        return []
    made = []
    for guess in file.remembered(("readings", column), lambda: _guesses(file, column)):
        variable = guess.rules[0][0]
        there = all_rules(document, "records").get(variable) is not None
        told = {
            "label": guess.label,
            "variable": variable,
            "reason": guess.reason.as_json(),
            "sure": guess.sure,
            "share": 0.0 if there and guess.reason == _ONLY else guess.share,
            "operations": [rule_added(document, name, rule) for name, rule in guess.rules],
        }
        made.append(told)
    return made


def doubt(file: OpenedFile, column: str) -> Text | None:
    """Why nothing is proposed for a column that looks like something."""
    found = _proposals(file, column)
    return next((each.reason for each in found if isinstance(each, Doubt)), None)


def _proposals(file: OpenedFile, column: str) -> list[Proposal | Doubt]:
    def made() -> list[Proposal | Doubt]:
        return list(record_proposals(file.raw, file.glance(column)))

    return file.remembered(("proposals", column), made)


def _guesses(file: OpenedFile, column: str) -> list[Guess]:
    seen = file.glance(column)
    made = [_likely(group) for group in _by_reading(_proposals(file, column))]
    made += _kinds(seen) if not any("has" in rule for g in made for _v, rule in g.rules) else []
    taken = {guess.rules[0][0] for guess in made}
    yes_no = {t: said for t in seen.texts[:_LOOKED_AT] if (said := _yes_or_no(t))}
    every = (_forced(seen, v, yes_no) for v in load_schema().records if v.name not in taken)
    guessed = [guess for guess in every if guess is not None]
    return sorted([*made, *guessed], key=lambda guess: -guess.share)


def _by_reading(found: Sequence[Proposal | Doubt]) -> list[list[Proposal]]:
    """Proposals by what they read the column as: a list of kinds is one reading."""
    lists: dict[str, list[Proposal]] = {}
    for each in found:
        if isinstance(each, Proposal):
            group = load_schema().variable(each.target).group if "has" in each.rule else None
            lists.setdefault(group or each.target, []).append(each)
    return sorted(lists.values(), key=lambda own: -own[0].score)


def _likely(own: list[Proposal]) -> Guess:
    """What header and texts speak for."""
    first = own[0]
    group = load_schema().variable(first.target).group if "has" in first.rule else None
    rules = tuple((each.target, rule_data(each)) for each in own)
    sure = first.score >= _SURE and not first.doubts
    share = max(first.score, _NAMED)
    return Guess(_group(group) if group else named(first.target), rules, first.reason, sure, share)


def _group(group: str) -> Any:
    return field_as_json(Named(tuple(group_label(group, code) for code in LANGUAGES)))


def _kinds(seen: Glance) -> list[Guess]:
    """A list of kinds whose header does not say so."""
    own, schema = vocabulary(), load_schema()
    mark = seen.separator(own.flags.keys() | own.other)
    elements = {t: [e for e in elements_of(t, mark) if e] for t in seen.texts[:_LOOKED_AT]}
    found = []
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
            named_ = tuple((flag, as_yaml_data(rule)) for flag, rule in rules.items())
            found.append(Guess(_group(group), named_, reason, False, share * _GUESSED))
    return found


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


def _forced(seen: Glance, variable: Variable, yes_no: dict[str, str]) -> Guess | None:
    """A reading that the header does not speak for: known texts are mapped, all others asked."""
    rule: dict[str, Any]
    texts = seen.texts[:_LOOKED_AT]
    headed = vocabulary().variables(seen.name).get(variable.name, 0.0)
    if not headed and variable.kind == "flag" and _says_as_much(seen.name, variable.name):
        headed = _LIKE
    match variable.kind:
        case "year":
            rule = {"year": True}
            known = [t for t in texts if _is_year(t)]
        case "country":
            rule = {"country": True}
            known = [t for t in texts if len(t) > 1 and look_up(t).alpha3]
        case "flag":
            rule, known = {"map": yes_no}, list(yes_no)
        case "code" | "status" if variable.name == AGE:
            rule = {"band": True}
            known = [t for t in texts if number_of(fold(t)) is not None]
        case "code" | "status":
            found = _codes(seen, variable.name)
            rule, known = {"map": found}, list(found)
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
    rules = ((variable.name, as_yaml_data({"from": seen.name, **rule})),)
    weight = _NAMED if headed else _GUESSED
    return Guess(named(variable.name), rules, reason, False, max(weight * share, 0.1 * headed))


def _says_as_much(header: str, variable: str) -> bool:
    """Whether a header's words begin as those of a variable's name in some language do."""
    mine = stems(header)
    return len(mine) > 1 and any(mine == stems(label(variable, code)) for code in LANGUAGES)


_ONLY = Text("only you can know this")


def _yes_or_no(text: str) -> str:
    return (vocabulary().yes_no([text]) or {}).get(text, "")


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
