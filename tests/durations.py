"""What each test costs in CPU seconds, and so which tests are left to ``make test-all``.

A test costs what this process and its children (a browser, a server) spend from its start to its
end.  What a fixture of several tests costs is divided among those that use it.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

QUICK = 0.3
"""CPU seconds: a test with a slower case is left to `make test-all`, ..."""
QUICK_CASES = 3.0
"""... and one whose cases take longer together."""
Costs = dict[str, list[float]]
"""By the name of a test: the number of its cases, their seconds together, those of the slowest."""


def name_of(item: pytest.Item) -> str:
    """File and function: parameters come and go.

    A doctest has no function, but a name.
    """
    return f"{item.nodeid.partition('::')[0]}::{getattr(item, 'originalname', None) or item.name}"


def spent() -> float:
    """CPU seconds of this process and of its children, those that ended and those that run."""
    own = os.times()
    ended = own.children_user + own.children_system
    return time.process_time() + ended + sum(map(_of_running, _children("self")))


def _children(process: str) -> Iterator[str]:
    for thread in Path("/proc", process, "task").glob("*/children"):
        try:
            yield from thread.read_text("ascii").split()
        except OSError:  # it has just ended
            continue


def _of_running(process: str) -> float:
    try:
        times = Path("/proc", process, "stat").read_text("utf-8").rpartition(")")[2].split()[11:15]
    except OSError:
        return 0.0
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK") + sum(
        map(_of_running, _children(process))
    )


class Measured:
    """A plugin that measures every test of one process; the first process writes what all found."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.tests: Costs = {}
        self.shared: dict[str, float] = defaultdict(float)
        self.users: dict[str, set[str]] = defaultdict(set)
        self._test = ""
        self._apart = 0.0
        self._inside = False

    @contextmanager
    def apart(self, name: str) -> Iterator[None]:
        """What is spent in it belongs to all tests that use what has that name."""
        self.users[name].add(self._test)
        if self._inside:
            yield
            return
        self._inside, start = True, spent()
        try:
            yield
        finally:
            self._inside, cost = False, spent() - start
            self._apart += cost
            self.shared[name] += cost

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._test, self._apart, start = name_of(item), 0.0, spent()
        info = getattr(item, "_fixtureinfo", None)
        for fixtures in info.name2fixturedefs.values() if info else ():
            if fixtures[-1].scope != "function":
                self.users[_fixture(fixtures[-1])].add(self._test)
        try:
            return (yield)
        finally:
            cost = spent() - start - self._apart
            n, total, most = self.tests.get(self._test, (0, 0.0, 0.0))
            self.tests[self._test] = [n + 1, total + cost, max(most, cost)]

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        with self.apart(_fixture(fixturedef)):
            return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """A process of xdist has ended: take what it measured."""
        tests, shared, users = getattr(node, "workeroutput", {}).get("measured", ({}, {}, {}))
        for name, (n, total, most) in tests.items():
            before = self.tests.get(name, (0, 0.0, 0.0))
            self.tests[name] = [before[0] + n, before[1] + total, max(before[2], most)]
        for name, cost in shared.items():
            self.shared[name] = max(self.shared[name], cost)
        for name, found in users.items():
            self.users[name] |= set(found)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            users = {name: sorted(found) for name, found in self.users.items()}
            output["measured"] = (self.tests, dict(self.shared), users)
        elif self.tests:
            found = slow(self.tests, self.shared, self.users)
            self._file.write_text(json.dumps(by_file(found), indent=0) + "\n", "utf-8")


def _fixture(fixture: pytest.FixtureDef[object]) -> str:
    return f"{fixture.baseid} {fixture.argname}"


def slow(
    tests: Costs, shared: Mapping[str, float], users: Mapping[str, Iterable[str]]
) -> dict[str, float]:
    """The tests that are left to ``make test-all``, and the seconds of each.

    What a fixture costs is shared by the quick ones among its users, which therefore become fewer.

    >>> slow({"a": [1, 0.5, 0.5], "b": [9, 0.9, 0.1], "c": [1, 0.1, 0.1]}, {}, {})
    {'a': 0.5}
    >>> slow({"a": [40, 4.0, 0.1], "b": [2, 0.4, 0.2], "c": [1, 0.1, 0.1]}, {"hub": 0.6},
    ...      {"hub": "bc"})
    {'a': 4.0, 'b': 0.8, 'c': 0.7}
    """
    of_test = defaultdict(list)
    for fixture, cost in shared.items():
        for test in users.get(fixture, ()):
            of_test[test].append((fixture, cost))
    left: dict[str, float] = {}
    while True:
        cases = {
            fixture: sum(tests[t][0] for t in users[fixture] if t in tests and t not in left)
            for fixture in shared
        }
        new = {}
        for test in tests.keys() - left.keys():
            n, total, most = tests[test]
            each = sum(cost / cases[fixture] for fixture, cost in of_test[test])
            if most + each > QUICK or total > QUICK_CASES:
                new[test] = total + n * each
        if not new:
            return dict(sorted(left.items()))
        left |= new


def by_file(found: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Seconds of slow tests by file and function, as they are kept."""
    kept: dict[str, dict[str, float]] = {}
    for test, seconds in sorted(found.items()):
        file, _, function = test.partition("::")
        kept.setdefault(file, {})[function] = round(seconds, 1)
    return kept
