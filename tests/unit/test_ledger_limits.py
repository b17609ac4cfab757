"""What is charged, to whom it counts, and the limits of the contributors' agreements."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import Overspend
from ctdhub.core.format import exact
from ctdhub.dp.accounting import epsilon_of, rho_of
from ctdhub.dp.ledger.book import Ledger, by_contributor, on_releases

DELTA = 1e-8
IDS = ("north", "south", "west")


def charge(
    ledger: Ledger, epsilon: float, who: Sequence[str] | None, delta: float = DELTA, **more: object
) -> None:
    with ledger.exclusive():
        ledger.charge(
            "q", rho_of(epsilon, delta), epsilon, delta, "asked", budget=100.0, contributors=who,
            **more,  # type: ignore[arg-type]
        )  # fmt: skip


def test_a_charge_that_names_no_contributor_counts_against_each(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger", limits={"north": 2.0})
    charge(ledger, 0.5, None)
    assert ledger.entries()[0].contributors is None
    charge(ledger, 1.0, ["north"])
    assert by_contributor(ledger, DELTA)[0].rho == pytest.approx(ledger.spent())


def test_what_was_charged_is_summed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    assert on_releases(ledger.entries(), DELTA) == ()
    for _charge in range(2):
        charge(ledger, 0.5, ["north"])
    [spent] = on_releases(ledger.entries(), DELTA)
    assert (spent.name, spent.charges) == ("release", 2)
    assert spent.rho == pytest.approx(ledger.spent())
    assert spent.epsilon == pytest.approx(epsilon_of(2 * rho_of(0.5, DELTA), DELTA))


def test_a_limit_refuses_names_the_contributor_and_writes_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger", limits={"north": 3.0, "south": 1.2, "west": None})
    charge(ledger, 1.0, IDS)
    before = (ledger.folder / "ledger.jsonl").read_bytes()
    with pytest.raises(Overspend) as caught:
        charge(ledger, 1.0, IDS)
    left = ledger.left_of("south", DELTA)
    assert "south" in caught.value.what
    assert exact(left, 4) in caught.value.what
    assert "budget_limit" in caught.value.fix
    assert caught.value.file == "south.yaml"
    assert (ledger.folder / "ledger.jsonl").read_bytes() == before
    charge(ledger, 1.0, ["north", "west"])  # without its records it does not count
    charge(ledger, left * (1 - 1e-6), ["south"])
    assert ledger.entries()[1].contributors == ("north", "west")


def test_a_charge_that_does_not_say_whose_counts_against_all(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger", limits={"north": 1.2, "south": 9.0})
    charge(ledger, 1.0, None)
    with pytest.raises(Overspend, match="north"):
        charge(ledger, 1.0, None)
    charge(ledger, 1.0, ["south"])
    charge(ledger, 1.0, [])
    assert [s.charges for s in by_contributor(ledger, DELTA)] == [1, 2]


def test_a_limit_holds_at_the_smallest_delta_ever_promised(tmp_path: Path) -> None:
    """A greater delta later, or a smaller one of others' charges, never stretches a limit."""
    ledger = Ledger(tmp_path / "ledger", limits={"north": 2.0})
    charge(ledger, 1.9, ["north"])
    more = 0.9 * (rho_of(2.0, 1e-6) - ledger.spent())
    with ledger.exclusive(), pytest.raises(Overspend, match="north"):
        ledger.charge("q", more, 0.5, 1e-6, "x", budget=100.0, contributors=["north"])
    charge(ledger, 0.1, ["south"], delta=1e-12)
    assert ledger.left_of("north", DELTA) == 0.0
    with ledger.exclusive(), pytest.raises(Overspend, match="north"):
        ledger.charge("q", 1e-9, 1e-3, DELTA, "x", budget=100.0, contributors=["north"])


def test_the_least_excess_over_a_limit_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger", limits={"north": 2.0})
    charge(ledger, 2.0, ["north"])
    with ledger.exclusive(), pytest.raises(Overspend):
        ledger.charge("q", 1e-30, 1e-9, DELTA, "x", budget=100.0, contributors=["north"])
    assert len(ledger.entries()) == 1


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    limits=st.fixed_dictionaries({i: st.floats(0.3, 6) | st.none() for i in IDS}),
    asked=st.lists(
        st.tuples(
            st.floats(0.05, 3), st.none() | st.sets(st.sampled_from(IDS)), st.floats(1e-10, 1e-6)
        ),
        max_size=6,
    ),
)
def test_no_contributor_ever_passes_its_limit(
    tmp_path_factory: pytest.TempPathFactory,
    limits: dict[str, float | None],
    asked: list[tuple[float, set[str] | None, float]],
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("hub") / "ledger", limits=limits)
    for epsilon, who, delta in asked:
        try:
            charge(ledger, epsilon, None if who is None else sorted(who), delta)
        except Overspend:
            continue
        entries = ledger.entries()
        strictest = min(e.delta for e in entries)
        for name, limit in limits.items():
            if limit is not None:
                costs = [Fraction(e.rho) for e in entries if e.concerns(name)]
                assert sum(costs) <= Fraction(rho_of(limit, strictest)) or not entries[-1].concerns(
                    name
                )


def test_an_account_of_each_contributor(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger", limits={"north": 3.0, "west": None})
    charge(ledger, 1.0, ["north", "south"])
    north, south, west = by_contributor(ledger, DELTA)
    assert (north.name, north.limit, north.left) == ("north", 3.0, ledger.left_of("north", DELTA))
    assert (south.limit, south.left, west.left) == (None, None, None)
    assert (north.charges, south.charges, west.charges) == (1, 1, 0)
    assert north.epsilon == pytest.approx(1.0)
    assert ledger.left_of("west", DELTA) == float("inf")
