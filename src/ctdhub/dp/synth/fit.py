"""Records that agree with all noisy tables at once: post-processing, free of privacy cost.

The corridor of the records is made first and stays.  Then records change one value at a time, each
time to the value that lowers the sum over tables of (records - noisy)^2 / variance most: first
against pairs, pooled from all tables that contain them, then against triples too.  This is the
projection of noisy answers onto those that some data could give (Nikolov, Talwar and Zhang 2013)
by coordinate descent over whole records: non-negative, consistent and integer by construction, and
no step samples.  A record moves only where the gain exceeds what noise alone would offer
(``Pace``), and a stage ends when few records still move: neither looks at
the truth.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ctdhub.dp import kernels, noise
from ctdhub.dp.indicators import Draft
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.synth.coarsening import Places
from ctdhub.dp.synth.noisy_tables import NoisyTables
from ctdhub.dp.synth.rarity import Support
from ctdhub.dp.synth.residuals import Wide, first_groups
from ctdhub.dp.synth.state import State
from ctdhub.dp.synth.targets import residuals


@dataclass(frozen=True)
class Pace:
    """When a record moves, and when a stage of the fit ends.

    Attributes:
        pairs, triples: in the stage whose largest tables have two columns, or three, a move must
            gain so many standard deviations of what noise offers.
        sweeps, still: a column is at rest when a smaller share of what a sweep looked at moved; a
            stage ends when all are, or after so many sweeps.
        visits, part: a sweep over pairs looks at so many records, or at one in so many where these
            are more; the very first looks at all, for all begin without regard to each other, and
            so does every sweep over larger tables, of which there are few.
    """

    pairs: float
    triples: float
    sweeps: int
    still: float
    visits: int
    part: int


STEADY = Pace(1.0, 0.7, 4, 0.08, 80_000, 12)
"""Associations that noise alone would explain stay out of the records (0.5 to 2 standard deviations
were tried on fictitious people)."""

CLOSE = Pace(0.0, 0.0, 8, 0.002, 80_000, 1)
"""Records meet the tables as closely as whole numbers can, noise and all: what an estimate loses
by noise is then noise alone, which has mean 0, and no pull towards independence."""

_BLOCK = 64
"""Records that a sweep looks at are drawn in blocks that lie together in memory."""

_NONE = np.zeros((0, 0, 0), dtype=np.float32)

Progress = Callable[[float], None]


def fit(
    measured: NoisyTables,
    plan: Plan,
    people: int,
    progress: Progress = lambda share: None,
    source: noise.Bits = os.urandom,
    compared: set[Columns] | None = None,
    pace: Pace = STEADY,
) -> Draft:
    """Exactly ``people`` records, as codes by column in the order of the plan.

    Indicators are fitted before their flags, which then move within what their indicator allows.

    Args:
        progress: told the share done, from 0 to 1.
        source: random bits for orders and ties; equal bits give equal records.
        compared: where given, the tables of two and more columns that records were fitted to, or
            that the corridor decides, are added to it.
        pace: how closely records follow the tables.
    """
    state = State(measured, plan, people, source)
    names = list(state.layout.sizes)
    rules = plan.indicators
    free = [n for n in names if n not in rules.gated]
    last = [n for n in names if n not in rules.watched]
    steps: list[tuple[int, list[str], set[str], int]] = [(2, free, set(free), 0)]
    if rules.gated:
        steps.append((2, last, set(names), 0))
    steps.append((3, last, set(names), 0))
    if plan.support:
        steps.append((3, last, set(names), plan.support))
    for turn, (most, moving, known, support) in enumerate(steps):
        if turn == 1 and rules.gated:
            _agree(state, measured, source)
        if people and moving:
            part = _part(progress, turn, len(steps))
            _stage(state, measured, most, moving, known, support, part, source, pace)
    progress(1.0)
    if compared is not None:
        compared.update(state.compared)
    records = state.records()
    plan.followers.repair(records, plan.domains)
    return records


def _part(progress: Progress, turn: int, turns: int) -> Progress:
    return lambda share: progress((turn + share) / turns)


def _agree(state: State, measured: NoisyTables, source: noise.Bits) -> None:
    """Make flags agree with their indicators, which have been fitted."""
    found, rules = state.moving(), state.plan.indicators
    rules.agree(found, {n: measured.pooled[(n,)].value for n in rules.gated}, source)
    for name in (*rules.gated, *rules.watched):
        state.place(name, found[name])


def _stage(
    state: State,
    measured: NoisyTables,
    most: int,
    names: list[str],
    known: set[str],
    support: int,
    progress: Progress,
    source: noise.Bits,
    pace: Pace,
) -> None:
    """Sweep over ``names`` until records are still, against tables of up to ``most`` columns.

    Args:
        support: where not 0, one sweep that also drains rare combinations.
    """
    books = residuals(state, measured, most, known)
    near, far = (books.groups(w, state.people) for w in (books.near, books.far))
    near_share, far_share = _shares(books.near), _shares(books.far)
    near_starts = first_groups(books.near)
    rare = (
        Support(support, state.layout, state.moving(), state.wide, state.lasting(measured))
        if support
        else None
    )
    nowhere = np.zeros((state.people, 0), dtype=np.int64)
    sweeps = 1 if rare else pace.sweeps
    gain = pace.pairs if most == 2 else pace.triples
    some = max(pace.visits, state.people // pace.part)
    for turn in range(sweeps):
        look = state.people if most > 2 or turn == 0 else some
        restless = []
        for done, k in enumerate(noise.permutation(len(names), source)):
            name = names[k]
            slabs, reach = books.slabs(name), books.reach(name)
            least = np.float32(gain * _choices(state.layout.sizes[name]) * reach)
            order = _order(state.people, look, source)
            seen = rare.slabs(name) if rare else None
            moved = kernels.sweep(
                state.features, state.layout.at(name), state.layout.firsts(),
                order, _gate(state, name), least,
                slabs.inner, slabs.inner_weight, slabs.end,
                near, slabs.near, slabs.near_weight, near_share, slabs.near_end, near_starts,
                books.own(name, far, state.features), slabs.far, slabs.far_weight,
                np.append(far_share, slabs.deep_share),
                rare.dear(reach) if rare else _NONE.ravel(), state.layout.empty(),
                seen.inner if seen else _NONE,
                rare.near if rare else nowhere, seen.near if seen else _NONE,
                rare.far if rare else nowhere, seen.far if seen else _NONE.reshape(0, 0),
            )  # fmt: skip
            books.keep(name, slabs)
            if rare and seen:
                rare.books.keep(name, seen)
            if moved >= pace.still * order.size:
                restless.append(name)
            progress((turn + (done + 1) / len(names)) / sweeps)
        names = restless


def _choices(values: int) -> float:
    """The best of many values gains more by noise alone: about the square root of the logarithm."""
    return float(np.sqrt(1.0 + np.log(max(values - 1, 1))))


def _shares(wides: tuple[Wide, ...]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.concatenate([np.zeros(0, np.float32), *(w.share for w in wides)])


def _order(people: int, most: int, source: noise.Bits) -> Places:
    """At most so many records, in blocks in random order: neighbours in memory stay together."""
    starts = noise.permutation(-(-people // _BLOCK), source)[: -(-most // _BLOCK)] * _BLOCK
    order: Places = (starts[:, None] + np.arange(_BLOCK)).ravel()
    return order[order < people]


def _gate(state: State, name: str) -> Places:
    """What the column may become, by record; see ``kernels.sweep``."""
    rules = state.plan.indicators
    kin = rules.kin(name)
    if not kin:
        return np.zeros(state.people, dtype=np.int64)
    return rules.gate({n: state.column(n) for n in kin}, name)
