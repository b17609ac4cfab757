"""Load on a desk on loopback: 100 readers and 20 uploads of 20 MB at once, on the same cores.

Goals: 0 errors; 95 of 100 pages within 500 ms.  SQLite, waitress with its 8 threads, parts of 1 MiB
encrypted by the web process; readers wait one second between two pages, as people do at least.

``python benchmarks/desk.py [--readers 100] [--uploads 20] [--megabytes 20]``
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PART = 2**20
PAGES = ("/", "/deliveries/", "/deliveries/send/", "/account/")


class Visitor:
    """A browser that is signed in."""

    def __init__(self, port: int, session: str) -> None:
        self.line = http.client.HTTPConnection("localhost", port, timeout=120)
        self.cookie = f"__Host-session={session}"
        self.port, self.token = port, ""

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, bytes, dict]:
        """Status, body and headers of an answer."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= {"Cookie": self.cookie, "Tus-Resumable": "1.0.0", "X-CSRFToken": self.token}
        self.line.request(method, path, body, given)
        answer = self.line.getresponse()
        return answer.status, answer.read(), dict(answer.headers)

    def open_form(self) -> None:
        """Take a token, as a page gives it."""
        _status, body, headers = self.ask("GET", "/deliveries/send/")
        self.token = re.search(rb'csrfmiddlewaretoken" value="(\w+)"', body)[1].decode()
        self.cookie += "; " + headers["Set-Cookie"].split(";")[0]


def main() -> int:
    """Print the figures; 1 where a goal is missed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--readers", type=int, default=100)
    asked.add_argument("--uploads", type=int, default=20)
    asked.add_argument("--megabytes", type=int, default=20)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as place:
        return measured(Path(place) / "hub", given)


def measured(hub: Path, given: argparse.Namespace) -> int:
    """Make a desk, load it, print what was measured."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sessions = desk_of(hub, port, given.readers + given.uploads)
    env = {**os.environ, "CTDHUB_DESK": str(hub), "DATABASE_URL": ""}
    web = subprocess.Popen([sys.executable, "-m", "ctdhub.desk.web"], env=env)
    try:
        for _ in range(300):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        return loaded(port, sessions, given, web.pid)
    finally:
        web.terminate()
        web.wait()


def desk_of(hub: Path, port: int, visits: int) -> list[str]:
    """A practice hub with a desk; sessions of its contributor."""
    from tests.desk import desks

    from ctdhub.build.init import practice_hub

    practice_hub(hub, people=1000)
    limits = "open_uploads = 1000\nday_bytes = 100000000000\nkept_room = 0"
    (hub / "desk.toml").write_text(f"port = {port}\n[limits]\n{limits}\n", "utf-8")
    desks.set_up(hub)
    from ctdhub.desk.database import prepare
    from ctdhub.desk.worker.rounds import make_rounds

    prepare()
    desk = desks.Desk(hub, nullcontext)
    desks.people(desk)
    make_rounds()
    found = [desk.client_of("contributor").cookies["__Host-session"].value for _ in range(visits)]
    from django.db import connections

    connections.close_all()
    return found


def loaded(port: int, sessions: list[str], given: argparse.Namespace, web: int) -> int:
    """Let all come at once."""
    content = os.urandom(given.megabytes * 2**20)
    digest = hashlib.sha256(content).hexdigest()
    pages: list[float] = []
    uploads: list[float] = []
    errors: list[str] = []
    over = threading.Event()

    def read(session: str, number: int) -> None:
        visitor = Visitor(port, session)
        time.sleep(number / given.readers)
        while not over.is_set():
            began = time.perf_counter()
            try:
                status = visitor.ask("GET", PAGES[len(pages) % len(PAGES)])[0]
            except OSError as met:
                status = 0
                errors.append(type(met).__name__)
                visitor.line.close()
            if status != 200:
                errors.append(f"page {status}")
            pages.append(time.perf_counter() - began)
            over.wait(1)

    def send(session: str) -> None:
        visitor = Visitor(port, session)
        visitor.open_form()
        began = time.perf_counter()
        told = (
            f"kind {base64.b64encode(b'csv').decode()},sha256 "
            + base64.b64encode(digest.encode()).decode()
        )
        status, _body, headers = visitor.ask(
            "POST", "/deliveries/uploads/", Upload_Length=str(len(content)), Upload_Metadata=told
        )
        if status != 201:
            errors.append(f"begun {status}")
            return
        for offset in range(0, len(content), PART):
            status = visitor.ask(
                "PATCH", headers["Location"], content[offset : offset + PART],
                Upload_Offset=str(offset), Content_Type="application/offset+octet-stream",
            )[0]  # fmt: skip
            if status != 204:
                errors.append(f"part {status}")
                return
        uploads.append(time.perf_counter() - began)

    readers = [
        threading.Thread(target=read, args=(s, n)) for n, s in enumerate(sessions[: given.readers])
    ]
    senders = [threading.Thread(target=send, args=(s,)) for s in sessions[given.readers :]]
    for thread in (*readers, *senders):
        thread.start()
    for thread in senders:
        thread.join()
    time.sleep(2)
    over.set()
    for thread in readers:
        thread.join()
    return printed(pages, uploads, errors, given, web)


def printed(
    pages: list[float], uploads: list[float], errors: list[str], given: argparse.Namespace, web: int
) -> int:
    """The table, and whether the goals are met."""
    p95 = statistics.quantiles(pages, n=20)[-1] * 1000
    peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{web}/status").read_text("ascii"))
    print(f"pages {len(pages)}, p50 {statistics.median(pages) * 1000:.0f} ms, p95 {p95:.0f} ms")
    if uploads:
        slowest = max(uploads)
        print(f"uploads {len(uploads)} of {given.megabytes} MB, slowest {slowest:.1f} s")
    print(f"errors {len(errors)} {sorted(set(errors))[:5]}")
    fields = Path(f"/proc/{web}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    used = int(fields[11]) + int(fields[12])
    print(f"CPU of the web process {used / os.sysconf('SC_CLK_TCK'):.1f} s")
    print(f"peak memory of the web process {int(peak[1]) // 1024 if peak else 0} MB")
    met = not errors and p95 < 500 and len(uploads) == given.uploads
    print("goals met" if met else "GOALS MISSED")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
