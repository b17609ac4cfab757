"""Events: written in the transaction of the act, later appended to the trail's file.

The act and its event are in the database together or not at all.  Numbers have no gap, since
whoever writes one holds the head until its transaction ends.
"""

from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction

from ctdhub.core.errors import error
from ctdhub.core.files import append_lines, chained, locked
from ctdhub.desk.allowed import Who
from ctdhub.desk.models import TrailEvent, TrailHead
from ctdhub.desk.trail_file import last_line


def record(who: Who, action: str, thing: object = "", outcome: str = "done") -> None:
    """Write an event in the transaction in force, or in one of its own.

    Args:
        thing: a row, its key, or the id of a thing in the hub folder; never a name of a file.
        outcome: "done", "denied" or "failed".
    """
    key = getattr(thing, "pk", thing)
    event = {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "account": who.account,
        "role": " ".join(sorted(who.roles)),
        "action": action,
        "thing": str(getattr(key, "hex", key))[:64],
        "outcome": outcome,
    }
    with transaction.atomic():
        head = TrailHead.objects.select_for_update().get(id=1)
        line = chained(event, head.number + 1, head.hash)
        TrailEvent.objects.bulk_create([TrailEvent(**line)])
        TrailHead.objects.filter(id=1).update(number=line["number"], hash=line["hash"])


def append_trail(file: Path) -> int:
    """Append the events that the trail's file does not have yet; gives how many there were.

    The worker calls it; it may be called as often as one likes.

    Raises:
        LedgerTampered: the file was changed, or the database is not the one that it was written
            from, such as one put back from an older backup (rule "trail").
    """
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with locked(file.with_name(".trail-lock")):
        last, events = last_line(file), TrailEvent.objects.order_by("number")
        after = last["number"] if last else 0
        if last and not events.filter(number=after, hash=last["hash"]).exists():
            raise error("trail", file=file, line=after)  # what follows it is of another trail
        if lines := list(events.filter(number__gt=after).values()):
            append_lines(file, lines)
    return len(lines)


def head() -> tuple[int, str]:
    """Number and hash of the last event, which approvals carry."""
    row = TrailHead.objects.get(id=1)
    return row.number, row.hash
