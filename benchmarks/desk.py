"""Load on a desk on loopback: 100 readers and 20 uploads of 20 MB at once, on the same cores.

Goals: 0 errors; 95 of 100 pages within 500 ms.  SQLite, parts of 1 MiB encrypted by the web
processes; readers wait one second between two pages, as people do at least.  The process that
answers questions about the hub is there too, since each first page asks it.  What the machine did
besides is printed: on a busy one the times say nothing, and CPU seconds a little.

``python benchmarks/desk.py [--readers 100] [--uploads 20] [--megabytes 20] [--processes N ...]``
runs once for each number of web processes; without it, as many as the desk takes by itself.
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
    asked.add_argument("--processes", type=int, nargs="*", default=[0])
    given = asked.parse_args()
    missed = 0
    for among in given.processes:
        given.among = among
        with tempfile.TemporaryDirectory() as place:
            missed |= measured(Path(place) / "hub", given)
    return missed


def measured(hub: Path, given: argparse.Namespace) -> int:
    """Make a desk, load it, print what was measured."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    making = subprocess.run(
        [sys.executable, __file__, "--make", str(hub), str(port), str(given.among),
         str(given.readers + given.uploads)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    sessions = making.stdout.split()
    env = {**os.environ, "CTDHUB_DESK": str(hub), "DATABASE_URL": ""}
    run = (
        "import sys; from ctdhub.desk.config import current; "
        "from ctdhub.desk.processes import run_all; run_all(current(), (sys.argv[1],))"
    )
    started = {
        name: subprocess.Popen([sys.executable, "-c", run, name], env=env)
        for name in ("web", "answers")
    }
    try:
        for _ in range(300):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        for n, page in enumerate(PAGES * 10):  # what is loaded once is loaded
            Visitor(port, sessions[n % len(sessions)]).ask("GET", page)
        return loaded(port, sessions, given, [one.pid for one in started.values()])
    finally:
        for one in started.values():
            one.terminate()
            one.wait()


def desk_of(hub: Path, port: int, visits: int, among: int = 0) -> list[str]:
    """A practice hub with a desk; sessions of its contributor."""
    from tests.desk import desks

    from ctdhub.hub.init import practice_hub

    practice_hub(hub, people=1000)
    limits = "open_uploads = 1000\nday_bytes = 100000000000\nkept_room = 0"
    said = f"port = {port}\n" + (f"web_processes = {among}\n" if among else "")
    (hub / "desk.toml").write_text(f"{said}[limits]\n{limits}\n", "utf-8")
    desks.set_up(hub)
    from ctdhub.desk.walls import prepare
    from ctdhub.desk.worker.serve import make_rounds

    prepare()
    desk = desks.Desk(hub, nullcontext)
    desks.people(desk)
    make_rounds()
    found = [desk.client_of("contributor").cookies["__Host-session"].value for _ in range(visits)]
    from django.db import connections

    connections.close_all()
    return found


def loaded(port: int, sessions: list[str], given: argparse.Namespace, ours: list[int]) -> int:
    """Let all come at once.

    Args:
        ours: the first web process, and the one that answers about the hub.
    """
    before = [used(tree(one)) for one in ours]
    whole, own, since = machine(), time.process_time(), time.perf_counter()
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
    taken = [used(tree(one)) - was for one, was in zip(ours, before, strict=True)]
    own, whole, since = (
        time.process_time() - own, machine() - whole, time.perf_counter() - since,
    )  # fmt: skip
    during = len(pages)
    time.sleep(2)
    over.set()
    for thread in readers:
        thread.join()
    web, answers = taken
    print(f"web processes {max(1, len(tree(ours[0])) - 1)}; while files were sent, {since:.1f} s:")
    print(f"CPU of the web processes {web:.1f} s, of the answers {answers:.1f} s")
    print(f"CPU of this generator {own:.1f} s, of all others {whole - web - answers - own:.1f} s")
    print(f"pages {during}")
    return printed(pages, uploads, errors, given, ours[0])


def tree(process: int) -> list[int]:
    """A process and its children."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    return [process, *map(int, found.split())]


def used(processes: list[int]) -> float:
    """CPU seconds of processes."""
    ticks = 0
    for one in processes:
        fields = Path(f"/proc/{one}/stat").read_text("ascii").rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return float(ticks / os.sysconf("SC_CLK_TCK"))


def machine() -> float:
    """CPU seconds of the whole machine, idle ones not."""
    fields = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:]
    busy = sum(map(int, fields[:3] + fields[5:7]))
    return float(busy / os.sysconf("SC_CLK_TCK"))


def printed(
    pages: list[float], uploads: list[float], errors: list[str], given: argparse.Namespace, web: int
) -> int:
    """The table, and whether the goals are met."""
    p95 = statistics.quantiles(pages, n=20)[-1] * 1000
    peaks = [
        int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{one}/status").read_text("ascii"))[1])
        for one in tree(web)
    ]
    print(f"pages {len(pages)}, p50 {statistics.median(pages) * 1000:.0f} ms, p95 {p95:.0f} ms")
    if uploads:
        slowest = max(uploads)
        print(f"uploads {len(uploads)} of {given.megabytes} MB, slowest {slowest:.1f} s")
    print(f"errors {len(errors)} {sorted(set(errors))[:5]}")
    print(f"peak memory of the web processes {' + '.join(str(p // 1024) for p in peaks)} MB")
    met = not errors and p95 < 500 and len(uploads) == given.uploads
    print("goals met" if met else "GOALS MISSED", flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    if "--make" in sys.argv:
        folder, *numbers = sys.argv[2:]
        port_, among_, visits_ = map(int, numbers)
        print(*desk_of(Path(folder), port_, visits_, among_))
        sys.exit()
    sys.exit(main())
