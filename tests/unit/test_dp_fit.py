"""Protected records: as many as the protected people, near the targets, without contradiction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from invented_people import people, small_policy

from ctdhub.dp import noise
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import Codes, Counts, count, encode
from ctdhub.dp.plan import CORRIDOR, Columns, Draft, Indicators, Plan, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.published import Estimated, pool
from ctdhub.dp.synth import fit as fitting
from ctdhub.dp.synth.fit import State, TableResiduals, fit, residuals
from ctdhub.dp.synth.records import NoisyTables, corridor, to_table
from ctdhub.dp.workload import measure, workload
from ctdhub.schema.model import SERVICE, load_schema

SCHEMA = load_schema().at("1.1")  # whose exploitation group the policy releases whole
POLICY = small_policy()
PLAN = plan_of(POLICY, SCHEMA)
DOMAINS, INDICATORS = PLAN.domains, PLAN.indicators
N = 4_000
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """People whose exact tables a test may see, and what the fit may see of them."""

    plan: Plan
    codes: Codes
    exact: Counts
    measured: NoisyTables


def world(plan: Plan, codes: Codes, rho: float = 0.3, seed: int = 1) -> World:
    """The noise is seeded, so that outcomes are fixed but for the fit's own random order."""
    questions = workload(plan, rho)
    exact = count(codes, [q.columns for q in questions])
    noisy = measure(exact, questions, np.random.default_rng(seed).bytes)
    return World(plan, codes, exact, NoisyTables.of(noisy, questions, pool(noisy, questions)))


def invented(n: int, policy: Policy = POLICY, seed: int = 1) -> World:
    plan = plan_of(policy, SCHEMA)
    rho = rho_of(policy.epsilon, policy.delta)
    return world(plan, encode(people(n, policy), plan.domains), rho, seed)


@lru_cache(maxsize=1)
def usual() -> World:
    return invented(N)


@lru_cache(maxsize=1)
def fitted() -> Draft:
    return fit(usual().measured, PLAN, N)


def counted(records: Draft, plan: Plan, tables: list[Columns]) -> Counts:
    n = len(next(iter(records.values())))
    return count(Codes({c: v.astype(np.uint16) for c, v in records.items()}, plan.sizes, n), tables)


def distance(a: npt.NDArray[np.integer] | Floats, b: npt.NDArray[np.integer] | Floats) -> float:
    """Total variation distance."""
    return float(np.abs(a / max(a.sum(), 1) - b / max(b.sum(), 1)).sum() / 2)


def error(records: Draft, of: World, tables: list[Columns]) -> float:
    """Mean distance from the exact tables."""
    found, exact = counted(records, of.plan, tables), count(of.codes, tables)
    return float(np.mean([distance(found[t], exact[t]) for t in tables]))


def words(seed: int) -> Callable[..., npt.NDArray[np.uint64]]:
    """Seeded words in the place of ``noise.words``."""
    rng = np.random.default_rng(seed)
    return lambda size, source=None: rng.integers(0, 2**64, size, dtype=np.uint64)


# The corridor of the records


def test_corridors_of_the_records_are_those_that_were_made_and_the_large_ones_are_right() -> None:
    pooled, pair = usual().measured.pooled, PLAN.ordered(CORRIDOR)
    one, two = (pooled[(n,)] for n in pair)
    found = counted(fitted(), PLAN, [pair])[pair]
    assert np.array_equal(found, corridor(pooled[pair], one, two, N, 0))
    exact = usual().exact[pair]
    large = exact >= 50
    assert large.sum() > 10
    assert (np.abs(found - exact)[large] / exact[large] <= 0.2).mean() > 0.85


# What records are compared with


def scattered(plan: Plan, n: int, seed: int = 5) -> Codes:
    """People with related columns: few of many values are usual."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    columns = {}
    for name, size in plan.sizes.items():
        shares = rng.dirichlet(np.full(size, 8 / size), 3).cumsum(1)
        codes = (rng.random(n)[:, None] > shares[kind]).sum(1).clip(0, size - 1)
        columns[name] = codes.astype(np.uint8 if size <= 256 else np.uint16)
    return Codes(columns, plan.sizes, n)


def plan_with(core: str, groups: tuple[str, ...] = (), **more: object) -> Plan:
    """Columns a to e are narrow, u moves though it is wide, v and w stay."""
    sizes = {"a": 2, "w": 200, "b": 3, "u": 50, "c": 4, "v": 150, "d": 2, "e": 3}
    domains = {n: tuple(f"{n}{i}" for i in range(k)) for n, k in sizes.items()}
    third = tuple(i // 20 for i in range(200))
    given = {"corridor": ("w", "v"), "by": ("d",), "parents": {"w": (third, third)}, **more}
    return Plan(domains, core=tuple(core), groups=tuple(map(tuple, groups)), **given)  # type: ignore[arg-type]


def assert_books(books: TableResiduals, of: World, state: State, most: int) -> None:
    """Every table of the books is weight x (records - noisy), from the noisy tables themselves."""
    names, records = list(state.layout.sizes), state.records()
    wides = {w.name: w for w in (*books.near, *books.far, *books.deep.values())}
    own = {}
    for t in of.measured.variance:
        found = of.measured.pooled[t] if most == len(t) == 2 else of.measured.alone(t)
        own[frozenset(t)] = t, found.value, found.variance
    for key, table in books.tables.items():
        wide = wides.get(key[0])
        columns = tuple(key[0].partition(" by ")[0].split(" and ")) if wide else ()
        pair = len(columns) > 1
        moving = key[1:] if wide else key
        assert set(moving) <= set(names)
        t, noisy, variance = own[frozenset((*columns, *moving))]
        left = counted(records, of.plan, [t])[t] - noisy
        assert books.weight[key] == pytest.approx(1 / variance)
        left = np.moveaxis(left, [t.index(n) for n in (*columns, *moving)], range(len(t)))
        if wide is None:
            expected = left / variance
        else:
            held = np.ravel_multi_index(
                [state.base[n] for n in columns], [of.plan.sizes[n] for n in columns]
            )
            left = left.reshape(-1, *left.shape[len(columns) :])
            expected, checked = np.array(table, dtype=float), 0
            assert not pair or wide.share.tolist() == [0, *[1] * (wide.share.size - 1)]
            for g, share in enumerate(wide.share):
                values = np.unique(held[wide.group == g])
                if share == 0:
                    expected[g] = 0
                elif values.size == round(1 / share):  # all of its values are seen
                    expected[g] = left[values].sum(0) * share / variance
                    checked += 1
            assert checked > 0
            if not pair:
                scale = (variance / wide.share).reshape(-1, *(1,) * len(moving))
                assert (table * scale).sum(0) == pytest.approx(left.sum(0), abs=0.05)
        assert table == pytest.approx(expected, abs=2e-4 * max(1.0, np.abs(expected).max())), key


PAIR = ("w", "v")
CASES = [
    ("abcdewv", ()),
    ("bdewv", ("ace", "abd")),  # tables of core and other columns together
    ("", ("abc", "wab", "ub")),
    ("uabwv", ("abcd",)),
    ("abwv", ("wvce", "wabe", "vab", "wvd")),
]


@pytest.mark.parametrize("most", [2, 3])
@pytest.mark.parametrize(("core", "groups"), CASES)
def test_records_are_compared_with_every_table_of_the_stage(
    core: str, groups: tuple[str, ...], most: int
) -> None:
    plan = plan_with(core, groups)
    of = world(plan, scattered(plan, 3_000), rho=5.0)
    state = State(of.measured, plan, 3_000)
    names = set(state.layout.sizes)
    assert names == set("abcdeu")
    books = residuals(state, of.measured, most, names)
    assert_books(books, of, state, most)
    compared = {frozenset(k) for k in books.tables}
    for t in of.measured.variance:
        if names.issuperset(t):
            assert (frozenset(t) in compared) == (len(t) >= 2 and (len(t) == 2 or most > 2)), t
    contexts = {(k[0].partition(" by ")[0], *k[1:]) for k in books.tables}
    assert contexts >= {(w, n) for w in "wv" for n in names}
    assert contexts >= {("w and v", "d")}
    if most > 2:  # nothing that was measured is left out, but for single columns
        assert {t for t in of.measured.variance if len(t) > 1} == state.compared
    known = names - {"a", "d"}  # tables with columns that wait are not compared yet
    for key in residuals(state, of.measured, most, known).tables:
        assert not {"a", "d"} & set(key)


@pytest.mark.parametrize("support", [0, 3])
@pytest.mark.parametrize(("core", "groups"), CASES)
def test_books_are_right_after_each_stage(
    core: str, groups: tuple[str, ...], support: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_with(core, groups, support=support)
    of = world(plan, scattered(plan, 3_000), rho=5.0)
    kept: list[tuple[TableResiduals, State, int]] = []

    def watched(state: State, measured: NoisyTables, most: int, known: set[str]) -> TableResiduals:
        for books, before, columns in kept[-1:]:
            assert_books(books, of, before, columns)
        kept.append((residuals(state, measured, most, known), state, most))
        return kept[-1][0]

    monkeypatch.setattr(fitting, "residuals", watched)
    records = fit(of.measured, plan, 3_000)
    books, state, most = kept[-1]
    assert all(np.array_equal(records[n], c) for n, c in state.records().items())
    assert_books(books, of, state, most)
    assert len(kept) == (3 if support else 2)


# Records


def beginning(of: World, n: int) -> Draft:
    return State(of.measured, of.plan, n).records()


NARROW_COLUMNS = [n for n in DOMAINS if n not in PLAN.wide]
CORE_TRIPLES = [t for t, kind in PLAN.tables.items() if kind in ("core_triples", "wide_triples")]


def test_fit_brings_pairs_and_triples_nearer_to_the_truth() -> None:
    of, first = usual(), beginning(usual(), N)
    pairs = list(combinations(NARROW_COLUMNS, 2))
    wide_pairs = [t for t, kind in PLAN.tables.items() if kind == "wide_pairs"]
    triples = [t for t in CORE_TRIPLES if not PLAN.wide.intersection(t)]
    wide_triples = [t for t in CORE_TRIPLES if PLAN.wide.intersection(t)]
    others = [t for t in combinations(NARROW_COLUMNS, 3) if t not in of.exact]  # never measured
    for tables, most in (
        (pairs, 0.5), (wide_pairs, 0.85), (triples, 0.5), (wide_triples, 0.8), (others, 0.5)
    ):  # fmt: skip
        before, after = error(first, of, tables), error(fitted(), of, tables)
        assert after < most * before
    raw = np.mean([np.abs(of.measured.noisy[t] - of.exact[t]).sum() / 2 / N for t in pairs])
    assert error(fitted(), of, pairs) < raw / 2
    alone = [np.outer(c.sum(1), c.sum(0)) / N for t in pairs for c in [of.exact[t]]]
    independent = np.mean([distance(a, of.exact[t]) for a, t in zip(alone, pairs, strict=True)])
    assert error(fitted(), of, pairs) < 0.6 * independent
    ones = [(n,) for n in DOMAINS]
    assert error(fitted(), of, ones) < 0.05


def test_nothing_is_made_of_pure_noise() -> None:
    """Independent columns and noise that drowns all pairs: records stay near independence."""
    sizes = {"a": 3, "b": 4, "c": 2, "d": 5}
    plan = Plan({n: tuple(map(str, range(k - 1))) for n, k in sizes.items()}, core=tuple(sizes))
    rng = np.random.default_rng(4)
    codes = {n: rng.integers(0, k, 2_000).astype(np.uint8) for n, k in sizes.items()}
    of = world(plan, Codes(codes, sizes, 2_000), rho=2e-4)
    records = fit(of.measured, plan, 2_000)
    made, noisy = [], []
    for t in combinations(sizes, 2):
        cells = counted(records, plan, [t])[t]
        independent = np.outer(cells.sum(1), cells.sum(0)) / 2_000
        made.append(distance(cells, independent))
        noisy.append(np.abs(of.measured.pooled[t].value - of.exact[t]).sum() / 2 / 2_000)
    assert np.mean(made) < 0.5 * np.mean(noisy)


def contradictions(records: Draft, indicators: Indicators) -> int:
    """Records whose indicator is not what their flags say."""
    wrong = 0
    for indicator, flags in indicators.flags.items():
        some = np.any([records[f] == indicators.yes for f in flags], axis=0)
        wrong += int((records[indicator] != np.where(some, indicators.yes, indicators.no)).sum())
    for indicator, flags in indicators.partial.items():
        some = np.any([records[f] == indicators.yes for f in flags], axis=0)
        wrong += int((some & (records[indicator] != indicators.yes)).sum())
        wrong += int((records[indicator] == 0).sum())  # link always says yes or no
    return wrong


def test_indicators_follow_their_flags() -> None:
    assert set(INDICATORS.flags) == {"any_exploitation"}
    assert set(INDICATORS.partial) == {"any_means"}
    assert contradictions(beginning(usual(), N), INDICATORS) > 0  # the start alone would not do
    assert contradictions(fitted(), INDICATORS) == 0
    yes = (*INDICATORS.flags, *INDICATORS.partial, *INDICATORS.gated)
    assert all((fitted()[n] == INDICATORS.yes).any() for n in yes)


@pytest.mark.parametrize("support", [1, 4])
def test_indicators_follow_their_flags_with_support(support: int) -> None:
    of = invented(800, small_policy(support=support))
    assert contradictions(fit(of.measured, of.plan, 800), INDICATORS) == 0


def test_records_keep_what_link_makes_of_real_flags() -> None:
    """The rule held here is the rule by which people get their indicators."""
    real = {n: c.astype(np.int64) for n, c in usual().codes.columns.items()}
    assert contradictions(real, INDICATORS) == 0


@st.composite
def flags_of_few(draw: st.DrawFn) -> Draft:
    codes = hnp.arrays(np.int64, draw(st.integers(0, 12)), elements=st.integers(0, 2))
    n = len(first := draw(codes))
    same = hnp.arrays(np.int64, n, elements=st.integers(0, 2))
    return {"any": first, **{f: draw(same) for f in "xyz"}, "some": draw(same), "p": draw(same)}


@settings(deadline=None)
@given(flags_of_few())
def test_settled_flags_agree_and_gates_keep_them_so(records: Draft) -> None:
    rules = Indicators({"any": ("x", "y", "z")}, {"some": ("p",)})
    before = {n: c.copy() for n, c in records.items()}
    totals = {f: np.array([5.0, 9.0, 4.0]) for f in "xyzp"}
    rules.agree(records, totals)
    assert contradictions(records, rules) == 0
    for name, codes in records.items():  # no more is changed than has to be
        at = before["some" if name in ("some", "p") else "any"]
        bare = np.all([before[f] != 1 for f in "xyz"], axis=0)
        if name in "xyz":
            fine = (at == 1) & ~bare | (at != 1) & (before[name] != 1)
            assert np.array_equal(codes[fine], before[name][fine])
    for name in ("x", "p"):
        gate = rules.gate(records, name)
        for to in range(3):
            for i in range(codes.size):
                if gate[i] == 2 or (gate[i] == 1 and to == 1):
                    continue
                tried = {n: c.copy() for n, c in records.items()}
                tried[name][i] = to
                assert contradictions(tried, rules) == 0
        closed = gate == 2
        assert (records[name][closed] == 1).all()


@pytest.mark.parametrize(("whole", "told"), [(True, [1, 0, 2, 1]), (False, [1, 2, 0, 1])])
def test_some_assistance_follows_its_kinds_in_records(whole: bool, told: list[int]) -> None:
    rules = Indicators({}, {}, unions={"some": ({"shelter": 3, "care": 3}, whole)})
    records = {"some": [2, 2, 0, 2], "shelter": [3, 0, 1, 2], "care": [0, 1, 1, 3]}
    draft = {name: np.array(codes, np.uint16) for name, codes in records.items()}
    rules.repair(draft)
    assert draft["some"].tolist() == told


@pytest.mark.parametrize("kinds", [(), SCHEMA.members(SERVICE)[:1], SCHEMA.members(SERVICE)])
def test_records_contradict_no_assistance(kinds: Columns) -> None:
    schema = load_schema()
    plan = plan_of(Policy(columns=("gender", "any_assistance", *kinds)), schema)
    records = fit(world(plan, scattered(plan, 300)).measured, plan, 300)
    told = records["any_assistance"].copy()
    plan.indicators.repair(records)
    assert told.tolist() == records["any_assistance"].tolist()
    assert set(told.tolist()) > {1}


@pytest.mark.parametrize(("n", "support"), [(0, 0), (0, 2), (1, 0), (1, 4), (2, 0), (5, 0), (5, 2)])
@pytest.mark.parametrize(
    "columns",
    [
        ("gender",),
        ("citizenship",),
        ("gender", "age_band"),
        ("citizenship", "country_of_exploitation"),
        ("country_of_exploitation", "any_means", "means_threats"),
        POLICY.columns,
    ],
)
def test_few_people_and_few_columns_work(n: int, columns: tuple[str, ...], support: int) -> None:
    of = invented(n, small_policy(columns=columns, support=support))
    records = fit(of.measured, of.plan, n)
    table = to_table(dict(records), of.plan.domains)
    assert table.num_rows == n
    assert table.column_names == list(of.plan.domains)
    for name, domain in of.plan.domains.items():
        assert set(table[name].to_pylist()) <= {None, *domain}
    assert contradictions(records, of.plan.indicators) == 0


@pytest.mark.parametrize("support", [0, 2])
@pytest.mark.parametrize("corridor_of", [None, ("a", "c")])
def test_three_wide_columns_and_one_that_moves_work(
    support: int, corridor_of: Columns | None
) -> None:
    sizes = {"a": 200, "b": 3, "c": 150, "d": 130, "e": 60}
    domains = {n: tuple(f"{n}{i}" for i in range(k)) for n, k in sizes.items()}
    plan = Plan(domains, core=("a", "b", "c", "e"), corridor=corridor_of, support=support)
    of = world(plan, scattered(plan, 300))
    records = fit(of.measured, plan, 310)
    assert list(records) == list(domains)
    for name, codes in records.items():
        assert codes.shape == (310,)
        assert 0 <= codes.min() <= codes.max() < plan.sizes[name]


KINDS = ["pairs", "core_triples", "wide_triples", "corridor_by", "people", "groups"]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_tables_may_be_left_out(kind: str) -> None:
    columns = (*CORRIDOR, "gender", "age_band", "means_threats", "any_means", "records_per_person")
    policy = small_policy(columns=columns, weights={kind: 0})
    plan = plan_of(policy, SCHEMA)
    third = (
        "citizenship",
        "means_threats",
        "records_per_person",
    )  # has pairs that no kind measures
    plan = replace(plan, groups=(third, ("gender", "means_threats", "records_per_person")))
    of = world(plan, encode(people(200, policy), plan.domains))
    assert {c.size for c in fit(of.measured, plan, 200).values()} == {200}


@pytest.mark.parametrize("support", [0, 4])
def test_noisy_tables_far_from_the_truth_work(support: int) -> None:
    of = usual()
    for shift in (-10_000, 10_000):
        noisy = {t: cells + shift for t, cells in of.measured.noisy.items()}
        pooled = {t: Estimated(e.value + shift, e.variance) for t, e in of.measured.pooled.items()}
        records = fit(
            NoisyTables(noisy, of.measured.variance, pooled), replace(PLAN, support=support), 3
        )
        assert to_table(dict(records), DOMAINS).num_rows == 3


@pytest.mark.parametrize("support", [0, 4])
def test_records_are_a_function_of_noisy_tables_and_random_words(
    support: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, again = invented(600), invented(600)
    plan = replace(PLAN, support=support)
    found = []
    for seen, seed in ((of, 1), (again, 1), (of, 2)):
        monkeypatch.setattr(noise, "words", words(seed))
        found.append(fit(seen.measured, plan, 600))
    assert all(np.array_equal(found[0][n], found[1][n]) for n in DOMAINS)
    assert not all(np.array_equal(found[0][n], found[2][n]) for n in DOMAINS)
    for t, cells in of.measured.noisy.items():  # the fit changed nothing that it was given
        assert np.array_equal(cells, again.measured.noisy[t])
    for t, e in of.measured.pooled.items():
        assert np.array_equal(e.value, again.measured.pooled[t].value)


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    fit(invented(50).measured, PLAN, 50, told.append)
    assert told == sorted(told)
    assert told[0] > 0
    assert told[-1] == 1


# Support


def rare(records: Draft, plan: Plan, tables: list[Columns], most: int = 2) -> int:
    """Distinct combinations of recorded values that at most ``most`` records have."""
    total = 0
    for cells in counted(records, plan, tables).values():
        inside = cells[(slice(1, None),) * cells.ndim]
        total += int(((inside > 0) & (inside <= most)).sum())
    return total


def test_more_cautious_support_makes_fewer_rare_combinations() -> None:
    of, runs = invented(1_500), 3
    tables = [t for t in PLAN.tables if len(t) == 3]
    found = []
    for support in range(5):
        plan = replace(PLAN, support=support)
        found.append([rare(fit(of.measured, plan, 1_500), plan, tables) for _ in range(runs)])
    means, spread_ = np.mean(found, axis=1), np.std(found, axis=1).max()
    assert (np.diff(means) <= 4 * spread_ / runs**0.5 + 1).all()
    assert means[4] < 0.8 * means[0]
