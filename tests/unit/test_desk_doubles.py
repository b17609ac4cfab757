"""Pairs are decided without names: the report and the measured recall follow, no released row."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.conftest import Once
from tests.fixtures.hubs import copied
from tests.journeys.small_hub import MAPPING, join, new_hub, send

from ctdhub.core.errors import HubError
from ctdhub.hub import doubles, pipeline
from ctdhub.hub.folder import Hub

DAY = "2026-01-15"
NAMES = ("harbour", "rivage", "منارة")
IDS = ("harbour", "rivage", "manara")


def _token(kind: str, *parts: object) -> str:
    return f"{kind}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


def _hub(folder: Path) -> Hub:
    """Three contributors; every third person is known to two, and one token in three differs."""
    hub, chance = new_hub(folder), random.Random(16)
    header = "link,tokens,case,year,sex,age,sexual,nationality"
    rules = MAPPING.replace("{case: hash}", "{case: case, link: token}\ntokens: [tokens]")
    rows: dict[str, list[str]] = {name: [] for name in IDS}
    for person in range(90):
        known = chance.sample(IDS, 2 if person % 3 == 0 else 1)
        age, sex = 20 + person % 25, "FM"[person % 2]
        country = ("NGA", "ALB", "GHA")[person % 3]
        for name in known:
            kinds = [k for k in "abcdef" if chance.random() > 0.35] or ["b"]
            held = ";".join(_token(k, person) for k in kinds)
            held += ";" + _token("i", person % 11)
            other = country if chance.random() > 0.2 else "PER"
            rows[name].append(
                f"{_token('p', person, name)},{held},{name}-{person},2020,{sex},{age},1,{other}"
            )
    for name, called in zip(IDS, NAMES, strict=True):
        join(hub, name, rules.replace("tokens: [tokens]", "tokens: [tokens]"), name=called)
        send(hub, name, DAY, *rows[name], header=header)
    pipeline.build(hub, until="link")
    return hub


@pytest.fixture
def hub(once: Once, tmp_path: Path) -> Hub:
    return copied(Hub(once("hub-with-doubles", _hub)), tmp_path / "hub")


Side = tuple[str, str]


def _sides(hub: Hub) -> dict[str, frozenset[Side]]:
    """Contributor and key of both of each pair."""
    table, ids = doubles._pairs(hub)
    return {
        ids[at]: frozenset((row[f"contributor_{s}"], row[f"key_{s}"]) for s in "ab")
        for at, row in enumerate(table.to_pylist())
    }


def _missed(hub: Hub, found: list[doubles.DoublePair]) -> str:
    """The first pair that is not joined and may be one person whatever is said of all others."""
    sides, one = _sides(hub), {}
    joined = {pair.id for pair in found if pair.joined}
    for pair in sides.values():
        one |= {side: {side} for side in pair}
    for pair in joined:
        both = set[Side]().union(*(one[side] for side in sides[pair]))
        one |= dict.fromkeys(both, both)
    groups = {p: frozenset(frozenset(one[s]) for s in sides[p]) for p in sides if p not in joined}
    alone = {p for p, g in groups.items() if list(groups.values()).count(g) == 1}
    return next(pair.id for pair in found if pair.id in alone)


def _refused(hub: Hub, *args: object) -> str:
    with pytest.raises(HubError) as met:
        doubles.decide(hub, *args)  # type: ignore[arg-type]
    assert met.value.fix
    return str(met.value.name)


def test_pairs_say_what_agrees_and_no_value(hub: Hub) -> None:
    found = doubles.to_decide(hub)
    assert found
    assert len({one.id for one in found}) == len(found)
    assert any("citizenship" in one.differ for one in found)
    assert any("gender" in one.agree for one in found)
    text = repr(found)
    table = pq.read_table(hub.work / "people" / "pairs.parquet").to_pylist()
    for row in table:
        for part in ("record_a", "record_b", "key_a", "key_b"):
            assert row[part] not in text
    assert "NGA" not in text
    assert [one.id for one in doubles.to_decide(hub)] == [one.id for one in found]


def test_the_second_decider_sees_the_first_and_two_answers_decide_nothing(hub: Hub) -> None:
    pair = doubles.to_decide(hub)[0].id
    doubles.decide(hub, pair, "yes", "one", 0)
    assert _refused(hub, pair, "no", "two", 0) == "pair-decisions/meanwhile"
    doubles.decide(hub, pair, "no", "two", 1)
    (after,) = [one for one in doubles.to_decide(hub) if one.id == pair]
    assert [(line.by, line.same) for line in after.decided] == [("one", "yes"), ("two", "no")]
    assert after.same is None
    measured = doubles.measured(hub)
    assert measured is not None
    assert (measured["yes"], measured["no"], measured["differ"]) == (0, 0, 1)
    doubles.decide(hub, pair, "yes", "two", 1)
    measured = doubles.measured(hub)
    assert measured is not None
    assert (measured["yes"], measured["differ"]) == (1, 0)
    assert _refused(hub, "0" * 32, "yes", "one", 0) == "pair-decisions/gone"


def test_decisions_that_no_grouping_can_hold_are_refused(hub: Hub) -> None:
    sides = _sides(hub)
    three = next(
        (a, b, c)
        for a, x in sides.items()
        for b, y in sides.items()
        for c, z in sides.items()
        if a < b and x & y and len(x ^ y) == 2 and z == x ^ y
    )
    doubles.decide(hub, three[0], "yes", "one", 0)
    doubles.decide(hub, three[1], "yes", "one", 0)
    assert _refused(hub, three[2], "no", "one", 0) == "pair-decisions/contradiction"
    assert len(doubles.decisions(hub)) == 2


def test_recall_is_measured_and_no_row_moves(hub: Hub) -> None:
    assert doubles.measured(hub) is None
    before = pq.read_table(hub.work / "people" / "people.parquet")
    found = doubles.to_decide(hub)
    missed = _missed(hub, found)
    said: dict[str, doubles.Same] = {
        one.id: "yes" if one.joined or one.id == missed else "no" for one in found
    }
    for pair, same in said.items():
        doubles.decide(hub, pair, same, "one", 0)
    measured = doubles.measured(hub)
    assert measured is not None
    for share in ("recall", "recall_after", "false_links"):
        assert 0 <= measured[share]["low"] <= measured[share]["high"] <= 1
    assert measured["recall_after"]["low"] >= measured["recall"]["low"]
    assert measured["recall"]["value"] < 1
    pipeline.build(hub, until="link")
    assert pq.read_table(hub.work / "people" / "people.parquet").equals(before)
    (hub.work / "people" / ".step.json").unlink()
    pipeline.build(hub, until="link")
    assert doubles.measured(hub) == measured
    assert {one.id: one.same for one in doubles.to_decide(hub)} == said


def test_a_line_cut_short_is_passed_over_and_a_changed_one_named(hub: Hub) -> None:
    first, second = (one.id for one in doubles.to_decide(hub)[:2])
    doubles.decide(hub, first, "unsure", "one", 0)
    path = hub.root / "linkage" / "decisions.jsonl"
    path.write_bytes(path.read_bytes() + b'{"pair": "')
    assert [one.pair for one in doubles.decisions(hub)] == [first]
    doubles.decide(hub, second, "unsure", "one", 0)
    assert [one.pair for one in doubles.decisions(hub)] == [first, second]
    kept = path.read_bytes().splitlines()
    assert {"pair", "same", "by", "time"} < set(json.loads(kept[0]))
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(path.read_bytes().replace(b"unsure", b"yes"))
    with pytest.raises(HubError) as met:
        doubles.decisions(hub)
    assert met.value.rule == "chain"


def test_a_hub_without_tokens_has_nothing_to_decide(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    with pytest.raises(HubError) as met:
        doubles.to_decide(hub)
    assert met.value.rule == "no-report"
    join(hub, "our-ngo")
    send(hub, "our-ngo", DAY, "1,2020,F,25,1,NGA")
    pipeline.build(hub, until="link")
    assert doubles.to_decide(hub) == []
    assert doubles.measured(hub) is None
