"""What each operation does to the data of a mapping's YAML."""

from __future__ import annotations

import copy
from typing import Any

from ctdhub.core.text import fold
from ctdhub.sensitive.mapping.decisions import NOT_RECORDED, OTHER_KIND, STAYS
from ctdhub.sensitive.mapping.patched_yaml import Document
from ctdhub.sensitive.workbench.operations import Operation
from ctdhub.sensitive.workbench.rule_data import (
    add_text,
    all_rules,
    codes_of,
    columns_of,
    drop_text,
    entry_key,
    list_places,
    merged,
    named_rule,
    rule_of,
    rule_to_change,
    rules_in,
    set_entries,
    table_of,
    texts_in,
)
from ctdhub.sensitive.workbench.sheet_ids import ListSheet, sheet_place


def applied(document: Document, operation: Operation) -> Document:
    """The YAML's data after an operation; the data before stays as it is.

    Raises:
        HubError: it concerns a rule that is not there (rule "workbench-gone").
    """
    made = copy.deepcopy(document)
    _APPLY[operation["op"]](made, operation)
    return made


def value_in(document: Document, operation: Operation) -> Any:
    """The value that an operation's key has in a mapping; None where it has none."""
    kind = operation["op"]
    if kind == "layout":
        return None
    if kind == "map":
        return codes_of(document, operation["sheet"], operation["text"])
    if kind == "rule":
        return rule_of(document, operation["variable"])
    if kind == "empty":
        return fold(operation["text"]) in map(fold, texts_in(document.get("empty", [""])))
    if kind == "known":
        rules = rules_in(rule_of(document, operation["variable"]))
        texts = (text for rule in rules for text in texts_in(rule.get("known", [])))
        return fold(operation["text"]) in map(fold, texts)
    if kind == "identifier":
        decided = merged(document).get("identifiers") or {}
        return next((v for k, v in decided.items() if fold(k) == fold(operation["column"])), None)
    if kind == "exclude":
        for entry in merged(document).get("exclude") or []:
            if fold(entry.get("rule", "")) == fold(operation["name"]):
                return {key: value for key, value in entry.items() if key != "rule"}
        return None
    if kind == "accept":
        entries = (entry_key(entry) for entry in texts_in(document.get("accept", [])))
        return entry_key(operation["entry"]) in entries
    return document.get(operation["key"])


def _put_map(document: Document, operation: Operation) -> None:
    text, codes = operation["text"], operation["codes"]
    listed = ListSheet.of(operation["sheet"])
    if listed is not None:
        _put_list(document, listed, text, codes)
        column = listed.column
    else:
        place = sheet_place(operation["sheet"])
        rule = rule_to_change(document, place)
        column = texts_in(rule["from"])[0] if "from" in rule else ""
        drop_text(rule, "null_values", text)
        texts = rule.setdefault("map", {})
        spelt = next((key for key in texts if fold(key) == fold(text)), text)
        if codes and codes != [STAYS]:
            texts[spelt] = None if codes == [NOT_RECORDED] else codes[0]
        else:
            texts.pop(spelt, None)
        if not texts and {"country", "band", "year"} & rule.keys():
            del rule["map"]
    entry = {"text": text, "column": column}
    _put_accept(document, {"entry": entry, "on": codes == [STAYS]})


def _put_list(document: Document, listed: ListSheet, text: str, codes: list[str]) -> None:
    columns = columns_of(document, listed.table)
    places = list_places(document, listed)
    rules = {name: named_rule(document, listed.table, name, at) for name, at in places.items()}
    pattern = next(iter(rules.values()), listed.rule())
    kept = ("from", "split", "absent", "unknown")
    pattern = {key: copy.deepcopy(pattern[key]) for key in kept if key in pattern}
    for rule in rules.values():
        for key in ("known", "null_values"):
            drop_text(rule, key, text)
    # What is "not recorded" is so in every flag of the list, also in one that begins now.
    silent = texts_in(next(iter(rules.values()), {}).get("null_values", []))
    for name in (code for code in codes if code not in (NOT_RECORDED, OTHER_KIND, STAYS)):
        if name not in rules:
            there = rules_in(all_rules(document, listed.table).get(name))
            rules[name] = {**copy.deepcopy(pattern), "has": []}
            for other in silent:
                add_text(rules[name], "null_values", other)
            columns[name] = [*copy.deepcopy(there), rules[name]] if there else rules[name]
        add_text(rules[name], "has", text)
    for name in [name for name in rules if name not in codes]:
        if drop_text(rules[name], "has", text) and not rules[name].get("has"):
            gone = rules.pop(name)
            _without(document, listed.table, name, gone)
            for known in texts_in(gone.get("known", [])) if rules else ():
                add_text(next(iter(rules.values())), "known", known)
    if codes == [OTHER_KIND] and rules:
        add_text(next(iter(rules.values())), "known", text)
    for rule in rules.values() if codes == [NOT_RECORDED] else ():
        add_text(rule, "null_values", text)


def _without(document: Document, table: str, name: str, rule: dict[str, Any]) -> None:
    """Take one rule of a variable out, and the variable with its last one."""
    columns = columns_of(document, table)
    rest = [one for one in rules_in(columns[name]) if one is not rule]
    if rest:
        columns[name] = rest if len(rest) > 1 else rest[0]
    elif document.get("builtin") is None:
        del columns[name]
    else:
        columns[name] = None


def _put_rule(document: Document, operation: Operation) -> None:
    table, name = table_of(operation["variable"])
    columns = columns_of(document, table)
    rule = copy.deepcopy(operation["rule"])
    if rule is None:
        columns.pop(name, None)
        if all_rules(document, table).get(name) is not None:
            columns[name] = None  # the built-in mapping has one
    else:
        columns[name] = rule


def _put_empty(document: Document, operation: Operation) -> None:
    texts = texts_in(document.get("empty", [] if "builtin" in document else [""]))
    rest = [text for text in texts if fold(text) != fold(operation["text"])]
    if operation["on"]:
        document["empty"] = texts if len(rest) < len(texts) else [*texts, operation["text"]]
    elif len(rest) < len(texts):
        document["empty"] = rest


def _put_known(document: Document, operation: Operation) -> None:
    table, name = table_of(operation["variable"])
    rule = named_rule(document, table, name)
    if operation["on"]:
        add_text(rule, "known", operation["text"])
    else:
        drop_text(rule, "known", operation["text"])


def _put_identifier(document: Document, operation: Operation) -> None:
    decided = document.get("identifiers") or {}
    wanted = operation["column"]
    name = next((key for key in decided if fold(key) == fold(wanted)), wanted)
    decision = operation["decision"]
    if decision is not None:
        decided[name] = copy.deepcopy(decision)
    else:
        decided.pop(name, None)
        if value_in({**document, "identifiers": decided}, operation) is not None:
            decided[name] = None  # the built-in mapping decides
    document["identifiers"] = decided
    if not decided:
        del document["identifiers"]


def _put_exclude(document: Document, operation: Operation) -> None:
    entries = list(document.get("exclude") or [])
    at = [i for i, e in enumerate(entries) if fold(e.get("rule", "")) == fold(operation["name"])]
    if operation["rule"] is None:
        entries = [entry for i, entry in enumerate(entries) if i not in at]
    else:
        made = {"rule": operation["name"], **copy.deepcopy(operation["rule"])}
        if at:
            entries[at[0]] = made
        else:
            entries.append(made)
    set_entries(document, "exclude", entries)


def _put_accept(document: Document, operation: Operation) -> None:
    wanted = entry_key(operation["entry"])
    entries = texts_in(document.get("accept", []))
    rest = [entry for entry in entries if entry_key(entry) != wanted]
    if operation["on"]:
        rest = entries if len(rest) < len(entries) else [*entries, operation["entry"]]
    if rest != entries:
        set_entries(document, "accept", rest)


def _put_setting(document: Document, operation: Operation) -> None:
    if operation["value"] is None:
        document.pop(operation["key"], None)
    else:
        document[operation["key"]] = copy.deepcopy(operation["value"])


def _put_layout(document: Document, operation: Operation) -> None:
    """Says nothing else."""


_APPLY = {
    "map": _put_map,
    "rule": _put_rule,
    "empty": _put_empty,
    "known": _put_known,
    "identifier": _put_identifier,
    "exclude": _put_exclude,
    "accept": _put_accept,
    "setting": _put_setting,
    "layout": _put_layout,
}
