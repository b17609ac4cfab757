"""Events: written in the transaction of the act, later appended to the trail's file.

The act and its event are in the database together or not at all.  Numbers have no gap, since
whoever writes one holds the head until its transaction ends.
"""

from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction

from ctdhub.core.errors import error
from ctdhub.core.files import locked
from ctdhub.desk.allowed import Who
from ctdhub.desk.models import TrailEvent, TrailHead
from ctdhub.desk.trail_file import TrailLine, append_lines, last_written

_AT_ONCE = 1000


def record(who: Who, action: str, thing: object = "", outcome: str = "done") -> TrailLine:
    """Write an event in the transaction in force, or in one of its own.

    Args:
        thing: a row, its key, or the id of a thing in the hub folder; never a name of a file.
        outcome: "done", "denied" or "failed".
    """
    key = getattr(thing, "pk", thing)
    with transaction.atomic():
        head = TrailHead.objects.select_for_update().get(id=1)
        line = TrailLine(
            number=head.number + 1,
            time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            account=who.account,
            role=" ".join(sorted(who.roles)),
            action=action,
            thing=str(getattr(key, "hex", key))[:64],
            outcome=outcome,
            previous=head.hash,
        )
        TrailEvent.objects.bulk_create([TrailEvent(**asdict(line), hash=line.hash)])
        TrailHead.objects.filter(id=1).update(number=line.number, hash=line.hash)
    return line


def append_trail(file: Path) -> int:
    """Append the events that the trail's file does not have yet; gives how many there were.

    The worker calls it; it may be called as often as one likes.

    Raises:
        LedgerTampered: the file was changed, or the database is not the one that it was written
            from, such as one put back from an older backup (rule "trail").
    """
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with locked(file.with_name(".trail-lock")):
        last, written = last_written(file), 0
        after = last.number if last else 0
        if last and not TrailEvent.objects.filter(number=after, hash=last.hash).exists():
            raise error("trail", file=file, line=after)  # what follows it is of another trail
        while rows := list(
            TrailEvent.objects.filter(number__gt=after).order_by("number")[:_AT_ONCE]
        ):
            written += append_lines(file, [_line(row) for row in rows])
            after = rows[-1].number
    return written


def _line(row: TrailEvent) -> TrailLine:
    return TrailLine(**{one.name: getattr(row, one.name) for one in fields(TrailLine)})


def head() -> tuple[int, str]:
    """Number and hash of the last event, which approvals carry."""
    row = TrailHead.objects.get(id=1)
    return row.number, row.hash
