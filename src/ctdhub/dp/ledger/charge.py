"""One charge, as it lies in the ledger."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Kind = Literal["release", "chart", "file", "brief"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What privacy can be spent on."""

FIRST = "0" * 64
"""What the first entry names as the hash of the one before it."""


@dataclass(frozen=True)
class Charge:
    """One charge.

    Attributes:
        number: 1, 2, 3, …
        time: UTC, ISO 8601.
        kind: what was asked for, one of :data:`KINDS`.
        id: random name of the charge, safe to publish.
        question: keyed hash of the question; for the steward alone.
        rho, epsilon, delta: what it costs, and the guarantee it was bought for.
        what: in words.
        previous, hash: of the entry before (zeros for the first), and of this one.
        contributors: ids of those whose records took part; None where it was not written down,
            which counts against every contributor.
        mac: of the hash and the population, see ``population``; empty where nothing vouches.
    """

    number: int
    time: str
    kind: str
    id: str
    question: str
    rho: float
    epsilon: float
    delta: float
    what: str
    previous: str
    hash: str = ""
    contributors: tuple[str, ...] | None = None
    mac: str = ""

    def sealed(self) -> Charge:
        """The entry with the hash of its other fields, but for the MAC, which covers it."""
        content = {k: v for k, v in self._fields().items() if k not in ("hash", "mac")}
        return replace(self, hash=hashlib.sha256(_canonical(content)).hexdigest())

    def line(self) -> bytes:
        """The entry as it lies in the ledger, without the end of the line."""
        return _canonical(self._fields())

    def concerns(self, contributor: str) -> bool:
        """Whether the charge counts against this contributor."""
        return self.contributors is None or contributor in self.contributors

    def _possible(self) -> bool:
        """Whether the figures are such as a charge may have; a TypeError where they are none."""
        return 0 < self.rho < math.inf and 0 <= self.epsilon < math.inf and 0 < self.delta < 1

    def _fields(self) -> dict[str, Any]:
        """All fields; contributors and MAC only where known."""
        fields = asdict(self)
        if self.contributors is None:
            del fields["contributors"]
        if not self.mac:
            del fields["mac"]
        return fields


def read(line: bytes, before: Charge | None, *, chained: bool = True) -> Charge | None:
    """The entry of a line that follows ``before``, or None where it is none."""
    try:
        fields = json.loads(line)
        if "contributors" in fields:
            fields["contributors"] = tuple(fields["contributors"])
        entry = Charge(**fields)
        whole = entry.sealed() == entry and entry.line() == line and entry._possible()
    except (ValueError, TypeError, AttributeError):
        return None
    follows = (before.number + 1, before.hash) if before else (1, FIRST)
    if not whole or (chained and (entry.number, entry.previous) != follows):
        return None
    return entry


def taking_part(facts: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Ids of the contributors in public facts, sorted; None where the facts do not say.

    >>> taking_part({"contributors": [{"id": "two", "name": "B"}, {"id": "one", "name": "A"}]})
    ('one', 'two')
    >>> taking_part({"contributors": ["A name without an id"]}) is taking_part({}) is None
    True
    """
    given: Iterable[Any] = facts.get("contributors") or ()
    ids = [c.get("id") if isinstance(c, Mapping) else None for c in given]
    known = sorted({i for i in ids if isinstance(i, str)})
    return tuple(known) if ids and all(isinstance(i, str) for i in ids) else None


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=True).encode()
