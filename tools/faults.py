"""Kill -9 at every call that writes, and at random times: nothing lost, nothing paid twice.

Run by `make faults` (some 45 CPU minutes; too long for the tests, which try a few points):

    python tools/faults.py --log faults.jsonl

A run that was cut off, or stopped by `--minutes`, goes on where it was when it is given the same
log.  Points and times are tried in a mixed order, so that the first tenth is a sample of all.

Nine in ten calls write a file of a site into a folder that nobody reads until it is whole: of these
each so many-th is a point (`--every`), of all others each one.

A practice hub of 1,000 fictitious people has one release and is asked for the next.  A copy of it
is killed at each point of `build`, of the second approval and of a withdrawal, and at random times
of a build.  After each kill the earlier releases verify, the next run of the same verb ends, there
is exactly one charge more, and nothing of the killed run is left behind.  The next run draws the
site too where the kill was in the site, and after each fifth random time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit"), str(ROOT / "tools")]

from tests import killer  # noqa: E402
from tests.fixtures.hubs import (  # noqa: E402
    COLUMNS,
    copied,
    drafted,
    make_real,
    set_languages,
    set_limits,
    set_policy,
    sign,
)
from tests.forked import Child  # noqa: E402
from tests.journeys import forked  # noqa: E402

from ctdhub.dp.ledger.book import Ledger  # noqa: E402
from ctdhub.hub import init, pipeline  # noqa: E402
from ctdhub.hub.folder import Hub, released_version  # noqa: E402
from ctdhub.release.open import verify  # noqa: E402

CHARGES = {"build": 1, "approve": 0, "withdraw": 0}
"""Charges that a verb adds to those of its template, once a build has followed it."""
SITE_AFTER = 5
"""After each so many-th kill at a random time the next run draws the site too."""


class Template(NamedTuple):
    """A hub in which a verb has something to do."""

    hub: Hub
    charges: int
    released: str
    points: list[str]
    lasts: float


class Kill(NamedTuple):
    """One kill: at a point, or at a random time.

    Attributes:
        name: in the log; the same in each run, though names of folders are random.
        point: its number from 1, as this run counts them; 0 for a time.
        time: its number from 0; -1 for a point.
    """

    name: str
    verb: str
    point: int
    time: int = -1


def hubs(folder: Path) -> Iterator[tuple[str, Hub]]:
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


def template(hub: Hub, verb: str) -> Template:
    """A hub with all points of its verb, and the seconds that the verb takes."""
    charges, released = len(Ledger(hub.ledger).entries()), str(released_version(hub))
    points = forked.points(hub, verb)
    spared = hub.root.with_name("spared")
    shutil.rmtree(spared)
    copied(hub, spared)
    begun = time.monotonic()
    Child(partial(forked.do, verb, spared)).communicate()
    lasts = time.monotonic() - begun
    shutil.rmtree(spared)
    return Template(hub, charges, released, points, lasts)


def kills(found: dict[str, Template], every: int, times: int) -> list[Kill]:
    """All kills in an order in which each part is a sample of all."""
    parts = [
        [
            Kill(f"{verb} {name}", verb, n)
            for n, (name, point) in enumerate(zip(names(each.points), each.points, strict=True), 1)
            if not in_site(point) or crc32(name.encode()) % every == 0
        ]
        for verb, each in found.items()
    ]
    at_times = [Kill(f"build time {n}", "build", 0, n) for n in range(times)]
    parts += [at_times] if "build" in found else []
    placed = []
    for part in parts:
        random.Random(1).shuffle(part)  # noqa: S311 - an order, no secret
        placed += [(n / len(part), kill) for n, kill in enumerate(part)]
    return [kill for _share, kill in sorted(placed)]


def names(points: list[str]) -> Iterator[str]:
    """A name for each point that is the same in every run.

    >>> list(names(["open /a/ctdhub-faults-x_1/build/spared/.new-12ab34cd", "open /b/y"]))
    ['open /.new-* 1', 'open /b/y 1']
    >>> list(names(["os.rmdir /a/spared/.writing-.new-site-1d7c0d36-cmya3a58/.part-5m_j72ak"]))
    ['os.rmdir /.writing-.new-site-*-*/.part-* 1']
    """
    met = Counter[str]()
    for point in points:
        inside = re.sub("/.*/spared/", "/", point)
        name = re.sub(r"[0-9a-f]{8,}|(?<=-)[a-z0-9_]{8}(?=/|$)", "*", inside)
        met[name] += 1
        yield f"{name} {met[name]}"


def in_site(point: str) -> bool:
    """Whether a point is a file of a site that is drawn, or cleared away."""
    return re.search(r"\.(new|old)-site-[^/]*/.*/", point) is not None


def tried(each: Template, kill: Kill) -> tuple[bool, str, list[str]]:
    """Kill, look, clear away.

    Returns:
        whether the verb was still at work; where it was; what is wrong.
    """
    if kill.time < 0:
        where = each.points[kill.point - 1]
        place = each.hub.root.with_name(f"killed-{kill.point}")
        hit = bool(forked.kill(each.hub, kill.verb, [kill.point]))
        site = "-site-" in where
    else:
        after = random.uniform(0, each.lasts)  # noqa: S311
        place, where = each.hub.root.with_name(f"time-{kill.time}"), f"after {after:.3f} s"
        hit, site = at_a_time(each.hub, kill.verb, after, place), kill.time % SITE_AFTER == 0
    found = looked_at(Hub(place), kill.verb, each, site=site) if hit else []
    shutil.rmtree(place)
    return hit, where, found


def looked_at(hub: Hub, verb: str, each: Template, *, site: bool) -> list[str]:
    """What is wrong after a kill, found by a child: many builds in one process need much memory."""

    def look() -> int:
        found = list(faults_of(hub, verb, each.charges, each.released, site=site))
        sys.stdout.write(f"\n{json.dumps(found)}")
        return 0

    code, out, err = Child(look).communicate()
    found: list[str] = [f"exit {code}: {err}"] if code else json.loads(out.splitlines()[-1])
    return found


def faults_of(hub: Hub, verb: str, before: int, first: str, *, site: bool = True) -> Iterator[str]:
    """What is wrong with a hub in which a verb was killed, once the verb has run again.

    Args:
        site: whether the next run draws the site too.
    """
    for bundle in [*hub.releases.glob("[!.]*/"), *hub.candidates.glob("[!.]*")]:
        if verify(bundle, hub.settings.approvers):
            yield f"{bundle.name} does not verify after the kill"
    if not (hub.releases / first).is_dir():
        yield "the release before is gone"
    try:
        if verb != "build" and not _done(hub, verb):
            forked.VERBS[verb](hub)
        pipeline.build(hub, until="site" if site else "release")
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is a finding
        yield f"the next run ends with {type(fault).__name__}: {fault}"
        return
    charges = len(Ledger(hub.ledger).entries()) - before
    wanted = 1 if verb == "withdraw" else CHARGES[verb]
    if charges != wanted:
        yield f"{charges} charges instead of {wanted}"
    latest = hub.releases / str(released_version(hub))
    if verify(latest, hub.settings.approvers):
        yield f"{latest.name} does not verify"
    left = [p for p in hub.root.rglob(".*-*") if p.name.startswith((".new-", ".old-"))]
    left += [*hub.work.glob("pending/*")]
    yield from (f"left behind: {p.relative_to(hub.root)}" for p in left)


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


def kept(log: Path | None) -> list[dict[str, Any]]:
    """What an earlier run of the same log tried; a last line that was cut off is tried again."""
    lines = log.read_text("utf-8").splitlines(keepends=True) if log and log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=200, help="kills of a build at random times")
    parser.add_argument("--every", type=int, default=100, help="each so many-th file of a site")
    parser.add_argument(
        "--verbs", nargs="+", choices=list(CHARGES), default=list(CHARGES), help="only these verbs"
    )
    parser.add_argument("--log", type=Path, help="what was tried; a run with the same goes on")
    parser.add_argument("--minutes", type=float, default=1e9, help="no new kill after so many")
    asked = parser.parse_args()
    os.environ.setdefault("CTDHUB_STATE", tempfile.mkdtemp(prefix="ctdhub-state-"))
    done, begun = kept(asked.log), time.monotonic()
    if asked.log:
        asked.log.write_text("".join(f"{json.dumps(line)}\n" for line in done), "utf-8")
    with tempfile.TemporaryDirectory(prefix="ctdhub-faults-") as held:
        found = {v: template(hub, v) for v, hub in hubs(Path(held)) if v in asked.verbs}
        chosen = kills(found, asked.every, asked.times)
        for verb, each in found.items():
            tried_here = sum(kill.verb == verb and kill.time < 0 for kill in chosen)
            print(f"{verb}: {len(each.points)} calls that write, {tried_here} of them tried")
        before = {line["kill"] for line in done}
        for kill in chosen:
            if kill.name in before:
                continue
            if time.monotonic() - begun > 60 * asked.minutes:
                break
            hit, where, faults = tried(found[kill.verb], kill)
            done.append({"kill": kill.name, "hit": hit, "where": where, "faults": faults})
            for fault in faults:
                print(f"  {kill.name} {where}: {fault}", flush=True)
            if asked.log:
                with asked.log.open("a", encoding="utf-8") as log:
                    log.write(f"{json.dumps(done[-1])}\n")
    wrong = sum(len(line["faults"]) for line in done)
    hits = sum(line["hit"] for line in done)
    left = {kill.name for kill in chosen} - {line["kill"] for line in done}
    print(f"{len(done)} tried, {len(left)} left: {hits} kills, {wrong} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
