"""Every process of a desk starts, answers, and ends when told to; started as users start it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from tests.desk.desks import PATIENCE, copy_of


def test_all_processes_start_and_end(practice_desk: Path, tmp_path: Path) -> None:
    hub = copy_of(practice_desk, tmp_path / "hub")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (hub / "desk.toml").write_text(f'host = "localhost"\nport = {port}\n')
    begin = "from ctdhub.cli.main import main; main()"
    command = [sys.executable, "-c", begin, "desk", str(hub)]
    with (tmp_path / "log").open("wb") as log:
        desk = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ})
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and desk.poll() is None:
            try:
                with urlopen(f"http://localhost:{port}/health/live", timeout=60) as answer:
                    assert answer.read() == b"live\n"
                health = json.loads((hub / "desk" / "health.json").read_bytes())
                break
            except OSError:  # nobody listens yet, or the file is not there
                time.sleep(0.2)
        else:
            raise AssertionError((tmp_path / "log").read_text("utf-8"))
        assert health["trail"] == ""
        assert health["ledger"] == "ledger-copy"  # it is a copy, and the page says so
        with urlopen(f"http://localhost:{port}/health/ready", timeout=60) as answer:
            assert answer.status == 200
        with urlopen(f"http://localhost:{port}/metrics", timeout=60) as answer:
            assert b"ctdhub_desk_ledger_whole 0" in answer.read()
        worker = _pid_of("ctdhub.desk.processes", hub)
        os.kill(worker, signal.SIGKILL)  # it is started again
        until = time.monotonic() + PATIENCE
        while (now := _pid_of("ctdhub.desk.processes", hub)) in (0, worker):
            assert time.monotonic() < until
            time.sleep(0.2)
        assert now
        assert desk.poll() is None, (tmp_path / "log").read_text("utf-8")  # each still works
    finally:
        desk.send_signal(signal.SIGTERM)
        desk.wait(PATIENCE)
    assert desk.returncode == 0, (tmp_path / "log").read_text("utf-8")


def _pid_of(module: str, hub: Path) -> int:
    """A process of this desk that runs a module; 0 where there is none."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes()
            own = f"CTDHUB_DESK={hub}".encode() in (place / "environ").read_bytes()
        except OSError:
            continue
        if own and module.encode() in command and b"files" in command:
            return int(place.name)
    return 0
