"""Withdrawals that contributors report at the desk, until the steward has carried them out.

A report is a file in ``withdrawals/told/`` for its owner alone (0600): it holds the numbers of
cases, which nothing else of the desk does, until it is carried out or taken back.  What a
contributor is asked about a report comes from its own files alone: neither how many records of
others would go, nor whether somebody else has reported the same person.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ctdhub.build import find_person
from ctdhub.build import withdraw as withdrawing
from ctdhub.build.case_rows import NumberedCase
from ctdhub.build.find_person import ByWhat
from ctdhub.build.hub import Hub
from ctdhub.build.steps import Progress
from ctdhub.core.atomic import write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.lock import locked
from ctdhub.sensitive.consent.entry import Reason, Scope, Withdrawal

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
    chosen: Mapping[int, Collection[int]],
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


def take_back(hub: Hub, key: str, contributor: str) -> None:
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
    withdrawing.withdraw(hub, _entries(hub, told))
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
