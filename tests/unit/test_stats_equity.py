"""Unequal assistance is found, equal assistance is not called unequal, truth lies in intervals."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from invented_people import citizenship_group
from invented_release import FACTS, protected_answer
from signs_of_numbers import astray
from typer.testing import CliRunner

from ctdhub.border import Guarantee, restore
from ctdhub.cli.app import command
from ctdhub.core.errors import HubError
from ctdhub.core.format import interval, share
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import encode
from ctdhub.dp.mechanism import answer
from ctdhub.dp.plan import plan_of
from ctdhub.dp.policy import Policy
from ctdhub.practice.people import invented_people
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report import equity as equity_rows
from ctdhub.report.equity import (
    assistance_caveat,
    gap_difference,
    gap_sentence,
    group_name,
    not_compared_sentence,
    people_of,
)
from ctdhub.report.sentences import assisted_sentence
from ctdhub.report.wording import surely
from ctdhub.schema.model import load_schema
from ctdhub.stats import equity
from ctdhub.stats.answers import Answers
from ctdhub.stats.equity import GROUPINGS, RECEIVED, Assistance, By, Gap, assistance, not_compared

SCHEMA = load_schema()
KIND, EQUAL = "assistance_accommodation", ("assistance_medical", "assistance_psychosocial")
COLUMNS = (
    "gender", "citizenship", "country_of_exploitation", KIND, *EQUAL, "citizenship_group",
)  # fmt: skip
SEEDS = range(8)
PEOPLE = 6000
TRUTH = {"national": 0.60, "other_eu": 0.45, "third_country": 0.30}
"""Share who received accommodation, by the marginals that practice people are drawn from."""
BY = GROUPINGS[0]


@lru_cache(maxsize=8)
def people(seed: int) -> pa.Table:
    """Practice people with their citizenship group."""
    table = invented_people(PEOPLE, seed)
    pairs = zip(*(table[n].to_pylist() for n in COLUMNS[1:3]), strict=True)
    groups = pa.array([citizenship_group(*pair) or None for pair in pairs], pa.string())
    return table.append_column("citizenship_group", groups).select(COLUMNS)


@lru_cache(maxsize=8)
def released(seed: int) -> Release:
    """A release of these people whose noise is seeded."""
    policy = Policy(columns=COLUMNS, years=(2015, 2019), epsilon=2.0)
    plan = plan_of(policy, SCHEMA)
    rho = rho_of(policy.epsilon, policy.delta)
    source = np.random.default_rng(seed).bytes
    found = answer(encode(people(seed), plan.domains), plan, rho, source)
    guarantee = Guarantee(
        2.0,
        policy.delta,
        rho,
        "person",
        "discrete Gaussian",
        policy.level,
        found.sigma,
        "invented",
        drawn=found.drawn,
    )
    made = restore(
        records=found.records,
        counts=found.counts,
        people=found.people,
        case_records=found.case_records,
        guarantee=guarantee,
        facts=FACTS,
    )
    return open_release(write_release(made, Path(mkdtemp()) / "releases", "2026.1", ""))


def found(seed: int, by: By = BY) -> dict[str, Assistance]:
    return {a.kind: a for a in assistance(Answers(released(seed)), by)}


def true_shares(seed: int, kind: str, codes: tuple[str, ...]) -> dict[str, float]:
    rows = [r for r in people(seed).to_pylist() if not codes or r["citizenship_group"] == codes[0]]
    status = [r[kind] for r in rows if r[kind] is not None]
    return {s: status.count(s) / len(status) for s in SCHEMA.codes["assistance"]}


def test_the_unequal_assistance_is_found_with_the_right_groups() -> None:
    inside = 0
    for seed in SEEDS:
        gap = found(seed)[KIND].gap
        assert gap is not None
        assert (gap.least, gap.most) == (("third_country",), ("national",))
        inside += gap.low <= TRUTH["national"] - TRUTH["third_country"] <= gap.high
    assert inside >= len(SEEDS) - 1


def test_equal_assistance_is_rarely_called_unequal() -> None:
    """Whatever is said of a grouping is right with the level: of so many at most a few are not."""
    trials = wrong = 0
    for seed in SEEDS:
        for by in GROUPINGS[:3]:
            trials += 1
            gaps = [a.gap for kind, a in found(seed, by).items() if kind in EQUAL]
            wrong += any(gaps)
    # P(more than 6 of 24 by chance) is below 1e-3 where each has a chance of 5 %.
    assert trials == 24
    assert wrong <= 6


def test_truth_lies_in_the_intervals_at_their_level() -> None:
    hits = cells = 0
    for seed in SEEDS:
        for kind, a in found(seed).items():
            for group in (a.everybody, *a.groups):
                if group.codes == ("",):
                    continue
                truth = true_shares(seed, kind, group.codes)
                for status, part in group.shares.items():
                    assert part.low is not None
                    assert part.high is not None
                    cells += 1
                    hits += part.low <= truth[status] <= part.high
                rest = 1 - truth["declined"]
                need = truth[RECEIVED] / rest
                cells += 1
                hits += (group.of_need.low or 0) <= need <= (group.of_need.high or 1)
    assert cells == len(SEEDS) * 3 * 4 * 6
    assert hits / cells >= 0.93


def test_denominators_are_the_recorded_and_cards_are_whole() -> None:
    a = found(0)[KIND]
    rows = people(0).to_pylist()
    recorded = sum(r[KIND] is not None for r in rows)
    everybody = a.everybody
    assert everybody.recorded.low is not None
    assert everybody.recorded.high is not None
    assert everybody.recorded.low <= recorded <= everybody.recorded.high
    assert everybody.unknown.value == pytest.approx(1 - recorded / PEOPLE, abs=0.05)
    for group in a.groups:
        for part in group.shares.values():
            assert part.unit == "share"
            assert part.denominator is None or part.denominator >= 0
            assert part.missing == group.shares[RECEIVED].missing


def test_more_pairs_need_a_larger_gap() -> None:
    """Bonferroni: the same two groups beside more others have a wider interval."""
    answers = Answers(released(0))
    alone = found(0)[KIND]
    pairs = math.comb(3, 2)
    narrow, wide = (equity._gap(answers, alone, n) for n in (pairs, 100 * pairs))
    assert narrow is not None
    assert wide is None or (wide.low < narrow.low and wide.high > narrow.high)


def test_people_surely_assisted_are_no_more_than_those_of_all_kinds() -> None:
    """At no charge: people who received the kind that most received are some of them."""
    for seed in SEEDS:
        ((kind, card),) = equity.assisted(Answers(released(seed)), {})
        rows = people(seed).to_pylist()
        of_kind = sum(row[kind] == RECEIVED for row in rows)
        of_any = sum(RECEIVED in [row[k] for k in (KIND, *EQUAL)] for row in rows)
        assert 0 < surely(card) <= of_kind < of_any
        assert kind in (KIND, *EQUAL)
    with language("en"):
        assert re.match(
            r"At least [\d,]+ people are recorded as having received assistance \(\w+",
            assisted_sentence(((kind, card),)),
        )
        few = replace(card, value=None, low=0.0, state="protected")
        assert assisted_sentence(((kind, few),)) == assisted_sentence(()) == ""


def test_people_assisted_are_counted_where_the_release_measured_them(tmp_path: Path) -> None:
    row = {"any_assistance": "yes", KIND: "received"}
    rows = [row] * 300 + [{"any_assistance": "yes"}] * 200
    answer = protected_answer(rows, tables=("any_assistance", KIND))
    release = open_release(write_release(answer, tmp_path / "r", "2026.1", ""))
    ((name, card),) = equity.assisted(Answers(release), {})
    assert (name, card.value) == ("any_assistance", 500)


def test_sentences_name_both_groups_in_every_language() -> None:
    gap = found(0)[KIND].gap
    assert isinstance(gap, Gap)
    for lang in LANGUAGES:
        with language(lang):
            words = gap_sentence(gap)
            for codes in (gap.least, gap.most):
                assert people_of(gap.by, codes) in words
            assert "{" not in words
            assert assistance_caveat()


@pytest.mark.parametrize(
    ("by", "codes", "told"),
    [
        (("country_of_exploitation",), ("ITA",), "people who were exploited in Italy"),
        (("citizenship_group", "gender"), ("other_eu", "male"),
         "citizens of another country of the EU (men and boys)"),
        (("gender",), ("transgender_nonconforming",),
         "people with the answer “Transgender or gender non-conforming”"),
        (("age_band",), ("9-17",), "people in the age group “9–17 years”"),
    ],
)  # fmt: skip
def test_a_sentence_names_people_and_no_bare_label(by: By, codes: By, told: str) -> None:
    with language("en"):
        assert people_of(by, codes) == told
    for lang in LANGUAGES:
        with language(lang):
            assert people_of(by, codes) != group_name(by, codes)


def test_a_gap_tells_both_intervals_and_who_cannot_be_compared() -> None:
    a = found(0)[KIND]
    gap = a.gap
    assert gap is not None
    sentence = gap_sentence(gap)
    assert "least" not in sentence
    assert "Among the groups that can be compared" in sentence
    assert sentence.count("%") == 12  # two shares with both ends, what is unknown, its two ends
    few = replace(a.groups[0].shares[RECEIVED], value=None, low=0.0, state="protected")
    hidden = replace(a.groups[0], shares={**a.groups[0].shares, RECEIVED: few})
    name = people_of(a.by, hidden.codes)
    fewer = replace(a, groups=(hidden, *a.groups[1:]))
    assert hidden.codes in not_compared((fewer,)).never
    assert hidden.codes in not_compared((a, fewer)).partly
    assert name in not_compared_sentence(not_compared((fewer,)))
    assert name in not_compared_sentence(not_compared((a, fewer)))
    assert name not in not_compared_sentence(not_compared((a,)))


def test_the_bounds_of_a_gap_hold_whatever_is_not_recorded() -> None:
    """Most of it is not recorded: nobody may be said to receive it less often than others."""
    held = 0
    for seed in SEEDS:
        gap = found(seed)[KIND].gap
        assert gap is not None
        assert not gap.decided
        for codes, unknown, (low, high) in zip(
            (gap.least, gap.most), gap.unknown, gap.bounds, strict=True
        ):
            rows = [r[KIND] for r in people(seed).to_pylist() if r["citizenship_group"] == codes[0]]
            received, blank = (rows.count(status) / len(rows) for status in (RECEIVED, None))
            held += low <= received <= received + blank <= high
            assert unknown == pytest.approx(blank, abs=0.05)
    assert held >= 2 * len(SEEDS) - 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_gap_is_one_of_records_until_its_bounds_part(lang: str) -> None:
    gap = found(0)[KIND].gap
    assert gap is not None
    apart = replace(gap, bounds=((0.1, 0.2), (0.3, 0.4)))
    with language(lang):
        said, sure = gap_sentence(gap), gap_sentence(apart)
        assert len(said) > len(sure)
        assert share(gap.unknown[0]) in said
        assert interval(*gap.bounds[1])[1] in said
        assert gap_difference(gap).endswith(said[-60:])
    if lang == "en":
        assert "were recorded less often as having received it than" in said
        assert "likely" not in said
        assert "not known which of them received it less often" in said
        assert "not known" not in sure
        assert "No published table allows an adjustment for the organisation and the year" in sure


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.0312, 0.0888, ("6", "3", "9")),
        (0.0042, 0.0888, ("6.1", "0.4", "8.9")),
        (0.0004, 0.0888, ("6.10", "0.04", "8.88")),
        (0.07, 0.29, ("6", "7", "29")),
    ],
)
def test_a_clear_gap_never_seems_to_begin_at_zero(
    low: float, high: float, told: tuple[str, ...]
) -> None:
    gap = found(0)[KIND].gap
    assert gap is not None
    with language("en"):
        words = gap_sentence(replace(gap, difference=0.061, low=low, high=high))
    assert "is {} percentage points (between {} and {})".format(*told) in words


def test_rows_tell_the_blanks_apart() -> None:
    release = released(0)
    rows = equity_rows.rows(tuple(found(0).values()), release)
    assert {tuple(r) for r in rows} == {equity_rows.COLUMNS}
    for row in rows:
        if row["state"] == "shown":
            assert row["people"] or row["share"]
        else:  # a bound, never a number and never zero
            assert row["people"] is None
            assert row["share"] is None
    measures = {r["measure"] for r in rows}
    assert measures == {*SCHEMA.codes["assistance"], "recorded", "not_recorded", "received_of_need"}
    assert {r["group"] for r in rows} == {"all", "", *TRUTH}


def test_nothing_is_said_of_a_release_without_assistance(tmp_path: Path) -> None:
    release = open_release(write_release(protected_answer(), tmp_path / "r", "2026.1", ""))
    assert equity.groupings(Answers(release)) == ()
    assert assistance(Answers(release), BY) == ()
    with pytest.raises(HubError) as caught:
        run("equity", str(release.path))
    assert caught.value.rule == "not-measured"


def run(*words: str) -> str:
    result = CliRunner().invoke(command(), words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_verb_tells_the_gap_first() -> None:
    path = str(released(0).path)
    told = run("equity", path, "--kind", "accommodation")
    gap = found(0)[KIND].gap
    assert gap is not None
    assert " ".join(told.split()).startswith(" ".join(gap_sentence(gap).split()))
    given: dict[str, Any] = json.loads(run("equity", path, "--format", "json", "--by", BY[0]))
    assert given["gaps"][0]["least"] == "third_country"
    assert {r["assistance"] for r in given["rows"]} == {KIND, *EQUAL}
    text = run("equity", path, "--format", "csv", "--by", "citizenship_group,gender")
    assert text.startswith(",".join(equity_rows.COLUMNS))
    assert "third_country*female" in text


def test_in_arabic_the_verb_keeps_formulas_whole_and_parts_statuses_its_own_way() -> None:
    told = " ".join(run("equity", str(released(0).path), "--lang", "ar").split())
    assert re.search("\u2066[\\d,]+ ± \\d+\u2069", told)
    assert "؛ " in told
    assert ";" not in told
    assert "%" in told
    assert not astray(told)


@pytest.mark.parametrize(
    "option", [("--kind", "nonsense"), ("--by", "citizenship"), ("--format", "xml")]
)
def test_the_verb_refuses_what_it_does_not_know(option: tuple[str, str]) -> None:
    with pytest.raises(HubError) as caught:
        run("equity", str(released(0).path), *option)
    assert caught.value.exit_code == 2
    assert caught.value.fix
