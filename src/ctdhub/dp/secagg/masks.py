"""Masks and noise in shares: numbers that look random to everyone, and whose sum is the sum of
what they hide.
"""

from __future__ import annotations

import base64
import binascii
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ctdhub.dp.count import Counts
from ctdhub.dp.noise import Bits, sampler
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.workload import Workload, cost, workload

# --------------------------------------------------------------------------------------------------
# Which numbers are sent: the cells of every measured table, each with noise of its own.

Cells = npt.NDArray[np.uint32]
"""Numbers modulo 2^32."""

MOST_ROWS = 2**31 - 1
"""Rows of all contributors together at most: tables hold 32 bits with a sign."""

_LIMIT = 2**30
"""Noisy cells are cut off here, far outside what counts and noise can reach."""


class SecaggLayout:
    """The order of numbers for a plan; it follows from the plan alone, so that all sides agree.

    Args:
        plan: public; only tables whose kind has a weight above 0 are measured.

    >>> layout = SecaggLayout(Plan({"a": ("x", "y"), "b": ("z",)}))
    >>> layout.tables, layout.cells
    (((), ('a',), ('b',), ('a', 'b')), 12)
    """

    def __init__(self, plan: Plan) -> None:
        weights = plan.weights.model_dump()
        self.tables: tuple[Columns, ...] = tuple(
            t for t, kind in plan.tables.items() if weights[kind] > 0
        )
        self.shapes = {t: plan.shape(t) for t in self.tables}

    @cached_property
    def cells(self) -> int:
        """How many numbers are sent."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @cached_property
    def starts(self) -> dict[Columns, int]:
        """The place of the first cell of each table."""
        places, start = {}, 0
        for t, shape in self.shapes.items():
            places[t] = start
            start += math.prod(shape)
        return places

    def flat(self, counts: Counts) -> Cells:
        """The numbers of tables, in order and modulo 2^32."""
        parts = [counts[t].ravel().astype(np.uint32) for t in self.tables]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32)

    def table(self, cells: Cells, t: Columns) -> npt.NDArray[np.uint32]:
        """One table, as a view."""
        start = self.starts[t]
        shape = self.shapes[t]
        return cells[start : start + math.prod(shape)].reshape(shape)

    def signed(self, cells: Cells) -> Counts:
        """Noisy tables out of a noisy sum.

        Reduction modulo 2^32 commutes with addition: this is a function of the sum of all counts
        and all noise, whatever a contributor added to a cell.  Read as signed before the noise is
        in, a cell whose sum a liar moved to the edge of the range would tell its exact count.
        """
        tables = {t: self.table(cells, t).astype(np.int32) for t in self.tables}
        return {t: np.clip(table, -_LIMIT, _LIMIT) for t, table in tables.items()}


# --------------------------------------------------------------------------------------------------
# Masks: numbers that look random to everyone, and whose sum is the sum of what they hide.
#
# Contributor i sends, cell by cell and modulo 2^32,
#
#     y_i = x_i + G(b_i) + sum over j after i of G(s_ij) - sum over j before i of G(s_ij)
#
# with a seed b_i of its own, a seed s_ij for each other contributor j, and the generator G: AES-256
# in counter mode (NIST SP 800-38A), whose key is the seed and serves for nothing else.  In the sum
# over all contributors every G(s_ij) comes once with each sign.

SEED = 32
"""Bytes of a seed."""

_AT_ONCE = 2**20


def mask(counts: Cells, own: bytes, pairs: Mapping[str, bytes], me: str) -> Cells:
    """Counts under the masks of one contributor.

    Args:
        counts: numbers; they stay as they are.
        own: the contributor's own seed.
        pairs: the seed that it has in common with each other contributor, by name.
        me: its name; which mask is added and which taken away follows from the order of names.

    >>> import numpy as np
    >>> x = np.array([3, 0, 7], dtype=np.uint32)
    >>> a = mask(x, b"1" * 32, {"b": b"3" * 32}, "a")
    >>> b = mask(x, b"2" * 32, {"a": b"3" * 32}, "b")
    >>> unmask(a + b, {"a": b"1" * 32, "b": b"2" * 32}, {}).tolist()
    [6, 0, 14]
    """
    masked = counts.copy()
    _add(masked, own)
    for other, seed in pairs.items():
        _add(masked, seed, minus=other < me)
    return masked


def unmask(total: Cells, own: Mapping[str, bytes], left: Mapping[tuple[str, str], bytes]) -> Cells:
    """The sum of counts out of the sum of masked counts.

    Args:
        total: the sum modulo 2^32 of the masked counts of some contributors.
        own: the own seed of each of these, by name.
        left: the seed of each pair (one of these, one who is not), which no other mask cancels.
    """
    counts = total.copy()
    for seed in own.values():
        _add(counts, seed, minus=True)
    for (there, gone), seed in left.items():
        _add(counts, seed, minus=gone > there)
    return counts


def _add(cells: Cells, seed: bytes, *, minus: bool = False) -> None:
    start = 0
    for part in _stream(seed, cells.size):
        piece = cells[start : start + part.size]
        (np.subtract if minus else np.add)(piece, part, out=piece)
        start += part.size


def _stream(seed: bytes, cells: int) -> Iterator[Cells]:
    """G(seed): ``cells`` numbers, little-endian, in parts."""
    encryptor = Cipher(algorithms.AES(seed), modes.CTR(bytes(16))).encryptor()
    for start in range(0, cells, _AT_ONCE):
        zeros = bytes(4 * min(_AT_ONCE, cells - start))
        yield np.frombuffer(encryptor.update(zeros), dtype="<u4").astype(np.uint32, copy=False)


# --------------------------------------------------------------------------------------------------
# Ciphers between two parties of a round: a key in common, and sealed content.
#
# Two parties agree on a secret by X25519 (RFC 7748) from one's private and the other's public key;
# HKDF with SHA-256 (RFC 5869) makes of it a key for each purpose, bound to the round; content is
# sealed by AES-256 in Galois counter mode (NIST SP 800-38D) with a random nonce of 96 bits.

KEY, NONCE = 32, 12
"""Bytes of a key and of a nonce."""

Purpose = Literal["mask", "shares", "masked", "revealed"]


@dataclass(frozen=True)
class Secret:
    """The private key of one party in one round; it never shows itself.

    >>> a, b = Secret.new(), Secret.new()
    >>> a.agreed(b.public, b"round", "mask") == b.agreed(a.public, b"round", "mask")
    True
    """

    private: bytes = field(repr=False)

    @classmethod
    def new(cls, source: Bits = os.urandom) -> Secret:
        """A fresh key."""
        return cls(source(KEY))

    @property
    def _key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.private)

    @property
    def public(self) -> str:
        """The public half, base64."""
        return text(self._key.public_key().public_bytes_raw())

    def agreed(self, public: str, round_: bytes, purpose: Purpose) -> bytes:
        """The key for one purpose that only this party and the holder of ``public`` can know.

        Raises:
            ValueError: this is no public key.
        """
        shared = self._key.exchange(X25519PublicKey.from_public_bytes(data(public)))
        both = "|".join(sorted((self.public, public)))
        info = f"ctdhub count 2|{purpose}|{both}".encode()
        return HKDF(hashes.SHA256(), SEED, round_, info).derive(shared)


def seal(key: bytes, content: bytes, about: bytes, source: Bits = os.urandom) -> bytes:
    """Content that only holders of the key can read or make; ``about`` is bound to it."""
    nonce = source(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, about)


def unseal(key: bytes, sealed: bytes, about: bytes) -> bytes:
    """The content.

    Raises:
        ValueError: it was altered, is about something else, or another key sealed it.
    """
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], about)
    except InvalidTag:
        raise ValueError("sealed content was altered") from None


def text(content: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(content).decode()


def data(content: str) -> bytes:
    """Bytes from base64.

    Raises:
        ValueError: it is none.
    """
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        raise ValueError("this is no base64") from None


# --------------------------------------------------------------------------------------------------
# Noise in shares: each contributor adds its own to its counts, so that nobody sees an exact sum.
#
# Of the contributors in a sum, c may work with the hub or add wrong noise or none; the plan says
# how many.  The honest ones suffice: each adds N_Z(0, s) with s = sigma^2 / h, where h is the least
# number of honest contributors in any sum that can be uncovered (:func:`guarding`).  More shares
# than h only add noise, and who drops out takes its share along.
#
# **A sum of discrete Gaussians** is not one, but nearly.  Claim: the sum P of h draws of N_Z(0, s)
# and the discrete Gaussian g of N_Z(0, h s) satisfy |ln P(k) / g(k)| <= tau for every k, where
#
#     tau = sum over k = 1 .. h - 1 of 4 S_k / (1 - 2 S_k),  S_k = r / (1 - r),
#     r = exp(-2 pi^2 s k / (k + 1)).
#
# Proof.  For independent N_Z(0, a) and N_Z(0, b), complete the square: the sum is k with
# probability proportional to exp(-k^2 / 2(a + b)) theta(k a / (a + b)), where theta(u) is the sum
# over integers j of exp(-(j - u)^2 / 2c), c = a b / (a + b).  By Poisson summation theta(u) is
# sqrt(2 pi c) times 1 + 2 sum over m >= 1 of exp(-2 pi^2 c m^2) cos(2 pi m u), which lies within 1
# - 2S and 1 + 2S times sqrt(2 pi c), for S at least the sum of r^(m^2).  So the sum differs from
# N_Z(0, a + b) by a factor that varies by at most (1 + 2S) / (1 - 2S); both being distributions, so
# far is each ratio from 1. The logarithm is at most 2S + 2S / (1 - 2S) <= 4S / (1 - 2S).
# Convolution keeps such bounds, and induction with a = k s, b = s, hence c = s k / (k + 1), adds
# them up.
#
# **Cost in rho.**  Say that in all tables together one person changes integer cells by a vector of
# squared length at most reach_t in each table t.  With T the sum of reach_t tau_t and
# rho_0 the sum of reach_t / (2 h s_t), the cost is at most rho_0 + 2 T + 2 sqrt(T rho_0).
#
# Proof.  An integer vector has at most as many cells that are not 0 as its squared length.  Where a
# cell does not change its factor in the divergence is 1; in the others P is within tau of g.  So
# D_alpha(P || shifted P) <= alpha rho_0 + (2 alpha - 1) / (alpha - 1) T, by theorem 4 of Canonne,
# Kamath and Steinke (2020) for g.  Take any x > 0.  For alpha >= 1 + x this is at most
# alpha (rho_0 + (2 + 1/x) T); for smaller alpha, D_alpha is at most D at 1 + x, hence at most
# alpha ((1 + x) rho_0 + (2 + 1/x) T).  Both are at most alpha times rho_0 + x rho_0 + (2 + 1/x) T;
# x = sqrt(T / rho_0) gives the claim.
#
# What liars send, and shares beyond h, are independent of these h shares: post-processing.  The
# bound is that of Kairouz, Liu and Steinke (ICML 2021), proposition 14, whose dimension is here the
# number of cells that one person can change.  Skellam noise, which adds up without error, would
# need another exact sampler for no gain: at s >= 4 tau is below 1e-16.

LEAST_SHARE = Fraction(4)
"""No share has less variance, so that sums are as good as discrete Gaussians."""

_GRAIN = 256
_SPARE = 1e-5
"""Part of the cost that is set aside for sums that are not exactly discrete Gaussians."""


def guarding(contributors: int, threshold: int, liars: int) -> int:
    """The least number of honest contributors in any sum that hub and liars can uncover.

    A hub that follows the protocol uncovers one sum, with ``threshold - liars`` of them or more.
    One that deceives tells each of the n - c honest contributors another set of at least t; of a
    sum over S it holds that (n - c - |S|)(t - c) <= (n - c)(n - t), see "Counts without records".

    Args:
        liars: c, from 0; less than 2t - n.

    >>> [guarding(3, 3, 1), guarding(5, 4, 1), guarding(10, 7, 1)]
    [2, 3, 5]
    """
    n, t, c = contributors, threshold, liars
    if not 0 <= c < 2 * t - n or t > n:
        raise ValueError("more than half of the honest contributors must answer")
    return -(-(n - c) * (2 * t - n - c) // (t - c))


def least_threshold(contributors: int, liars: int) -> int:
    """The least threshold with which liars and hub single nobody out.

    >>> [least_threshold(5, 1), least_threshold(5, 4)]
    [4, 5]
    """
    return (contributors + liars) // 2 + 1


def share_workload(plan: Plan, rho: float, honest: int) -> Workload:
    """Each table with the noise of one contributor's share.

    Args:
        plan: of the sum.
        rho: the most that a sum with ``honest`` shares in it may cost.

    Raises:
        PolicyError: a table would get more noise than can be drawn.
    """
    parts = tuple(
        replace(q, sigma2=max(LEAST_SHARE, _up(q.sigma2 / honest)))
        for q in workload(plan, rho * (1 - _SPARE))
    )
    if cost_of(parts, honest) > rho:
        raise ArithmeticError("shares of noise cost more than their budget")
    return parts


def summed_workload(shares: Workload, contributors: int) -> Workload:
    """Each table with the noise of so many shares together."""
    return tuple(replace(q, sigma2=q.sigma2 * contributors) for q in shares)


def cost_of(shares: Workload, honest: int) -> float:
    """Cost in rho of a sum with so many honest shares, rounded up; see the head of this module."""
    gauss = float(cost(summed_workload(shares, honest)))
    away = sum(q.reach * closeness(q.sigma2, honest) for q in shares)
    return (gauss + 2 * away + 2 * math.sqrt(away * gauss)) * (1 + 1e-9)


def closeness(share: Fraction, terms: int) -> float:
    """A bound tau of |ln P(k) / g(k)| for the sum of so many draws, rounded up.

    >>> closeness(Fraction(4), 1), closeness(Fraction(4), 3) < 1e-16
    (0.0, True)
    """
    tau = 0.0
    for k in range(1, terms):
        r = max(1e-300, math.exp(-2 * math.pi**2 * float(share) * k / (k + 1)))
        most = r / (1 - r)
        if 2 * most >= 1:
            raise ValueError("a share has too little noise")
        tau += 4 * most / (1 - 2 * most)
    return tau * (1 + 1e-9)


def with_noise(counts: Cells, layout: SecaggLayout, shares: Workload, source: Bits) -> Cells:
    """Counts with one contributor's share of noise, modulo 2^32."""
    noisy = counts.copy()
    for q in shares:
        drawn = sampler(q.sigma2).draw(q.cells, source).astype(np.uint32)
        part = layout.table(noisy, q.columns)
        part += drawn.reshape(q.shape)
    return noisy


def beyond(sigma2: Iterable[Fraction], cells: int) -> list[float]:
    """How far noise reaches in each table: all of so many cells stay inside but once in a million.

    N_Z(0, sigma^2) and sums of shares exceed m with probability at most exp(-m^2 / 2 sigma^2).
    """
    return [math.sqrt(2 * float(s) * math.log(2e6 * max(1, cells))) for s in sigma2]


def _up(sigma2: Fraction) -> Fraction:
    return Fraction(math.ceil(_GRAIN * sigma2), _GRAIN)
