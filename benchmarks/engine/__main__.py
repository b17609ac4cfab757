"""Make the runs that are missing, score them, judge them, write the page.

Belongs here: the order of work and the command line.  Does not belong here: all the rest.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from engine.acceptance import verdicts
from engine.contenders import AIM, PAC, engine_state, run_ours, run_peer, start_up
from engine.data import AbsentError
from engine.figures import floor, scores
from engine.plan import OURS, PARTS, Plan, Spec, data_set
from engine.report import page
from engine.results import Results
from engine.store import cache_folder

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "benchmarks.md"


def main() -> int:
    """1 where a target was missed, else 0."""
    options = argparse.ArgumentParser(prog="benchmarks/protect.py")
    options.add_argument("--quick", action="store_true", help="one repetition, small tables")
    options.add_argument("--only", choices=PARTS, help="one part")
    options.add_argument("--fresh", action="store_true", help="measure the peers anew")
    options.add_argument("--report", action="store_true", help="no runs, only the page")
    chosen = options.parse_args()
    cache, plan = cache_folder(), Plan(chosen.quick)
    if not chosen.report:
        start_up(cache)
        for spec in plan.specs():
            if chosen.only in (None, spec.part):
                perform(spec, cache, chosen.fresh)
    results = Results(plan, cache)
    found = verdicts(results)
    if not chosen.quick:
        PAGE.write_text(page(results), "utf-8")
    if results.earlier:
        print("Some figures of ctdhub were stored by an earlier state of the engine.")
    for verdict in found:
        if verdict.met is not None:
            said = "met" if verdict.met else "MISSED"
            print(f"{said:7} {verdict.what}: {verdict.measured} ({verdict.target})")
    return int(any(verdict.met is False for verdict in found))


def perform(spec: Spec, cache: Path, fresh: bool) -> None:
    """One run with its scores; peers' finished runs are reused, ours are always made anew."""
    run = spec.run(cache)
    ours = spec.contender == OURS
    if run.read("scores.json") and not ours and not fresh:
        return
    try:
        data = data_set(spec.data, cache)
        hopeless = smaller_did_not_finish(spec, cache)
        if not ours and (fresh or run.used is None) and not hopeless:
            run_peer(PAC if spec.contender == PAC.name else AIM, data, run)
        elif ours:
            run_ours(data, run, spec.support)
        if run.used is None:
            return
        state = {"engine": engine_state()} if ours else {}
        run.write("scores.json", scores(run, data) | state)
        baseline = cache / "floors" / f"{spec.data}.json"
        if not baseline.exists():
            baseline.parent.mkdir(exist_ok=True)
            baseline.write_text(json.dumps(floor(data)), "utf-8")
    except AbsentError as absent:
        print(absent)
        return
    used = run.used
    ended = "finished" if run.finished else f"did not finish (exit {used['exit']}), see its log.txt"
    print(
        f"{run.contender:12} {spec.data:16} ε {spec.epsilon:g} #{spec.repetition}: "
        f"{used['cpu']:.1f} CPU s, {used['peak_mb']:.0f} MB, {ended}",
        flush=True,
    )


def smaller_did_not_finish(spec: Spec, cache: Path) -> bool:
    """Whether a peer gave up on a smaller sample; the largest is run even so, for its counts."""
    if spec.contender != PAC.name or not spec.data.startswith("C-"):
        return False
    rows, plan = int(spec.data.removeprefix("C-")), Plan()
    if rows == plan.rows:
        return False
    smaller = [Spec(spec.part, PAC.name, f"C-{n}", spec.epsilon) for n in plan.ladder if n < rows]
    return any((run := s.run(cache)).used is not None and not run.finished for s in smaller)


if __name__ == "__main__":
    sys.exit(main())
