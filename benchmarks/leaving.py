"""False and found signals where a hotline stops reporting, and what the plain test would say.

    python benchmarks/leaving.py [--draws 40]

Releases of forty citizenships, with women, men and a corridor of each, of which a hotline reports
25 until it ends three years before the last (``tests/unit/leaving_source.py``); noise as in the
practice hub.  In ten, six of them the hotline's too, the others' number grows by a factor.  Prints
by factor the mean false share of the signals, of the tests of the series as they are, and the power
in places with and without the hotline; goals: at most 10 % false, power of .80 at a factor of 2.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

from leaving_source import LAST, RATE, YEARS, Simulated, simulated, template

from ctdhub.stats.signals.find import Finding, find
from ctdhub.stats.signals.of_release import panel_of, signals

FALSE_GOAL, POWER_GOAL, TIMES = 0.10, 0.80, 2.0


def false_part(one: Simulated, found: tuple[Finding, ...], times: float) -> float:
    """Part of the signals that are about no true change, or say more than it."""
    wrong = sum(
        times == 1
        or f.name.split("&")[0] not in one.true
        or {(t.what, t.way) for t in f.moved(RATE)} != {("count", "rise")}
        for f in found
    )
    return wrong / max(1, len(found))


def main() -> int:
    """Print the table; 1 where a goal is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=40)
    draws = parser.parse_args().draws
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        base = template(Path(folder))
        print(f"{'factor':>7}{'false':>8}{'plain':>8}{'touched':>9}{'others':>8}{'explained':>11}")
        for times in (1.0, 1.5, 2.0, 2.5):
            rows = []
            for k in range(draws):
                one = simulated(base, 5000 + k, times=times)
                result = signals(one.release)
                if result.search is None:
                    raise SystemExit(1)
                plain = find(panel_of(result.looked, range(YEARS[0], LAST + 1), frozenset()))
                names = {f.name for f in result.search.signals}
                rows.append(
                    (
                        false_part(one, result.search.signals, times),
                        false_part(one, plain.signals, times),
                        np.mean([place in names for place in one.touched]),
                        np.mean([place in names for place in one.true - one.touched]),
                        len(result.explained),
                    )
                )
            false, naive, touched, others, explained = np.mean(rows, axis=0)
            print(
                f"{times:7g}{false:8.3f}{naive:8.3f}{touched:9.3f}{others:8.3f}{explained:11.1f}",
                flush=True,
            )
            missed |= false > FALSE_GOAL or bool(times >= TIMES and touched < POWER_GOAL)
    print(
        f"goals: false {FALSE_GOAL}, power {POWER_GOAL} where the hotline reported, from {TIMES:g}"
    )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
