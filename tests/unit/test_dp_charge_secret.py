"""Streams of a charge's secret: known answers, apart by use, and all that a fit draws."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from invented_people import people, small_policy

from ctdhub.dp import noise
from ctdhub.dp.count import encode
from ctdhub.dp.mechanism import MechanismOutput, answer
from ctdhub.dp.noise import ChargeSecret
from ctdhub.dp.plan import plan_of
from ctdhub.schema.model import load_schema

SECRET = ChargeSecret(bytes(range(32)))


def test_a_stream_is_aes_in_counter_mode_under_a_key_of_hkdf() -> None:
    """HKDF by its definition (RFC 5869), counter mode from single blocks."""
    pseudorandom = hmac.digest(bytes(32), SECRET.value, "sha256")
    about = b"ctdhub stream of a charge 1: people"
    key = hmac.digest(pseudorandom, about + b"\x01", hashlib.sha256)
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    expected = b"".join(block.update(n.to_bytes(16, "big")) for n in range(5))
    bits = SECRET.stream("people")
    assert bits(7) + bits(0) + bits(9) + bits(64) == expected


def test_streams_differ_by_use_and_by_secret_and_the_secret_is_not_shown() -> None:
    streams = [SECRET.stream("people"), SECRET.stream("sources"), ChargeSecret.fresh().stream("a")]
    assert len({bits(32) for bits in streams}) == 3
    assert SECRET.value.hex() not in repr(SECRET)
    with pytest.raises(ValueError, match="size"):
        ChargeSecret(bytes(31))


def drawn(secret: ChargeSecret) -> MechanismOutput:
    policy = small_policy(
        columns=("year_of_registration", "gender", "exploitation_sexual", "any_exploitation"),
        epsilon=4,
    )
    plan = plan_of(policy, load_schema())
    return answer(encode(people(300, policy), plan.domains), plan, 0.2, secret.stream("people"))


def test_everything_that_an_answer_draws_comes_from_its_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Equal bits give equal records, counts and totals; the system is not asked for any."""

    def refused(size: int) -> bytes:
        raise AssertionError("drawn from the system")

    first = drawn(SECRET)
    for name in ("permutation", "words", "uniform"):
        default = getattr(noise, name).__defaults__
        monkeypatch.setattr(getattr(noise, name), "__defaults__", (*default[:-1], refused))
    again, other = drawn(SECRET), drawn(ChargeSecret.fresh())
    assert again.records.equals(first.records)
    assert again.counts.equals(first.counts)
    assert again.measurements.equals(first.measurements)
    assert (again.people, again.case_records) == (first.people, first.case_records)
    assert not np.array_equal(other.counts["count"].to_numpy(), first.counts["count"].to_numpy())
