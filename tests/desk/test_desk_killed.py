"""Killed at twenty points of an upload and of the worker's jobs: nothing lost, nothing doubled."""

from __future__ import annotations

import hashlib
import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.desk.desks import OURS, Desk
from tests.desk.sending import TUS, begun, part, rounds, rows, sent, work
from tests.forked import Child, needs_fork
from tests.killer import KILLED, arm, every

pytestmark = needs_fork

TABLE = b"sex;year\n" + b"F;2020\nM;2021\n" * 40
RULES = """version: 1
name: two columns
rows: person
columns:
  gender: {from: sex, map: {F: female, M: male}}
  year_of_registration: {from: year, year: true}
"""


def struck(folder: Path, do: Callable[[], None], point: int) -> int:
    """Do something in a child that is killed before its nth write or statement of SQL.

    Returns:
        Minus the signal, or how many points there were, where it was not killed.
    """
    from django.db import connection, connections

    connection.close()
    kept, count = connections["default"], folder.parent / "points"

    def until() -> int:
        connections["default"] = kept  # a child has no loop of Playwright, so it looks elsewhere
        met = 0

        def meet(*_: object) -> None:
            nonlocal met
            met += 1
            if met == point:
                os.kill(os.getpid(), signal.SIGKILL)

        def statement(execute: Any, *given: Any) -> Any:
            meet()
            return execute(*given)

        arm(folder, 0, "spared", meet)
        with connection.execute_wrapper(statement):
            do()
        count.write_text(str(met))
        return 0

    code, _out, err = Child(until).communicate()
    assert code in (0, KILLED), err
    return code if code else int(count.read_text())


def small_hub(desk: Desk) -> None:
    """Let ours send a table of two columns, which no alarm rings about."""
    (desk.hub / "mappings" / f"{OURS}.yaml").write_text(RULES, "utf-8")


@pytest.fixture
def ready(desk: Desk) -> Desk:
    small_hub(desk)
    assert rounds() == []
    return desk


def finish(client: Any, address: str, content: bytes) -> None:
    """Go on with an upload as a browser does: ask how far it is, send what is left."""
    while True:
        head = client.head(address, headers=TUS)
        offset = int(head["Upload-Offset"])
        if offset == len(content):
            return
        answer = part(client, address, offset, content[offset : offset + 300])
        assert answer.status_code in (204, 409)


def forget_connection(desk: Desk) -> None:
    """Close the connection of the web's user, which a child must not share."""
    if not inspect.isfunction(desk.as_web):  # on SQLite there is no user of the web
        return
    kept = inspect.getclosurevars(desk.as_web).nonlocals.get("kept")
    if kept:
        kept.pop("connection").close()


def kill_uploads(desk: Desk, points: int) -> None:
    client = desk.client_of("contributor")
    inbox = Path(desk.config.inbox)
    content = os.urandom(900)

    def whole() -> None:
        finish(client, address, content)

    address = begun(client, content, "csv")["Location"]
    forget_connection(desk)
    among = struck(inbox, whole, 0)
    assert among > points
    for point in every(points, among):
        begin = begun(client, content, "csv")
        assert begin.status_code == 201, begin.content
        address = begin["Location"]
        forget_connection(desk)
        assert struck(inbox, whole, point) == KILLED, point
        finish(client, address, content)
        key = address.split("/")[2]
        row = rows("Delivery").get(id=key)
        assert row.state == "received", point
        parts = list(rows("DeliveryPart").filter(delivery=row).order_by("offset"))
        assert sum(p.bytes for p in parts) == 900, point
        assert rows("Job").filter(thing=key, what="check").count() == 1, point
        assert joined(desk, row, parts) == hashlib.sha256(content).hexdigest(), point


def joined(desk: Desk, row: Any, parts: list[Any]) -> str:
    from ctdhub.desk.uploads.inbox import Inbox, StoredPart
    from ctdhub.desk.worker.deliveries import join
    from ctdhub.desk.worker.identities import identities

    return join(
        Inbox(desk.config.inbox),
        row.id.hex,
        [(StoredPart(p.offset, p.sha256), p.bytes) for p in parts],
        identities(desk.hub),
        desk.hub / "work" / "desk" / row.id.hex / "whole",
        (row.bytes, row.sha256),
    )


def roomy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that twenty uploads at once do not meet."""
    file = desk.config.file
    limits = file.limits.model_copy(update={"open_uploads": 100})
    monkeypatch.setattr(desk.config, "file", file.model_copy(update={"limits": limits}))


def test_killed_in_an_upload_it_goes_on(ready: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    roomy(ready, monkeypatch)
    kill_uploads(ready, 20)


def test_killed_in_an_upload_on_postgres(
    desk_on_postgres: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rounds() == []
    roomy(desk_on_postgres, monkeypatch)
    kill_uploads(desk_on_postgres, 4)


def kill_jobs(desk: Desk, points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill a worker in check and acceptance; each ends once, with one file and one row."""
    from ctdhub.desk.worker.child import do
    from ctdhub.sensitive.ingest.raw import read_table
    from ctdhub.sensitive.mapping.drafting import suggest

    monkeypatch.setattr(suggest, "read_isolated", read_table)  # one of its own takes a second
    client, officer = desk.client_of("contributor"), desk.client_of("data_officer")
    folder = desk.hub.parent
    among = {"check": 0, "accept": 0}

    def one(number: int) -> str:
        return sent(client, TABLE + b"F;2020\n" * number, "csv")

    def run(what: str, key: str, point: int) -> int:
        job = rows("Job").get(thing=key, what=what)
        rows("Job").filter(id=job.id).update(state="running", attempts=1)
        ended = struck(folder, lambda: do(job), point)
        job.refresh_from_db()
        if job.state == "running":  # as the parent does that saw its child die
            rows("Job").filter(id=job.id).update(state="waiting")
        assert work() == ([f"{what} done"] if job.state == "running" else [])
        return ended

    for number in range(points + 2):  # the first makes what all others find
        key = one(number)
        at = {
            w: 0 if number < 2 else 1 + (number - 2) * (n - 4) // points for w, n in among.items()
        }
        found = run("check", key, at["check"])
        row = rows("Delivery").get(id=key)
        assert row.state == "checked", (number, row.summary)
        assert row.summary["records"] == 80 + number
        assert officer.post(f"/deliveries/{key}/accept/").status_code == 302
        accepted = run("accept", key, at["accept"])
        if number < 2:
            among = {"check": found, "accept": accepted}
            assert min(among.values()) > points
        else:
            assert (found, accepted) == (KILLED, KILLED), at
        row.refresh_from_db()
        assert row.state == "accepted", number
        files = list((desk.hub / "contributions" / OURS / row.day).glob(f"{key}*"))
        assert [hashlib.sha256(f.read_bytes()).hexdigest() for f in files] == [row.sha256]
        told = rows("OutgoingMail").filter(fields__path=f"/deliveries/{key}/")
        assert sorted(told.values_list("kind", flat=True)) == ["accepted", "checked"], number
        assert not (desk.hub / "work" / "desk" / key).exists() or not number or rounds() == []
        assert not (desk.hub / "work" / "desk" / key).exists(), number
        assert not (Path(desk.config.inbox) / key).exists(), number


def test_killed_in_the_worker_each_job_ends_once(
    ready: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_jobs(ready, 6, monkeypatch)


def test_three_deaths_fail_by_name_and_orphans_are_taken_up(ready: Desk) -> None:
    from ctdhub.desk.jobs import enqueue, next_job, run_job

    job = enqueue("check", "files")
    for state in ("waiting", "running"):  # one whose worker was killed, or told to stop
        rows("Job").filter(id=job.id).update(state=state)
        assert (next_job("build"), next_job("files")) == (None, job.id)
    later = enqueue("check", "files")
    rows("Job").filter(id=job.id).update(after=timezone.now() + timedelta(hours=1))
    assert next_job("files") == later.id  # the other one waits for the hub
    later.delete()
    dies = (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    for attempt in (1, 2, 3):
        run_job(job.id, dies)
        job.refresh_from_db()
        assert job.attempts == attempt
    assert job.state == "failed"
    assert job.outcome["error"]["rule"] == "job-died"
    run_job(job.id, dies)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("failed", 3)


def is_gone(process: int) -> bool:
    """Whether a process ends within a minute; a zombie that nobody waits for has ended."""
    for _ in range(1200):
        try:
            state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_job_is_cancelled_with_its_whole_group(ready: Desk, tmp_path: Path) -> None:
    from ctdhub.desk.processes import run_child

    child = (
        "import os, subprocess, sys, time;"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "open(sys.argv[1], 'w').write(str(p.pid)); time.sleep(600)"
    )
    noted = tmp_path / "pid"
    began = time.monotonic()
    code, cancelled = run_child(
        [sys.executable, "-c", child, str(noted)],
        lambda: noted.exists() and bool(noted.read_text()),
    )
    assert (code, cancelled) == (-signal.SIGTERM, True)
    assert time.monotonic() - began < 300
    assert is_gone(int(noted.read_text()))


def test_a_child_ends_with_its_parent_and_has_bounds(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    inner = (
        "import os, sys, time; from ctdhub.desk.processes import end_with_parent;"
        f"end_with_parent(); open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    )
    outer = (
        "import sys; from ctdhub.desk.processes import run_child;"
        f"run_child([sys.executable, '-c', {inner!r}], lambda: False)"
    )
    parent = subprocess.Popen([sys.executable, "-c", outer])
    while not noted.exists() or not noted.read_text():
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert is_gone(int(noted.read_text()))
    greedy = "from ctdhub.desk.processes import bound_memory; bound_memory(2**28); bytes(2**30)"
    ended = subprocess.run([sys.executable, "-c", greedy], capture_output=True, check=False)
    assert b"MemoryError" in ended.stderr


def test_two_workers_of_one_lane_are_refused(ready: Desk) -> None:
    from ctdhub.core.errors import HubError
    from ctdhub.desk.processes import lane
    from ctdhub.desk.worker.serve import serve

    serve("files", once=True)
    with lane(ready.config.folder, "files"):
        with pytest.raises(HubError, match="Another worker"):
            serve("files", once=True)
        with lane(ready.config.folder, "build") as check:
            check()
            ready.config.folder.rename(ready.hub / "old")  # a backup is restored meanwhile
            with pytest.raises(HubError, match="Another folder"):
                check()
            ready.config.folder.mkdir()
            with lane(ready.config.folder, "build"), pytest.raises(HubError, match="Another f"):
                check()
