"""Withdrawals: reported, written down, carried out, taken back; of a person, a delivery, a
contributor.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import remove, sync, write_whole
from ctdhub.core.i18n import Numeral, Text
from ctdhub.hub import deliveries, find_person
from ctdhub.hub.contributions import contributor_of
from ctdhub.hub.find_person import AffectedRecords, ByWhat, NumberedCase, keying_of, keys_of
from ctdhub.hub.folder import Detail, Hub, alone, noted
from ctdhub.hub.paid import check_paid, ledger
from ctdhub.hub.steps import Progress, hash_file, hash_of
from ctdhub.release.manifest import MANIFEST
from ctdhub.sensitive.bundle.leaving import MOST_CODES, is_code, parse_withdrawal
from ctdhub.sensitive.bundle.pack import key_print
from ctdhub.sensitive.consent import register as consent
from ctdhub.sensitive.consent.register import InForce, Reason, Scope, Withdrawal, WitnessedHead

# --------------------------------------------------------------------------------------------------
# Writing withdrawals down, and taking them back.

NOTHING_FOUND = Text(
    "No record found so far: no record that the hub has read has the number or token, so nothing "
    "was taken out. It stays in force: a record that comes later is left out."
)
"""What a steward is told of a number that no record has."""
NOT_SEARCHED = Text(
    "Not every file was searched: {names} sent one that is new or has changed, or that no mapping "
    "reads. Once a build reads it, a person who withdrew everywhere is left out of it too."
)
"""What a steward is told of organisations that may know the person, and were not searched."""


def register(hub: Hub) -> tuple[tuple[Withdrawal, ...], InForce]:
    """All lines of the register, and what is in force.

    Raises:
        WithdrawalError: it was changed.
        LedgerTampered: the privacy ledger is older than what the register saw of it.
    """
    check_paid(hub)
    return hub.withdrawal_lines(), hub.withdrawn()


def recorded_numbers(hub: Hub, contributor: str = "") -> dict[tuple[str, str], bool]:
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
    entries = [e for e in force.entries if e.scope in ("person", "records")]
    if not entries:
        return {}
    steps = find_person.read_files(hub, contributor)
    out, secret = deliveries.replaced_ids(hub, steps).ids, hub.person_key()
    by: dict[str, set[str]] = {}
    for step in steps:
        hits = consent.carried(deliveries.filed(step, out), force, secret)
        by.setdefault(contributor_of(step), set()).update(hits)
    anywhere = frozenset[str]().union(*by.values())
    answer: dict[tuple[str, str], bool] = {}
    for e in entries:
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
        new = [entry for entry in entries if not find_person.in_force_already(entry, force)]
        append(hub, new)
        return find_person.reported_numbers(new)


@contextmanager
def _writing(hub: Hub, contributor: str, **details: Detail) -> Iterator[InForce]:
    """The register, for lines about one contributor; what is told is noted as well.

    Yields:
        What is in force.

    Raises:
        PolicyError: no such contributor.
        WithdrawalError: the register was changed.
        HubFolderError: a build is at work.
    """
    hub.agreement(contributor)
    with hub.lock(), noted(hub, "withdraw", **details, contributor=contributor):
        yield hub.withdrawn()


def take_back(
    hub: Hub, contributor: str, texts: Sequence[str] | None, by: ByWhat | None, reason: Reason
) -> int:
    """Undo withdrawals that this contributor told; gives how many.

    Args:
        texts: numbers or tokens; None undoes the withdrawal of the contributor itself.

    Raises:
        WithdrawalError: one of them is not in force; nothing is written then.
    """
    with _writing(hub, contributor, undo=True) as force:
        marks = {"": 1}
        if texts is not None:
            secret, keys = hub.person_key(), keys_of(keying_of(hub, contributor, by), texts)
            marks = {consent.mark(secret, key): place for place, key in enumerate(keys, 1)}
        entries = [
            e
            for e in force.told_by(contributor).entries
            if (e.because or e.mark) in marks and (e.scope == "contributor") == (texts is None)
        ]
        known = {e.because or e.mark for e in entries}
        missing = sorted(place for m, place in marks.items() if m not in known)
        if missing and texts is None:
            raise error("not-withdrawn", id=contributor)
        if missing:
            raise error("not-withdrawn/person", places=", ".join(map(str, missing)))
        append(hub, [replace(e, kind="undo", reason=reason, made=()) for e in entries])
        return len(known)


def tell_renewed(hub: Hub, contributor: str) -> None:
    """Write down that the hub knows who withdrew in the tokens that the contributor's files have.

    Raises:
        HubError: its files cannot be read.
    """
    with _writing(hub, contributor, renewed=True):
        steps = find_person.harmonised_files(hub, contributor, None)
        own = [step for step in steps if contributor_of(step) == contributor]
        gone = deliveries.replaced_ids(hub, own).ids
        made = deliveries.made_with(own, gone) | deliveries.ways_of(hub, own)
        _note(hub, Withdrawal("renewal", "contributor", contributor, made=tuple(sorted(made))))


def delete_raw(hub: Hub, contributor: str) -> int:
    """Delete the raw files of a contributor that withdrew, and what was made of them.

    Returns:
        How many raw files there were.

    Raises:
        WithdrawalError: the contributor did not withdraw.
    """
    with _writing(hub, contributor, delete_raw=True) as force:
        if contributor not in force.contributors:
            raise error("not-withdrawn/files", id=contributor)
        files = sum(c.contributor == contributor for c in hub.received())
        for folder in (hub.root / "contributions", hub.work / "harmonised"):
            if (folder / contributor).is_dir():
                remove(folder / contributor)
        _note(hub, Withdrawal("raw_deleted", "contributor", contributor, reason="agreement"))
        return files


def outdated(hub: Hub) -> list[str]:
    """Versions of candidates that may not be published, because somebody withdrew since."""
    versions = []
    for manifest in sorted(hub.candidates.glob(f"[!.]*/{MANIFEST}")):
        older = True  # also where nothing can be told
        with suppress(HubError):
            older = deliveries.is_older(hub, manifest.parent)
        versions += [manifest.parent.name] if older else []
    return versions


def append(hub: Hub, lines: Sequence[Withdrawal]) -> None:
    """Write lines; the caller holds the hub's lock.

    What was made of people before goes first, so that nothing more is made of it.  The next build
    makes the table of people anew.
    """
    if lines:
        shutil.rmtree(hub.work / "people", ignore_errors=True)
    _note(hub, *lines)


def _note(hub: Hub, *lines: Withdrawal) -> None:
    """Write lines that leave nobody out."""
    last = ledger(hub).entries()[-1:]
    head = WitnessedHead(last[0].number, last[0].hash) if last else WitnessedHead()
    hub.withdrawals.append(lines, head)


# --------------------------------------------------------------------------------------------------
# Reports of withdrawals, from the day on which they come until they are answered; the desk and the
# command line keep them in one store.
#
# A report is a file in ``withdrawals/told/`` for its owner alone (0600): it holds the numbers of
# cases, which nothing else does, until it is answered or taken back.  What a contributor is asked
# about a report comes from its own files alone: neither how many records of others would go, nor
# whether somebody else has reported the same person.

MOST_OPEN, LONGEST = 20, 500
"""Reports of one contributor that are not answered yet, and characters of a number or a reason."""

ReportState = Literal["sent", "asked", "ready", "nothing_found", "done"]
"""Its records are looked for; the contributor must answer; the steward may carry it out; it is
answered, and it took out none of the contributor's records; it is carried out."""


@dataclass(frozen=True)
class WithdrawalReport:
    """A report.  Sensitive.

    Attributes:
        contributor: that reports it.
        scope: "contributor" where the whole organisation withdraws.
        by: what its numbers are.
        numbers: as the contributor writes them; empty once it is answered.
        ahead: also those that no record carries yet.
        everybody: all people who share a number withdraw.
        file: digest of the signed file that its numbers came with, "" without one.
        wants_file: the contributor sends codes, so that such a file must come first.
        unknown: places of those that no record carries.
        missed: how many numbers took out no record of the contributor when it was carried out.
        asked: numbers that several people share.
        passed: why the steward lets releases go on without an answer.
        sent, ended: UTC, ISO 8601.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    contributor: str
    scope: Scope
    reason: Reason
    state: ReportState = "sent"
    by: ByWhat | None = None
    numbers: tuple[str, ...] = field(default=(), repr=False)
    ahead: bool = False
    everybody: bool = False
    file: str = ""
    wants_file: bool = False
    unknown: tuple[int, ...] = ()
    missed: int = 0
    asked: tuple[NumberedCase, ...] = field(default=(), repr=False)
    passed: str = field(default="", repr=False)
    sent: str = ""
    ended: str = ""

    @property
    def digest(self) -> str:
        """A digest of what the contributor is asked."""
        return hash_of([self.unknown, [sorted(case.marks) for case in self.asked]])

    @property
    def open(self) -> bool:
        """Whether the contributor must still answer."""
        unsaid = any(case.chosen is None for case in self.asked)
        return self.wants_file or unsaid or bool(self.unknown and not self.ahead)

    def looked_for(
        self, unknown: tuple[int, ...], asked: Sequence[NumberedCase], *, wants_file: bool
    ) -> WithdrawalReport:
        """Its records were looked for: it is asked, or ready; a pass stays until that changes."""
        now = replace(self, unknown=unknown, asked=tuple(asked), wants_file=wants_file)
        now = replace(now, state="asked" if now.open else "ready")
        return now if self.state in ("sent", now.state) else replace(now, passed="")

    def answered(
        self, chosen: Mapping[int, Collection[int]], unknown: Literal["ahead", "drop", ""]
    ) -> WithdrawalReport:
        """It was asked, and is ready; see :func:`answer`.

        Raises:
            WithdrawalError: an answer is missing.
        """
        drop = self.unknown if unknown == "drop" else ()
        kept = [place for place in range(1, len(self.numbers) + 1) if place not in drop]
        asked = []
        for case in self.asked:
            rows = chosen.get(case.place)
            if rows is None or not all(0 <= at < len(case.rows) for at in rows):
                raise error("told-open")
            hers = tuple(sorted({case.rows[at].mark for at in rows}))
            asked.append(replace(case, place=kept.index(case.place) + 1, chosen=hers))
        now = replace(
            self, state="ready", numbers=tuple(self.numbers[place - 1] for place in kept),
            ahead=self.ahead or unknown == "ahead", unknown=() if drop else self.unknown,
            asked=tuple(asked), passed="",
        )  # fmt: skip
        if now.open:
            raise error("told-open")
        return now

    def carried_out(self) -> WithdrawalReport:
        """It was ready, and is written into the register: its numbers are needed no more."""
        missed = len(self.unknown) + sum(not case.chosen for case in self.asked)
        nobody = missed and missed == len(self.numbers)
        return replace(
            self, state="nothing_found" if nobody else "done", missed=missed, ended=_now(),
            numbers=(), asked=(), unknown=(), passed="",
        )  # fmt: skip


def submit(
    hub: Hub,
    contributor: str,
    scope: Scope,
    reason: Reason,
    numbers: Sequence[str] = (),
    by: ByWhat | None = None,
    *,
    ahead: bool = False,
    everybody: bool = False,
) -> str:
    """Keep a report; gives its key, that of the same report where one is not answered yet.

    Args:
        hub: the hub.
        contributor: that reports it.
        scope: see ``consent.register.Scope``; with "contributor" there are no numbers.
        reason: why.
        numbers: numbers of cases or tokens.
        by: what they are; None takes numbers where the mapping knows them, else tokens.
        ahead, everybody: see :class:`WithdrawalReport`.

    Raises:
        WithdrawalError: there is none, one is too long or is none, or too many reports wait.
        PolicyError: no such contributor.
        MappingError: its mapping knows no such numbers or tokens.
    """
    hub.agreement(contributor)
    whole = scope == "contributor"
    clean = () if whole else tuple(dict.fromkeys(n.strip() for n in numbers if n.strip()))
    if scope == "delivery" or not (clean or whole) or any(len(n) > LONGEST for n in clean):
        raise error("told-numbers", n=MOST_CODES)  # a delivery is withdrawn by its own page
    if clean:
        keys_of(keying_of(hub, contributor, by), clean)
    report = WithdrawalReport(
        contributor, scope, reason, "ready" if whole else "sent", by, clean, ahead, everybody
    )
    with alone(_folder(hub)):
        for key, one in waiting(hub, contributor).items():
            if (one.scope, one.by, one.numbers) == (scope, by, clean):
                same = replace(one, ahead=ahead or one.ahead, everybody=everybody or one.everybody)
                _write(hub, key, same)
                return key
        return _add(hub, report)


def submit_file(hub: Hub, contributor: str, content: bytes) -> str:
    """Keep the report in a signed file of codes; gives its key.

    It answers the oldest report of the contributor that waits for such a file, where there is one.

    Raises:
        FileError: it is no such file, it was changed, it is of another organisation, for another
            hub or signed with a key that the agreement does not name, or it came before.
        HubError: as of :func:`submit`.
    """
    agreement = hub.agreement(contributor)
    file = parse_withdrawal(content)
    own = (file.contributor, file.hub) == (contributor, hub.settings.name)
    if not own or file.signer not in agreement.senders:
        raise error("withdrawal-file/whose", id=contributor, fingerprint=key_print(file.signer))
    keys_of(keying_of(hub, contributor, "case"), file.codes)
    report = WithdrawalReport(
        contributor, file.scope, "asked", by="case", numbers=file.codes, file=file.digest
    )
    with alone(_folder(hub)):
        if any(one.file == file.digest for one in reports(hub, contributor).values()):
            raise error("withdrawal-file/again")
        older = {k: one for k, one in waiting(hub, contributor).items() if one.wants_file}
        if not older:
            return _add(hub, report)
        key, old = [*older.items()][-1]
        known = [n for at, n in enumerate(old.numbers, 1) if at not in old.unknown]
        numbers = (*file.codes, *(n for n in known if n not in file.codes))
        _write(hub, key, replace(report, reason=old.reason, numbers=numbers, sent=old.sent))
        return key


def reports(hub: Hub, contributor: str = "") -> dict[str, WithdrawalReport]:
    """All reports by key, the newest first; of one contributor if it is named."""
    every = [(path.stem, report_of(hub, path.stem)) for path in _folder(hub).glob("*.json")]
    kept = [pair for pair in every if contributor in ("", pair[1].contributor)]
    return dict(sorted(kept, key=lambda pair: pair[1].sent, reverse=True))


def waiting(hub: Hub, contributor: str = "") -> dict[str, WithdrawalReport]:
    """Those that are not answered yet."""
    return {key: one for key, one in reports(hub, contributor).items() if not one.ended}


def report_of(hub: Hub, key: str, contributor: str = "") -> WithdrawalReport:
    """A report.

    Raises:
        WithdrawalError: there is none, or it is not this contributor's.
    """
    with suppress(FileNotFoundError, ValueError):
        report = _STORED.validate_json(_path(hub, key).read_bytes())
        if contributor in ("", report.contributor):
            return report
    raise error("no-told")


def look_for(
    hub: Hub, key: str, progress: Progress
) -> tuple[WithdrawalReport, AffectedRecords | None]:
    """Look for the records of a report, and keep what the contributor must be asked.

    Returns:
        The report, and what it would write down and take out: for the steward alone.

    Raises:
        HubError: its files cannot be read, a build is at work, or it was answered meanwhile.
    """
    report = report_of(hub, key)
    if report.scope == "contributor" or report.ended:
        return report, None
    before = {case.place: case for case in report.asked}
    asked: list[NumberedCase] = []

    def choose(case: NumberedCase) -> Collection[int]:
        known = before.get(case.place)
        if known is not None and known.marks == case.marks:
            case = replace(case, chosen=known.chosen)
        if case.rows:  # a number that no record carries any more is unknown, whatever was chosen
            asked.append(case)
        return [at for at, row in enumerate(case.rows) if row.mark in (case.chosen or ())]

    who, what = report.contributor, (report.numbers, report.by, report.scope, report.reason)
    effect = find_person.look_up(hub, who, *what, progress, choose, report.everybody)
    tokens = keying_of(hub, who, report.by).action == "token"
    coded = tokens or report.file or all(map(is_code, report.numbers))
    wants = not coded and find_person.sends_codes(hub, who)
    now = report.looked_for(effect.unknown, asked, wants_file=wants)
    with alone(_folder(hub)):
        if report_of(hub, key) != report:
            raise error("told-changed")
        _write(hub, key, now)
    return now, effect


def answer(
    hub: Hub,
    key: str,
    contributor: str,
    seen: str,
    chosen: Mapping[int, Collection[int]],
    unknown: Literal["ahead", "drop", ""],
) -> None:
    """Keep what the contributor says of a report.

    Args:
        hub: the hub.
        key: of the report.
        contributor: whose it is.
        seen: the digest of what it was asked.
        chosen: by place of a number, places (from 0) of the rows about the person.
        unknown: what becomes of numbers that no record carries: they are kept for when one does,
            or are left out.

    Raises:
        WithdrawalError: there is no such report, it has changed, or an answer is missing.
    """
    with alone(_folder(hub)):
        report = report_of(hub, key, contributor)
        if report.state != "asked" or report.digest != seen:
            raise error("told-changed")
        now = report.answered(chosen, unknown)
        if now.numbers:
            _write(hub, key, now)
        else:
            _path(hub, key).unlink()


def take_back_report(hub: Hub, key: str, contributor: str) -> None:
    """Delete a report that is not answered yet.

    Raises:
        WithdrawalError: there is none, or it is answered.
    """
    with alone(_folder(hub)):
        if report_of(hub, key, contributor).ended:
            raise error("told-changed")
        _path(hub, key).unlink()


def carry_out(hub: Hub, key: str, progress: Progress) -> WithdrawalReport:
    """Write a report into the register and delete its numbers.  It may be done again.

    Returns:
        The report: answered, or "asked" if the contributor must be asked first.

    Raises:
        HubError: as of :func:`look_for` and :func:`withdraw`.
    """
    report, effect = look_for(hub, key, progress)
    if report.state != "ready":
        return report
    whole = Withdrawal("withdrawal", "contributor", report.contributor, reason=report.reason)
    withdraw(hub, effect.entries if effect else [whole])
    ended = report.carried_out()
    with alone(_folder(hub)):
        _write(hub, key, ended)
    return ended


def pass_over(hub: Hub, contributor: str, reason: str) -> None:
    """Let releases go on without an answer to what a contributor reported, while it has no other.

    What waits for the steward alone is to be carried out; where nothing else of the contributor
    stops a release, it is passed too, for what it needs may be gone.

    Args:
        hub: the hub.
        contributor: that reported it.
        reason: why, in the steward's words; who approves is shown it.

    Raises:
        WithdrawalError: there is no such report, or no reason.
    """
    words = printable(" ".join(reason.split()), LONGEST + 1)
    if not 0 < len(words) <= LONGEST:
        raise error("withdrawal-open/reason", most=LONGEST)
    passed = noted(hub, "withdraw", passed=True, contributor=printable(contributor))
    with alone(_folder(hub)), passed:
        every = waiting(hub, contributor) if contributor else {}
        if not every:
            raise error("no-told")
        unsaid = [k for k, one in every.items() if one.state != "ready" and not one.passed]
        for key in unsaid or every:
            _write(hub, key, replace(every[key], passed=words))


def waiting_words(hub: Hub) -> list[Text]:
    """What people of the hub must know of reports that wait, before they go on."""
    every = waiting(hub).values()
    still = sum(not one.passed for one in every)
    passed = [
        Text("Passed without an answer: {reason}", reason=one.passed) for one in every if one.passed
    ]
    stop = Text(
        "Reported withdrawals that wait for an answer: {n}. Until each is answered, or the steward "
        "passes it with a reason, nothing is built for a release, approved or published.",
        n=Numeral(still),
    )
    return [*([stop] if still else []), *passed]


def _folder(hub: Hub) -> Path:
    return hub.root / "withdrawals" / "told"


def _path(hub: Hub, key: str) -> Path:
    if not re.fullmatch("[0-9a-f]{32}", key):
        raise error("no-told")
    return _folder(hub) / f"{key}.json"


_STORED = TypeAdapter(WithdrawalReport)


def _write(hub: Hub, key: str, report: WithdrawalReport) -> None:
    write_whole(_path(hub, key), _STORED.dump_json(report, indent=1))


def _add(hub: Hub, report: WithdrawalReport) -> str:
    if len(waiting(hub, report.contributor)) >= MOST_OPEN:
        raise error("told-numbers/reports", n=MOST_OPEN)
    key = secrets.token_hex(16)
    _write(hub, key, replace(report, sent=_now()))
    return key


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
    hub.agreement(contributor)
    with hub.lock(), noted(hub, "withdraw", contributor=contributor, delivery=date):
        own = [c.file for c in hub.received() if (c.contributor, c.date) == (contributor, date)]
        paths = {path: digest for path in own if (digest := hash_file(path)) in files}
        secret, force = hub.person_key(), hub.withdrawn()
        line = Withdrawal("withdrawal", "delivery", contributor, reason=reason)
        lines = [
            replace(line, mark=consent.delivery_mark(secret, contributor, date, digest))
            for digest in sorted({*paths.values()} or set(files))
        ]
        repeats = [line for line in lines if find_person.in_force_already(line, force)]
        if not paths and not repeats:
            file = hub.root / "contributions" / printable(contributor)
            raise error("no-delivery", file=file, id=contributor, date=date)
        append(hub, [line for line in lines if line not in repeats] if paths else [])
        for path in paths:
            path.unlink()
        if (derived := hub.work / "harmonised" / contributor / date).is_dir():
            remove(derived)
        if (place := hub.root / "contributions" / contributor / date).is_dir():
            if not any(place.glob("[!.]*")):
                remove(place)
            sync(place.parent)
        return len(paths)


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
    hub: Hub, delivered: Sequence[deliveries.DeliveredFiles] | None = None
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
        delivered = deliveries.sent(hub, find_person.read_files(hub))
    own = [step for one in delivered for step in one.steps]
    files = deliveries.EachFiled(own, deliveries.replaced_of(delivered).ids)
    limit = hub.settings.withdrawn_elsewhere
    return [
        TakenElsewhere(name, when, people, max(limit, force.decided.get((name, when), 0)))
        for (name, when), people in consent.elsewhere(files, force, hub.person_key()).items()
    ]


def check_elsewhere(hub: Hub, delivered: Sequence[deliveries.DeliveredFiles]) -> None:
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
    with _writing(hub, contributor, decide=True) as force:
        taken = [t for t in taken_elsewhere(hub) if t.contributor == contributor and t.open]
        if not taken:
            raise error("nothing-to-decide", id=contributor)
        made = {one.quarter: f"{one.quarter}:{one.people}" for one in taken}
        lines = [Withdrawal("decided", "contributor", contributor, made=tuple(made.values()))]
        if only_here:
            own = [e for e in force.told_by(contributor).entries if e.scope == "person"]
            kept = [e for e in own if consent.quarter(e.time) in made]
            pairs = ((replace(e, kind="undo"), replace(e, scope="records")) for e in kept)
            lines = [line for pair in pairs for line in pair]
        append(hub, lines)
    return len(made)
