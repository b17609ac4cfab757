"""Kill at any time: a crash may waste budget, never overspend it, never lose a charge."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from invented_people import FACTS, people, reported, small_policy

from ctdhub.core.errors import LedgerTampered
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.engine import protect
from ctdhub.dp.ledger.book import Ledger

POLICY = small_policy(columns=("year_of_registration", "gender"), epsilon=1.0)
DELTA = POLICY.delta

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from invented_people import FACTS, people, reported
from test_ledger_crash import POLICY
from ctdhub.dp.engine import protect
from ctdhub.dp.ledger.book import Ledger
import ctdhub.dp.{module} as module

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

module.{name} = die
protect(reported(people(30, POLICY))[0], POLICY, Ledger(Path({folder!r})), FACTS)
"""


def killed_at(folder: Path, module: str, name: str) -> None:
    script = KILLED.format(
        here=str(Path(__file__).parent), module=module, name=name, folder=str(folder)
    )
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("module", "name", "charges"),
    [
        ("engine", "_charge", 0),  # before the charge
        ("ledger.book", "write_synced", 0),  # making the key of questions
        ("ledger.book", "sync", 0),  # making the folder
        ("ledger.file", "write_synced", 1),  # charged, the head not yet written
        ("mechanism", "measure", 1),  # charged, noise not yet drawn
        ("mechanism", "fit", 1),  # noise drawn
        ("by_contributor", "measure", 1),  # people answered, their sources not yet
        ("answer_store", "write_synced", 1),  # storing
        ("engine", "mint", 1),  # nothing left but to make the answer
    ],
)
def test_kill_9_wastes_at_most_one_charge(
    tmp_path: Path, module: str, name: str, charges: int
) -> None:
    folder = tmp_path / "ledger"
    killed_at(folder, module, name)
    ledger = Ledger(folder)
    assert len(ledger.entries()) == charges
    told: list[str] = []
    persons, _overlap = reported(people(30, POLICY))
    answer = protect(persons, POLICY, ledger, FACTS, lambda m, share: told.append(m))
    entries = ledger.entries()
    assert len(entries) == charges + 1
    assert answer.guarantee.charge == entries[-1].id
    assert ledger.spent() == pytest.approx((charges + 1) * rho_of(1.0, DELTA))
    if charges:
        assert "charged again" in entries[-1].what
        assert any("charged again" in message for message in told)
    assert protect(persons, POLICY, ledger, FACTS).guarantee == answer.guarantee
    assert len(ledger.entries()) == charges + 1
    assert not list((folder / "answers").glob(".new-*"))


def test_kill_9_before_the_head_again_and_again_leaves_a_whole_ledger(tmp_path: Path) -> None:
    """The head catches up before the next line, so that no two lines are ever behind it."""
    folder = tmp_path / "ledger"
    for _try in range(3):
        killed_at(folder, "ledger.file", "write_synced")
        assert len(Ledger(folder).entries()) == 1
    protect(people(30, POLICY), POLICY, Ledger(folder), {})
    assert len(Ledger(folder).entries()) == 2


FULL = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from invented_people import people
from test_ledger_crash import POLICY
from ctdhub.core.errors import LedgerError
from ctdhub.dp.engine import protect
from ctdhub.dp.ledger.book import Ledger

resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
try:
    protect(people(30, POLICY), POLICY, Ledger(Path({folder!r})), {{}})
except LedgerError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize(
    ("room", "charges", "file"),
    [
        (16, 0, "secret"),  # the key of questions does not fit
        (100, 0, "ledger.jsonl"),  # the line of the charge does not
        (600, 1, "records.parquet"),  # the answer does not
    ],
)
def test_a_full_disk_wastes_at_most_one_charge(
    tmp_path: Path, room: int, charges: int, file: str
) -> None:
    folder = tmp_path / "ledger"
    script = FULL.format(here=str(Path(__file__).parent), room=room, folder=str(folder))
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    for word in ("The disk is full", "work/ may be deleted", file, "efbig"):
        assert word in ended.stderr
    ledger = Ledger(folder)
    assert len(ledger.entries()) == charges
    answer = protect(people(30, POLICY), POLICY, ledger, {})
    assert [e.id for e in ledger.entries()][charges:] == [answer.guarantee.charge]
    assert len(list((folder / "answers").iterdir())) == 1


ASK = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from invented_people import people
from test_ledger_crash import POLICY
from ctdhub.dp.engine import protect
from ctdhub.dp.ledger.book import Ledger
print(protect(people(30, POLICY), POLICY, Ledger(Path({folder!r})), {{}}).guarantee.charge)
"""


def test_the_same_question_from_two_processes_is_charged_once(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    script = ASK.format(here=str(Path(__file__).parent), folder=str(folder))
    command = [sys.executable, "-c", script]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = {p.communicate(timeout=120)[0].strip() for p in running}
    assert [p.returncode for p in running] == [0, 0]
    assert told == {e.id for e in Ledger(folder).entries()}
    assert len(told) == 1


def charged(folder: Path, times: int) -> Ledger:
    ledger = Ledger(folder / "ledger")
    for i in range(times):
        with ledger.exclusive():
            ledger.charge("q", 0.01, 0.7, DELTA, f"release {i}", budget=12)
    return ledger


@pytest.mark.parametrize("cut", [1, 2, 10, 100])
def test_a_torn_line_is_set_aside_and_the_rest_holds(tmp_path: Path, cut: int) -> None:
    """A charge whose line tore was never synced: ``head`` still names the line before."""
    ledger = charged(tmp_path, 2)
    head = (ledger.folder / "head").read_bytes()
    charged(tmp_path, 1)
    path = ledger.folder / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    (ledger.folder / "head").write_bytes(head)
    whole = cut == 1  # only the end of the line is missing: the entry counts as spent
    assert len(ledger.entries()) == (3 if whole else 2)
    charged(tmp_path, 1)
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
    script = (
        "import sys; from pathlib import Path; from ctdhub.dp.ledger.book import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for _ in range(15):\n"
        "    with ledger.exclusive():\n"
        "        ledger.charge('q', 0.001, 0.2, 1e-8, 'r', budget=12)\n"
    )
    folder = str(tmp_path / "ledger")
    running = [subprocess.Popen([sys.executable, "-c", script, folder]) for _ in range(3)]
    assert [p.wait() for p in running] == [0, 0, 0]
    assert [e.number for e in Ledger(Path(folder)).entries()] == list(range(1, 46))


def test_charge_is_synced_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def watch(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    if not Path("/proc/self/fd").exists():
        pytest.skip("the names of open files are not to be had here")
    monkeypatch.setattr(os, "fsync", watch)
    charged(tmp_path, 1)
    place = synced.index("ledger.jsonl")
    assert "ledger" in synced[place:]  # the folder, after the file
    assert any(name.startswith(".new-") for name in synced[place:])  # then the head
