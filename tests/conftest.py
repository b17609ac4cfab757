"""What all tests share: no deadlines, for machines are slow and shared; the command itself; and
what is costly to make, made once in a run."""

import gc
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.chance import FIRST, chance, install

install()
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: the cores have their processes

from state_of_run import state  # noqa: E402, F401 - a fixture of all tests

from ctdhub.cli import main, output  # noqa: E402
from ctdhub.core.files import locked  # noqa: E402
from tests import tiers  # noqa: E402
from tests.pinned import PINNED  # noqa: E402

pytest_plugins = (
    "tests.examples", "tests.fixtures.hubs", "tests.fixtures.desks", "tests.fixtures.sites",
)  # fmt: skip
"""What holds beside this folder too, and fixtures that tests of several folders ask for."""

fixed = settings(deadline=None, derandomize=chance.seed == FIRST)
settings.register_profile("ctdhub", fixed)
settings.register_profile("quick", fixed, phases=set(Phase) - {Phase.shrink, Phase.explain})
settings.register_profile("nightly", fixed, derandomize=False, print_blob=True)
NIGHTLY = os.environ.get("CTDHUB_TESTS") == "nightly"
"""Whether property tests search: ten times as many examples, which nobody has seen."""


def told_of_skipped(reasons: Iterable[str]) -> list[str]:
    """A line for all tests that miss the same: how many they are, what is missing, what brings it.

    >>> gone, java = "a file is missing: lay {} here", "Java is missing: apt-get install java"
    >>> for line in told_of_skipped([java, gone.format("a"), *[gone.format("b")] * 2]):
    ...     print(line)
    3 tests skipped: a file is missing: lay a here; lay b here
    1 test skipped: Java is missing: apt-get install java
    """
    number: dict[str, int] = defaultdict(int)
    remedies: dict[str, dict[str, None]] = defaultdict(dict)
    for reason in reasons:
        missing, _colon, remedy = reason.removeprefix("Skipped: ").partition(": ")
        number[missing] += 1
        remedies[missing][remedy] = None
    lines = []
    for missing, n in sorted(number.items(), key=lambda item: -item[1]):
        first, more = [*remedies[missing]][:2], len(remedies[missing]) - 2
        told = "; ".join([*first, *([f"and {more} more"] if more > 0 else [])])
        lines.append(f"{n} test{'s' * (n > 1)} skipped: {missing}" + (f": {told}" if told else ""))
    return lines


DATA = Path(__file__).parents[2] / "shared" / "data"
"""Public data sets that are no part of the project, where a machine has them."""
MISSING_DATA = "a public data set is missing"
"""What tests say that skip without one of them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    tiers.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    tiers.install(config)
    quick = config.getoption("--tier") == "quick"
    settings.load_profile("nightly" if NIGHTLY else "quick" if quick else "ctdhub")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Where property tests search, they do so for longer than they say."""
    test = getattr(item, "obj", None)
    said = getattr(test, "_hypothesis_internal_use_settings", None)
    if NIGHTLY and said is not None and test not in _longer:
        _longer.add(test)
        test._hypothesis_internal_use_settings = settings(  # type: ignore[union-attr]
            said, max_examples=10 * said.max_examples, derandomize=False
        )


_longer: set[object] = set()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where the public data sets are, no test may be skipped for want of one."""
    told = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = told.stats.get("skipped", []) if told else []
    if DATA.is_dir() and any(MISSING_DATA in report.longrepr[2] for report in skipped):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was skipped stands at the end, with what brings it."""
    skipped = terminalreporter.stats.get("skipped", [])
    lines = told_of_skipped(report.longrepr[2] for report in skipped)
    if lines:
        terminalreporter.section("what was not tested")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected is kept to the end: garbage is searched for neither then nor in it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What a test draws follows from its name."""
    chance.begin(item.nodeid)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """What a fixture of several tests draws follows from its name, not from the first of them."""
    if fixturedef.scope == "function":
        return (yield)
    with chance.apart(f"{fixturedef.baseid} {fixturedef.argname} {request.param_index}"):
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are cores: somewhere a browser, a server or a cluster is waited
    for.  In the quick tier hardly anywhere, and each process collects all tests."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    return cores + (config.getoption("--tier") == "all")


Once = Callable[[str, Callable[[Path], object]], Path]
"""Gives what a function makes at a path that is not there yet, made once under a name."""


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Once:
    """What one process of the run makes and all may read; whoever changes it changes a copy.

    It lies in the run's own temporary folder, so that code which changed makes it anew.
    """
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "once"
    shared.mkdir(exist_ok=True)
    measured = request.config.pluginmanager.get_plugin("measured")

    def get(name: str, make: Callable[[Path], object]) -> Path:
        place = shared / name
        apart = measured.apart(f"once {name}") if measured else nullcontext()
        with apart, locked(shared / f"{name}.lock"):
            if not place.exists():
                fresh = shared / f"making-{name}"
                shutil.rmtree(fresh, ignore_errors=True)
                with chance.apart(name):
                    make(fresh)
                fresh.rename(place)
        return place

    return get


@pytest.fixture(scope="session", autouse=True)
def same_everywhere() -> Iterator[None]:
    """Neither the disk nor the day changes what a test does (``tests.pinned``)."""
    with pytest.MonkeyPatch.context() as patch:
        for target, name, value in PINNED:
            patch.setattr(target, name, value)
        yield


@pytest.fixture
def ctdhub(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command in English: exit code, what it printed, what it complained."""
    monkeypatch.setenv("CTDHUB_LANG", "en")
    monkeypatch.setattr(output.console, "width", 250)
    monkeypatch.setattr(output.errors, "width", 500)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ctdhub", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return int(ended.value.code or 0), shown.out, shown.err

    return run
