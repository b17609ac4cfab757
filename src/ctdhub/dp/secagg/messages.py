"""What the parties of a round send each other, as models that check themselves.

Everything after the plan names the round by its hash, and the round holds the plan and every key:
whoever was given another round notices at the first file of somebody else, and before that by the
fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ctdhub.core.error_catalogue import error
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.plan import Plan
from ctdhub.dp.secagg.channel import KEY, data
from ctdhub.dp.secagg.layout import SecaggLayout
from ctdhub.dp.secagg.noise_shares import guarding, least_threshold, share_workload
from ctdhub.dp.standalone.domains import DomainsFile
from ctdhub.dp.standalone.scope import Scope, scope_of_schema
from ctdhub.dp.standalone.table import MAX_DELTA, MAX_PEOPLE, most_people
from ctdhub.dp.workload import Workload
from ctdhub.schema.model import load_schema

NAME = r"[a-z0-9][a-z0-9-]{0,39}"
"""What a contributor is called in a round."""

LEAST, MOST = 3, 50
"""Contributors of a round: with two, either would learn the other's table under one share of noise
from the sum."""

_DIGITS = 48


class Message(BaseModel):
    """One file; its hash follows from what it says, not from how it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))
    kind: ClassVar[str]

    def header(self) -> dict[str, Any]:
        """All that it says, ready for JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of it, 64 letters."""
        return hashlib.sha256(canonical({"kind": self.kind, **self.header()})).hexdigest()


def canonical(content: Any) -> bytes:
    """JSON in the one spelling that hashes are made of; order counts, as that of columns does."""
    return json.dumps(content, separators=(",", ":")).encode()


class Terms(Message):
    """``plan``: what is counted, by whom, and what is promised to each person.

    Attributes:
        number: random, so that no two rounds are one.
        epsilon, delta: the promise.
        max_people: a public bound of the people in all tables together.
        domains: the domains file, None where the tables are of the hub's own schema.
        schema_version, columns: that schema and the columns, where they are.
        contributors: names, in order.
        known_to: the most contributors that may know one person; a public bound.
        liars: so many contributors may work with the hub or add wrong noise; the promise holds all
            the same.  At least 1: each contributor knows its own noise.
        hub: the hub's public key.
    """

    kind: ClassVar[str] = "plan"
    number: str = Field(pattern=r"^[0-9a-f]{32}$")
    epsilon: float = Field(gt=0, le=100)
    delta: float = Field(gt=0, le=MAX_DELTA)
    max_people: int = Field(ge=1, le=MAX_PEOPLE)
    domains: DomainsFile | None = None
    schema_version: str | None = None
    columns: tuple[str, ...] | None = None
    contributors: tuple[str, ...]
    known_to: int = Field(ge=1)
    liars: int = Field(ge=1)
    hub: str

    @model_validator(mode="after")
    def _check(self) -> Terms:
        names = self.contributors
        if not LEAST <= len(names) <= MOST or list(names) != sorted(set(names)):
            raise ValueError("contributors")
        if not all(re.fullmatch(NAME, name) for name in names):  # files are called by them
            raise ValueError("names")
        if max(self.known_to, self.liars + 1) > len(names) or len(data(self.hub)) != KEY:
            raise ValueError("bounds")
        if self.max_people > most_people(self.delta):
            raise ValueError("delta")
        if (self.domains is None) == (self.columns is None) or (
            self.domains is not None and not self.domains.checked
        ):
            raise ValueError("domains")
        return self

    def scope(self) -> Scope:
        """How the cells of each contributor's table become values of the plan.

        Raises:
            PolicyError: the tables are of another version of the schema.
        """
        if self.domains is not None:
            blanks = {n: column.not_recorded for n, column in self.domains.columns.items()}
            return Scope(self.domains.plan(), blanks, self.domains.person, "plan.count")
        if self.schema_version != load_schema().version:
            raise error("count-schema")
        return scope_of_schema(self.columns or ())

    def layout(self) -> SecaggLayout:
        """The numbers that are sent; see :meth:`scope`."""
        return SecaggLayout(self.scope().plan)

    def plan(self, contributors: int) -> Plan:
        """The plan of the sum: the rows that one person may have with all contributors together.

        Args:
            contributors: how many take part in the round.
        """
        plan = self.scope().plan
        return replace(plan, rows=plan.rows * min(self.known_to, contributors))


class Joined(Message):
    """``joined``: a contributor takes part, with its public key for this round."""

    kind: ClassVar[str] = "joined"
    plan: str
    contributor: str
    key: str


class Round(Message):
    """``round``: the plan, everybody's public key, and how many are needed at the end.

    Attributes:
        keys: public key by contributor.
        threshold: so many contributors must have their counts in the sum, and must answer the
            request; more than half even with liars, and at least :data:`LEAST`.
    """

    kind: ClassVar[str] = "round"
    terms: Terms
    keys: dict[str, str]
    threshold: int

    @model_validator(mode="after")
    def _check(self) -> Round:
        keys = (*self.keys.values(), self.terms.hub)
        if len(set(keys)) != len(keys) or any(len(data(key)) != KEY for key in keys):
            raise ValueError("keys")
        if len(self.keys) < LEAST or not set(self.keys) <= set(self.terms.contributors):
            raise ValueError("contributors")
        least = max(LEAST, least_threshold(len(self.keys), self.terms.liars))
        if not least <= self.threshold <= len(self.keys):
            raise ValueError("threshold")
        return self

    @property
    def honest(self) -> int:
        """The least number of honest shares of noise in a sum; see ``noise_shares``."""
        return guarding(len(self.keys), self.threshold, self.terms.liars)

    @cached_property
    def plan(self) -> Plan:
        """The plan of the sum; see :meth:`Terms.plan`."""
        return self.terms.plan(len(self.keys))

    @property
    def rho(self) -> float:
        """The most that the sum costs."""
        return rho_of(self.terms.epsilon, self.terms.delta)

    @cached_property
    def shares(self) -> Workload:
        """Every table with the noise that each contributor adds to it.

        Raises:
            PolicyError: a table would get more noise than can be drawn.
        """
        return share_workload(self.plan, self.rho, self.honest)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Contributors in order; the place of a share is the place of its holder here, from 1."""
        return tuple(sorted(self.keys))

    @property
    def digest(self) -> bytes:
        """The hash as bytes."""
        return bytes.fromhex(self.hash)

    def fingerprint(self) -> str:
        """48 digits that all contributors must see alike, to be read out over the telephone.

        A hub that wanted to show two rounds with one fingerprint would have to find two hashes
        that agree in 159 bits, which takes about 2^79 attempts.
        """
        digits = f"{int(self.hash, 16) % 10**_DIGITS:0{_DIGITS}d}"
        return " ".join(digits[i : i + 4] for i in range(0, _DIGITS, 4))


class Masked(Message):
    """``masked``: masked counts, sealed for the hub, and shares, sealed for who holds them.

    Attributes:
        deals: sealed shares by who is to hold them.
    """

    kind: ClassVar[str] = "masked"
    round: str
    contributor: str
    deals: dict[str, str]


class SumRequest(Message):
    """``request``: whose masked counts are in the sum, and the shares of theirs to be revealed.

    Attributes:
        bodies: SHA-256 of the sealed counts, by contributor in the sum.
        deals: as in :class:`Masked`, by contributor in the sum.
    """

    kind: ClassVar[str] = "request"
    round: str
    bodies: dict[str, str] = Field(min_length=LEAST)
    deals: dict[str, dict[str, str]]


class Revealed(Message):
    """``revealed``: one contributor's shares, sealed for the hub."""

    kind: ClassVar[str] = "revealed"
    round: str
    request: str
    contributor: str
    sealed: str


class Total(Message):
    """``sum``: the noisy sum, and of whose counts.

    Attributes:
        contributors: whose counts and noise are in it.
        charge: the charge in the ledger that paid for it.
    """

    kind: ClassVar[str] = "sum"
    round: Round
    contributors: tuple[str, ...] = Field(min_length=LEAST)
    charge: str


KINDS: dict[str, type[Message]] = {
    m.kind: m for m in (Terms, Joined, Round, Masked, SumRequest, Revealed, Total)
}

Kind = Literal["plan", "joined", "round", "masked", "request", "revealed", "sum"]
