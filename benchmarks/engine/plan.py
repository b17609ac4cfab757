"""Which runs the benchmark makes.

Belongs here: contenders x data sets x epsilons x repetitions, by part.  Does not belong here: how
they are run or what is asked of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.contenders import AIM, PAC
from engine.data import DataSet, adult, ctdc
from engine.store import Run

OURS = "ctdhub"
SUPPORTS = ("0", "1", "2", "3", "4")
EPSILONS = (1.0, 4.0)
LADDER = (20_000, 50_000, 100_000, 200_000)
PARTS = ("narrow", "countries", "adult", "million", "curve")


@dataclass(frozen=True)
class Spec:
    """One run: `support` is our setting from 0 (complete) to 4 (cautious), None = the default."""

    part: str
    contender: str
    data: str
    epsilon: float
    repetition: int = 0
    support: str | None = None

    def run(self, cache: Path) -> Run:
        """Its place in the cache."""
        name = self.contender if self.support is None else f"{self.contender}-{self.support}"
        return Run(name, self.data, self.epsilon, self.repetition, cache)


@dataclass(frozen=True)
class Plan:
    """All runs of a benchmark, full or quick, and the sizes they are made at."""

    quick: bool = False

    @property
    def repetitions(self) -> range:
        """How often each comparison is made."""
        return range(1 if self.quick else 3)

    @property
    def rows(self) -> int:
        """Rows of the main tables."""
        return LADDER[0] if self.quick else LADDER[-1]

    @property
    def narrow(self) -> str:
        """19 narrow columns."""
        return f"narrow19-{self.rows}"

    @property
    def wide(self) -> str:
        """27 columns with both countries."""
        return f"C-{self.rows}"

    @property
    def million(self) -> str:
        """The largest table."""
        return "C-50000" if self.quick else "C-1000000"

    @property
    def ladder(self) -> tuple[int, ...]:
        """Sizes at which the peer's records with countries are tried, smallest first."""
        return LADDER[:1] if self.quick else LADDER

    def specs(self) -> list[Spec]:
        """Every run, in the order they are made: cheap ones first."""
        found = [
            Spec("narrow", contender, self.narrow, epsilon, k)
            for contender in (OURS, PAC.name)
            for epsilon in EPSILONS
            for k in self.repetitions
        ]
        found += [
            Spec("countries", OURS, self.wide, e, k) for e in EPSILONS for k in self.repetitions
        ]
        found += [Spec("countries", OURS, f"C-{n}", 4.0) for n in self.ladder[:-1]]
        found += [Spec("million", OURS, self.million, 1.0)]
        found += [
            Spec("curve", OURS, data, epsilon, 0, support)
            for data in (self.narrow, self.wide)
            for epsilon in EPSILONS
            for support in SUPPORTS
        ]
        found += [
            Spec("curve", OURS, f"C-{n}", 4.0, 0, s) for n in self.ladder[-2:-1] for s in SUPPORTS
        ]
        found += [Spec("adult", OURS, "adult", 1.0, k) for k in self.repetitions]
        found += [Spec("countries", PAC.name, f"C-{n}", 4.0) for n in self.ladder]
        found += [Spec("countries", PAC.name, self.wide, 1.0)]
        if not self.quick:
            found += [Spec("adult", AIM.name, "adult", 1.0, k) for k in self.repetitions]
        return found


def data_set(name: str, cache: Path) -> DataSet:
    """Make or find a data set by name; engine.data.AbsentError where its source is absent."""
    kind, _, rows = name.partition("-")
    makers: dict[str, Callable[[], DataSet]] = {
        "adult": lambda: adult(cache),
        "C": lambda: ctdc(int(rows), cache),
        "narrow19": lambda: ctdc(int(rows), cache, narrow=True),
    }
    return makers[kind]()
