"""The operations between two mappings, rule by rule: what a hand edit, or another person, did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctdhub.core.text import fold
from ctdhub.sensitive.mapping.patched_yaml import Document
from ctdhub.sensitive.workbench.edited import applied
from ctdhub.sensitive.workbench.operations import Operation
from ctdhub.sensitive.workbench.rule_data import (
    CHILD,
    as_yaml_data,
    codes_of,
    rules_in,
    texts_in,
)
from ctdhub.sensitive.workbench.sheet_ids import ListSheet


def between(old: Document, new: Document) -> list[Operation]:
    """The operations that make one mapping's data into another's, rule by rule."""
    found: list[Operation] = []
    found += _between_rules(old, new)
    had, has = (texts_in(d.get("empty", [""])) for d in (old, new))
    found += _switched(had, has)
    was, now = ((d.get("identifiers") or {}) for d in (old, new))
    for column in dict.fromkeys((*was, *now)):
        if was.get(column) != now.get(column):
            found.append({"op": "identifier", "column": column, "decision": now.get(column)})
    before, after = (_named(document) for document in (old, new))
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            rule = {k: v for k, v in after.get(name, {}).items() if k != "rule"}
            found.append({"op": "exclude", "name": name, "rule": rule or None})
    for one, other, on in ((new, old, True), (old, new, False)):
        known = [as_yaml_data(entry) for entry in texts_in(other.get("accept", []))]
        for entry in texts_in(one.get("accept", [])):
            if entry not in known:
                about: Any = {"alarm": entry} if isinstance(entry, str) else entry
                found.append({"op": "accept", "entry": about, "on": on})
    made = old
    for operation in found:
        made = applied(made, operation)
    for key in dict.fromkeys((*made, *new)):
        if made.get(key) != new.get(key):
            found.append({"op": "setting", "key": key, "value": new.get(key)})
    return found


def _named(document: Document) -> dict[str, dict[str, Any]]:
    """Exclusions by name."""
    return {entry.get("rule", ""): entry for entry in document.get("exclude") or []}


def _between_rules(old: Document, new: Document) -> Iterator[Operation]:
    """Texts one by one where rules differ in nothing else; else whole rules."""
    texts = list(_between_texts(old, new))
    made = old
    for operation in texts:
        made = applied(made, operation)
    yield from texts
    both = [(d.get("columns"), (d.get("perpetrators") or {}).get("columns")) for d in (made, new)]
    for prefix, was, now in zip(("", CHILD), *both, strict=True):
        was, now = was or {}, now or {}
        if prefix and not (was and now):
            continue
        for name in dict.fromkeys((*was, *now)):
            if was.get(name, _NONE) != now.get(name, _NONE):
                yield {"op": "rule", "variable": prefix + name, "rule": now.get(name)}


def _between_texts(old: Document, new: Document) -> Iterator[Operation]:
    was, now = old.get("columns") or {}, new.get("columns") or {}
    lists: dict[str, set[str]] = {}
    for name, rules in now.items():
        pairs = (rules_in(was.get(name)), rules_in(rules))
        if len(pairs[0]) != len(pairs[1]):
            continue
        for at, (before, after) in enumerate(zip(*pairs, strict=True)):
            differ = {k for k in (*before, *after) if before.get(k) != after.get(k)}
            if differ == {"map"} and "map" in before and "map" in after:
                sheet = f"columns.{name}" + (f".{at}" if len(pairs[0]) > 1 else "")
                for text in dict.fromkeys((*before["map"], *after["map"])):
                    if before["map"].get(text, _NONE) != after["map"].get(text, _NONE):
                        yield _mapped(new, sheet, text)
            elif differ and differ <= _LISTED and "has" in before and not before.get("when"):
                source = before["from"] if isinstance(before["from"], list) else [before["from"]]
                sheet = ListSheet("records", tuple(source), before.get("split")).name
                found = lists.setdefault(sheet, set())
                for key in differ:
                    found |= {*texts_in(before.get(key, []))} ^ {*texts_in(after.get(key, []))}
    for sheet, texts in lists.items():
        yield from (_mapped(new, sheet, text) for text in sorted(texts))


_LISTED = {"has", "known", "null_values"}


def _mapped(new: Document, sheet: str, text: str) -> Operation:
    return {"op": "map", "sheet": sheet, "text": text, "codes": codes_of(new, sheet, text)}


_NONE = object()


def _switched(had: list[str], has: list[str]) -> Iterator[Operation]:
    was, now = set(map(fold, had)), set(map(fold, has))
    for text in has:
        if fold(text) not in was:
            yield {"op": "empty", "text": text, "on": True}
    for text in had:
        if fold(text) not in now:
            yield {"op": "empty", "text": text, "on": False}
