"""Where rules and entries stand in the data of a mapping's YAML, to be read or changed in place.

A mapping may be a built-in one with changes over it: what it says itself is read from there, and
written out where it is to be changed.
"""

from __future__ import annotations

import copy
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.text import fold
from ctdhub.sensitive.mapping.amended import amended
from ctdhub.sensitive.mapping.decisions import NOT_RECORDED, OTHER_KIND, STAYS
from ctdhub.sensitive.mapping.patched_yaml import Document
from ctdhub.sensitive.workbench.sheet_ids import ListSheet, sheet_place

CHILD = "perpetrators."
"""Before the variables of child rows."""


def as_yaml_data(value: Any) -> Any:
    """A value as a mapping's YAML has it: every scalar but null is a text."""
    if isinstance(value, dict):
        return {str(key): as_yaml_data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_yaml_data(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def merged(document: Document) -> Document:
    """The data with what its built-in mapping says."""
    if "builtin" not in document:
        return document
    over = {key: value for key, value in document.items() if key != "builtin"}
    made: Document = as_yaml_data(amended(str(document["builtin"]), copy.deepcopy(over)))
    return made


def all_rules(document: Document, table: str) -> dict[str, Any]:
    said = merged(document)
    if table == "perpetrators":
        said = said.get("perpetrators") or {}
    return said.get("columns") or {}


def columns_of(document: Document, table: str) -> dict[str, Any]:
    """The rules as they are written, to be changed in place."""
    if table == "perpetrators":
        if not isinstance(document.get("perpetrators"), dict):
            said = merged(document).get("perpetrators")
            if said is None:
                raise error("workbench-gone")
            document["perpetrators"] = said
        inside: Document = document["perpetrators"]
    else:
        inside = document
    if not isinstance(inside.get("columns"), dict):
        inside["columns"] = {}
    found: dict[str, Any] = inside["columns"]
    return found


def rule_to_change(document: Document, place: tuple[str | int, ...]) -> dict[str, Any]:
    """The rule at a place, to be changed in place; out of the built-in mapping if need be."""
    table = "perpetrators" if place[0] == "perpetrators" else "records"
    name = str(place[2] if table == "perpetrators" else place[1])
    last = place[-1]
    return named_rule(document, table, name, last if isinstance(last, int) else 0)


def named_rule(document: Document, table: str, name: str, at: int = 0) -> dict[str, Any]:
    columns = columns_of(document, table)
    if columns.get(name) is None:
        rules = all_rules(document, table).get(name)
        if rules is None:
            raise error("workbench-gone")
        columns[name] = copy.deepcopy(rules)
    rules = columns[name]
    if isinstance(rules, list):
        if at >= len(rules):
            raise error("workbench-gone")
        rules = rules[at]
    if not isinstance(rules, dict):
        raise error("workbench-gone")
    return rules


def rule_of(document: Document, variable: str) -> Any:
    table, name = table_of(variable)
    return all_rules(document, table).get(name)


def list_places(document: Document, listed: ListSheet) -> dict[str, int]:
    """The variables that search a list, each with the place of its rule among its rules."""
    found: dict[str, int] = {}
    for name, rules in all_rules(document, listed.table).items():
        at = next((i for i, one in enumerate(rules_in(rules)) if listed.is_of(one)), None)
        if at is not None:
            found[name] = at
    return found


def codes_of(document: Document, sheet: str, text: str) -> list[str]:
    listed = ListSheet.of(sheet)
    key = fold(text)
    if listed is not None:
        every = all_rules(document, listed.table)
        places = list_places(document, listed)
        rules = {name: rules_in(every[name])[at] for name, at in places.items()}
        column = listed.column
        found = [n for n, r in rules.items() if key in map(fold, texts_in(r.get("has", [])))]
        if found:
            return found
        if any(key in map(fold, texts_in(r.get("null_values", []))) for r in rules.values()):
            return [NOT_RECORDED]
        if any(key in map(fold, texts_in(r.get("known", []))) for r in rules.values()):
            return [OTHER_KIND]
    else:
        rule = rule_seen(document, sheet_place(sheet))
        if rule is None:
            return []
        column = texts_in(rule["from"])[0] if "from" in rule else ""
        for spelt, code in (rule.get("map") or {}).items():
            if fold(spelt) == key:
                return [NOT_RECORDED] if code is None else [code]
        if key in map(fold, texts_in(rule.get("null_values", []))):
            return [NOT_RECORDED]
    wanted = entry_key({"text": text, "column": column})
    stays = any(entry_key(entry) == wanted for entry in texts_in(document.get("accept", [])))
    return [STAYS] if stays else []


def rule_seen(document: Document, place: tuple[str | int, ...]) -> dict[str, Any] | None:
    table = "perpetrators" if place[0] == "perpetrators" else "records"
    name = str(place[2] if table == "perpetrators" else place[1])
    rules = rules_in(all_rules(document, table).get(name))
    last = place[-1]
    at = last if isinstance(last, int) else 0
    return rules[at] if at < len(rules) else None


def table_of(variable: str) -> tuple[str, str]:
    if variable.startswith(CHILD):
        return "perpetrators", variable.removeprefix(CHILD)
    return "records", variable


def rules_in(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def texts_in(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def add_text(rule: dict[str, Any], key: str, text: str) -> None:
    texts = texts_in(rule.get(key, []))
    if fold(text) not in map(fold, texts):
        rule[key] = [*texts, text]


def drop_text(rule: dict[str, Any], key: str, text: str) -> bool:
    if key not in rule:
        return False
    texts = texts_in(rule[key])
    rest = [one for one in texts if fold(str(one)) != fold(text)]
    if len(rest) == len(texts):
        return False
    set_entries(rule, key, rest)
    return True


def set_entries(document: dict[str, Any], key: str, entries: list[Any]) -> None:
    if entries:
        document[key] = entries
    else:
        document.pop(key, None)


def entry_key(entry: Any) -> tuple[str, ...]:
    """What an entry of ``accept`` is about: an alarm or a text, and its delivery."""
    if isinstance(entry, str):
        entry = {"alarm": entry}
    if not isinstance(entry, dict):
        return ("", str(entry))
    name, _colon, about = str(entry.get("alarm") or "").partition(":")
    parts = (name.strip(), about, entry.get("text"), entry.get("column"), entry.get("delivery"))
    return tuple(fold(str(part or "")) for part in parts)
