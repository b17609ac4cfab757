"""Writing withdrawals down, and taking them back."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence

from ctdhub.build.find_person import (
    ByWhat,
    harmonised_files,
    in_force_already,
    keying_of,
    keys_of,
    known_contributor,
    numbers_told,
    read_files,
)
from ctdhub.build.harmonised import contributor_of
from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.paid import check_paid, ledger
from ctdhub.build.withdrawn import filed, made_with, refuse_older, replaced_ids, ways_of
from ctdhub.core.atomic import remove
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text
from ctdhub.release.manifest import MANIFEST
from ctdhub.sensitive.consent.entry import Reason, Withdrawal, mark
from ctdhub.sensitive.consent.in_force import InForce
from ctdhub.sensitive.consent.match import carried
from ctdhub.sensitive.consent.register import WitnessedHead

NOTHING_FOUND = Text(
    "No record found so far: no record that the hub has read has the number or token, so nothing "
    "was taken out. It stays in force: a record that comes later is left out."
)
CODE_OF_KIT = Text(
    "An organisation that sends bundles from the kit sends codes in place of numbers of cases, so "
    "that a number finds nobody. Ask it in which row of the file that it sent the person is; the "
    "file under contributions has that row number (row_in_file) and the code, which is given in "
    "place of the number."
)
"""What a steward is told of a number that no record has."""


def register(hub: Hub) -> tuple[tuple[Withdrawal, ...], InForce]:
    """All lines of the register, and what is in force.

    Raises:
        WithdrawalError: it was changed.
        LedgerTampered: the privacy ledger is older than what the register saw of it.
    """
    check_paid(hub)
    return hub.withdrawal_lines(), hub.withdrawn()


def records_found(hub: Hub, contributor: str = "") -> dict[tuple[str, str], bool]:
    """Whether any record carries what was told of each person whose withdrawal is in force.

    Args:
        hub: the hub.
        contributor: the only one whose lines and whose files are looked at, so that nothing of
            others shows; all if empty.

    Returns:
        By contributor and mark of the number or token that it told, whether a file that was read
        has a record of that person; nothing of a contributor none of whose files was read.
    """
    force = hub.withdrawn().told_by(contributor) if contributor else hub.withdrawn()
    told = [e for e in force.entries if e.scope in ("person", "records")]
    if not told:
        return {}
    steps = read_files(hub, contributor)
    out, secret = replaced_ids(hub, steps).ids, hub.person_key()
    by: dict[str, set[str]] = {}
    for step in steps:
        by.setdefault(contributor_of(step), set()).update(carried(filed(step, out), force, secret))
    anywhere = frozenset[str]().union(*by.values())
    answer: dict[tuple[str, str], bool] = {}
    for e in told:
        if e.contributor in by:
            marks = anywhere if e.scope == "person" else by[e.contributor]
            key = (e.contributor, e.because or e.mark)
            answer[key] = answer.get(key, False) or e.mark in marks
    return answer


def withdraw(hub: Hub, entries: Iterable[Withdrawal]) -> int:
    """Write withdrawals down; gives how many were not in force yet.

    Raises:
        WithdrawalError: the register was changed.
        HubFolderError: a build is at work.
    """
    with hub.lock(), noted(hub, "withdraw"):
        force = hub.withdrawn()
        new = [entry for entry in entries if not in_force_already(entry, force)]
        append(hub, new)
        return numbers_told(new)


def take_back(
    hub: Hub, contributor: str, texts: Sequence[str] | None, by: ByWhat | None, reason: Reason
) -> int:
    """Undo withdrawals that this contributor told; gives how many.

    Args:
        texts: numbers or tokens; None undoes the withdrawal of the contributor itself.

    Raises:
        WithdrawalError: one of them is not in force; nothing is written then.
    """
    known_contributor(hub, contributor)
    with hub.lock(), noted(hub, "withdraw", undo=True, contributor=contributor):
        force = hub.withdrawn()
        if texts is None:
            marks = {"": 1}
        else:
            secret, keys = hub.person_key(), keys_of(keying_of(hub, contributor, by), texts)
            marks = {mark(secret, key): place for place, key in enumerate(keys, 1)}
        told = [
            e
            for e in force.entries
            if e.contributor == contributor
            and (e.because or e.mark) in marks
            and (e.scope == "contributor") == (texts is None)
        ]
        missing = sorted(
            place for m, place in marks.items() if m not in {e.because or e.mark for e in told}
        )
        if missing and texts is None:
            raise error("not-withdrawn", id=contributor)
        if missing:
            raise error("not-withdrawn/person", places=", ".join(map(str, missing)))
        lines = [Withdrawal("undo", e.scope, contributor, e.mark, e.because, reason) for e in told]
        append(hub, lines)
        return numbers_told(lines)


def tell_renewed(hub: Hub, contributor: str) -> None:
    """Write down that the hub knows who withdrew in the tokens that the contributor's files have.

    Raises:
        HubError: its files cannot be read.
    """
    known_contributor(hub, contributor)
    with hub.lock(), noted(hub, "withdraw", renewed=True, contributor=contributor):
        steps = harmonised_files(hub, contributor, None)
        own = [step for step in steps if contributor_of(step) == contributor]
        made = made_with(own, replaced_ids(hub, own).ids) | ways_of(hub, own)
        entry = Withdrawal("renewal", "contributor", contributor, made=tuple(sorted(made)))
        hub.withdrawals.append([entry], _head(hub))


def delete_raw(hub: Hub, contributor: str) -> int:
    """Delete the raw files of a contributor that withdrew, and what was made of them.

    Returns:
        How many raw files there were.

    Raises:
        WithdrawalError: the contributor did not withdraw.
    """
    known_contributor(hub, contributor)
    with hub.lock(), noted(hub, "withdraw", delete_raw=True, contributor=contributor):
        if contributor not in hub.withdrawn().contributors:
            raise error("not-withdrawn/files", id=contributor)
        files = sum(c.contributor == contributor for c in hub.received())
        if (folder := hub.root / "contributions" / contributor).is_dir():
            remove(folder)
        if (derived := hub.work / "harmonised" / contributor).is_dir():
            remove(derived)
        entry = Withdrawal("raw_deleted", "contributor", contributor, reason="agreement")
        hub.withdrawals.append([entry], _head(hub))
        return files


def outdated(hub: Hub) -> list[str]:
    """Versions of candidates that may not be published, because somebody withdrew since."""
    found = []
    for manifest in sorted(hub.candidates.glob(f"[!.]*/{MANIFEST}")):
        try:
            refuse_older(hub, manifest.parent)
        except HubError:
            found.append(manifest.parent.name)
    return found


def append(hub: Hub, lines: Sequence[Withdrawal]) -> None:
    """Write lines; the caller holds the hub's lock.

    What was made of people before goes first, so that nothing more is made of it.  The next build
    makes the table of people anew.
    """
    if lines:
        shutil.rmtree(hub.work / "people", ignore_errors=True)
    hub.withdrawals.append(lines, _head(hub))


def _head(hub: Hub) -> WitnessedHead:
    entries = ledger(hub).entries()
    return WitnessedHead(entries[-1].number, entries[-1].hash) if entries else WitnessedHead()
