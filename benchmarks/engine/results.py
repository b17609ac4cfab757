"""What the runs of a plan came to, averaged over repetitions, as the report asks for it.

Belongs here: reading stored runs.  Does not belong here: targets, words.
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from engine.contenders import PEERS, START, engine_state
from engine.plan import OURS, SUPPORTS, Plan, Spec
from engine.store import Run

ATTACK = PEERS.parents[1] / "src" / "ctdhub" / "dp" / "attacks.json"


@dataclass(frozen=True)
class Group:
    """Repetitions of one contender on one table at one epsilon."""

    runs: list[Run]

    @cached_property
    def _scores(self) -> list[dict[str, Any]]:
        return [s for run in self.runs if (s := run.read("scores.json"))]

    @property
    def made(self) -> int:
        """How many have been run and scored."""
        return len(self._scores)

    @property
    def finished(self) -> bool:
        """Whether each ended within its limit."""
        return bool(self.runs) and all(run.finished for run in self.runs if run.used)

    def mean(self, part: str, name: str) -> float | None:
        """Mean of a figure, e.g. mean("records", "tvd3"); None where no run has it."""
        found = [v for s in self._scores if (v := s.get(part, {}).get(name)) is not None]
        return fmean(found) if found else None

    def word(self, part: str, name: str) -> str:
        """A figure that is text, of the first repetition that has it."""
        return next((s[part][name] for s in self._scores if s.get(part, {}).get(name)), "")

    def used(self, name: str) -> float | None:
        """Mean of cpu, wall or peak_mb over the whole process, imports included."""
        found = [u[name] for run in self.runs if (u := run.used)]
        return fmean(found) if found else None

    @property
    def ended(self) -> str:
        """How the runs ended, in words."""
        codes = {used["exit"] for run in self.runs if (used := run.used)}
        if codes <= {0}:
            return "finished"
        at_limit = codes <= {0, -signal.SIGXCPU, -signal.SIGKILL}
        return "did not finish" if at_limit else "failed"

    def without_imports(self, start: float | None) -> float | None:
        """Mean CPU seconds after the imports: a peer's own clock, or ours less our start."""
        clocks = [s for run in self.runs if (s := run.read("stages.json"))]
        if clocks:
            return fmean(max(stage["cpu"] for stage in clock.values()) for clock in clocks)
        cpu = self.used("cpu")
        return cpu - start if cpu is not None and start is not None else None


@dataclass(frozen=True)
class Results:
    """All stored runs of a plan."""

    plan: Plan
    cache: Path

    def group(self, contender: str, data: str, epsilon: float, support: str | None = None) -> Group:
        """The stored repetitions of one comparison."""
        specs = (Spec("", contender, data, epsilon, k, support) for k in range(3))
        return Group([run for spec in specs if (run := spec.run(self.cache)).read("scores.json")])

    def curve(self, data: str, epsilon: float) -> list[Group]:
        """Our five settings, complete to cautious, as far as they have been run."""
        groups = [self.group(OURS, data, epsilon, support) for support in SUPPORTS]
        return [group for group in groups if group.made]

    @property
    def earlier(self) -> bool:
        """Whether some of our figures come from another state of the engine than today's."""
        ours = [spec.run(self.cache) for spec in self.plan.specs() if spec.contender == OURS]
        states = {s.get("engine") for run in ours if (s := run.read("scores.json"))}
        return bool(states - {engine_state()})

    @property
    def start(self) -> float | None:
        """CPU seconds that `ctdhub protect --help` takes, or None where it was not metered."""
        used = Run(*START, self.cache).used
        return used["cpu"] if used else None

    def floor(self, data: str) -> dict[str, Any]:
        """Error of a sample as large as the table, drawn from the table itself; {} if not there."""
        path = self.cache / "floors" / f"{data}.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else {}

    @property
    def attacks(self) -> list[dict[str, Any]]:
        """The card that benchmarks/attack.py wrote, line by line."""
        return json.loads(ATTACK.read_text("utf-8"))["attacks"]


def ratio(a: float | None, b: float | None) -> float | None:
    """a / b, or None where either is missing."""
    return a / b if a is not None and b else None


def read_off(curve: list[Group], part: str, suppressed: float, figure: str) -> float | None:
    """Our figure at a peer's suppression, linear between the settings, the nearest end outside."""
    points = sorted(
        (s, f)
        for g in curve
        if (s := g.mean(part, "supp_ge10")) is not None and (f := g.mean(part, figure)) is not None
    )
    if not points:
        return None
    if suppressed <= points[0][0]:
        return points[0][1]
    for (s0, f0), (s1, f1) in pairwise(points):
        if s0 <= suppressed <= s1:
            return f0 + (f1 - f0) * ((suppressed - s0) / (s1 - s0) if s1 > s0 else 0)
    return points[-1][1]
