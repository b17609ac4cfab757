"""Withdrawing one delivery: a line of the register first, then its file is erased.

From then on no build reads it, even where the file is still there or back from a copy
(:meth:`Hub.contributions`), and a candidate that was made with it may no longer be published.
Published releases stay.  Copies outside of the hub folder are for people to delete.
"""

from __future__ import annotations

from collections.abc import Collection

from ctdhub.build.find_person import in_force_already, known_contributor
from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.steps import hash_file
from ctdhub.build.withdraw import append
from ctdhub.core.atomic import remove, sync
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.sensitive.consent.entry import Reason, Withdrawal, delivery_mark


def withdraw_delivery(
    hub: Hub, contributor: str, date: str, files: Collection[str], reason: Reason
) -> int:
    """Withdraw what came in one delivery; it may be done again after a kill.

    Args:
        hub: the hub.
        contributor: whose.
        date: day of the delivery, as its folder is named.
        files: SHA-256 of the files of the folder that go; others of the same day stay.
        reason: why.

    Returns:
        How many files were erased.

    Raises:
        HubFolderError: there is no such file and it was not withdrawn before (rule
            "no-delivery"), or a build is at work.
        WithdrawalError: the register was changed.
    """
    known_contributor(hub, contributor)
    with hub.lock(), noted(hub, "withdraw", contributor=contributor, delivery=date):
        own = [c.file for c in hub.received() if (c.contributor, c.date) == (contributor, date)]
        found = {path: digest for path in own if (digest := hash_file(path)) in files}
        secret, force = hub.person_key(), hub.withdrawn()
        lines = [
            Withdrawal(
                "withdrawal",
                "delivery",
                contributor,
                delivery_mark(secret, contributor, date, digest),
                reason=reason,
            )
            for digest in sorted({*found.values()} or set(files))
        ]
        told = [line for line in lines if in_force_already(line, force)]
        if not found and not told:
            raise error(
                "no-delivery",
                file=hub.root / "contributions" / printable(contributor),
                id=contributor,
                date=date,
            )
        append(hub, [line for line in lines if line not in told] if found else [])
        for path in found:
            path.unlink()
        _emptied(hub, contributor, date)
        return len(found)


def _emptied(hub: Hub, contributor: str, date: str) -> None:
    """Delete what was made of the delivery, and its folder where nothing is left in it."""
    if (derived := hub.work / "harmonised" / contributor / date).is_dir():
        remove(derived)
    place = hub.root / "contributions" / contributor / date
    if place.is_dir():
        if not any(place.glob("[!.]*")):
            remove(place)
        sync(place.parent)
