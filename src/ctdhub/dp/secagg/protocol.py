"""The steps of a round on messages alone: no files, no clock, randomness from outside.

In words.  A contributor draws a seed of its own and has a seed in common with each other
contributor.  It masks its counts with all of them, and shares each of its seeds out, so that any
``threshold`` contributors together can give it back.  When the hub has what it will get, it names
those whose masked counts are in the sum.  For each of these, contributors reveal shares of its own
seed; for each pair of one of these with one who is missing, shares of the pair's seed.  The mask
between two who are both in the sum is never revealed: it cancels.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ctdhub.core.keys.shamir import Share, join, split
from ctdhub.dp.noise import Bits
from ctdhub.dp.secagg.channel import Purpose, Secret, data, seal, text, unseal
from ctdhub.dp.secagg.layout import Cells
from ctdhub.dp.secagg.masks import SEED, mask, unmask
from ctdhub.dp.secagg.messages import Masked, Revealed, Round, SumRequest

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
        counts: with the contributor's share of noise, see ``noise_shares``.
    """
    round_, me = side.round, side.me
    own = source(SEED)
    pairs = {other: side.key(other, "mask") for other in others(round_, me)}
    seeds = (own, *pairs.values())
    # Seeds are random, so that their hashes say nothing; by them the hub checks what it is given.
    marks = b"".join(hashlib.sha256(seed).digest() for seed in seeds)
    numbers = mask(counts, own, pairs, me).astype("<u4").tobytes()
    key, about = side.key(HUB, "masked"), side.about("masked", me)
    body = seal(key, marks + numbers, about, source)
    digest = hashlib.sha256(body).hexdigest()
    shares = [split(seed, len(round_.names), round_.threshold, source) for seed in seeds]
    deals = {}
    for place, holder in enumerate(round_.names):
        content = b"".join(parts[place].content for parts in shares)
        about = side.about("shares", me, holder, digest)
        deals[holder] = text(seal(side.key(holder, "shares"), content, about, source))
    return Masked(round=round_.hash, contributor=me, deals=deals), body


def opened(side: PartySide, contributor: str, body: bytes) -> tuple[list[bytes], Cells]:
    """At the hub: hashes of a contributor's seeds (its own, then each pair's), and masked counts.

    Raises:
        Mismatch: the body is not what this contributor sealed in this round.
    """
    try:
        key, about = side.key(contributor, "masked"), side.about("masked", contributor)
        content = unseal(key, body, about)
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
            shares = unseal(side.key(dealer, "shares"), sealed, about)
        except (ValueError, KeyError):
            raise Mismatch(dealer) from None
        if len(shares) != SEED * len(round_.names):
            raise Mismatch(dealer)
        content += [_seed(shares, place) for place in _asked(round_, asked, dealer)]
    about = side.about("revealed", side.me, asked.hash)
    sealed = seal(side.key(HUB, "revealed"), b"".join(content), about, source)
    return Revealed(round=round_.hash, request=asked.hash, contributor=side.me, sealed=text(sealed))


def shares_of(side: PartySide, asked: SumRequest, answer: Revealed) -> list[bytes]:
    """At the hub: the shares that a contributor revealed, in order.

    Raises:
        Mismatch: they answer another request, or are not this contributor's.
    """
    who = answer.contributor
    try:
        about = side.about("revealed", who, asked.hash)
        content = unseal(side.key(who, "revealed"), data(answer.sealed), about)
    except ValueError:
        raise Mismatch(who) from None
    number = sum(len(_asked(side.round, asked, dealer)) for dealer in asked.bodies)
    if len(content) != SEED * number:
        raise Mismatch(who)
    return [_seed(content, place) for place in range(number)]


def total(
    side: PartySide,
    asked: SumRequest,
    answers: Mapping[str, list[bytes]],
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
    start = {}
    number = 0
    for dealer in sorted(asked.bodies):
        start[dealer] = number
        number += len(_asked(round_, asked, dealer))
    for dealer, marks, numbers in received:
        summed = numbers.copy() if summed is None else np.add(summed, numbers, out=summed)
        known = others(round_, dealer)
        for step, place in enumerate(_asked(round_, asked, dealer)):
            parts = [Share(places[who], s[start[dealer] + step]) for who, s in answers.items()]
            seed = join(parts, round_.threshold)
            if hashlib.sha256(seed).digest() != marks[place]:
                raise Mismatch(dealer)
            if place == 0:
                own[dealer] = seed
            else:
                left[dealer, known[place - 1]] = seed
    if summed is None or own.keys() != asked.bodies.keys():
        raise ValueError("masked counts are missing")
    return unmask(summed, own, left)


def _asked(round_: Round, asked: SumRequest, dealer: str) -> list[int]:
    """Which seeds of a dealer are revealed: 0, its own, and those with who is not in the sum."""
    pairs = enumerate(others(round_, dealer), start=1)
    return [0, *(place for place, other in pairs if other not in asked.bodies)]


def _seed(content: bytes, place: int) -> bytes:
    return content[SEED * place : SEED * (place + 1)]
