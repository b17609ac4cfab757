"""Kill -9 at every call that writes, and at random times: nothing lost, nothing paid twice.

Run by `make faults` (some 90 CPU minutes; too long for the tests, which try a few points):

    python tools/faults.py --times 200 --every 100

`--verbs` and `--start` take up a run that was cut off: these verbs alone, from that point on.

Nine in ten calls write a file of a site into a folder that nobody reads until it is whole: of these
each so many-th is a point, of all others each one.

A practice hub of 1,000 invented people has one release and is asked for the next.  A copy of it is
killed at each point of `build`, of the second approval and of a withdrawal, and at random times of
a build.  After each kill the earlier releases verify, the next run of the same verb ends, there is
exactly one charge more, and nothing of the killed run is left behind.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit"), str(ROOT / "tools")]

from tests import killer  # noqa: E402
from tests.forked import Child  # noqa: E402
from tests.journeys import forked  # noqa: E402
from tests.journeys.conftest import (  # noqa: E402
    COLUMNS,
    copied,
    drafted,
    make_real,
    set_languages,
    set_limits,
    set_policy,
    sign,
)

from ctdhub.build import init, pipeline, versions  # noqa: E402
from ctdhub.build.hub import Hub  # noqa: E402
from ctdhub.dp.ledger.book import Ledger  # noqa: E402
from ctdhub.release.verify import verify  # noqa: E402

CHARGES = {"build": 1, "approve": 0, "withdraw": 0}
"""Charges that a verb adds to those of its template, once a build has followed it."""


def templates(folder: Path) -> Iterator[tuple[str, Hub]]:
    """A hub for each verb, in which it has something to do."""
    base = init.practice_hub(folder / "base" / "hub", people=1_000)
    set_languages(base, "en")
    set_policy(base, columns=COLUMNS, epsilon=60.0, budget={"epsilon": 900.0})
    set_limits(base, 900.0)
    pipeline.build(base)
    hub = copied(base, folder / "build" / "template")
    set_policy(hub, epsilon=3.5)
    yield "build", hub
    hub = copied(hub, folder / "approve" / "template")
    make_real(hub)
    drafted(hub)
    sign(hub, "steward")
    yield "approve", hub
    yield "withdraw", copied(base, folder / "withdraw" / "template")


def in_site(point: str) -> bool:
    """Whether a point is a file of a site that is drawn, or cleared away."""
    return re.search(r"\.(new|old)-site-[^/]*/.*/", point) is not None


def faults_of(hub: Hub, verb: str, before: int, first: str, *, site: bool = True) -> list[str]:
    """What is wrong with a hub in which a verb was killed, once the verb has run again.

    Args:
        site: whether the next run draws the site too.
    """
    found = []
    bundles = [*hub.releases.glob("[!.]*"), *hub.candidates.glob("[!.]*")]
    for bundle in bundles:
        if verify(bundle, hub.settings.approvers):
            found.append(f"{bundle.name} does not verify after the kill")
    if not (hub.releases / first).is_dir():
        found.append("the release before is gone")
    try:
        if verb != "build" and not _done(hub, verb):
            forked.VERBS[verb](hub)
        pipeline.build(hub, until="site" if site else "release")
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is a finding
        return [*found, f"the next run ends with {type(fault).__name__}: {fault}"]
    charges = len(Ledger(hub.ledger).entries()) - before
    wanted = 1 if verb == "withdraw" else CHARGES[verb]
    if charges != wanted:
        found.append(f"{charges} charges instead of {wanted}")
    latest = hub.releases / str(versions.released_version(hub))
    if verify(latest, hub.settings.approvers):
        found.append(f"{latest.name} does not verify")
    left = [p for p in hub.root.rglob(".*-*") if p.name.startswith((".new-", ".old-"))]
    left += [*hub.work.glob("pending/*")]
    return [*found, *(f"left behind: {p.relative_to(hub.root)}" for p in left)]


def _done(hub: Hub, verb: str) -> bool:
    """Whether the killed run had come so far that nothing is left to do again."""
    if verb == "approve":
        return not any(hub.candidates.glob("[!.]*"))
    return bool(hub.withdrawn().entries)


def at_a_time(template: Hub, verb: str, after: float, place: Path) -> bool:
    """Kill a verb on a copy some seconds after its begin; say whether it was still at work."""
    hub = copied(template, place)
    child = Child(lambda: forked.do(verb, hub.root))
    time.sleep(after)
    try:
        os.kill(child._pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    code, _out, _err = child.communicate()
    return code == killer.KILLED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=200, help="kills of a build at random times")
    parser.add_argument("--every", type=int, default=100, help="each so many-th file of a site")
    parser.add_argument(
        "--verbs", nargs="+", choices=list(CHARGES), default=list(CHARGES), help="only these verbs"
    )
    parser.add_argument("--start", type=int, default=0, help="the first point of each verb")
    asked = parser.parse_args()
    os.environ.setdefault("CTDHUB_STATE", tempfile.mkdtemp(prefix="ctdhub-state-"))
    wrong = kills = 0
    with tempfile.TemporaryDirectory(prefix="ctdhub-faults-") as held:
        for verb, template in templates(Path(held)):
            if verb not in asked.verbs:
                continue
            before, first = (
                len(Ledger(template.ledger).entries()),
                str(versions.released_version(template)),
            )
            points = forked.points(template, verb)
            chosen = [
                n
                for n, p in enumerate(points)
                if n >= asked.start and (not in_site(p) or n % asked.every == 0)
            ]
            print(
                f"{verb}: {len(points)} calls that write, {len(chosen)} of them tried", flush=True
            )
            spared = template.root.with_name("spared")
            shutil.rmtree(spared, ignore_errors=True)
            for point in (n + 1 for n in chosen):
                if forked.kill(template, verb, [point]):
                    place = template.root.with_name(f"killed-{point}")
                    kills += 1
                    drawn = "-site-" in points[point - 1]
                    for fault in faults_of(Hub(place), verb, before, first, site=drawn):
                        wrong += 1
                        print(f"  {point} {points[point - 1]}: {fault}", flush=True)
                shutil.rmtree(template.root.with_name(f"killed-{point}"), ignore_errors=True)
            if verb != "build":
                continue
            begun = time.monotonic()
            copied(template, spared)
            Child(partial(forked.do, "build", spared)).communicate()
            lasts = time.monotonic() - begun
            shutil.rmtree(spared)
            for n in range(asked.times):
                place, after = template.root.with_name(f"time-{n}"), random.uniform(0, lasts)  # noqa: S311
                if at_a_time(template, verb, after, place):
                    kills += 1
                for fault in faults_of(Hub(place), verb, before, first):
                    wrong += 1
                    print(f"  after {after:.3f} s: {fault}", flush=True)
                shutil.rmtree(place)
    print(f"{kills} kills, {wrong} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
