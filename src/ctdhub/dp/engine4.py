"""Requests as engine 4 wrote them, byte for byte, so that what it was paid for stays paid.

Belongs here: that form alone, which never changes again.  Does not belong here: how requests are
written today (``request``).

Engine 4 told a request by what Python shows of its classes and by every setting of the policy.
Both are spelt out here as they stood then: classes and settings may be renamed, moved and added to
without a charge, as long as what is measured stays the same.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from ctdhub.dp.by_contributor import SourceTables
from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Plan
from ctdhub.dp.policy import Policy

METHOD = 1
"""The method of today that is engine 4's; under another one its answers are other answers."""


def hub_settings(policy: Policy, schema_version: str) -> list[Any]:
    """The settings that engine 4 wrote of a hub's policy."""
    weights = policy.weights
    return [
        {
            "version": 1,
            "columns": policy.columns if policy.columns == "all" else list(policy.columns),
            "years": list(policy.years),
            "epsilon": policy.epsilon,
            "delta": policy.delta,
            "max_people": policy.max_people,
            "level": policy.level,
            "false_share": policy.false_share,
            "support": policy.support,
            "groups": [list(group) for group in policy.groups],
            "perpetrators": {
                "rows": policy.perpetrators.rows,
                "share": policy.perpetrators.share,
            },
            "sources": {"share": policy.sources.share, "lists": list(policy.sources.lists)},
            "linking": {"people": policy.linking.people, "lists": policy.linking.lists},
            "weights": {kind: getattr(weights, kind) for kind in _WEIGHTS},
        },
        schema_version,
    ]


def content(
    exact: tuple[Counts, Counts, Counts],
    plan: Plan,
    epsilon: float,
    delta: float,
    settings: list[Any],
    child: tuple[Plan, float] | None,
    sources: SourceTables | None,
) -> bytes:
    """What engine 4 hashed with the ledger's secret.

    Args:
        exact: tables of people, of perpetrators and of sources, in the order of their plans.
        settings: see :func:`hub_settings`; of a table alone, one word.
        child: plan of the perpetrators, and their share.
    """
    rest: list[Any] = [_plan(plan), epsilon, delta, settings, "4"]
    if child:
        rest += [_plan(child[0]), child[1]]
    if sources:
        rest += [_sources(sources)]
    return b"".join(map(_digest, exact)) + json.dumps(rest, sort_keys=True).encode()


_WEIGHTS = (
    "people",
    "one_way",
    "corridor",
    "corridor_by",
    "core_pairs",
    "wide_pairs",
    "core_triples",
    "wide_triples",
    "pairs",
    "assistance",
    "reports",
    "groups",
)


def _plan(plan: Plan) -> str:
    indicators, followers, weights = plan.indicators, plan.followers, plan.weights
    return _shown(
        "Plan",
        domains=repr(plan.domains),
        core=repr(plan.core),
        corridor=repr(plan.corridor),
        by=repr(plan.by),
        groups=repr(plan.groups),
        parents=repr(plan.parents),
        indicators=_shown(
            "Indicators",
            flags=repr(indicators.flags),
            partial=repr(indicators.partial),
            yes=repr(indicators.yes),
            no=repr(indicators.no),
        ),
        followers=_shown("Followers", whole=repr(followers.whole), partial=repr(followers.partial)),
        assistance=repr(plan.assistance),
        reports=repr(plan.reports),
        rows=repr(plan.rows),
        tokens=repr(plan.tokens),
        weights=_shown("Weights", **{kind: repr(getattr(weights, kind)) for kind in _WEIGHTS}),
        level=repr(plan.level),
        false_share=repr(plan.false_share),
        support=repr(plan.support),
        year=repr(plan.year),
    )


def _sources(tables: SourceTables) -> str:
    lists = "None"
    if tables.lists:
        lists = _shown(
            "ListTables",
            names=repr(tables.lists.names),
            years=repr(tables.lists.years),
            tokens=repr(tables.lists.tokens),
            fewer=repr(tables.lists.fewer),
        )
    return _shown(
        "SourceTables",
        domains=repr(tables.domains),
        lists=lists,
        share=repr(tables.share),
        reach=repr(tables.reach),
    )


def _shown(name: str, **fields: str) -> str:
    """A class and its fields as Python showed them then; the fields are texts already."""
    return f"{name}({', '.join(f'{field}={text}' for field, text in fields.items())})"


def _digest(exact: Counts) -> bytes:
    found = hashlib.sha256()
    for table, cells in exact.items():
        found.update(repr((table, cells.shape)).encode())
        found.update(np.ascontiguousarray(cells, dtype="<i4").data)
    return found.digest()
