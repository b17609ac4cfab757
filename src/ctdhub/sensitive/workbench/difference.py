"""The operations between two mappings, rule by rule: what a hand edit, or another person, did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctdhub.core.text import fold
from ctdhub.sensitive.mapping.patched_yaml import Document
from ctdhub.sensitive.workbench.edited import applied
from ctdhub.sensitive.workbench.operations import Operation
from ctdhub.sensitive.workbench.rule_data import CHILD, as_yaml_data, texts_in


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
    both = [(d.get("columns"), (d.get("perpetrators") or {}).get("columns")) for d in (old, new)]
    for prefix, was, now in zip(("", CHILD), *both, strict=True):
        was, now = was or {}, now or {}
        if prefix and not (was and now):
            continue
        for name in dict.fromkeys((*was, *now)):
            if was.get(name, _NONE) != now.get(name, _NONE):
                yield {"op": "rule", "variable": prefix + name, "rule": now.get(name)}


_NONE = object()


def _switched(had: list[str], has: list[str]) -> Iterator[Operation]:
    was, now = set(map(fold, had)), set(map(fold, has))
    for text in has:
        if fold(text) not in was:
            yield {"op": "empty", "text": text, "on": True}
    for text in had:
        if fold(text) not in now:
            yield {"op": "empty", "text": text, "on": False}
