"""Whether the desk works: what probes ask, and what the page of operation shows.

Times, sizes, ages of queues and yes or no; never a count of people or of what somebody sent.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from django.db import DatabaseError

from ctdhub.core.i18n import Text, many
from ctdhub.desk.config import DeskConfig
from ctdhub.desk.walls import rows

FILE = "health.json"
LAST_BACKUP = "last-backup.json"
Tone = Literal["good", "wait", "bad"]

_WORKER_AWAY = 300
_LITTLE_ROOM = 2 * 2**30
_INBOX = Text("Disk of the inbox")
_OLD_BACKUP = 8 * 86400
_DAY = 86400
_MANY_FAILED = 20


@dataclass(frozen=True)
class Check:
    """One thing that is looked at.

    Attributes:
        key: name of it for programs.
        label, words: what it is, and how it is now.
        tone: "bad" needs somebody now, "wait" soon.
        value: as a number, for programs.
        needed: whether the desk is not ready while it is bad.
    """

    key: str
    label: Text
    words: Text
    tone: Tone
    value: float
    needed: bool = False


def checks(desk: DeskConfig) -> list[Check]:
    """Everything that is looked at, in the order of the page."""
    if not _database():
        words = Text("does not answer")
        return [Check("database", Text("Database"), words, "bad", 0, needed=True)]
    known = _read(desk, FILE)
    return [
        Check("database", Text("Database"), Text("answers"), "good", 1, needed=True),
        *_of_worker(known),
        _room("disk_free_bytes", Text("Disk"), desk.folder, needed=True),
        *([_room("inbox_free_bytes", _INBOX, desk.inbox)] if desk.inbox.exists() else []),
        *_queues(known),
        _backup(desk),
        _volume(desk),
        *_sign_ins(known),
    ]


def ready(states: list[Check]) -> bool:
    """Whether requests should come here."""
    return all(check.tone != "bad" for check in states if check.needed)


def metrics(states: list[Check]) -> str:
    """The same as lines of the Prometheus text format, version 0.0.4."""
    lines = []
    for check in states:
        name = f"ctdhub_desk_{check.key}"
        lines += [f"# TYPE {name} gauge", f"{name} {check.value:g}"]
    return "\n".join(lines) + "\n"


def _database() -> bool:
    try:
        return bool(rows("SELECT 1"))
    except DatabaseError:
        return False


def _of_worker(known: dict[str, Any]) -> Iterator[Check]:
    age = time.time() - float(known.get("time", 0))
    away = age > _WORKER_AWAY
    words = Text("has not been seen for five minutes") if away else Text("works")
    tone: Tone = "bad" if away else "good"
    yield Check("worker_age_seconds", Text("Worker"), words, tone, min(age, 1e9))
    for key, label in (("ledger", Text("Privacy-budget ledger")), ("trail", Text("Trail"))):
        if key not in known:
            yield Check(f"{key}_whole", label, Text("not looked at yet"), "wait", 0)
            continue
        rule = str(known[key])
        words = Text("damaged: rule {rule}", rule=rule) if rule else Text("whole")
        yield Check(f"{key}_whole", label, words, "bad" if rule else "good", float(not rule))


def _room(key: str, label: Text, place: Path, *, needed: bool = False) -> Check:
    space = os.statvfs(place)
    free = space.f_bavail * space.f_frsize
    words = Text("{n} GB free", n=round(free / 1e9, 1))
    tone: Tone = "bad" if free < _LITTLE_ROOM else "good"
    return Check(key, label, words, tone, free, needed)


def _queues(known: dict[str, Any]) -> Iterator[Check]:
    if "job_since" not in known:
        return
    since = known["job_since"]
    age = time.time() - float(since) if since else 0.0
    clock = datetime.fromtimestamp(float(since or 0), UTC).strftime("%Y-%m-%d %H:%M")
    words = Text("the oldest has waited since {time} (UTC)", time=clock)
    if not since:
        words = Text("nothing waits")
    tone: Tone = "wait" if age > _WORKER_AWAY else "good"
    yield Check("job_oldest_seconds", Text("Jobs"), words, tone, age)
    stuck = bool(known["mail_stuck"])
    words = Text("some cannot be sent: check the mail server") if stuck else Text("are sent")
    yield Check("mail_stuck", Text("Messages"), words, "wait" if stuck else "good", float(stuck))


def _backup(desk: DeskConfig) -> Check:
    last = _read(desk, LAST_BACKUP)
    made = str(last.get("made", ""))
    if not made:
        return Check("backup_age_seconds", Text("Backup"), Text("none was made yet"), "bad", -1)
    age = time.time() - datetime.fromisoformat(made).timestamp()
    words = Text(
        "the last one is of {time} (UTC), signed with {key}",
        time=made[:16].replace("T", " "),
        key=str(last.get("signer", "-")),
    )
    tone: Tone = "wait" if age > _OLD_BACKUP else "good"
    return Check("backup_age_seconds", Text("Backup"), words, tone, age)


def _volume(desk: DeskConfig) -> Check:
    said = desk.file.encrypted_volume
    words = {
        True: Text("encrypted, as desk.toml says"),
        False: Text("not encrypted"),
        None: Text("unknown: say encrypted_volume in desk.toml"),
    }[said]
    tone: Tone = "good" if said else "bad"
    return Check("volume_encrypted", Text("Volume of case data"), words, tone, float(bool(said)))


def _sign_ins(known: dict[str, Any]) -> Iterator[Check]:
    if "sign_ins_failed" not in known:
        return
    failed = int(known["sign_ins_failed"])
    words = many("One failed in the last day", "{n} failed in the last day", failed)
    tone: Tone = "wait" if failed > _MANY_FAILED else "good"
    yield Check("sign_ins_failed", Text("Sign-ins"), words, tone, failed)


def _read(desk: DeskConfig, name: str) -> dict[str, Any]:
    try:
        figures = json.loads((desk.folder / name).read_bytes())
    except (OSError, ValueError):
        return {}
    return figures if isinstance(figures, dict) else {}
