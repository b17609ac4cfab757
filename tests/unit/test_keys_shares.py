"""Shares of a secret: enough give it back, too few say nothing."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_round import stream

from ctdhub.core.keys.linkage import Share, _divided, _times, join, split


@given(secret=st.binary(max_size=40), n=st.integers(1, 12), data=st.data())
def test_any_enough_shares_give_the_secret_back(secret: bytes, n: int, data: st.DataObject) -> None:
    needed = data.draw(st.integers(1, n))
    shares = split(secret, n, needed)
    assert [share.place for share in shares] == list(range(1, n + 1))
    chosen = data.draw(st.permutations(shares))[: data.draw(st.integers(needed, n))]
    assert join(chosen, needed) == secret


@pytest.mark.parametrize("n", [1, 254, 255])
def test_all_places_of_the_field(n: int) -> None:
    shares = split(b"secret", n, n)
    assert join(shares, n) == b"secret"


def test_one_share_too_few_fits_every_secret_once() -> None:
    """Exactly, over all polynomials: two shares of three are uniform, whatever the secret is.

    The secret is one byte and 3 shares are needed: there are 65,536 polynomials, and as many pairs
    of values at two places.  Each pair comes once.
    """
    for secret in (b"\x00", b"\xa7"):
        seen = set()
        for a in range(256):
            for b in range(256):
                coefficients = iter((bytes([a]), bytes([b])))
                shares = split(secret, 2 + 1, 3, lambda size: next(coefficients))  # noqa: B023
                seen.add((shares[0].content, shares[2].content))
        assert len(seen) == 65_536


def test_too_few_shares_look_alike_for_two_secrets() -> None:
    draws = 10_000
    for places in combinations(range(3), 2):
        found = []
        for secret in (b"\x00", b"\xff"):
            source = stream(secret)
            parts = [split(secret, 3, 3, source) for _ in range(draws)]
            found.append(Counter(p[places[0]].content[0] ^ p[places[1]].content[0] for p in parts))
        for seen in found:
            chi2 = sum((seen[v] - draws / 256) ** 2 / (draws / 256) for v in range(256))
            assert chi2 < 350, "the 0.01 % point of 255 degrees of freedom is about 347"


def test_numbers_out_of_range_and_misfits_are_refused() -> None:
    for n, needed in ((0, 0), (2, 3), (256, 2), (3, 0)):
        with pytest.raises(ValueError, match="range"):
            split(b"x", n, needed)
    a, b, _c = split(b"xy", 3, 2)
    for shares in ([a], [a, a], [], [a, Share(2, b"z")], [a, Share(0, b"zz")]):
        with pytest.raises(ValueError, match="shares"):
            join(shares, 2)
    assert join([a, b], 2) == b"xy"
    assert join([a, Share(b.place, bytes(2))], 2) != b"xy", "another share is another secret"


def test_the_field_is_that_of_aes() -> None:
    assert _times(0x57, 0x83) == 0xC1, "FIPS 197, section 4.2"
    assert _times(0x57, 0x13) == 0xFE, "FIPS 197, section 4.2.1"
    assert all(_times(a, _divided(1, a)) == 1 for a in range(1, 256))
    assert all(_times(a, b) == _times(b, a) for a in range(256) for b in range(a))
    assert not any(_times(0, a) or _divided(0, a) for a in range(1, 256))
