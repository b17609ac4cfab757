"""A desk on the practice hub: a release, a candidate that waits, an account of each role; SQLite.

Belongs here: what the parts of the desk share, made once before them, and what of an answer is
masked.  Does not belong here: what is asked (``hub_answers``, ``desk_pages``).

Keys and tokens are drawn from the seeded bits, so that one more draw would move all that follow:
an answer has numbers in their place, in order of appearance.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from golden_parts.world import NOW, World

if TYPE_CHECKING:
    from tests.desk.desks import Desk

HUB = "hub"
PUBLISHED, WAITING = "2026.1", "2026.2"
OTHER = "harbour-casework"
"""The organisation of the second contributor's account: its file has numbers of cases."""
SETTINGS = "invented = true\n[limits]\nkept_room = 0\n"
DISK = os.statvfs_result((4096, 4096, 10**8, 6 * 10**7, 5 * 10**7, 10**6, 10**6, 10**6, 0, 255))

_KEYS = re.compile(
    r"(?:(?<=%2F)|(?<![0-9A-Za-z]))"
    r"(?:[0-9A-Za-z]{64}|[0-9a-f]{32}|age1[0-9a-z]{58})(?![0-9A-Za-z])"
    r"|(?<=/static/)[0-9a-f]+(?=/)|[A-Za-z0-9+/]{43}="
    r"|(?:\b[0-9a-f]{4} ){7}[0-9a-f]{4}\b"
)
"""Tokens of forms, SHA-256, keys of rows, marks of static files, public keys and prints."""

_TOKENS = re.compile(r"(?<=/invitation/)[\w-]{43}(?=/)|(?<=/#)[\w-]{60,}")
"""Addresses of invitations, and what the signing page is given."""


def masked(text: str) -> str:
    """The text without tokens, and with each key replaced by its number.

    >>> masked(f"/jobs/{'a' * 32}/ {'b' * 32} {'a' * 32}")
    '/jobs/KEY-1/ KEY-2 KEY-1'
    """
    numbers: dict[str, str] = {}
    text = _TOKENS.sub("TOKEN", text)
    return _KEYS.sub(lambda key: numbers.setdefault(key[0], f"KEY-{len(numbers) + 1}"), text)


def make(world: World) -> None:
    """Let the hub pass for a real one, build what two people must approve, and make accounts."""
    changes = {
        "hub.yaml": ("invented: true", "invented: false"),
        "policy.yaml": ("epsilon: 4.0", "epsilon: 3.0"),
    }
    for name, (old, new) in changes.items():
        file = Path(HUB, name)
        file.write_text(file.read_text("utf-8").replace(old, new, 1), "utf-8")
    world.done("build", HUB, "--until", "release", "--spend", 100)
    Path(HUB, "desk.toml").write_text(SETTINGS, "utf-8")
    with opened() as desk:
        from django.apps import apps
        from django.db import connection
        from tests.desk.desks import people

        from ctdhub.desk.walls import prepare

        prepare()
        people(desk)
        held = apps.get_model("desk", "RoleHeld").objects.filter(account=desk.accounts["other"])
        held.update(organisation_id=OTHER)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def opened() -> Iterator[Desk]:
    """The desk, asked without a socket, at a fixed time on a disk of a fixed size."""
    from tests.desk import desks

    time.time = NOW.timestamp
    os.statvfs = lambda path: DISK
    hub = Path(HUB).resolve()
    desks.set_up(hub)
    with desks.opened(hub):
        from ctdhub.desk import channel
        from ctdhub.desk.worker import answering
        from ctdhub.sensitive.workbench.ask import ask

        # In this process, for a child of its own has the clock of the machine.
        answering._ContributorProcess.answer = lambda _self, request: ask(request)  # type: ignore[method-assign]
        channel.use(answering.answer_of)
        yield desks.Desk(hub, nullcontext)


def with_accounts(desk: Desk) -> None:
    """Let the desk know the accounts that its database holds."""
    from django.contrib.auth import get_user_model

    for account in get_user_model().objects.all():
        desk.accounts[account.email.partition("@")[0].replace("-", "_")] = account
