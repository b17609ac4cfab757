"""The card: its structure, and that it says what the figures say."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.audit.canary import CanaryAudit
from ctdhub.dp.audit.card import card, surest
from ctdhub.dp.audit.membership import FoldSide, InferenceAudit, cost
from ctdhub.dp.audit.sentences import greatest_advantage
from ctdhub.dp.audit.suite import KINDS, Findings, price
from ctdhub.dp.audit.two_worlds import WorldsAudit
from ctdhub.dp.policy import Policy

SIDES = FoldSide(500, 300, 3, (3, 100, 397)), FoldSide(498, 290, 2, (2, 100, 396))
FOUND = Findings(
    epsilon=4.0,
    delta=1e-8,
    world_epsilon=1.0,
    canary_released=CanaryAudit(1000, 500, 260, 0.0, 1e-8, 0.05, knew_others=True),
    canary_tables=CanaryAudit(1000, 100, 80, 0.9, 1e-8, 0.05, knew_others=True),
    worlds_released=WorldsAudit(3000, 20, 11, 9, "people", 0.0, 1e-8, 0.05),
    worlds_tables=WorldsAudit(3000, 300, 170, 130, "likelihood ratio", 0.1, 1e-8, 0.05),
    inference=InferenceAudit(*SIDES, columns=2),
)
KEYS = ["canary-release", "canary-tables", "worlds-release", "worlds-tables", "inference"]


def test_the_structure_of_the_card() -> None:
    found = card(FOUND).json()
    assert list(found) == [
        "state", "internal", "charge", "epsilon", "delta", "unit", "language", "sure_percent",
        "title", "mark", "promise", "attacks", "limits",
    ]  # fmt: skip
    assert [a["key"] for a in found["attacks"]] == KEYS
    for attack in found["attacks"]:
        assert list(attack) == [
            "key", "state", "claimed", "measured", "title", "tried", "found", "reading", "figures",
        ]  # fmt: skip
        assert all(attack[k] for k in ("title", "tried", "found", "reading"))
        assert attack["state"] == "below"
    assert found["internal"]
    assert found["sure_percent"] == 98.3
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, sort_keys=True))


def test_no_form_holds_markup_of_a_page_and_all_hold_every_sentence() -> None:
    made = card(FOUND)
    for text in (made.text(), made.markdown(), json.dumps(made.json())):
        assert "<" not in text
        assert ">" not in text
    for sentence in (made.title, made.mark, *made.promise, made.limits):
        assert sentence in made.text()
        assert sentence in made.markdown()
    for attack in made.attacks:
        for sentence in (attack.title, attack.tried, attack.found, attack.reading):
            assert sentence in made.text()
            assert sentence in made.markdown()


def test_placeholders_are_filled_in_every_language() -> None:
    for code in LANGUAGES:
        with language(code):
            assert "{" not in card(FOUND).text()


def test_only_attacks_that_were_made_are_told_of() -> None:
    nothing = Findings(1.0, 1e-8, 1.0)
    assert card(nothing).attacks == ()
    assert card(nothing).state == "below"
    one = replace(nothing, inference=FOUND.inference)
    assert [a.key for a in card(one).attacks] == ["inference"]


@pytest.mark.parametrize("key", KEYS)
def test_one_attack_above_the_promise_raises_the_alarm(key: str) -> None:
    assert FOUND.canary_released
    assert FOUND.canary_tables
    assert FOUND.worlds_released
    assert FOUND.worlds_tables
    leak = InferenceAudit(FoldSide(500, 500, 500, (500, 0, 0)), FoldSide(500, 0, 0, (0, 0, 500)), 2)
    broken = {
        "canary-release": replace(FOUND, canary_released=replace(FOUND.canary_released, epsilon=5)),
        "canary-tables": replace(FOUND, canary_tables=replace(FOUND.canary_tables, epsilon=5)),
        # At the epsilon that the worlds were compared at, not at the policy's.
        "worlds-release": replace(FOUND, worlds_released=replace(FOUND.worlds_released, epsilon=2)),
        "worlds-tables": replace(FOUND, worlds_tables=replace(FOUND.worlds_tables, epsilon=2)),
        "inference": replace(FOUND, inference=leak),
    }[key]
    found, calm = card(broken), card(FOUND)
    assert found.state == "above"
    assert [a.key for a in found.attacks if a.state == "above"] == [key]
    place = KEYS.index(key)
    assert found.attacks[place].reading != calm.attacks[place].reading


def test_who_may_read_the_card_follows_from_what_was_paid() -> None:
    internal, free, paid = (card(replace(FOUND, charge=c)) for c in (None, "", "abc123"))
    assert internal.internal
    assert not free.internal
    assert not paid.internal
    assert "abc123" in paid.mark
    assert len({internal.mark, free.mark, paid.mark}) == 3


def test_noise_in_published_counts_is_told() -> None:
    assert FOUND.inference
    (exact, noisy) = (
        card(Findings(1.0, 1e-8, 1.0, inference=replace(FOUND.inference, noise=n))).attacks[0]
        for n in (0.0, 10.0)
    )
    assert len(noisy.found) > len(exact.found)
    assert "10" in noisy.found.removeprefix(exact.found)


@given(st.floats(0.01, 8), st.floats(0, 1e-6))
def test_what_the_promise_allows(epsilon: float, delta: float) -> None:
    odds = math.exp(epsilon)
    assert surest(epsilon) >= 100 * odds / (1 + odds)
    # Randomised response reaches it.
    p = odds / (1 + odds)
    allowed = greatest_advantage(epsilon, delta)
    assert allowed >= p - (1 - p) - 1e-12
    assert allowed <= 2 * p - 1 + 2 * delta + 1e-12


def test_publishing_costs_what_could_be_told() -> None:
    policy = Policy(epsilon=1.0)
    answer = rho_of(policy.epsilon, policy.delta)
    assert price(policy, ["worlds"]) == 0
    assert price(policy, ["canary"]) == answer
    assert price(policy, ["inference"]) == answer + cost()
    assert price(policy, KINDS) == pytest.approx(2 * answer + cost())
    joined = Policy.model_validate({"epsilon": 1.0, "linking": {"people": 2, "lists": 2}})
    assert price(joined, ["inference"]) == pytest.approx(answer + 5 * cost())
