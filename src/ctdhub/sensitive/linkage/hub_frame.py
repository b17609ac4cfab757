"""Pairs of a hub that only has tokens, as the frame of a clerical review; apart, so
that linking by tokens does not load the model of identifiers.

A hub has no names.  A reviewer is shown which keys and variables of two persons agree, and decides
or says that this is not enough.  What the decisions say of all pairs is counted as where names may
be held (``identified.review_frame``): by a random sample of the pairs that share a token.

Not here: where decisions are kept, and what a reviewer is shown (``hub.doubles``).
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.sensitive.linkage.identified.pairs import PairFrame

SAMPLE = 60
"""Pairs of the random sample that reviewers are asked for."""

_LETTERS = 32


def pair_ids(pairs: pa.Table, secret: bytes) -> list[str]:
    """What each pair is called: a keyed hash of both persons, the same in every build.

    Args:
        pairs: schema ``review.PAIRS``.
        secret: the hub's person key; without it nobody finds out whose pair it is.
    """
    columns = ("contributor_a", "key_a", "contributor_b", "key_b")
    ids = []
    for a, key_a, b, key_b in zip(*(pairs[name].to_pylist() for name in columns), strict=True):
        both = sorted([f"{a}\0{key_a}", f"{b}\0{key_b}"])
        ids.append(_keyed(secret, "\0".join(["pair", *both])))
    return ids


def _keyed(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:_LETTERS]


def hub_frame(pairs: pa.Table) -> PairFrame:
    """The frame: pairs of different contributors, in the order of the table.

    Args:
        pairs: schema ``review.PAIRS``.
    """
    between = pairs.filter(pc.invert(pairs["within"]))
    sides = [
        pc.binary_join_element_wise(between[f"contributor_{s}"], between[f"key_{s}"], "\0")
        for s in "ab"
    ]
    persons = pa.concat_arrays([side.combine_chunks() for side in sides]).dictionary_encode()
    numbers = persons.indices.to_numpy().astype(np.int64).reshape(2, -1)
    groups = [
        " + ".join(sorted(names))
        for names in zip(
            between["contributor_a"].to_pylist(), between["contributor_b"].to_pylist(), strict=True
        )
    ]
    n = between.num_rows
    return PairFrame(
        one=numbers.min(axis=0) if n else numbers[0],
        other=numbers.max(axis=0) if n else numbers[0],
        rows=np.zeros((n, 2), np.int64),
        probability=between["probability"].to_numpy(zero_copy_only=False).astype(np.float64),
        joined=between["joined"].to_numpy(zero_copy_only=False).astype(bool),
        by_tokens=np.zeros(n, bool),
        group=groups,
        run="",
    )


@dataclass(frozen=True)
class KeyedOrder:
    """Draws by a keyed hash of each pair, so that a pair that was drawn stays drawn in the next
    build and nobody without the key can foresee which pairs are."""

    secret: bytes
    ids: Sequence[str]

    def sample(self, population: Sequence[int], k: int) -> list[int]:
        """The ``k`` whose hash is smallest: without the key, any of them is as likely."""
        return sorted(population, key=lambda at: _keyed(self.secret, f"draw\0{self.ids[at]}"))[:k]

    def shuffle(self, x: list[int]) -> None:
        """Put into an order that says nothing of how likely the pairs are."""
        x.sort(key=lambda at: _keyed(self.secret, f"order\0{self.ids[at]}"))
