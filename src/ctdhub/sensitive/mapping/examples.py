"""A mapping's own tests: made-up rows and what must become of them."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import _
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.rule import Example
from ctdhub.sensitive.mapping.transform import Asked, Transform, Transformed

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
        _("test {n}: {what}").format(n=i + 1, what=what)
        for i, example in enumerate(mapping.tests)
        if (what := _difference(i, example, done))
    ]
    if failed:
        raise error("mapping-tests", file=mapping.name, tests="; ".join(failed))
    return len(mapping.tests)


def _difference(row: int, example: Example, done: Transformed) -> str:
    """What differs from what the example expects, empty where nothing does."""
    excluded = [e["rule"] for e in done.excluded.to_pylist() if e["_row"] == row]
    rejects = [r for r in done.rejects.to_pylist() if r["source_row"] == row]
    at_fault = sorted({r["target"] for r in rejects})
    if excluded:
        outcome = _("excluded by {rule}").format(rule=excluded[0])
    elif rejects:
        outcome = _("rejected for {columns}").format(columns=", ".join(at_fault))
    else:
        outcome = _("a record")
    wrong = _("expected {expected}, got {got}")
    if example.excluded is not None:
        want = _("excluded by {rule}").format(rule=example.excluded)
        return "" if excluded == [example.excluded] else wrong.format(expected=want, got=outcome)
    if example.rejected is not None:
        want = _("rejected for {columns}").format(columns=example.rejected)
        return "" if example.rejected in at_fault else wrong.format(expected=want, got=outcome)
    if excluded or rejects:
        return wrong.format(expected=_("a record"), got=outcome)
    found = next(v for v in done.values.to_pylist() if v["_row"] == row)
    differing = _differing(example.gives or {}, found)
    if example.perpetrators is not None and done.children is not None:
        children = [c for c in done.children.to_pylist() if c["_row"] == row]
        if len(children) != len(example.perpetrators):
            differing.append(
                wrong.format(
                    expected=_("{n} perpetrators").format(n=len(example.perpetrators)),
                    got=len(children),
                )
            )
        else:
            for wanted, child in zip(example.perpetrators, children, strict=True):
                differing += _differing(wanted, child)
    return ", ".join(differing)


def _differing(wanted: dict[str, str | None], found: dict[str, object]) -> list[str]:
    texts = {name: None if v is None else str(v) for name, v in found.items()}
    return [
        _("{column}: expected {expected}, got {got}").format(
            column=name, expected=code or "null", got=texts.get(name) or "null"
        )
        for name, code in wanted.items()
        if texts.get(name) != code
    ]
