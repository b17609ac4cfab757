"""Two tiers: what ``make test`` runs, and what it leaves to ``make test-all``.

``tests/durations.json`` names the slow tests, as ``make durations`` measured them; it does nothing
else.  A test that it does not know is quick.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.durations import Measured, name_of

KEPT = Path(__file__).with_name("durations.json")

SPINE = (
    "a build to its site",
    "a kill between charge and answer",
    "a withdrawal",
    "a corrected delivery",
    "an approval with two keys",
    "a delivery returned and accepted at the desk",
    "a page in Chromium",
    "what a zone loads",
)
"""What is always quick, whatever it takes: tests are marked ``@pytest.mark.spine`` with one of
these.  Together they take less than a minute."""


def slow_tests(kept: Mapping[str, Mapping[str, float]], root: Path) -> frozenset[str]:
    """Names of the slow tests; one whose file is gone is known by its function alone."""
    return frozenset(
        f"{file}::{function}" if (root / file).exists() else function
        for file, functions in kept.items()
        for function in functions
    )


def is_slow(name: str, slow: frozenset[str]) -> bool:
    """Whether a test was measured to be slow.

    >>> is_slow("b.py::test_a", frozenset(["test_a"]))
    True
    >>> is_slow("b.py::test_a", frozenset(["a.py::test_a"]))
    False
    """
    return not slow.isdisjoint((name, name.partition("::")[2]))


class Tiers:
    """A plugin that marks slow tests, leaves out what is not of the tier, and tells of it."""

    def __init__(self, tier: str) -> None:
        self._tier = tier
        self._left_out = 0

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        slow = slow_tests(json.loads(KEPT.read_text("utf-8")), config.rootpath)
        for item in items:
            if is_slow(name_of(item), slow) and not item.get_closest_marker("spine"):
                item.add_marker("full")
        if self._tier == "quick":
            out = [i for i in items if "full" in i.keywords]
            config.hook.pytest_deselected(items=out)
            items[:] = [i for i in items if "full" not in i.keywords]
            self._left_out = len(out)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Each process of xdist collects all tests."""
        output = getattr(node, "workeroutput", {})
        self._left_out = max(self._left_out, output.get("left_out", 0))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["left_out"] = self._left_out

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._left_out:
            terminalreporter.write_line(f"{self._left_out} slow tests left out: make test-all")


def add_options(parser: pytest.Parser) -> None:
    """What the command line may say of tiers."""
    group = parser.getgroup("ctdhub")
    group.addoption("--tier", choices=("all", "quick"), default="all", help="which tests run")
    group.addoption(
        "--measure", type=Path, metavar="FILE", help="measure all tests and name the slow ones"
    )


def install(config: pytest.Config) -> None:
    """Take part in a run as its command line says."""
    config.addinivalue_line("markers", "spine(law): always quick (tests/tiers.py)")
    config.addinivalue_line("markers", "full: slow, so left out by `make test` (tests/tiers.py)")
    if config.getoption("--measure"):
        config.pluginmanager.register(Measured(config.getoption("--measure")), "measured")
    config.pluginmanager.register(Tiers(config.getoption("--tier")), "tiers")
