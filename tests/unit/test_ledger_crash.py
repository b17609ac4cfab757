"""The lines of the ledger after a kill or a torn write; answers are in ``test_charge_crash``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from invented_people import people, protect, small_policy
from synced_files import synced  # noqa: F401 (a fixture)
from tests.forked import Child, needs_fork

from ctdhub.core.errors import LedgerTampered
from ctdhub.dp.ledger import file
from ctdhub.dp.ledger.book import Ledger

POLICY = small_policy(columns=("year_of_registration", "gender"), epsilon=1.0)
DELTA = POLICY.delta

pytestmark = [needs_fork, pytest.mark.usefixtures("warm")]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """This process has answered once, so that its children need not load what that takes."""
    protect(people(30, POLICY), POLICY, Ledger(tmp_path_factory.mktemp("warm") / "ledger"), {})


def killed_at_the_head(folder: Path, n: int) -> None:
    """A process that answers about ``n`` people is killed where it would write the head."""

    def die(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def work() -> int:
        file.write_synced = die
        protect(people(n, POLICY), POLICY, Ledger(folder), {})
        return 0

    assert Child(work).communicate()[0] == -signal.SIGKILL


def test_kill_9_before_the_head_again_and_again_leaves_a_whole_ledger(tmp_path: Path) -> None:
    """The head catches up before the next line, so that no two lines are ever behind it."""
    folder = tmp_path / "ledger"
    for n in (30, 31, 32):
        killed_at_the_head(folder, n)
        assert len(Ledger(folder).entries()) == 1
    protect(people(30, POLICY), POLICY, Ledger(folder), {})
    assert len(Ledger(folder).entries()) == 2


def test_the_same_question_from_two_processes_is_charged_once(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"

    def work() -> int:
        sys.stdout.write(protect(people(30, POLICY), POLICY, Ledger(folder), {}).guarantee.charge)
        return 0

    ended = [child.communicate() for child in [Child(work), Child(work)]]
    assert [code for code, _out, _err in ended] == [0, 0]
    told = {out for _code, out, _err in ended}
    assert told == {e.id for e in Ledger(folder).entries()}
    assert len(told) == 1


def charged(folder: Path, times: int) -> Ledger:
    ledger = Ledger(folder / "ledger")
    for i in range(times):
        with ledger.exclusive():
            ledger.charge("q", 0.01, 0.7, DELTA, f"release {i}", budget=12)
    return ledger


@pytest.mark.parametrize("cut", [1, 2, 10, 100])
def test_a_torn_line_is_set_aside_and_the_rest_holds(
    tmp_path: Path,
    synced: list[str],  # noqa: F811
    cut: int,
) -> None:
    """A charge whose line tore was never synced: ``head`` still names the line before."""
    ledger = charged(tmp_path, 2)
    head = (ledger.folder / "head").read_bytes()
    charged(tmp_path, 1)
    path = ledger.folder / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    (ledger.folder / "head").write_bytes(head)
    whole = cut == 1  # only the end of the line is missing: the entry counts as spent
    assert len(ledger.entries()) == (3 if whole else 2)
    synced.clear()
    charged(tmp_path, 1)
    assert synced.count("ledger.jsonl") == 2  # mended, then written
    assert len(ledger.entries()) == (4 if whole else 3)
    assert len(list(ledger.folder.glob("torn-*"))) == (0 if whole else 1)


def test_a_torn_line_that_had_been_synced_is_tampering(tmp_path: Path) -> None:
    ledger = charged(tmp_path, 2)
    path = ledger.folder / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LedgerTampered) as caught:
        ledger.spent()
    assert caught.value.row == 2


def test_a_line_behind_the_head_counts_as_spent(tmp_path: Path) -> None:
    ledger = charged(tmp_path, 2)
    head = (ledger.folder / "head").read_bytes()
    charged(tmp_path, 1)
    (ledger.folder / "head").write_bytes(head)
    assert ledger.spent() == pytest.approx(0.03)
    charged(tmp_path, 1)
    assert len(ledger.entries()) == 4


def test_a_cut_before_the_first_head_counts_as_spent(tmp_path: Path) -> None:
    ledger = charged(tmp_path, 1)
    (ledger.folder / "head").unlink()
    assert ledger.spent() == pytest.approx(0.01)
    charged(tmp_path, 1)
    assert len(ledger.entries()) == 2


def test_two_processes_never_write_the_same_number(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"

    def work() -> int:
        ledger = Ledger(folder)
        for _time in range(15):
            with ledger.exclusive():
                ledger.charge("q", 0.001, 0.2, 1e-8, "r", budget=12)
        return 0

    ended = [child.communicate() for child in [Child(work), Child(work), Child(work)]]
    assert [code for code, _out, _err in ended] == [0, 0, 0]
    assert [e.number for e in Ledger(folder).entries()] == list(range(1, 46))


def test_charge_is_synced_before_it_returns(
    tmp_path: Path,
    synced: list[str],  # noqa: F811
) -> None:
    charged(tmp_path, 1)
    place = synced.index("ledger.jsonl")
    line, folder, head, again = synced[place : place + 4]
    assert (line, folder, again) == ("ledger.jsonl", "ledger", "ledger"), "names, after what is in"
    assert head.startswith(".new-head-")  # never without the line that it names
