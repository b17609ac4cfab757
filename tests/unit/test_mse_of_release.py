"""Estimates of a release: strata that it counted, and what it knows of wrong links."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lists_of_invented_people import NAMES

from ctdhub.border import (
    CAPTURE_CELLS,
    CAPTURES,
    COUNTS,
    DOUBLES,
    LIST_JOIN,
    LISTS,
    MEASUREMENTS,
    POSSIBLE,
    UNKEYED,
    Estimate,
    Sources,
)
from ctdhub.core.errors import PolicyError
from ctdhub.core.i18n import language
from ctdhub.dp.policy import Policy, load_policy
from ctdhub.hub.folder import public_facts
from ctdhub.release.manifest import PublicFacts
from ctdhub.report import mse as words
from ctdhub.report.mse import report
from ctdhub.schema.model import ORIGIN
from ctdhub.stats.mse.estimate import bits_of, estimate, stratified
from ctdhub.stats.mse.lists import members
from ctdhub.stats.mse.loglinear import select
from ctdhub.stats.mse.of_release import links_in, lists_in, measured_strata, strata_in

CHANCES = {"female": (0.35, 0.1, 0.2), "male": (0.08, 0.3, 0.15), "": (0.2, 0.2, 0.2)}
PEOPLE = {"female": 4000, "male": 5000, "": 300}


def release(
    rng: np.random.Generator, sigma: float, sums: float, further: dict[str, dict[str, float]]
) -> Any:
    """Three lists on which women and men are found by other chances, counted by gender with noise
    ``sigma`` and without gender with noise ``sums``; ``further`` tables by their last values."""
    on = members(3)
    rows: list[dict[str, object]] = []
    total = np.zeros(len(on))
    named = [LIST_JOIN.join(n for n, k in zip(NAMES, row, strict=False) if k) for row in on]
    for value, chances in CHANCES.items():
        p = np.prod(np.where(on, chances, 1 - np.array(chances)), axis=1)
        counts = rng.multinomial(PEOPLE[value], np.append(p, 1 - p.sum()))[:-1]
        total += counts
        for name, n in zip(named, counts + rng.normal(0, sigma, len(on)), strict=True):
            rows.append({"columns": [LISTS, "gender"], "values": [name, value], "noisy": n})
    for name, n in zip(named, total + rng.normal(0, sums, len(on)), strict=True):
        rows.append({"columns": [LISTS], "values": [name], "noisy": n})
    noise = {LISTS: sums, f"{LISTS}*gender": sigma}
    for table, cells in further.items():
        columns = table.split("*")
        noise[table] = 1.0
        for value, n in cells.items():
            values = [*["people"] * (len(columns) - 1), value]
            rows.append({"columns": columns, "values": values, "noisy": n})
    measured = pa.Table.from_pylist(rows, MEASUREMENTS)
    sources = Sources((), tuple(NAMES[:3]), measured, noise, 0.05)
    return SimpleNamespace(
        protected=SimpleNamespace(
            sources=sources,
            guarantee=SimpleNamespace(level=0.95),
            people=Estimate(9000, 8900, 9100),
            facts={},
            counts=COUNTS.empty_table(),
        )
    )


def test_strata_add_up_to_the_lists_which_lean_on_them() -> None:
    found = release(np.random.default_rng(1), 4.0, 6.0, {})
    whole, parts = lists_in(found), strata_in(found)
    assert whole is not None
    assert measured_strata(found) == ("gender",)
    assert set(parts) == {("female",), ("male",), ("",)}
    assert np.sum([part.y for part in parts.values()], axis=0) == pytest.approx(whole.y)
    assert whole.sigma == pytest.approx((6.0**-2 + 4.0**-2 / 3) ** -0.5)
    own = (16 * 2 / 3 + whole.sigma**2 / 9) ** 0.5
    assert [part.sigma for part in parts.values()] == pytest.approx([own] * 3)
    assert strata_in(found, "age_band") == {}


def test_noisy_strata_hold_the_truth_that_all_together_exceed() -> None:
    """40 draws of people and noise; women and men are found by other chances.  Intervals
    held the truth in .94 of 250 draws."""
    held, alone, true = 0, 0, sum(PEOPLE.values())
    for seed in range(40):
        found = release(np.random.default_rng(seed), 5.0, 5.0, {})
        whole, parts = lists_in(found), strata_in(found)
        assert whole is not None
        rows = stratified(parts, 0.95, 200, bits_of(whole, "strata")).rows
        one = rows[0]
        assert one.low is not None
        assert one.high is not None
        held += one.low <= true <= one.high
        alone += float(select(whole.y[None], 3).alone[0]) > true
    assert held >= 33
    assert alone >= 38


CAPTURE_TABLE = {
    CAPTURES: dict(zip(CAPTURE_CELLS, (20.0, 8.0, 8.0, 4.0, 1500.0), strict=True)),
    UNKEYED: {"people": 0.0},
    f"{POSSIBLE}*{ORIGIN}": {"": 30.0},
}


def test_what_is_known_of_links_widens_what_is_said() -> None:
    further = {**CAPTURE_TABLE, DOUBLES: {"people": 10.0}}
    found = release(np.random.default_rng(2), 1.0, 1.0, further)
    links, lists = links_in(found), lists_in(found)
    assert links is not None
    assert lists is not None
    assert 0 < links.missed < links.missed_most < 0.1
    assert 0 < links.false_most < 0.1
    result = estimate(lists, replicates=100, strata=strata_in(found), links=links)
    plain = estimate(lists, replicates=100)
    assert result.spread == plain.spread
    assert result.spread is not None
    assert result.linked is not None
    assert result.linked[0] < result.spread[0] < result.spread[1] < result.linked[1]
    told = report(result)["links"]
    assert told["missed"] <= told["missed_at_most"]
    with language("en"):
        assert "of the links between these lists are missing" in words.spread(result)
        assert words.links(plain) == ""
        assert "(the most in this release)" in words.change(result.changes[-1])
        assert "female" not in words.strata(result.strata, "gender")  # type: ignore[arg-type]
    unknown = estimate(lists, replicates=100, links=replace(links, missed_most=0.6))
    assert (unknown.linked, unknown.changes) == (None, plain.changes)
    with language("en"):
        assert "60%" not in words.links(unknown)


def test_without_any_count_of_doubles_nothing_is_known_of_links() -> None:
    assert links_in(release(np.random.default_rng(3), 1.0, 1.0, {})) is None


def policy_of(tmp_path: Path, answers: str) -> Policy:
    file = tmp_path / "policy.yaml"
    file.write_text(f"version: 1\nsources: {{lists: [one, two], answers: {answers}}}\n", "utf-8")
    return load_policy(file)


def test_answers_in_the_policy_are_public_facts(tmp_path: Path) -> None:
    hub: Any = SimpleNamespace(
        facts=lambda years: {
            "hub": "A", "contributors": ["One"], "years": list(years), "schema_version": "1.0"
        }
    )  # fmt: skip
    policy = policy_of(tmp_path, "{same_place: yes, refer: no}")
    facts = PublicFacts.of(public_facts(hub, policy, 2026))
    assert facts.list_answers == {"same_place": True, "refer": False}
    assert PublicFacts.of(public_facts(hub, policy_of(tmp_path, "{}"), 2026)).list_answers == {}


@pytest.mark.parametrize("answers", ["{refer: perhaps}", "{referral: no}", "no"])
def test_an_answer_that_is_none_is_refused(tmp_path: Path, answers: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy_of(tmp_path, answers)
    assert caught.value.rule == "policy-settings"
