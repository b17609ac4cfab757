"""A lock holds against another process, on a system like Windows too, and dies with its holder."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ctdhub.core import files
from ctdhub.core.errors import HubError
from ctdhub.core.files import locked
from ctdhub.dp.ledger.book import Ledger
from ctdhub.hub.folder import Hub

HOLD = (
    "import sys, pathlib, ctdhub.core.files\n"
    "with ctdhub.core.files.locked(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def holder(file: Path) -> subprocess.Popen[str]:
    found = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert found.stdout is not None
    assert found.stdout.readline() == "held\n"
    return found


def test_another_process_waits_or_is_told(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with holder(file) as other:
        with pytest.raises(BlockingIOError), locked(file, wait=False):
            pass
        other.kill()  # the lock dies with it
        other.wait()
        with locked(file):
            assert file.stat().st_mode & 0o777 == 0o600


def test_an_error_inside_is_not_taken_for_a_held_lock(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").touch()
    with pytest.raises(BlockingIOError, match="of the build"), Hub(tmp_path).lock():
        raise BlockingIOError("of the build")


class Windows:
    """``msvcrt.locking`` as the documentation of Python tells it, on this system's files."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self) -> None:
        self.held: dict[int, int] = {}

    def locking(self, handle: int, mode: int, size: int) -> None:
        assert size == 1
        file = os.fstat(handle).st_ino
        if mode == self.LK_UNLCK:
            assert self.held.pop(file) == handle
        elif file in self.held:
            raise PermissionError(errno.EACCES, "Permission denied")
        else:
            self.held[file] = handle


def on(monkeypatch: pytest.MonkeyPatch, windows: object) -> None:
    monkeypatch.setattr(files, "_module", lambda name: windows if name == "msvcrt" else None)


def test_windows_locks_a_byte_and_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, file = Windows(), tmp_path / "lock"
    on(monkeypatch, system)
    with locked(file):
        with pytest.raises(BlockingIOError), locked(file, wait=False):
            pass
        freed = dict(system.held)

        def sleep(_seconds: float) -> None:
            system.held.clear()

        monkeypatch.setattr(time, "sleep", sleep)
        with locked(file):
            assert system.held.keys() == freed.keys()
        system.held.update(freed)
    assert not system.held


def test_windows_other_faults_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locking(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    on(monkeypatch, SimpleNamespace(locking=locking, LK_NBLCK=2, LK_UNLCK=0))
    with pytest.raises(OSError, match="No space") as caught, locked(tmp_path / "lock"):
        pass
    assert not isinstance(caught.value, BlockingIOError)


def test_a_system_without_locks_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, None)
    with pytest.raises(HubError) as caught, Ledger(tmp_path / "ledger").exclusive():
        pass
    assert caught.value.rule == "no-lock"
    assert "Windows" in caught.value.fix
