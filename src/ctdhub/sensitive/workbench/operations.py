"""Edits of a mapping as operations on keys: what each does to the YAML's data, and its opposite.

An operation is a JSON object (``ask`` lists them).  Operations on different keys commute: whatever
their order, they give the same mapping.  Belongs here: applying, reading the value of a key, the
operations between two mappings.  Does not belong here: YAML as text, drafts, what rows become.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.text import fold
from ctdhub.sensitive.workbench.rule_data import CHILD, as_yaml_data, entry_key, rules_in
from ctdhub.sensitive.workbench.sheet_ids import ListSheet, sheet_place

Operation = dict[str, Any]
"""``op``, the keys that name what is edited, and its new value."""

VALUES = {
    "map": "codes",
    "rule": "rule",
    "empty": "on",
    "known": "on",
    "identifier": "decision",
    "exclude": "rule",
    "accept": "on",
    "setting": "value",
    "layout": "text",
}
"""For each kind of operation the key of its value."""

_TEXTS = {
    "map": ("sheet", "text"),
    "rule": ("variable",),
    "empty": ("text",),
    "known": ("variable", "text"),
    "identifier": ("column",),
    "exclude": ("name",),
    "accept": (),
    "setting": ("key",),
    "layout": ("text",),
}
SETTINGS = frozenset(
    {"read", "dates", "rows", "key", "tokens", "optional", "perpetrators", "tests", "name"}
    | {"builtin", "version"}
)
"""Keys of a mapping that are set as a whole."""

_LONGEST, _MOST = 40_000, 2_000_000


def checked(given: Any) -> Operation:
    """An operation out of JSON, without keys that it has not.

    Raises:
        HubError: it is none (rule "workbench-request").
    """
    if not isinstance(given, dict) or given.get("op") not in VALUES:
        raise error("workbench-request")
    kind = given["op"]
    names, value = _TEXTS[kind], VALUES[kind]
    for name in names:
        text = given.get(name)
        longest = _MOST if kind == "layout" else _LONGEST
        if not isinstance(text, str) or len(text) > longest:
            raise error("workbench-request")
    made = {"op": kind, **{name: given[name] for name in names}}
    if kind == "setting" and given["key"] not in SETTINGS:
        raise error("workbench-request")
    if kind == "map":
        codes = given.get("codes")
        if not isinstance(codes, list) or not all(isinstance(c, str) for c in codes):
            raise error("workbench-request")
        return {**made, "codes": list(dict.fromkeys(codes))}
    if kind == "accept":
        entry = as_yaml_data(given.get("entry"))
        if isinstance(entry, str):
            entry = {"alarm": entry}
        if not isinstance(entry, dict):
            raise error("workbench-request")
        made["entry"] = entry
    if value == "on":
        return {**made, "on": bool(given.get("on", True))}
    return {**made, value: as_yaml_data(given.get(value))}


def key_of(operation: Operation) -> tuple[str, ...]:
    """What is edited: equal where two operations concern the same."""
    kind = operation["op"]
    if kind == "layout":
        return (kind,)
    if kind == "accept":
        return (kind, *entry_key(operation["entry"]))
    names = (operation[name] for name in _TEXTS[kind])
    exact = kind in ("rule", "map", "setting")  # names of ours; others are texts of a file
    return (kind, *(name if exact and not i else fold(name) for i, name in enumerate(names)))


def touch(one: Operation, other: Operation) -> bool:
    """Whether two operations concern the same key, or one the rule in which the other's key is."""
    if key_of(one) == key_of(other):
        return True
    for outer, inner in ((one, other), (other, one)):
        if outer["op"] == "rule" and outer["variable"] in _variables(inner, outer):
            return True
        if outer["op"] == "setting" and outer["key"] == "builtin" and inner["op"] in _IN_RULES:
            return True
        if outer["op"] == "setting" and outer["key"] == "perpetrators":
            named = inner.get("variable") or inner.get("sheet") or ""
            if named.startswith((CHILD, "list:perpetrators")):
                return True
    return False


_IN_RULES = ("map", "rule", "known")


def _variables(inner: Operation, rule: Operation) -> Iterable[str]:
    """Variables of whose rules an operation changes a part."""
    if inner["op"] == "known":
        return (inner["variable"],)
    if inner["op"] != "map":
        return ()
    listed = ListSheet.of(inner["sheet"])
    if listed is None:
        place = sheet_place(inner["sheet"])
        names = [str(part) for part in place if not isinstance(part, int)]
        return (CHILD + names[-1] if names[0] == "perpetrators" else names[-1],)
    prefix = CHILD if listed.table == "perpetrators" else ""
    named = {*inner["codes"], *(inner.get("before") or ())}
    same = any(listed.is_of(one) for side in ("rule", "before") for one in rules_in(rule.get(side)))
    return [prefix + name for name in named] + ([rule["variable"]] if same else [])


def opposite(operation: Operation, before: Any) -> Operation:
    """The operation that gives a key the value it had before."""
    value = VALUES[operation["op"]]
    if value == "on":
        before = bool(before)
    if value == "codes":
        before = before or []
    return {key: v for key, v in operation.items() if key in _own(operation)} | {value: before}


def _own(operation: Operation) -> tuple[str, ...]:
    return ("op", "entry", *_TEXTS[operation["op"]], VALUES[operation["op"]])


def value_of(operation: Operation) -> Any:
    """The value that an operation gives its key."""
    return operation.get(VALUES[operation["op"]])


def label_of(operation: Operation) -> str:
    """What an operation concerns, in the words of the mapping and of the file."""
    names = [operation[name] for name in _TEXTS[operation["op"]] if operation["op"] != "layout"]
    if operation["op"] == "map":
        listed = ListSheet.of(operation["sheet"])
        column = listed.column if listed else str(sheet_place(operation["sheet"])[-1])
        names = [column, operation["text"]]
    if operation["op"] == "accept":
        names = [part for part in entry_key(operation["entry"]) if part]
    return " · ".join([operation["op"], *names])
