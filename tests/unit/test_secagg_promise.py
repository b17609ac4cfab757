"""What a lying member of a round can see, and what noise in shares is worth."""

from __future__ import annotations

import math
import shutil
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from invented_round import stream

from ctdhub.core.errors import HubError
from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.noise import sampler
from ctdhub.dp.plan import Plan
from ctdhub.dp.secagg import parties
from ctdhub.dp.secagg.masks import (
    LEAST_SHARE,
    Cells,
    SecaggLayout,
    closeness,
    cost_of,
    guarding,
    share_workload,
    with_noise,
)
from ctdhub.dp.secagg.parties import protected, read_sum
from ctdhub.dp.standalone.domains import DomainsFile
from ctdhub.dp.workload import Measurement
from ctdhub.sensitive.ingest.raw import read_as_is

FOUR = ("one", "two", "three", "four")
DOMAINS = DomainsFile.model_validate(
    {
        "version": 1,
        "columns": {
            "year": ["a", "b"],
            "gender": ["f", "m"],
            "cit": ["AAA", "BBB", "CCC", "DDD"],
            "dst": ["XXX", "YYY", "ZZZ"],
        },
        "focus": {"corridor": ["cit", "dst"], "by": ["year"]},
    }
)
HER = "a,f,DDD,ZZZ"
COUNTED = parties.counted


def lay(folder: Path) -> None:
    """Four fictitious tables of 80 rows, and the first once more with one row of hers."""
    draw = stream(b"four tables")

    def one(of: str) -> str:
        words = of.split()
        return words[draw(1)[0] % len(words)]

    for name in FOUR:
        rows = [f"{one('a b')},{one('f m')},{one('AAA BBB CCC')},{one('XXX YYY')}"
                for _ in range(80)]  # fmt: skip
        (folder / f"{name}.csv").write_text("\n".join(["year,gender,cit,dst", *rows, ""]), "utf-8")
    with_her = (folder / "one.csv").read_text("utf-8") + HER + "\n"
    (folder / "her.csv").write_text(with_her, "utf-8")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round of four that has begun."""
    folder = tmp_path_factory.mktemp("four")
    lay(folder)
    exchange, hub = folder / "exchange", folder / "hub"
    parties.new_round(
        exchange, hub, DOMAINS, FOUR, epsilon=1, delta=1e-6, max_people=10_000, known_to=1
    )
    for name in FOUR:
        parties.join_round(exchange, folder / name, name)
    parties.start_round(exchange, hub)
    return folder


def lie(cells: Cells, layout: SecaggLayout, kind: str, by: int) -> None:
    """What the fourth contributor makes of its own counts."""
    if kind == "all tables":
        cells += np.uint32(by)
        return
    place = {"year": 1, "gender": 1, "cit": 4, "dst": 3}
    for t in layout.tables:
        if {"cit", "dst"} <= set(t):
            table = layout.table(cells, t)
            hers = tuple(slice(place[c], place[c] + 1) for c in t)
            other = tuple(hers[t.index(c)] if c == "year" else slice(0, 1) for c in t)
            table[hers] -= np.uint32(by % 2**32)
            table[other] += np.uint32(by % 2**32)
            if kind == "first table":  # as the review has it; "moved" does it in all
                return


LIES = [
    *(("first table", y) for y in (1, 28, 64)),
    ("moved", 2**31 - 28),
    *(("all tables", d) for d in (5, 2**31 - 320)),
]


def outcome(
    begun: Path,
    to: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: tuple[str, int],
    first: str,
    noise: str,
) -> dict[str, Any]:
    """All that anybody sees of a round: files that are passed, the sum, the release or refusal.

    Args:
        first: the file of the first contributor.
        noise: "same" holds the first one's noisy counts equal to those without her.
    """
    shutil.copytree(begun, to)
    exchange, hub = to / "exchange", to / "hub"

    def counted(raw: Any, scope: Any, layout: SecaggLayout, key: bytes) -> Cells:
        if noise == "same" and raw.file == "her.csv":
            raw = read_as_is(to / "one.csv")  # her row, and noise that is one less where she is
        return COUNTED(raw, scope, layout, key)

    def lying(counts: Cells, layout: SecaggLayout, *more: Any) -> Cells:
        noisy = with_noise(counts, layout, *more)
        lie(noisy, layout, *told)
        return noisy

    monkeypatch.setattr(parties, "counted", counted)
    for name in FOUR:
        raw = read_as_is(to / f"{first if name == 'one' else name}.csv")
        monkeypatch.setattr(parties, "with_noise", lying if name == "four" else with_noise)
        random = stream(f"{noise}{name}".encode())
        parties.mask_counts(exchange, to / name, raw, random)
    parties.close_round(exchange, hub, ledger=Ledger(to / "ledger"), budget=6)
    for name in FOUR:
        parties.reveal_shares(exchange, to / name, stream(name.encode()))
    path, _told = parties.total_of_round(exchange, hub)
    seen: dict[str, Any] = {p.name: p.read_bytes() for p in sorted(exchange.iterdir())}
    found = read_sum(path)
    seen["sum"] = {t: table.tolist() for t, table in found.tables.items()}
    seen["impossible"] = found.impossible()
    try:
        answer = protected(found, source=stream(b"fit"))
        seen["release"] = answer.records.to_pydict(), answer.counts.to_pydict()
    except HubError as refused:
        seen["release"] = refused.rule
    return seen


@pytest.mark.parametrize("told", LIES, ids=str)
def test_no_outcome_tells_a_liar_whether_she_is_there(
    begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: tuple[str, int]
) -> None:
    """With the noisy counts of hers held equal, every byte is."""
    without, same = (
        outcome(begun, tmp_path / first, monkeypatch, told, first, "same")
        for first in ("one", "her")
    )
    assert without == same
    if told != LIES[0]:
        return
    other = outcome(begun, tmp_path / "other", monkeypatch, told, "her", "other")
    assert other["sum"] != same["sum"]
    for name, content in same.items():
        if name.endswith(".count"):
            assert len(other[name]) == len(content), name
    assert set(same) >= {"masked-one.count", "request.count", "revealed-four.count"}


# Cells that a liar moved by any amount.


def readings(count: int, offset: int, honest: int, cells: int) -> npt.NDArray[np.int32]:
    """What the hub reads of cells with this count that a liar moved, many at once."""
    plan = Plan({"a": tuple(map(str, range(cells)))})
    layout, shares = SecaggLayout(plan), share_workload(plan, 0.1, honest)
    exact = np.full(layout.cells, count, dtype=np.uint32)
    nothing = np.zeros_like(exact)
    noisy = [
        with_noise(own, layout, shares, stream(b"%d" % (count * 9 + i)))
        for i, own in enumerate([exact, *[nothing] * (honest - 1)])
    ]
    moved = np.uint32(offset % 2**32)
    return layout.signed(np.sum([*noisy, nothing + moved], 0, dtype=np.uint32))[("a",)]


@pytest.mark.parametrize("offset", [0, 1, -28, 2**31 - 28, 2**31 - 27, 2**30, 2**32 - 5])
def test_a_cell_moved_by_any_offset_tells_no_more_than_epsilon(offset: int) -> None:
    """Read as signed before the noise is in, the sign alone would tell 27 from 28."""
    cells, delta = 60_000, 1e-6
    a, b = (readings(n, offset, 2, cells).astype(np.int64) for n in (27, 28))
    shares = share_workload(Plan({"a": tuple(map(str, range(cells)))}), 0.1, 2)
    [own] = [q for q in shares if q.columns == ("a",)]
    epsilon = epsilon_of(cost_of((own,), 2), delta)
    assert epsilon < 2.5
    edges = np.unique(np.quantile(np.concatenate([a, b]), np.linspace(0, 1, 21)))
    events = [(low, high) for low, high in pairwise([-math.inf, *edges, math.inf])]
    events += [(-math.inf, 0), (0, math.inf), (-math.inf, -(2**29)), (2**29, math.inf)]
    for low, high in events:
        p, q = (float(((x >= low) & (x < high)).mean()) for x in (a, b))
        off = 6 * math.sqrt(max(p, q, 1 / cells) / cells)
        assert p <= math.exp(epsilon) * q + delta + off * math.exp(epsilon), (low, high)
        assert q <= math.exp(epsilon) * p + delta + off * math.exp(epsilon), (low, high)


# Noise in shares.


def gaussian(sigma2: float, reach: int) -> npt.NDArray[np.float64]:
    """Probabilities of N_Z(0, sigma2) from -reach to reach."""
    weight = np.exp(-np.square(np.arange(-reach, reach + 1, dtype=float)) / (2 * sigma2))
    return weight / weight.sum()  # type: ignore[no-any-return]


def summed(share: float, terms: int, reach: int) -> npt.NDArray[np.float64]:
    """Probabilities of the sum of so many draws, convolved; no formula of the bound is in it."""
    found = one = gaussian(share, reach)
    for _ in range(terms - 1):
        found = np.convolve(found, one)
    middle = found.size // 2
    return found[middle - reach : middle + reach + 1]


@pytest.mark.parametrize(
    ("share", "terms"), [("1/2", 2), ("1/2", 7), ("3/4", 3), ("1", 2), ("1", 20)]
)
def test_sums_of_discrete_gaussians_are_as_close_as_claimed(share: str, terms: int) -> None:
    """Ratios of probabilities stay within the bound; those of two draws come near it."""
    s = Fraction(share)
    inside = 3 * math.ceil(math.sqrt(terms * s))
    p, g = summed(float(s), terms, 60), gaussian(float(terms * s), 60)
    middle = slice(60 - inside, 60 + inside + 1)
    away = float(np.abs(np.log(p[middle] / g[middle])).max())
    bound = closeness(s, terms)
    assert away <= bound + 1e-12
    assert terms > 2 or away >= bound / 3


@pytest.mark.parametrize(("share", "terms"), [("1/2", 2), ("1/2", 5), ("3/4", 4), ("1", 3)])
def test_the_cost_of_shares_is_never_less_than_their_divergence(share: str, terms: int) -> None:
    """Renyi divergence of neighbours, convolved: four cells by one each, or one cell by two."""
    s = Fraction(share)
    p = np.log(summed(float(s), terms, 30))
    rho = cost_of((Measurement((), (), "people", s, 4),), terms)
    for alpha in (1.0001, 1.01, 1.2, 2, 3, 7):
        sums = [np.exp(alpha * p[k:] + (1 - alpha) * p[: p.size - k]).sum() for k in (1, 2)]
        each = [math.log(sum_) / (alpha - 1) for sum_ in sums]
        assert max(4 * each[0], each[1]) <= alpha * rho, alpha
    assert rho < 4 * 4 / (2 * terms * float(s)), "the bound is not empty"


def test_shares_cost_what_was_promised_and_not_much_less() -> None:
    plan = Plan({n: tuple(map(str, range(9))) for n in "abcdef"}, rows=2)
    for rho in (1e-6, 0.01, 0.25, 2.0):
        for contributors, threshold, liars in ((3, 3, 2), (5, 4, 1), (50, 34, 3)):
            honest = guarding(contributors, threshold, liars)
            shares = share_workload(plan, rho, honest)
            assert all(q.sigma2 >= LEAST_SHARE for q in shares)
            assert cost_of(shares, honest) <= rho
            large = all(q.sigma2 > LEAST_SHARE for q in shares)
            assert not large or cost_of(shares, honest) > rho * 0.98
    with pytest.raises(ValueError, match="more than half"):
        guarding(5, 3, 1)


@pytest.mark.parametrize(
    ("lost", "wrong"), [((), None), (("e",), None), ((), "none"), (("e",), "none"), ((), "huge")]
)
def test_honest_shares_suffice_whoever_drops_out_or_lies(
    lost: tuple[str, ...], wrong: str | None
) -> None:
    """The noise in a sum is what the plan needs, also where one adds none of its own."""
    names, threshold, liars = "abcde", 4, 1
    plan = Plan({"x": tuple(map(str, range(99))), "y": tuple(map(str, range(99)))})
    layout, honest = SecaggLayout(plan), guarding(len(names), threshold, liars)
    shares = share_workload(plan, 0.05, honest)
    there = [n for n in names if n not in lost]
    counts = np.full(layout.cells, 7, dtype=np.uint32)
    total = np.zeros_like(counts)
    for name in there:
        own = with_noise(counts, layout, shares, stream(name.encode()))
        if name == "a" and wrong:
            own = counts if wrong == "none" else counts + np.uint32(2**20)
        total += own
    noise = layout.signed(total)["x", "y"].astype(float) - 7 * len(there)
    [q] = [q for q in shares if q.columns == ("x", "y")]
    adding = len(there) - (wrong is not None)
    assert adding >= honest
    assert abs(noise.var() / (adding * float(q.sigma2)) - 1) < 0.07
    assert noise.var() > 0.93 * honest * float(q.sigma2)
    assert (abs(noise.mean()) < 1) == (wrong != "huge")


def test_a_cell_that_no_honest_sum_gives_is_reported(
    begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By noisy cells alone; a number of people outside the public bound makes no records."""
    fine = outcome(begun, tmp_path / "a", monkeypatch, ("first table", 0), "one", "same")
    assert fine["impossible"] == 0
    assert fine["release"] != "count-people"
    spoilt = outcome(begun, tmp_path / "b", monkeypatch, ("moved", 2**27), "one", "same")
    assert spoilt["impossible"] >= 2
    assert spoilt["release"] != "count-people", "totals are what they were"
    few = outcome(begun, tmp_path / "c", monkeypatch, ("all tables", 2**32 - 5_000), "one", "same")
    assert few["release"] == "count-people"


def test_the_sampler_draws_shares_as_they_are_accounted() -> None:
    """Sums of what is drawn against the convolution."""
    share, terms, size = Fraction(4), 3, 100_000
    drawn = sum(sampler(share).draw(size, stream(b"%d" % i)) for i in range(terms))
    expected = summed(4.0, terms, 60) * size
    tally = np.bincount(np.asarray(drawn) + 60, minlength=121)
    often = expected > 20
    chi2 = float((np.square(tally - expected) / expected)[often].sum())
    assert chi2 < often.sum() + 6 * math.sqrt(2 * often.sum())
