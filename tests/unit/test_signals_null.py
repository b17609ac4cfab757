"""What a series does by itself is no signal: worlds of the benchmark, small and few."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ctdhub.report import signals as words
from ctdhub.report.signals import missing_reports, named_series, of_file
from ctdhub.stats.signals import statistics
from ctdhub.stats.signals.events import each_event_once, leads_of, sides_of, with_totals
from ctdhub.stats.signals.find import Search, Settings, find, finished, until
from ctdhub.stats.signals.panel import Period, SeriesPanel, Side

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import signal_worlds

nan = np.nan


def panel(
    counts: np.ndarray, sd: float = 0.0, kind: str = "month", sides: tuple[Side, ...] = ()
) -> SeriesPanel:
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    first = {"month": 2018 * 12, "year": 2014}[kind]
    return SeriesPanel(
        tuple(f"s{k:04d}" for k in range(len(counts))),
        tuple(Period(kind, first + k) for k in range(counts.shape[1])),  # type: ignore[arg-type]
        counts,
        np.full(counts.shape, nan),
        np.full(counts.shape, sd),
        np.full(counts.shape, sd),
        sides,
    )


def looked(name: str, draws: int = 2) -> tuple[float, float, float]:
    """Mean false share, power and number of signals in a world of the benchmark."""
    rows = []
    for k in range(draws):
        world = signal_worlds.WORLDS[name](np.random.default_rng((k, 31)))
        given = panel(world.counts, world.sd, world.kind)
        found = find(given, Settings(window=world.window), smallest=False)
        rows_found = [f.row for f in found.signals]
        hits = np.isin(np.flatnonzero(world.hit), rows_found)
        false = np.mean([not world.hit[r] for r in rows_found]) if rows_found else 0.0
        rows.append((false, hits.mean() if hits.size else nan, len(rows_found)))
    false, power, n = np.mean(rows, axis=0)
    return float(false), float(power), float(n)


@pytest.mark.parametrize(
    ("name", "power"),
    [
        ("drift 1 % a month, x2", 0.40),
        ("30 % of months zero, x2", 0.35),
        ("yearly, 30 jump, growth 5 %", 0.65),
    ],
)
def test_few_signals_are_false_and_most_breaks_are_found(name: str, power: float) -> None:
    false, found, _n = looked(name)
    assert false <= 0.16  # two draws; the benchmark has forty, and 0.12
    assert found >= power


def test_steady_growth_without_a_break_is_no_signal() -> None:
    assert looked("yearly, growth 5 %", 1)[2] <= 3


def growing() -> Search:
    rows = [np.round(200 * 1.1 ** np.arange(12)), np.full(12, 200)]
    return find(panel(np.array(rows), kind="year"))


def test_growth_is_in_line_with_its_trend_and_said_to_be() -> None:
    found = growing()
    assert not found.signals
    lines = words.no_breaks(found, lambda f: f.name)
    assert lines[1:] == ("s0000: above its earlier level, in line with its trend.",)


def test_a_series_that_always_wandered_moves_this_much_by_itself() -> None:
    rng = np.random.default_rng(5)
    waves = np.exp(0.6 * np.repeat(rng.normal(size=(40, 6)), 12, axis=1))
    found = find(panel(rng.poisson(60 * waves)), smallest=False)
    verdicts = {t.verdict for f in found.findings for t in f.tests}
    assert len(found.signals) <= 4
    assert "usual" in verdicts


def test_the_smallest_rise_is_found_in_at_least_half_of_the_cases() -> None:
    """By another route: the rise is planted in new draws of the same law."""
    rng = np.random.default_rng(7)
    mean = np.full((60, 66), 20.0)
    factors, hits = [], []
    for _draw in range(2):
        past = rng.negative_binomial(8, 8 / (8 + mean)).astype(float)
        now = np.repeat(mean[:, :1], 6, axis=1)
        still = rng.negative_binomial(8, 8 / (8 + now))
        quiet = find(panel(np.hstack([past, still])))
        factors += [f.smallest for f in quiet.findings]
        times = float(np.median(factors))
        for row in range(0, 60, 6):
            risen = still.copy()
            risen[row] = rng.negative_binomial(8, 8 / (8 + times * now[row]))
            found = find(panel(np.hstack([past, risen])), smallest=False)
            hits.append(row in [f.row for f in found.signals])
    assert 1.5 < np.median(factors) < 2.6
    assert np.mean(hits) >= 0.5  # 20 cases; the benchmark has 200


def test_months_without_reports_do_not_hide_a_rise_and_are_asked_about() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(40, (30, 72)).astype(float)
    counts[0, rng.choice(66, 20, replace=False)] = 0
    counts[0, -6:] = rng.poisson(70, 6)
    counts[1, rng.choice(72, 20, replace=False)] = 0
    counts[2, -6:] = 0
    found = find(panel(counts))
    moved = {f.name: [t.way for t in f.moved(0.1)] for f in found.signals}
    assert moved["s0000"] == ["rise"]
    assert moved["s0002"] == ["fall"]
    assert "s0001" not in moved
    told = " ".join(words.zeros(found, lambda f: f.name))
    assert "In s0000, 20 earlier periods are 0" in told
    assert "s0002" not in told


def test_reports_that_end_after_many_zeros_are_a_fall() -> None:
    rng = np.random.default_rng(4)
    counts = rng.poisson(40, (30, 72)).astype(float)
    counts[0, rng.choice(66, 12, replace=False)] = 0
    counts[0, -6:] = 0
    found = find(panel(counts))
    assert [t.way for f in found.signals if f.row == 0 for t in f.moved(0.1)] == ["fall"]


def left_out(counts: np.ndarray, sd: float = 0.0, kind: str = "month") -> list[str]:
    return [str(period) for period in finished(panel(counts, sd, kind))[1]]


def test_an_unfinished_last_month_is_left_out_and_a_true_fall_is_not() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(80, 121, (1, 61)).astype(float)
    counts[0, -1] = 5
    less, late = finished(panel(counts))
    assert [str(period) for period in late] == ["2023-01"]
    assert not find(less).signals
    assert finished(until(panel(counts), Period("month", 2022 * 12 + 11)) or less)[1] == ()
    counts[0, -6:] = 40  # the fall began before
    assert not left_out(counts)
    # noise: a small noisy total may be far from its mean without being unfinished
    noisy = rng.poisson(3, (4, 40)) + np.round(rng.normal(0, 8, (4, 40)))
    assert not left_out(noisy, sd=8.0)


def late_reports(complete: tuple[float, ...], periods: int = 48) -> np.ndarray:
    """80 steady series, whose last periods are reported in part."""
    rng = np.random.default_rng(12)
    counts = rng.poisson(40, (80, periods))
    counts[:, -len(complete) :] = rng.binomial(counts[:, -len(complete) :], complete)
    return counts.astype(float)


def test_reports_that_still_come_are_no_falls() -> None:
    counts = late_reports((0.97, 0.90, 0.75, 0.50, 0.30))
    less, late = finished(panel(counts))
    assert [str(period) for period in late] == [f"2021-{month:02d}" for month in range(8, 13)]
    assert len(find(less, smallest=False).signals) <= 1
    assert len(left_out(late_reports((0.9, 0.55, 0.65, 0.3)))) == 4, "by chance not by turns"
    assert left_out(late_reports((0.85, 0.5), 12), kind="year") == ["2024", "2025"]


@pytest.mark.parametrize("part", [(0.5,) * 6, (0.5,) * 2, (0.8,) * 6, (1.0, 1.4), (1.0,)])
def test_a_true_fall_of_everything_is_left_in(part: tuple[float, ...]) -> None:
    counts = late_reports(tuple(min(p, 1.0) for p in part))
    counts[:, -1] *= max(1.0, part[-1])
    assert not left_out(counts)


def test_low_months_of_each_year_are_not_late() -> None:
    low = np.where(np.arange(48) % 12 >= 10, [0.75, 0.4] * 24, 1.0)
    counts = np.random.default_rng(3).poisson(40 * low, (80, 48)).astype(float)
    assert not left_out(counts)


@pytest.mark.parametrize(
    "name",
    [
        "half shifted 3 months before",
        "seasons 0 to 1, size 20",
        "shares, drift .2 a year",
        "all x4, ever faster",
        "all x4, end 3 before, Poisson",
    ],
)
def test_what_many_series_did_before_the_window_is_no_signal(name: str) -> None:
    world = signal_worlds.WORLDS[name](np.random.default_rng(0))
    given = panel(world.counts, world.sd, world.kind)
    given = given if world.wholes is None else replace(given, wholes=world.wholes)
    found = find(given, Settings(window=world.window), smallest=False)
    what = "count" if world.wholes is None else "share"
    moved = [f.row for f in found.signals if any(t.what == what for t in f.moved(0.1))]
    assert sum(not world.hit[row] for row in moved) <= 0.2 * max(10, len(moved))


def shifted_a_month_before(seed: int, times: float, month: float) -> Search:
    """40 series; 15 shift one month before the window, 5 in it; the first one's month before the
    window is given."""
    rate = np.full((40, 48), 30.0)
    rate[:15, -7:] *= times
    rate[15:20, -6:] *= times
    counts = np.random.default_rng(seed).poisson(rate).astype(float)
    counts[0, -7] = month
    return find(panel(counts), Settings(window=6), smallest=False)


@pytest.mark.parametrize(("seed", "times", "month"), [(0, 2.0, 45), (1, 0.5, 27)])
def test_a_shift_that_may_have_begun_before_the_window_is_no_break(
    seed: int, times: float, month: float
) -> None:
    found = shifted_a_month_before(seed, times, month)
    verdicts = {f.row: f.tests[0].verdict for f in found.findings}
    assert verdicts[0] == "level"
    assert not [row for row in verdicts if row not in range(15, 20) and verdicts[row] == "break"]
    assert [verdicts[row] for row in range(15, 20)].count("break") >= 3


def test_when_a_level_began_is_said_or_that_it_is_not_clear() -> None:
    found = shifted_a_month_before(0, 2.0, 45)
    lines = words.no_breaks(found, lambda f: f.name)
    unclear = "at a higher level; it is not clear whether since 2021-07 or already shortly before."
    assert {line.partition(": ")[2] for line in lines[1:-1]} == {
        unclear, "at a higher level since about 2021-06."
    }  # fmt: skip


def test_a_level_that_began_in_the_window_has_its_own_period() -> None:
    """It is no break for another reason: chance alone moves such series as much."""
    rng = np.random.default_rng(0)
    rate = np.full((60, 48), 30.0) * rng.gamma(20, 0.05, (60, 48))
    rate[:10, -3:] *= rng.uniform(1.4, 2.2, (10, 1))
    counts = rng.poisson(rate).astype(float)
    found = find(panel(counts), Settings(window=6), smallest=False)
    (test,) = (f.tests[0] for f in found.findings if f.row == 9)
    assert (test.verdict, test.since, test.unclear) == ("level", "2021-11", False)
    lines = words.no_breaks(found, lambda f: f.name)
    assert "s0009: at a higher level since about 2021-11." in lines


def test_series_of_nearly_nobody_have_no_say_in_the_usual_slope(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """60 series grow by four until the window; 340 others are almost always empty."""
    rng, time, usual = np.random.default_rng(0), np.arange(72), list[float]()
    fitted = statistics._fitted

    def noted(*words: Any) -> Any:
        usual.append(fitted(*words).usual)
        return fitted(*words)

    monkeypatch.setattr(statistics, "_fitted", noted)
    grown = np.tile(60 * 4 ** (np.minimum(time, 65) / 65), (60, 1))
    large = rng.poisson(grown).astype(float)
    slopes = []
    for others in (np.zeros((0, 72)), np.zeros((340, 72)), rng.poisson(0.02, (340, 72))):
        usual.clear()
        find(panel(np.vstack([large, others])), Settings(window=6), smallest=False)
        slopes.append(usual[0])
    assert min(slopes) > slopes[0] / 2


def corridors() -> tuple[SeriesPanel, np.ndarray]:
    """150 corridors, of which the 50 to D1 double."""
    rng = np.random.default_rng(2)
    sides = tuple((f"O{o}", f"D{d}") for d in range(3) for o in range(50))
    rate = np.full((150, 72), 8.0)
    rate[50:100, -6:] *= 2.2
    return panel(rng.poisson(rate), sides=sides), rate


def test_fifty_corridors_to_one_destination_are_one_lead() -> None:
    found = each_event_once(find(with_totals(corridors()[0]), smallest=False), leads_of)
    leads = leads_of(found)
    assert leads[0].finding.name == "destination=D1"
    assert len(leads[0].also) > 50
    assert len(leads) <= 3
    assert named_series(found, leads[0].finding) == "all series to “D1”"
    plain = find(with_totals(corridors()[0]), smallest=False)
    assert len(leads_of(plain)) >= len(leads)  # weights of one event lend belief to others


def test_a_corridor_of_its_own_is_told_apart_from_the_total() -> None:
    given, rate = corridors()
    rate[3, -6:] *= 5
    rate[60, -6:] = 1
    counts = np.random.default_rng(9).poisson(rate).astype(float)
    apart = find(with_totals(panel(counts, sides=given.sides)), smallest=False)
    found = each_event_once(apart, leads_of)
    heads = [lead.finding.name for lead in leads_of(found)]
    assert heads[0] == "destination=D1"
    assert {"s0003", "s0060"} <= set(heads)


def test_sides_are_read_from_names_only_where_all_have_two() -> None:
    assert sides_of(["A to B", "C → D"]) == (("A", "B"), ("C", "D"))
    assert sides_of(["A to B", "all"]) == ()


def test_signals_are_ordered_by_size_and_ratios_hold_the_truth() -> None:
    rng = np.random.default_rng(6)
    rate = np.repeat(np.r_[np.full(30, 5.0), np.full(30, 300.0)][:, None], 72, axis=1)
    rate[[0, 40], -6:] *= [[6.0], [1.5]]
    found = find(panel(rng.poisson(rate)))
    assert [f.row for f in found.signals][:2] == [40, 0]
    for signal, times in zip(found.signals, (1.5, 6.0), strict=False):
        (test,) = signal.moved(0.1)
        assert test.ratio.low <= times <= test.ratio.high
        assert test.size > 0
        assert "number is" in words.times(of_file(found, signal))


def test_the_condition_is_said_and_missed_forecasts_instead_where_they_are_many() -> None:
    steady = find(panel(np.random.default_rng(8).poisson(30, (60, 72))), smallest=False)
    assert steady.missed is not None
    assert not steady.missed.too_often
    assert "This holds if the series are independent" in words.false_share(steady)
    rate = np.full((60, 72), 30.0)
    rate[:, 54:60] *= 3  # all series were three times as high in one earlier window
    odd = find(panel(np.random.default_rng(8).poisson(rate)), smallest=False)
    assert odd.missed is not None
    assert odd.missed.too_often
    assert "departed from what their past suggested" in words.false_share(odd)


@pytest.mark.parametrize("law", ["raids", "heavy tails"])
def test_series_that_jump_now_and_then_are_no_promise(law: str) -> None:
    """Most windows are quiet, so a twentieth misses; but those that miss do so by far."""
    rng = np.random.default_rng(8)
    rate = np.repeat(rng.gamma(1.2, 20, (200, 1)) + 4, 72, axis=1)
    if law == "raids":  # for some five months now and then, people are found in larger numbers
        on = rng.random(200) < 0.2
        for month in range(72):
            rate[:, month] *= np.where(on, 2.5, 1)
            on = np.where(on, rng.random(200) > 0.2, rng.random(200) < 0.05)
    else:
        rate *= np.exp(0.3 * rng.standard_t(4, rate.shape))
    jumping = find(panel(rng.poisson(rate)), smallest=False)
    assert jumping.missed is not None
    assert jumping.missed.too_often
    expected = {"raids": "5.0% should", "heavy tails": "0.5% should"}
    assert expected[law] in words.false_share(jumping)


def test_series_in_which_no_rise_could_be_found_are_said_to_be_so() -> None:
    """Noise may hide any rise: of every second series, of one in ten, of hardly any."""
    steady = np.random.default_rng(8).poisson(30, (40, 72))
    for hidden, text in (
        (24, "more than half"),
        (8, "in more than one in ten"),
        (2, "in nine out of ten"),
    ):
        counts = steady.copy()
        counts[:hidden] = 0
        told = panel(counts)
        noise = told.noise.copy()
        noise[:hidden] = 100.0
        found = find(replace(told, noise=noise))
        assert text in words.smallest_rise(found, lambda f: f.name)


def with_gaps(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts of 150 series, of which 12 double; half have months without reports, written as 0."""
    rng = np.random.default_rng(seed)
    rate = np.repeat(np.exp(rng.uniform(np.log(3), np.log(60), (150, 1))), 72, axis=1)
    hit, gap = np.zeros(150, dtype=bool), np.zeros(rate.shape, dtype=bool)
    hit[rng.choice(150, 12, replace=False)] = True
    rate[hit, -6:] *= 2
    counts = rng.negative_binomial(5, 5 / (5 + rate)).astype(float)
    for row in rng.choice(150, 75, replace=False):
        long = int(rng.integers(3, 12))
        start = int(rng.integers(0, 73 - long))
        gap[row, start : start + long] = True
    counts[gap] = 0
    return counts, hit, gap


def test_falls_that_missing_reports_explain_are_asked_about_and_the_others_keep_the_promise() -> (
    None
):
    false, asked, right = [], 0, 0
    for seed in range(3):
        counts, hit, gap = with_gaps(seed)
        found = find(panel(counts), smallest=False)
        sure = [f for f in found.signals if not f.rests_on_zeros(0.1)]
        doubted = [f for f in found.signals if f.rests_on_zeros(0.1)]
        false.append(np.mean([not hit[f.row] for f in sure]))
        asked += len(doubted)
        right += sum(gap[f.row, -6:].any() for f in doubted)
        assert (not doubted) == (words.falls_to_zero(found) == "")
    assert np.mean(false) <= 0.12
    assert asked >= 6
    assert right / asked >= 0.9


def silent(seed: int, gaps: slice) -> tuple[SeriesPanel, np.ndarray]:
    """100 Poisson series of which nothing changes but that a quarter has no reports in some months,
    written as 0."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(np.exp(rng.uniform(1, 4, (100, 1))), (100, 60)).astype(float)
    counts[:25, gaps] = 0
    return panel(counts, sides=[(f"s{k}", "?") for k in range(100)]), counts


@pytest.mark.parametrize("gaps", [slice(-3, None), slice(-5, -2)])
def test_reports_that_did_not_come_lend_no_belief_to_other_series(gaps: slice) -> None:
    """At the end of the window, and inside it: nothing else moved, and at most one draw of ten says
    so.  Falls that are asked about were counted as found, and half of the draws had a false signal
    of another series."""
    told = []
    for seed in range(10):
        found = each_event_once(find(silent(seed, gaps)[0], smallest=False), leads_of)
        told.append(sum(not f.rests_on_zeros(0.1) for f in found.signals))
        assert sum(f.rests_on_zeros(0.1) for f in found.signals) >= 10
    assert sum(n > 0 for n in told) <= 1, told


def test_the_smallest_rise_is_that_of_what_is_still_believed() -> None:
    """With many falls that are asked about, a rise of another series needs what it would need
    without them, not less."""
    given, counts = silent(1, slice(-3, None))
    found = each_event_once(find(given, smallest=False), leads_of)
    alone = replace(given, counts=np.where(np.arange(100)[:, None] < 25, np.nan, counts))
    others = {f.row: f.smallest for f in find(alone).findings}
    of_each = {f.row: f.smallest for f in found.findings if f.row in others}
    plain = {f.row: f.smallest for f in find(given).findings if f.row in others}
    assert np.median(list(plain.values())) < 0.97 * np.median(list(others.values()))
    assert np.median(list(of_each.values())) == pytest.approx(
        np.median(list(others.values())), rel=0.03
    )


def test_a_fall_to_zero_names_its_periods_and_small_numbers_are_not_asked_about() -> None:
    rng = np.random.default_rng(6)
    counts = rng.poisson(40, (12, 72)).astype(float)
    counts[0, -5:-2] = 0
    counts[0, -1] = 0
    counts[1, -6:] = 9  # falls, and is never 0
    counts[2] = rng.poisson(0.7, 72)  # half of its periods are 0
    found = find(panel(counts))
    of = {f.name: f for f in found.signals}
    told = missing_reports(found, of["s0000"])
    assert "It is 0 in 2023-08 to 2023-10 and 2023-12" in told
    assert missing_reports(found, of["s0001"]) == ""
    assert next(f for f in found.findings if f.name == "s0002").empty == 0
    noisy = find(panel(counts, sd=4.0))
    assert not any(f.empty for f in noisy.findings), "noise leaves no zero to speak of"
    short = SeriesPanel(**{**vars(panel(counts[:, -4:])), "wholes": counts[:, -4:] * 2 + 50})
    assert {f.empty for f in find(short, Settings(window=2)).findings} == {0}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, 7.0, 1e12])
def test_a_series_that_begins_in_the_window_is_not_tested_and_upsets_no_number(
    value: float,
) -> None:
    rng = np.random.default_rng(8)
    counts = rng.poisson(30, (4, 4)).astype(float)
    counts[0] = nan, nan, nan, value
    for shown in (counts, counts[:1]):
        found = find(panel(shown, kind="year"))
        assert "s0000" in found.too_few_periods
    counts[1] = 0, 1e12, 0, 1e12
    assert all(0 <= t.p <= 1 for f in find(panel(counts, kind="year")).findings for t in f.tests)
