"""Policies and tables of which engine 4 wrote requests; their hashes are golden."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

_FEW = ["year_of_registration", "gender", "age_band", "source_type"]
_BOTH = ["citizenship", "country_of_exploitation", "citizenship_group"]
_FLAGS = ["exploitation_sexual", "exploitation_forced_labour", "any_exploitation", "any_means"]

POLICIES: dict[str, dict[str, Any]] = {
    "as a hub began": {},
    "a list of columns": {"columns": _FEW},
    "corridors and what follows": {"columns": [*_FEW, *_BOTH], "years": [2015, 2020]},
    "one country alone": {"columns": ["gender", "citizenship", "citizenship_group"]},
    "part of a group of flags": {"columns": [*_FEW, *_FLAGS], "support": 4},
    "other promise": {"columns": _FEW, "epsilon": 1.5, "delta": 1e-9, "max_people": 500},
    "other display": {"columns": _FEW, "level": 0.9, "false_share": 0.05, "support": 2},
    "a group on request": {"columns": _FEW, "groups": [_FEW[:3]], "weights": {"groups": 50}},
    "no perpetrators, no sources": {
        "columns": _FEW,
        "perpetrators": {"share": 0},
        "sources": {"share": 0},
    },
    "many perpetrators": {"columns": _FEW, "perpetrators": {"rows": 7, "share": 0.2}},
    "lists that overlap": {
        "columns": [*_FEW, *_BOTH],
        "sources": {"share": 0.1, "lists": ["harbour", "rivage"]},
    },
    "lists by tokens": {
        "columns": [*_FEW, "exploitation_sexual"],
        "sources": {"share": 0.1, "lists": ["rivage", "harbour"]},
        "linking": {"people": 1, "lists": 2},
        "weights": {"assistance": 0, "reports": 0, "pairs": 2},
    },
}

FACTS: dict[str, Any] = {
    "contributors": [
        {"id": "harbour", "name": "Harbour", "kind": "hotline", "years": [2010, 2022]},
        {"id": "mirador", "name": "Mirador", "kind": "hotline", "show_counts": False},
        {"id": "rivage", "name": "Rivage", "kind": "hotline", "years": [2014, 2026]},
    ]
}


def alone(plan: Callable[..., Any]) -> dict[str, tuple[Any, str]]:
    """Plans of tables outside a hub, and the word that set their requests apart.

    Args:
        plan: the class of plans.
    """
    domains = {"colour": ("red", "it's blue", 'a "quote"'), "naïve": ("ä", "بحر", "\U0001f642")}
    tree = {"colour": ((0, 1, 1), (0, 0, 0))}
    return {
        "a table alone": (plan(domains, parents=tree, rows=2), "table alone 1"),
        "a sum alone": (plan(domains, core=("colour",), tokens=0), "counts alone 1"),
    }


def exact_tables(
    plan: Any, tables: Iterable[tuple[str, ...]]
) -> dict[tuple[str, ...], npt.NDArray[np.int32]]:
    """Tables of a plan's shapes with cells that are about nobody."""
    found = {}
    for number, table in enumerate(tables):
        shape = plan.shape(table)
        cells = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64)
        found[table] = ((cells * 31 + number) % 97).astype(np.int32).reshape(shape)
    return found


BEFORE = {"epsilon": 4.0, "max_people": 1_000_000, "budget": {"epsilon": 12.0}}
"""What went without saying at the time of engine 4."""
POLICIES = {name: BEFORE | settings for name, settings in POLICIES.items()}
