"""What the parties of a round send each other, as models, as files, and as steps on messages
alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ctdhub.core.errors import HubError, error
from ctdhub.core.files import write_whole
from ctdhub.core.i18n import Text
from ctdhub.core.keys.linkage import Share, join, split
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.noise import Bits
from ctdhub.dp.plan import Plan
from ctdhub.dp.secagg import masks
from ctdhub.dp.secagg.masks import SEED, Cells, Purpose, SecaggLayout, Secret, data
from ctdhub.dp.standalone.domains import DomainsFile, Scope, scope_of_schema
from ctdhub.dp.standalone.table import MAX_DELTA, MAX_PEOPLE, most_people
from ctdhub.dp.workload import Workload
from ctdhub.schema.model import load_schema

# --------------------------------------------------------------------------------------------------
# What the parties of a round send each other, as models that check themselves.
#
# Everything after the plan names the round by its hash, and the round holds the plan and every key:
# whoever was given another round notices at the first file of somebody else, and before that by the
# fingerprint.

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
        if max(self.known_to, self.liars + 1) > len(names) or len(data(self.hub)) != masks.KEY:
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
            return self.domains.scope((), "plan.count")
        if self.schema_version != load_schema().version:
            raise error("count-schema")
        return scope_of_schema(self.columns or ())

    def layout(self) -> SecaggLayout:
        """The numbers that are sent; see :meth:`scope`."""
        return SecaggLayout(self.scope().plan)

    def plan(self, contributors: int) -> Plan:
        """The plan of the sum: the rows that one person may have with all contributors together.

        Regions are not measured by themselves, so that nothing is kept for them.

        Args:
            contributors: how many take part in the round.
        """
        plan = self.scope().plan
        return replace(plan, rows=plan.rows * min(self.known_to, contributors), regions=())


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
        if len(set(keys)) != len(keys) or any(len(data(key)) != masks.KEY for key in keys):
            raise ValueError("keys")
        if len(self.keys) < LEAST or not set(self.keys) <= set(self.terms.contributors):
            raise ValueError("contributors")
        least = max(LEAST, masks.least_threshold(len(self.keys), self.terms.liars))
        if not least <= self.threshold <= len(self.keys):
            raise ValueError("threshold")
        return self

    @property
    def honest(self) -> int:
        """The least number of honest shares of noise in a sum; see ``masks.guarding``."""
        return masks.guarding(len(self.keys), self.threshold, self.terms.liars)

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
        return masks.share_workload(self.plan, self.rho, self.honest)

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


# --------------------------------------------------------------------------------------------------
# Files of a round: one line of JSON that says what it is, then its numbers if it has any.

FORMAT = "count 2"
"""Of the rounds in which contributors add the noise; before it the hub did."""
ENDING = ".count"
_LONGEST_LINE = 32_000_000
_LARGEST = 300_000_000
"""More than 60 million cells take (``domains.MAX_CELLS``)."""

M = TypeVar("M", bound=Message)


def path_of(folder: Path, kind: str, contributor: str = "") -> Path:
    """Where a file of a round lies in a folder.

    >>> path_of(Path("x"), "masked", "refuge").name
    'masked-refuge.count'
    """
    return folder / ((f"{kind}-{contributor}" if contributor else kind) + ENDING)


def write(path: Path, message: Message, body: bytes = b"", mode: int = 0o644) -> Path:
    """Write a file; it is there whole or not at all.

    Raises:
        CountError: there is one already; nothing is ever overwritten.
    """
    check_free(path)
    head = {"ctdhub": FORMAT, "kind": message.kind, **message.header()}
    head["sha256"] = _check(head, body)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, canonical(head) + b"\n" + body, mode)
    return path


def check_free(path: Path) -> None:
    """Refuse to write a file that is there.

    Raises:
        CountError: it is.
    """
    if path.exists():
        raise error("count-exists", file=path)


def read(path: Path, kind: type[M]) -> tuple[M, bytes]:
    """The message of a file and its body.

    Raises:
        CountError: there is no such file, it was altered, or is something else.
    """
    message, body = read_any(path)
    if not isinstance(message, kind):
        raise error("count-kind", file=path, kind=message.kind)
    return message, body


def read_any(path: Path) -> tuple[Message, bytes]:
    """The message of a file of any kind; see :func:`read`."""
    if not path.is_file():
        raise error("count-missing", file=path, wait=_waits_for(path))
    with path.open("rb") as file:
        line, body = file.readline(_LONGEST_LINE), file.read(_LARGEST)
    try:
        head = json.loads(line)
        version = head.pop("ctdhub")
        if version != FORMAT and re.fullmatch(r"count \d+", version):
            raise error("count-file/version", file=path)
        if version != FORMAT:
            raise ValueError("another format")
        kind, digest = head.pop("kind"), head.pop("sha256")
        model = KINDS[kind]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise error("count-file", file=path) from None
    try:
        if _check({"ctdhub": FORMAT, "kind": kind, **head}, body) != digest:
            raise ValueError("altered")
        return model.model_validate(head), body
    except (ValueError, TypeError, ValidationError):
        raise altered(path) from None


def altered(path: Path) -> HubError:
    """The error of a file that is not what was sent."""
    return error("count-altered", file=path)


def of_round(path: Path, kind: type[M], round_: Round, contributor: str = "") -> tuple[M, bytes]:
    """Read a file that must belong to a round, and come from a contributor if one is named.

    Raises:
        CountError: see :func:`read`; it is of another round or from somebody else.
    """
    message, body = read(path, kind)
    if getattr(message, "round", None) != round_.hash:
        raise error("count-round", file=path)
    if getattr(message, "contributor", "") != contributor:
        raise error("count-contributor", file=path)
    return message, body


def read_terms(exchange: Path) -> Terms:
    """The plan in a folder; see :func:`read`."""
    return read(path_of(exchange, "plan"), Terms)[0]


def read_round(exchange: Path) -> Round:
    """The round in a folder; see :func:`read`."""
    return read(path_of(exchange, "round"), Round)[0]


def read_request(exchange: Path, round_: Round) -> SumRequest:
    """The request in a folder; see :func:`of_round`."""
    return of_round(path_of(exchange, "request"), SumRequest, round_)[0]


def _check(head: dict[str, object], body: bytes) -> str:
    digest = hashlib.sha256(canonical(head))
    digest.update(b"\n")
    digest.update(body)
    return digest.hexdigest()


def _waits_for(path: Path) -> Text:
    """What to do where a file is missing, by what the file is."""
    kind, _dash, name = path.name.removesuffix(ENDING).partition("-")
    of_hub = {"plan": "new", "round": "start", "request": "close"}
    of_contributor = {"joined": "join", "masked": "mask", "revealed": "reveal"}
    if kind in of_hub:
        text = Text(
            "The hub makes it with `ctdhub count {verb}` and sends it to every contributor."
        )
        return text.holding(verb=of_hub[kind])
    if kind in of_contributor:
        text = Text("{contributor} makes it with `ctdhub count {verb}` and sends it to the hub.")
        return text.holding(contributor=name, verb=of_contributor[kind])
    return Text("Check the name of the file.")


# --------------------------------------------------------------------------------------------------
# The steps of a round on messages alone: no files, no clock, randomness from outside.
#
# In words.  A contributor draws a seed of its own and has a seed in common with each other
# contributor.  It masks its counts with all of them, and shares each of its seeds out, so that any
# ``threshold`` contributors together can give it back.  When the hub has what it will get, it names
# those whose masked counts are in the sum.  For each of these, contributors reveal shares of its
# own seed; for each pair of one of these with one who is missing, shares of the pair's seed.  The
# mask between two who are both in the sum is never revealed: it cancels.

HUB = ""
"""The name of the hub among the parties; no contributor has it."""


class Mismatch(ValueError):
    """Something that a party sent does not belong here.

    Attributes:
        party: whose it is.
    """

    def __init__(self, party: str) -> None:
        super().__init__(f"what {party} sent does not belong here")
        self.party = party


@dataclass(frozen=True)
class PartySide:
    """One party of a round: a contributor by its name, or the hub."""

    round: Round
    me: str
    secret: Secret

    def key(self, other: str, purpose: Purpose) -> bytes:
        """The key in common with another party, for one purpose."""
        public = self.round.terms.hub if other == HUB else self.round.keys[other]
        return self.secret.agreed(public, self.round.digest, purpose)

    def about(self, purpose: Purpose, *more: str) -> bytes:
        """What sealed content is bound to."""
        return "|".join((purpose, self.round.hash, *more)).encode()


def others(round_: Round, name: str) -> tuple[str, ...]:
    """All contributors of a round but one, in order."""
    return tuple(n for n in round_.names if n != name)


def masked(side: PartySide, counts: Cells, source: Bits = os.urandom) -> tuple[Masked, bytes]:
    """What a contributor sends of its counts: shares, and the masked counts sealed for the hub.

    Args:
        counts: with the contributor's share of noise, see ``masks``.
    """
    round_, me = side.round, side.me
    own = source(SEED)
    pairs = {other: side.key(other, "mask") for other in others(round_, me)}
    seeds = (own, *pairs.values())
    # Seeds are random, so that their hashes say nothing; by them the hub checks what it is given.
    marks = b"".join(hashlib.sha256(seed).digest() for seed in seeds)
    numbers = masks.mask(counts, own, pairs, me).astype("<u4").tobytes()
    key, about = side.key(HUB, "masked"), side.about("masked", me)
    body = masks.seal(key, marks + numbers, about, source)
    digest = hashlib.sha256(body).hexdigest()
    shares = [split(seed, len(round_.names), round_.threshold, source) for seed in seeds]
    deals = {}
    for place, holder in enumerate(round_.names):
        content = b"".join(parts[place].content for parts in shares)
        about = side.about("shares", me, holder, digest)
        deals[holder] = masks.text(masks.seal(side.key(holder, "shares"), content, about, source))
    return Masked(round=round_.hash, contributor=me, deals=deals), body


def opened(side: PartySide, contributor: str, body: bytes) -> tuple[list[bytes], Cells]:
    """At the hub: hashes of a contributor's seeds (its own, then each pair's), and masked counts.

    Raises:
        Mismatch: the body is not what this contributor sealed in this round.
    """
    try:
        key, about = side.key(contributor, "masked"), side.about("masked", contributor)
        content = masks.unseal(key, body, about)
    except ValueError:
        raise Mismatch(contributor) from None
    end = 32 * len(side.round.names)
    if len(content) < end or (len(content) - end) % 4:
        raise Mismatch(contributor)
    marks = [content[i : i + 32] for i in range(0, end, 32)]
    return marks, np.frombuffer(content, dtype="<u4", offset=end).astype(np.uint32, copy=False)


def request(round_: Round, received: Mapping[str, tuple[Masked, str]]) -> SumRequest:
    """What the hub asks of all contributors.

    Args:
        received: the message of each who is in the sum, and the SHA-256 of its body.
    """
    return SumRequest(
        round=round_.hash,
        bodies={name: digest for name, (_message, digest) in sorted(received.items())},
        deals={name: message.deals for name, (message, _digest) in sorted(received.items())},
    )


def revealed(side: PartySide, asked: SumRequest, source: Bits = os.urandom) -> Revealed:
    """A contributor's answer: for each who is in the sum the share of its own seed, and of its
    seed with each who is not.

    Whoever calls this answers one request of a round and no other.

    Raises:
        Mismatch: shares do not open: they were dealt in another round, or with other counts.
    """
    round_ = side.round
    content = []
    for dealer, digest in sorted(asked.bodies.items()):
        try:
            about = side.about("shares", dealer, side.me, digest)
            sealed = data(asked.deals[dealer][side.me])
            shares = masks.unseal(side.key(dealer, "shares"), sealed, about)
        except (ValueError, KeyError):
            raise Mismatch(dealer) from None
        if len(shares) != SEED * len(round_.names):
            raise Mismatch(dealer)
        content += [_seed(shares, place) for place in _seed_owners(round_, asked, dealer)]
    about = side.about("revealed", side.me, asked.hash)
    sealed = masks.seal(side.key(HUB, "revealed"), b"".join(content), about, source)
    return Revealed(
        round=round_.hash, request=asked.hash, contributor=side.me, sealed=masks.text(sealed)
    )


Shares = dict[tuple[str, int], bytes]
"""What a contributor revealed: its shares by dealer and place of the seed."""


def shares_of(side: PartySide, asked: SumRequest, answer: Revealed) -> Shares:
    """At the hub: the shares that a contributor revealed.

    Raises:
        Mismatch: they answer another request, or are not this contributor's.
    """
    who = answer.contributor
    try:
        about = side.about("revealed", who, asked.hash)
        content = masks.unseal(side.key(who, "revealed"), data(answer.sealed), about)
    except ValueError:
        raise Mismatch(who) from None
    dealers = sorted(asked.bodies)
    seeds = [(d, place) for d in dealers for place in _seed_owners(side.round, asked, d)]
    if len(content) != SEED * len(seeds):
        raise Mismatch(who)
    return {seed: _seed(content, k) for k, seed in enumerate(seeds)}


def total(
    side: PartySide,
    asked: SumRequest,
    answers: Mapping[str, Shares],
    received: Iterable[tuple[str, list[bytes], Cells]],
) -> Cells:
    """At the hub: the sum of the counts of all who are in the request.

    Args:
        answers: what contributors revealed, see :func:`shares_of`; ``threshold`` of them.
        received: name, hashes of seeds and masked counts of each who is in the sum, one at a
            time, so that they need not be in memory together.

    Raises:
        Mismatch: a seed that was put together is not the one that the masks were made with.
    """
    round_ = side.round
    places = {name: place for place, name in enumerate(round_.names, start=1)}
    own: dict[str, bytes] = {}
    left: dict[tuple[str, str], bytes] = {}
    summed: Cells | None = None
    for dealer, marks, numbers in received:
        summed = numbers.copy() if summed is None else np.add(summed, numbers, out=summed)
        for place, other in _seed_owners(round_, asked, dealer).items():
            parts = [Share(places[who], s[dealer, place]) for who, s in answers.items()]
            seed = join(parts, round_.threshold)
            if hashlib.sha256(seed).digest() != marks[place]:
                raise Mismatch(dealer)
            if other == dealer:
                own[dealer] = seed
            else:
                left[dealer, other] = seed
    if summed is None or own.keys() != asked.bodies.keys():
        raise ValueError("masked counts are missing")
    return masks.unmask(summed, own, left)


def _seed_owners(round_: Round, asked: SumRequest, dealer: str) -> dict[int, str]:
    """Which seeds of a dealer are revealed, by place: its own, those with who is not in the sum."""
    pairs = enumerate(others(round_, dealer), start=1)
    return {0: dealer} | {place: other for place, other in pairs if other not in asked.bodies}


def _seed(content: bytes, place: int) -> bytes:
    return content[SEED * place : SEED * (place + 1)]
