"""Withdrawals: reported, written down, carried out, taken back; of a person, a delivery, a
contributor.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ctdhub.build import find_person
from ctdhub.build.contributions import contributor_of
from ctdhub.build.deliveries import (
    DeliveredFiles,
    EachFiled,
    filed,
    made_with,
    refuse_older,
    replaced_ids,
    replaced_of,
    sent,
    ways_of,
)
from ctdhub.build.find_person import (
    ByWhat,
    NumberedCase,
    harmonised_files,
    in_force_already,
    keying_of,
    keys_of,
    known_contributor,
    numbers_told,
    read_files,
)
from ctdhub.build.hub import Hub, noted
from ctdhub.build.paid import check_paid, ledger
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.build.steps import Progress, hash_file
from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import locked, remove, sync, write_whole
from ctdhub.core.i18n import Text
from ctdhub.release.manifest import MANIFEST
from ctdhub.sensitive.consent.register import (
    InForce,
    Reason,
    Scope,
    Withdrawal,
    WitnessedHead,
    carried,
    delivery_mark,
    elsewhere,
    mark,
    quarter,
)

# --------------------------------------------------------------------------------------------------
# Writing withdrawals down, and taking them back.

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


# --------------------------------------------------------------------------------------------------
# Withdrawals that contributors report at the desk, until the steward has carried them out.
#
# A report is a file in ``withdrawals/told/`` for its owner alone (0600): it holds the numbers of
# cases, which nothing else of the desk does, until it is carried out or taken back.  What a
# contributor is asked about a report comes from its own files alone: neither how many records of
# others would go, nor whether somebody else has reported the same person.

MOST, LONGEST = 100, 500
"""Numbers of one report, and characters of a number."""

ToldState = Literal["sent", "asked", "ready", "not_found", "done"]
"""Its records are looked for; the contributor must answer; the steward may carry it out; it is in
force, and no record of the contributor had any of its numbers; it is carried out."""


@dataclass(frozen=True)
class AskedCase:
    """A number that rows of several people share.  Sensitive.

    Attributes:
        place: of the number in the report, from 1.
        rows: its rows, each as a ``case_rows.CaseRow``; ``mark`` is not shown, and ``withdrawn``
            must not be: it knows what others reported.
        chosen: marks of the rows that are hers; None until the contributor has said.
    """

    place: int
    rows: tuple[dict[str, Any], ...]
    chosen: tuple[str, ...] | None = None

    @property
    def marks(self) -> frozenset[str]:
        """Marks of all rows."""
        return frozenset(str(row["mark"]) for row in self.rows)


@dataclass(frozen=True)
class ToldWithdrawal:
    """A report.  Sensitive.

    Attributes:
        contributor: that reports it.
        scope: "contributor" where the whole organisation withdraws.
        by: what its numbers are.
        numbers: as the contributor writes them; empty once it is carried out.
        ahead: also those that no record carries yet.
        unknown: places of those that no record carries.
        not_found: how many numbers no record of the contributor had when it was carried out.
        asked: numbers that several people share.
        sent, ended: UTC, ISO 8601.
    """

    contributor: str
    scope: Scope
    reason: Reason
    state: ToldState = "sent"
    by: ByWhat | None = None
    numbers: tuple[str, ...] = field(default=(), repr=False)
    ahead: bool = False
    unknown: tuple[int, ...] = ()
    not_found: int = 0
    asked: tuple[AskedCase, ...] = field(default=(), repr=False)
    sent: str = ""
    ended: str = ""

    @property
    def seen(self) -> str:
        """A digest of what the contributor is asked."""
        shown = [self.unknown, [sorted(case.marks) for case in self.asked]]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()

    @property
    def open(self) -> bool:
        """Whether the contributor must still answer."""
        return bool(self.unknown and not self.ahead) or any(c.chosen is None for c in self.asked)


def tell(
    hub: Hub,
    contributor: str,
    scope: Scope,
    reason: Reason,
    numbers: Sequence[str] = (),
    by: ByWhat | None = None,
    *,
    ahead: bool = False,
) -> str:
    """Keep a report; gives its key.

    Args:
        hub: the hub.
        contributor: that reports it.
        scope: see ``consent.entry.Scope``; with "contributor" there are no numbers.
        reason: why.
        numbers: numbers of cases or tokens.
        by: what they are; None takes numbers where the mapping knows them, else tokens.
        ahead: also those that no record carries yet.

    Raises:
        WithdrawalError: there is none, they are too many or too long, or one of them is none.
        PolicyError: no such contributor.
        MappingError: its mapping knows no such numbers or tokens.
    """
    find_person.known_contributor(hub, contributor)
    if scope == "delivery":
        raise error("told-numbers", n=MOST)  # a delivery is withdrawn by its own page
    clean = tuple(dict.fromkeys(line.strip() for line in numbers if line.strip()))
    if scope == "contributor":
        clean = ()
    elif not clean or len(clean) > MOST or max(map(len, clean)) > LONGEST:
        raise error("told-numbers", n=MOST)
    else:
        find_person.keys_of(find_person.keying_of(hub, contributor, by), clean)
    state: ToldState = "ready" if scope == "contributor" else "sent"
    key = secrets.token_hex(16)
    made = ToldWithdrawal(contributor, scope, reason, state, by, clean, ahead, sent=_now())
    with _held(hub):
        _write(hub, key, made)
    return key


def reports(hub: Hub, contributor: str = "") -> dict[str, ToldWithdrawal]:
    """All reports by key, the newest first; of one contributor if it is named."""
    found = {path.stem: _read(hub, path.stem) for path in _folder(hub).glob("*.json")}
    kept = [(k, one) for k, one in found.items() if contributor in ("", one.contributor)]
    return dict(sorted(kept, key=lambda pair: pair[1].sent, reverse=True))


def report_of(hub: Hub, key: str, contributor: str = "") -> ToldWithdrawal:
    """A report.

    Raises:
        WithdrawalError: there is none, or it is not this contributor's.
    """
    found = _read(hub, key)
    if contributor not in ("", found.contributor):
        raise error("no-told")
    return found


def look_for(hub: Hub, key: str, progress: Progress) -> ToldWithdrawal:
    """Look for the records of a report, and keep what the contributor must be asked.

    Raises:
        HubError: its files cannot be read, or a build is at work.
    """
    told = report_of(hub, key)
    if told.scope == "contributor" or told.ended:
        return told
    find_person.harmonise_own(hub, told.contributor, progress)
    cases: list[AskedCase] = []

    def note(case: NumberedCase) -> Collection[int]:
        rows = tuple(asdict(row) for row in case.rows)
        cases.append(AskedCase(case.place, rows))
        return ()

    found = find_person.look_up(
        hub, told.contributor, told.numbers, told.by, told.scope, told.reason, choose=note
    )
    before = {case.place: case for case in told.asked}
    asked = tuple(
        replace(case, chosen=before[case.place].chosen)
        if case.place in before and before[case.place].marks == case.marks
        else case
        for case in cases
    )
    with _held(hub):
        told = replace(report_of(hub, key), unknown=found.unknown, asked=asked)
        told = replace(told, state="asked" if told.open else "ready")
        _write(hub, key, told)
    return told


def answer(
    hub: Hub,
    key: str,
    contributor: str,
    seen: str,
    chosen: AnyMapping[int, Collection[int]],
    unknown: Literal["ahead", "drop", ""],
) -> None:
    """Keep what the contributor says of a report.

    Args:
        hub: the hub.
        key: of the report.
        contributor: whose it is.
        seen: the digest of what it was asked.
        chosen: by place of a number, places (from 0) of the rows that are hers.
        unknown: what becomes of numbers that no record carries: they are kept for when one does,
            or are left out.

    Raises:
        WithdrawalError: there is no such report, it has changed, or an answer is missing.
    """
    with _held(hub):
        told = report_of(hub, key, contributor)
        if told.state != "asked" or told.seen != seen:
            raise error("told-changed")
        asked = []
        for case in told.asked:
            rows = chosen.get(case.place)
            if rows is None or not all(0 <= at < len(case.rows) for at in rows):
                raise error("told-open")
            marks = tuple(sorted({str(case.rows[at]["mark"]) for at in rows}))
            asked.append(replace(case, chosen=marks))
        told = replace(told, asked=tuple(asked))
        if told.unknown and unknown == "drop":
            gone = set(told.unknown)
            keep = [at for at in range(1, len(told.numbers) + 1) if at not in gone]
            moved = {at: new for new, at in enumerate(keep, 1)}
            told = replace(
                told,
                numbers=tuple(told.numbers[at - 1] for at in keep),
                asked=tuple(replace(case, place=moved[case.place]) for case in told.asked),
                unknown=(),
            )
        elif told.unknown and unknown != "ahead":
            raise error("told-open")
        else:
            told = replace(told, ahead=told.ahead or unknown == "ahead")
        if not told.numbers:
            _path(hub, key).unlink()
        else:
            _write(hub, key, replace(told, state="ready"))


def take_back_report(hub: Hub, key: str, contributor: str) -> None:
    """Delete a report that is not carried out yet.

    Raises:
        WithdrawalError: there is none, or it is carried out.
    """
    with _held(hub):
        if report_of(hub, key, contributor).ended:
            raise error("told-changed")
        _path(hub, key).unlink()


def carry_out(hub: Hub, key: str, progress: Progress) -> bool:
    """Write a report into the register and delete its numbers.  It may be done again.

    Returns:
        Whether it is carried out; false if the contributor must be asked first, which is kept.

    Raises:
        HubError: as of ``withdraw``.
    """
    told = look_for(hub, key, progress)
    if told.ended:
        return True
    if told.open or told.state != "ready":
        return False
    withdraw(hub, _entries(hub, told))
    with _held(hub):
        missed = len(told.unknown)
        state: ToldState = "not_found" if missed and missed == len(told.numbers) else "done"
        kept = replace(told, state=state, not_found=missed, ended=_now())
        _write(hub, key, replace(kept, numbers=(), asked=(), unknown=()))
    return True


def _entries(hub: Hub, told: ToldWithdrawal) -> Sequence[Withdrawal]:
    if told.scope == "contributor":
        return [Withdrawal("withdrawal", "contributor", told.contributor, reason=told.reason)]
    known = {case.place: case for case in told.asked}

    def choose(case: NumberedCase) -> Collection[int]:
        asked = known.get(case.place)
        if asked is None or asked.chosen is None or asked.marks != {r.mark for r in case.rows}:
            raise error("told-changed")
        return [at for at, row in enumerate(case.rows) if row.mark in asked.chosen]

    return find_person.look_up(
        hub, told.contributor, told.numbers, told.by, told.scope, told.reason, choose=choose
    ).entries


def _folder(hub: Hub) -> Path:
    return hub.root / "withdrawals" / "told"


def _path(hub: Hub, key: str) -> Path:
    if not re.fullmatch("[0-9a-f]{32}", key):
        raise error("no-told")
    return _folder(hub) / f"{key}.json"


def _read(hub: Hub, key: str) -> ToldWithdrawal:
    try:
        value = json.loads(_path(hub, key).read_bytes())
    except (FileNotFoundError, ValueError):
        raise error("no-told") from None
    asked = tuple(
        AskedCase(c["place"], tuple(c["rows"]), None if c["chosen"] is None else tuple(c["chosen"]))
        for c in value.pop("asked")
    )
    numbers, unknown = tuple(value.pop("numbers")), tuple(value.pop("unknown"))
    return ToldWithdrawal(**value, numbers=numbers, unknown=unknown, asked=asked)


def _write(hub: Hub, key: str, told: ToldWithdrawal) -> None:
    write_whole(_path(hub, key), json.dumps(asdict(told), indent=1).encode())


@contextmanager
def _held(hub: Hub) -> Iterator[None]:
    folder = _folder(hub)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder / ".lock"):
        yield


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


# --------------------------------------------------------------------------------------------------
# Withdrawing one delivery: a line of the register first, then its file is erased.
#
# From then on no build reads it, even where the file is still there or back from a copy
# (:meth:`Hub.contributions`), and a candidate that was made with it may no longer be published.
# Published releases stay.  Copies outside of the hub folder are for people to delete.


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


# --------------------------------------------------------------------------------------------------
# Withdrawals of one contributor that take out people of others: counted, limited, decided.
#
# The counts are exact.  They are shown to the steward alone, and nobody else is told anything.


@dataclass(frozen=True)
class TakenElsewhere:
    """What the withdrawals that a contributor told in a quarter do to others.  Sensitive.

    Attributes:
        contributor, quarter: who told them, and when, as 2026-Q1.
        people: people of other contributors whom they take out, and who did not withdraw there.
        limit: how many they may, by hub.yaml or by what the steward decided.
    """

    contributor: str
    quarter: str
    people: int
    limit: int

    @property
    def open(self) -> bool:
        """Whether the steward must decide."""
        return self.people > self.limit


def taken_elsewhere(
    hub: Hub, delivered: Sequence[DeliveredFiles] | None = None
) -> list[TakenElsewhere]:
    """What the withdrawals in force do to other contributors.

    Args:
        hub: the hub.
        delivered: all that takes part; what was harmonised, if None.
    """
    force = hub.withdrawn()
    if not force.persons:
        return []
    if delivered is None:
        years = policy(hub).years
        steps = [harmonise_file(hub, one, years) for one in hub.contributions()]
        delivered = sent(hub, [step for step in steps if step.reason() is None])
    own = [step for one in delivered for step in one.steps]
    files = EachFiled(own, replaced_of(delivered).ids)
    limit = hub.settings.withdrawn_elsewhere
    return [
        TakenElsewhere(name, when, people, max(limit, force.decided.get((name, when), 0)))
        for (name, when), people in elsewhere(files, force, hub.person_key()).items()
    ]


def check_elsewhere(hub: Hub, delivered: Sequence[DeliveredFiles]) -> None:
    """Refuse to go on while one contributor takes out more people of others than the limit.

    Raises:
        WithdrawalError: names the contributor and the quarter; the number is shown elsewhere.
    """
    for one in taken_elsewhere(hub, delivered):
        if one.open:
            raise error(
                "withdrawn-elsewhere", file=hub.root / "hub.yaml", id=one.contributor,
                quarter=one.quarter, limit=hub.settings.withdrawn_elsewhere,
            )  # fmt: skip


def decide(hub: Hub, contributor: str, *, only_here: bool) -> int:
    """Write down what the steward decided of the withdrawals that are above the limit.

    Args:
        hub: the hub.
        contributor: that told them.
        only_here: these people stay at other contributors, and leave out the records of this one
            alone; else they stay out everywhere.

    Returns:
        How many quarters it is about.

    Raises:
        WithdrawalError: nothing is above the limit.
    """
    known_contributor(hub, contributor)
    found = [t for t in taken_elsewhere(hub) if t.contributor == contributor and t.open]
    if not found:
        raise error("nothing-to-decide", id=contributor)
    lines: list[Withdrawal] = []
    with hub.lock(), noted(hub, "withdraw", decide=True, contributor=contributor):
        if only_here:
            quarters = {one.quarter for one in found}
            for entry in hub.withdrawn().entries:
                told = entry.contributor == contributor and entry.scope == "person"
                if told and quarter(entry.time) in quarters:
                    lines.append(replace(entry, kind="undo"))
                    lines.append(replace(entry, scope="records"))
        else:
            made = tuple(f"{one.quarter}:{one.people}" for one in found)
            lines.append(Withdrawal("decided", "contributor", contributor, made=made))
        append(hub, lines)
    return len(found)
