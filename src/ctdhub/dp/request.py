"""What makes a request, as far as it is public, and which exact tables it is asked of.

Belongs here: the parts of a request, their canonical form, what differs between two.
Does not belong here: charging (``engine``), when an answer may be given again (``reuse``).

A request is written out field by field as canonical JSON: public values by column, every table with
shape, kind, noise and reach, epsilon, delta, unit, :data:`METHOD` and the settings that decide what
is shown.  Names of classes and modules, settings that decide none of these, and the order in which
tables are asked for are no part of it.  A setting that is added later is written only where it
differs from what went without saying before.  Whose people they are the ledger knows: it has one
key for the hashes of all requests about them.

Exact tables are no part of a request: an answer that came back whenever the tables did would tell
everybody who compares two versions that they are equal.  Their digests are kept apart, keyed and
inside the hub.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Parents, Plan
from ctdhub.dp.policy import Domains
from ctdhub.dp.price import CAUSES, Cause
from ctdhub.dp.workload import Workload

METHOD = 1
"""What is measured, and how its noise is drawn.  A new method makes every request a new one, which
is charged."""

FORM = 2
"""How requests are written; another form makes every request a new one, which is charged."""

HUB = "hub"
"""What a hub's own request is about; tables and sums alone say otherwise."""


@dataclass(frozen=True)
class RequestPart:
    """One table of people or of their rows, as far as it is public.

    Attributes:
        name: which part of the answer it becomes.
        domains: public values by column.
        tables: what is measured, with its noise.
        share: of the cost, where the part is not the main one.
        shown: settings, by name, that decide what is published of the noisy tables.
    """

    name: str
    domains: Domains
    tables: Workload
    share: float | None
    shown: dict[str, Any]


@dataclass(frozen=True)
class CanonicalRequest:
    """What is asked, in texts of which each can differ alone.

    Attributes:
        method: see :data:`METHOD`.
        people: digests of the exact tables.  Sensitive.
        columns: public values, tables, shapes, kinds and reach.
        settings: the promise, and what is shown.
        noise: of each table; it follows from columns and settings, weights among them.
    """

    method: str
    people: str
    columns: str
    settings: str
    noise: str

    @property
    def content(self) -> bytes:
        """What is public of it, to be hashed with the ledger's secret."""
        public = {name: text for name, text in self._texts().items() if name != "people"}
        return _canonical(["request", FORM, *public.values()]).encode()

    @property
    def content_with_people(self) -> bytes:
        """All of it, to be hashed with the ledger's secret.  Sensitive."""
        return _canonical(["request with people", FORM, *self._texts().values()]).encode()

    def parts(self) -> dict[str, bytes]:
        """Each part by its name, to be hashed with the ledger's secret."""
        return {name: _canonical(["part", name, t]).encode() for name, t in self._texts().items()}

    def _texts(self) -> dict[str, str]:
        return {
            "method": self.method,
            "people": self.people,
            "columns": self.columns,
            "settings": self.settings,
            "noise": self.noise,
        }


def request_of(
    about: str, epsilon: float, delta: float, unit: str, parts: Sequence[tuple[RequestPart, Counts]]
) -> CanonicalRequest:
    """A request for these parts.

    Args:
        about: :data:`HUB`, or what else the people are.
        epsilon, delta: the promise.
        unit: who is protected.
        parts: each with its exact tables.
    """
    columns, settings, noise, people = {}, {}, {}, {}
    for part, exact in parts:
        tables = sorted(part.tables, key=lambda q: q.columns)
        columns[part.name] = {
            "domains": {name: list(values) for name, values in part.domains.items()},
            "tables": [[list(q.columns), list(q.shape), q.kind, q.reach] for q in tables],
        }
        settings[part.name] = {"share": part.share, "shown": part.shown}
        noise[part.name] = [[q.sigma2.numerator, q.sigma2.denominator] for q in tables]
        people[part.name] = _digest(exact)
    promise = {"about": about, "epsilon": epsilon, "delta": delta, "unit": unit}
    return CanonicalRequest(
        method=str(METHOD),
        people=_canonical(people),
        columns=_canonical(columns),
        settings=_canonical([promise, settings]),
        noise=_canonical(noise),
    )


def shown(plan: Plan, *, hierarchy: bool) -> dict[str, Any]:
    """The settings of a plan that decide what is published of its noisy tables.

    Args:
        hierarchy: whether its hierarchies were given with the question; those of a hub are the
            software's.
    """
    found: dict[str, Any] = {
        "level": plan.level,
        "false_share": plan.false_share,
        "support": plan.support,
        "year": plan.year,
    }
    if plan.imputations:
        found["imputations"] = plan.imputations
    if hierarchy:
        given: dict[str, Parents] = plan.parents
        found["parents"] = {name: [list(level) for level in up] for name, up in given.items()}
    return found


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Cause, ...]:
    """Why two requests differ; () where they do not.

    Args:
        before, now: keyed hash by part of a request, see :meth:`CanonicalRequest.parts`.

    >>> differing({"people": "a", "noise": "b"}, {"people": "x", "noise": "y"})
    ('people',)
    >>> differing({"people": "a", "noise": "b"}, {"people": "a", "noise": "y"})
    ('settings',)
    """
    causes = tuple(c for c in CAUSES if before.get(c) != now.get(c))
    return causes or (("settings",) if before.get("noise") != now.get("noise") else ())


def _digest(exact: Counts) -> str:
    """SHA-256 of tables by their columns, shapes and cells, in whatever order they are given."""
    found = hashlib.sha256()
    for columns in sorted(exact):
        cells = exact[columns]
        found.update(_canonical([list(columns), list(cells.shape)]).encode())
        found.update(np.ascontiguousarray(cells, dtype="<i4").data)
    return found.hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(
        value, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")
    )
