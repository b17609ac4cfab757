"""Attacks on the engine stay below the guarantee, and find an engine that does not keep it."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from invented_people import people, small_policy

from ctdhub.dp.count import Codes, encode
from ctdhub.dp.mechanism import MechanismOutput
from ctdhub.dp.plan import plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.quote import METHOD
from ctdhub.schema.model import load_schema
from ctdhub.site.edition import read_attacks

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from attacks import canary, membership, two_worlds
from attacks.bounds import binomial, greatest_advantage, one_run_epsilon, two_world_epsilon
from attacks.views import Setting

NARROW = ("gender", "age_band", "means_threats")
COLUMNS = (*NARROW, "citizenship", "country_of_exploitation")
DELTA, RISK = 1e-10, 1e-6
CARD = Path(sys.modules["ctdhub"].__file__ or "").parent / "dp"


def policy(epsilon: float, columns: tuple[str, ...]) -> Policy:
    return small_policy(columns=columns, epsilon=epsilon, delta=DELTA, max_people=10_000)


def setting(epsilon: float, columns: tuple[str, ...] = COLUMNS) -> Setting:
    return Setting(plan_of(policy(epsilon, columns), load_schema()), epsilon, DELTA)


def some(n: int, columns: tuple[str, ...] = COLUMNS) -> Codes:
    asked = policy(1.0, columns)
    return encode(people(n, asked), asked.domains(load_schema()))


def stuck(size: int) -> bytes:
    """A generator that always gives one half: the noise is always zero."""
    return (b"\0" * 7 + b"\x80") * (size // 8)


@dataclass(frozen=True)
class Leaky(Setting):
    """An engine whose protected records are the people themselves."""

    def answer(self, people: Codes) -> MechanismOutput:
        texts = {
            n: pa.array([None, *d], pa.string()).take(pa.array(people.columns[n], pa.int64()))
            for n, d in self.plan.domains.items()
        }
        return replace(super().answer(people), records=pa.table(texts))


def test_the_card_that_is_shipped_is_about_the_method_of_the_engine() -> None:
    card = read_attacks(CARD)
    assert card is not None
    assert card.method == METHOD, "python benchmarks/attack.py --card"


def test_no_attack_of_the_card_is_surely_above_its_limit() -> None:
    card = read_attacks(CARD)
    assert card is not None
    for one in card.attacks:
        half = 1.0 if one.others is not None else 0.5
        assert one.low <= one.gain <= one.high
        assert one.gain == pytest.approx(one.right / one.trials - one.chance, abs=2e-4)
        assert one.low <= one.allowed <= half * greatest_advantage(one.epsilon, one.delta)
    assert {(one.attack, one.seen) for one in card.nearest} == {
        ("canary", "release"), ("canary", "tables"), ("worlds", "release"), ("worlds", "tables"),
        ("inference", "release"), ("copies", "release"),
    }  # fmt: skip


def test_planted_people_are_guessed_no_better_than_promised() -> None:
    columns = (*COLUMNS, "year_of_registration")
    sound = setting(1.0, columns)
    assert sound.plan.regions  # their tables are seen too
    planted, own = canary.canaries(sound.plan, 200), some(500, columns)
    for view in (sound.published, sound.measured):
        assert canary.attack(sound, own, planted, view, RISK).epsilon <= sound.epsilon
    silent = replace(sound, source=stuck)
    found = canary.attack(silent, own, planted, silent.measured, RISK)
    assert found.epsilon > sound.epsilon
    assert found.gain.low > greatest_advantage(sound.epsilon, DELTA) / 2


def test_two_worlds_are_told_apart_no_better_than_promised() -> None:
    sound, own = setting(0.5, NARROW), some(300, NARROW)
    assert two_worlds.attack_releases(sound, own, RISK, 6).runs == 6
    assert two_worlds.attack_tables(sound, own, RISK, 200).epsilon <= sound.epsilon
    silent = replace(sound, source=stuck)
    assert two_worlds.attack_tables(silent, own, RISK, 200).epsilon > sound.epsilon


def test_people_held_out_are_guessed_as_well_as_people_in() -> None:
    sound, allowed = setting(1.0), greatest_advantage(1.0, DELTA)
    found = membership.attack(sound, some(2000), COLUMNS)
    assert max(found.guessed(RISK).low, found.copied(RISK).low) < allowed
    leaky = membership.attack(Leaky(sound.plan, 1.0, DELTA), some(2000), COLUMNS)
    assert leaky.inside.copies == leaky.inside.targets > 300
    assert leaky.copied(RISK).low > 0.1


@pytest.mark.parametrize("epsilon", [0.5, 3.0])
def test_bounds_are_wrong_no_oftener_than_they_say(epsilon: float) -> None:
    """Randomised response, whose true epsilon is known: exact coverage."""
    m, risk, told = 200, 0.05, math.exp(epsilon) / (1 + math.exp(epsilon))
    chances = binomial(m, told)
    bounds = np.array([one_run_epsilon(m, m, right, 0.0, risk) for right in range(m + 1)])
    assert 0.2 * risk < chances[bounds > epsilon].sum() <= risk
    worlds = [two_world_epsilon(right, m - right, m, 0.0, risk) for right in range(m + 1)]
    assert chances[np.array(worlds) > epsilon].sum() <= risk
