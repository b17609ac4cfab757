"""A mapping's own tests: made-up rows and what must become of them."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text, joined
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.program import Asked
from ctdhub.sensitive.mapping.rule import Example
from ctdhub.sensitive.mapping.transform import Transform, Transformed

YEARS = (1990, 2100)
"""Years that the examples may use, whatever the hub's policy."""


def check_mapping(mapping: Mapping) -> int:
    """Run the mapping's examples.

    Returns:
        How many there are; all hold.

    Raises:
        MappingError: names each example that fails, what it expects and what came out.  Example
            rows are made up, so their values may be shown.
    """
    return _checked(Asked.of(mapping, YEARS)) if mapping.tests else 0


@lru_cache(maxsize=16)
def _checked(asked: Asked) -> int:
    """The same; that a mapping's tests hold is kept, for it is asked of each of its files."""
    mapping = asked.mapping
    columns = dict.fromkeys([*mapping.needed(), *(c for e in mapping.tests for c in e.row)])
    rows = {c: pa.array([e.row.get(c) for e in mapping.tests], pa.string()) for c in columns}
    numbers = pa.array(range(len(mapping.tests)), pa.int64())
    done = Transform(mapping, YEARS).run(pa.table({"_row": numbers, **rows}))
    failed = [
        Text("test {n}: {what}", n=i + 1, what=what)
        for i, example in enumerate(mapping.tests)
        if (what := _difference(i, example, done))
    ]
    if failed:
        raise error("mapping-tests", file=mapping.name, tests=joined(failed, "; "))
    return len(mapping.tests)


def _difference(row: int, example: Example, done: Transformed) -> Text | None:
    """What differs from what the example expects, None where nothing does."""
    excluded = [e["rule"] for e in done.excluded.to_pylist() if e["_row"] == row]
    rejects = [r for r in done.rejects.to_pylist() if r["source_row"] == row]
    at_fault = sorted({r["target"] for r in rejects})
    if excluded:
        outcome = _excluded(excluded[0])
    elif rejects:
        outcome = _rejected(", ".join(at_fault))
    else:
        outcome = Text("a record")
    if example.excluded is not None:
        right = excluded == [example.excluded]
        return None if right else _wrong(_excluded(example.excluded), outcome)
    if example.rejected is not None:
        right = example.rejected in at_fault
        return None if right else _wrong(_rejected(example.rejected), outcome)
    if excluded or rejects:
        return _wrong(Text("a record"), outcome)
    found = next(v for v in done.values.to_pylist() if v["_row"] == row)
    differing = _differing(example.gives or {}, found)
    if example.perpetrators is not None and done.children is not None:
        children = [c for c in done.children.to_pylist() if c["_row"] == row]
        if len(children) != len(example.perpetrators):
            wanted = Text("{n} alleged perpetrators", n=len(example.perpetrators))
            differing.append(_wrong(wanted, len(children)))
        else:
            for gives, child in zip(example.perpetrators, children, strict=True):
                differing += _differing(gives, child)
    return joined(differing, ", ") if differing else None


def _excluded(rule: str) -> Text:
    return Text("excluded by {rule}", rule=rule)


def _rejected(columns: str) -> Text:
    return Text("rejected for {columns}", columns=columns)


def _wrong(expected: Text, got: Text | int) -> Text:
    return Text("expected {expected}, got {got}", expected=expected, got=got)


def _differing(wanted: dict[str, str | None], found: dict[str, object]) -> list[Text]:
    texts = {name: None if v is None else str(v) for name, v in found.items()}
    return [
        Text(
            "{column}: expected {expected}, got {got}",
            column=name,
            expected=code or "null",
            got=texts.get(name) or "null",
        )
        for name, code in wanted.items()
        if texts.get(name) != code
    ]
