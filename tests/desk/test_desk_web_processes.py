"""Several web processes at one address: one that is killed loses nothing, and all end together."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.desk import desks, postgres
from tests.desk.desks import PATIENCE, Desk
from tests.desk.sending import PART, TUS, begun, rounds, rows
from tests.desk.test_desk_killed import is_gone, joined, roomy

HALF = 2**19


class Sender:
    """Somebody who is signed in and sends the parts of a file over a line of their own."""

    def __init__(self, desk: Desk, port: int) -> None:
        self.port = port
        self.cookie = (
            "__Host-session=" + desk.client_of("contributor").cookies["__Host-session"].value
        )
        self.line = http.client.HTTPConnection("localhost", port, timeout=PATIENCE)
        status, body, headers = self.ask("GET", "/deliveries/send/")
        assert status == 200
        token = re.search(rb'csrfmiddlewaretoken" value="(\w+)"', body)
        assert token
        self.token = token[1].decode()
        self.cookie += "; " + headers["Set-Cookie"].split(";")[0]

    def ask(self, method: str, path: str, body: bytes = b"", **more: str) -> tuple[int, bytes, Any]:
        self.line.request(method, path, body, self.headers(**more))
        answer = self.line.getresponse()
        return answer.status, answer.read(), answer.headers

    def headers(self, **more: str) -> dict[str, str]:
        given = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Cookie": self.cookie, "X-CSRFToken": getattr(self, "token", ""), **TUS, **given}

    def send_half(self, path: str, offset: int, part: bytes) -> None:
        """The first half of a part, and no more."""
        more = {"Upload_Offset": str(offset), "Content_Type": PART}
        self.line.putrequest("PATCH", path)
        for name, value in self.headers(Content_Length=str(len(part)), **more).items():
            self.line.putheader(name, value)
        self.line.endheaders(part[: len(part) // 2])

    def process(self, of: list[int]) -> int | None:
        """Which of some processes has taken the line; None while it waits to be taken."""
        ends = [f"{self.port:04X}", f"{self.line.sock.getsockname()[1]:04X}"]
        lines = (Path("/proc/net", table).read_text("ascii") for table in ("tcp", "tcp6"))
        inodes = {
            f"socket:[{fields[9]}]"
            for fields in map(str.split, "".join(lines).splitlines())
            if [end.rpartition(":")[2] for end in fields[1:3]] == ends
        }
        opened = {one: map(os.readlink, Path(f"/proc/{one}/fd").iterdir()) for one in of}
        return next((one for one, files in opened.items() if inodes & {*files}), None)

    def is_cut(self) -> bool:
        """Whether the line's other end is gone."""
        try:
            return self.line.sock.recv(1) == b""
        except OSError as error:
            return not isinstance(error, TimeoutError)


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    return [int(one) for one in found.split()]


def until(met: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end
        time.sleep(0.05)


def upload_under_kills(desk: Desk, web: subprocess.Popen[bytes], port: int) -> None:
    """Send a file whose web process is killed in the midst of a part; then kill them all."""
    content = os.urandom(3 * HALF)
    address = begun(desk.client_of("contributor"), content, "csv")["Location"]
    first, sender = children(web.pid), Sender(desk, port)
    assert len(first) == 2
    more = {"Content_Type": PART}
    status, _, _ = sender.ask("PATCH", address, content[:HALF], Upload_Offset="0", **more)
    assert status == 204
    sender.send_half(address, HALF, content[HALF : 2 * HALF])
    until(lambda: sender.process(first))
    child = sender.process(first)
    assert child
    os.kill(child, signal.SIGKILL)
    assert is_gone(child)
    assert sender.is_cut()
    sender = Sender(desk, port)  # another process, or the one that was started again
    status, _, headers = sender.ask("HEAD", address)
    assert (status, headers["Upload-Offset"]) == (200, str(HALF))
    until(lambda: len(children(web.pid)) == 2 and child not in children(web.pid))
    for other in children(web.pid):
        os.kill(other, signal.SIGKILL)
    sender = Sender(desk, port)  # nobody is refused: the parent holds the address
    for offset in (HALF, 2 * HALF):
        part = content[offset : offset + HALF]
        status, _, _ = sender.ask("PATCH", address, part, Upload_Offset=str(offset), **more)
        assert status == 204
    key = address.split("/")[2]
    row, parts = rows("Delivery").get(id=key), list(rows("DeliveryPart").filter(delivery=key))
    assert (row.state, [p.offset for p in parts]) == ("received", [0, HALF, 2 * HALF])
    assert rows("Job").filter(thing=key, what="check").count() == 1
    assert joined(desk, row, parts) == row.sha256


def test_an_upload_goes_on_when_its_web_process_is_killed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rounds() == []
    roomy(desk, monkeypatch)
    with desks.web(desk.hub, "web_processes = 2") as (web, port):
        upload_under_kills(desk, web, port)
        left = children(web.pid)
        web.terminate()
        assert web.wait(PATIENCE) == 0
        assert all(is_gone(one) for one in left)


def test_the_same_on_postgres_and_all_end_with_their_parent(
    desk_on_postgres: Desk, postgres_server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connection

    desk, name = desk_on_postgres, connection.settings_dict["NAME"]
    assert rounds() == []
    url = postgres.url(postgres_server, name, "desk_web")
    with desks.web(desk.hub, "web_processes = 2", url) as (web, port):
        upload_under_kills(desk, web, port)
        left = children(web.pid)
        web.kill()
        assert all(is_gone(one) for one in left)


def test_processes_that_die_at_once_end_all_and_tell_no_value(practice_desk: Path) -> None:
    run = (
        "from ctdhub.desk import processes; from ctdhub.desk.config import current;"
        "processes._PAUSE, processes.MOST_QUICK_DEATHS = 0, 2;"
        "raise SystemExit(processes.run_all(current(), ('files',)))"
    )
    nowhere = "mysql:///a/value"
    given = {**os.environ, "CTDHUB_DESK": str(practice_desk), "DATABASE_URL": nowhere}
    done = subprocess.run([sys.executable, "-c", run], env=given, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count(b"a process died") == 2
    assert b"/a/value" not in done.stderr
