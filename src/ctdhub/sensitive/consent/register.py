"""The register of withdrawals: its lines on disk, which are in force, and which records they
leave out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.errors import HubError, error
from ctdhub.core.files import rewrite, sync

# --------------------------------------------------------------------------------------------------
# One line of the register of withdrawals.

Kind = Literal["withdrawal", "undo", "renewal", "raw_deleted", "decided"]
"""What a line says: somebody withdrew; she or it is back; the contributor told the hub anew who
withdrew, after its tokens were made anew or, with a mark, that a row of a shared case is not hers;
the contributor's raw files were deleted; the steward decided that its withdrawals of a quarter may
take out so many people of other contributors."""

Scope = Literal["person", "records", "contributor", "delivery"]
"""How far it reaches: a person at every contributor, the contributor's records of a person, all
records of the contributor, those of one of its deliveries."""

Reason = Literal["asked", "consent", "agreement", "mistake", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why.  A closed list: no free text, so that nothing about a person can be written down."""

WAY = "by-"
"""How texts of :attr:`Withdrawal.made` begin that say what kind of key the mark was made of."""

FIRST = "0" * 64
"""What the first line names as the hash of the one before it."""


@dataclass(frozen=True)
class Withdrawal:
    """One line.

    Attributes:
        kind, scope: see :data:`Kind` and :data:`Scope`.
        contributor: id of the contributor that told the hub.
        mark: keyed hash of the key of a person or a case, of the id of a record without a person
            key, or of a delivery's file, hexadecimal; empty for a contributor.
        because: where the number of a case was told, the mark of that case on the lines of the
            person keys that it found, and of the rows that were chosen where several people share
            it; empty on what was told.
        reason: see :data:`Reason`.
        made: what says with which key and for which release the contributor's tokens were made, and
            how its files told people apart (:data:`WAY`, the kind of key and a digest of its
            columns); of a decision its quarter and number, as ``2026-Q1:25``.
        number: 1, 2, 3, …
        time: UTC, ISO 8601; lines that were written together have one time.
        key: which person key the mark was made with, without telling the key.
        charges, ledger: number and hash of the last line of the privacy ledger at that time; 0 and
            zeros before the first charge.
        previous, hash: of the line before (zeros for the first), and of this one.
    """

    kind: Kind
    scope: Scope
    contributor: str
    mark: str = ""
    because: str = ""
    reason: Reason = "asked"
    made: tuple[str, ...] = ()
    number: int = 0
    time: str = ""
    key: str = ""
    charges: int = 0
    ledger: str = FIRST
    previous: str = FIRST
    hash: str = ""

    def sealed(self) -> Withdrawal:
        """The entry with the hash of its other fields."""
        content = {k: v for k, v in vars(self).items() if k != "hash"}
        return replace(self, hash=hashlib.sha256(_canonical(content)).hexdigest())

    def line(self) -> bytes:
        """The entry as it lies in the register, without the end of the line."""
        return _canonical(vars(self))


def read(line: bytes, before: Withdrawal | None) -> Withdrawal | None:
    """The entry of a line that follows ``before``, or None where it is none."""
    try:
        fields = json.loads(line)
        entry = Withdrawal(**(fields | {"made": tuple(fields["made"])}))
        whole = entry.sealed() == entry and entry.line() == line
        known = entry.kind in get_args(Kind) and entry.scope in get_args(Scope)
        known = known and entry.reason in REASONS
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    follows = (before.number + 1, before.hash) if before else (1, FIRST)
    return entry if whole and known and (entry.number, entry.previous) == follows else None


def mark(secret: bytes, key: str) -> str:
    """What stands in the register for the key of a person or a case.

    HMAC-SHA256 (RFC 2104) under the hub's person key.  No message of another use begins with a
    zero byte, for ids of contributors are not empty.

    >>> mark(b"k" * 32, "a") == mark(b"k" * 32, "a") != mark(b"k" * 32, "b")
    True
    """
    return hmac.digest(secret, b"\0withdrawal\0" + key.encode(), hashlib.sha256).hex()


def delivery_mark(secret: bytes, contributor: str, date: str, digest: str) -> str:
    """What stands in the register for a file of a delivery.

    The same bytes of another day are another delivery.

    Args:
        secret: the hub's person key.
        contributor: whose.
        date: day of the delivery, as its folder is named.
        digest: SHA-256 of the file, hexadecimal.
    """
    return mark(secret, f"\0delivery\0{contributor}\0{date}\0{digest}")


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=True).encode()


# --------------------------------------------------------------------------------------------------
# The register of withdrawals on disk: appending, reading, finding what was changed.
#
# Lines are only ever added, each names the hash of the one before it.  What is told together is
# written at once: the new file is synced, then renamed over the old one, so that after a kill all
# of it is there or nothing.  ``head`` names the last line and lies elsewhere, with the privacy
# ledger, so that a register that was deleted or put back to an older copy is found out.  It is
# written after the register: what was written last and together may stand behind it.

REGISTER = "register.jsonl"


class WitnessedHead(NamedTuple):
    """Number and hash of the last line of the privacy ledger."""

    number: int = 0
    hash: str = FIRST


@dataclass(frozen=True)
class Register:
    """The register in a folder, which is made with the first line.

    Attributes:
        folder: where it lies.
        head: the file that names its last line.
        secret: the hub's person key, with which marks are made.
    """

    folder: Path
    head: Path
    secret: bytes = field(repr=False)

    @property
    def path(self) -> Path:
        """Where the lines lie."""
        return self.folder / REGISTER

    def entries(self) -> tuple[Withdrawal, ...]:
        """All lines.

        Raises:
            WithdrawalError: a line was changed, taken out or put in, lines are missing, or the
                person key is not the one that the marks were made with.
        """
        content = self.path.read_bytes() if self.path.exists() else b""
        entries: list[Withdrawal] = []
        *lines, rest = content.split(b"\n")
        for number, line in enumerate(lines, 1):
            entry = read(line, entries[-1] if entries else None)
            if entry is None:
                raise self._tampered(number)
            if entry.key != _check(self.secret):
                raise other_key(self.path)
            entries.append(entry)
        if rest:
            raise self._tampered(len(lines) + 1)
        self._check_head(entries)
        return tuple(entries)

    def append(self, new: Sequence[Withdrawal], ledger: WitnessedHead) -> tuple[Withdrawal, ...]:
        """Write lines behind the last one, all or none; the caller holds the hub's lock.

        Args:
            new: what to write; numbers, times, keys and hashes are filled in.
            ledger: its last line now.

        Raises:
            WithdrawalError: see :meth:`entries`.
        """
        every = list(self.entries())
        if not new:
            return ()
        if every:
            self._set_head(every[-1])
        known, time = len(every), _later(every[-1].time if every else "")
        seal: dict[str, Any] = {"time": time, "key": _check(self.secret), "ledger": ledger.hash}
        for entry in new:
            seal["previous"] = every[-1].hash if every else FIRST
            line = replace(entry, number=len(every) + 1, charges=ledger.number, **seal)
            every.append(line.sealed())
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(self.folder.parent)
        rewrite(self.path, b"".join(line.line() + b"\n" for line in every))
        self._set_head(every[-1])
        return tuple(every[known:])

    def _set_head(self, entry: Withdrawal) -> None:
        content = f"{entry.number} {entry.hash}\n".encode()
        if not self.head.exists() or self.head.read_bytes() != content:
            self.head.parent.mkdir(parents=True, exist_ok=True)
            rewrite(self.head, content)

    def _check_head(self, entries: list[Withdrawal]) -> None:
        """The last line that ``head`` knows is here; what stands behind it was written at once."""
        place = 0
        if self.head.exists():
            words = self.head.read_bytes().split()
            number, known = words if len(words) == 2 else (b"", b"")
            place = int(number) if number.isdigit() else 0
            if not 0 < place <= len(entries) or entries[place - 1].hash.encode() != known:
                raise self._tampered(min(max(place, 1), len(entries) + 1))
        if len({entry.time for entry in entries[place:]}) > 1:
            raise self._tampered(place + 1)

    def _tampered(self, number: int) -> HubError:
        return error("register-chain", file=self.path, row=number)


def other_key(register: Path) -> HubError:
    """The error of a person key that is lost, or is not the one that marks were made with."""
    return error("register-key", file=register)


def _check(secret: bytes) -> str:
    """Tells one key from another and nothing else about it."""
    return hmac.digest(secret, b"\0withdrawals: which key", hashlib.sha256).hex()[:16]


def _later(than: str) -> str:
    """Now, in microseconds, and always later than the last line, whatever the clock says."""
    now = datetime.now(UTC)
    if than:
        now = max(now, datetime.fromisoformat(than) + timedelta(microseconds=1))
    return now.isoformat(timespec="microseconds")


# --------------------------------------------------------------------------------------------------
# Which withdrawals are in force, after all lines of the register.


@dataclass(frozen=True)
class InForce:
    """Withdrawals in force.

    Attributes:
        entries: the line of each, the last one where it was told twice.
        renewed: by contributor, the tokens (see ``Withdrawal.made``) for which it told the hub anew
            who withdrew.
        decided: by contributor and quarter, how many people of other contributors the steward lets
            its withdrawals take out.
        seen: who said it, and the mark, of rows that share the number of a case with somebody who
            withdrew, and are not hers.
    """

    entries: tuple[Withdrawal, ...]
    renewed: Mapping[str, frozenset[str]]
    seen: frozenset[tuple[str, str]] = frozenset()
    decided: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def persons(self) -> frozenset[str]:
        """Marks of people who withdrew everywhere."""
        return self._marks("person")

    def records_at(self, contributor: str) -> frozenset[str]:
        """Marks of people whose records this contributor took back."""
        return self._marks("records", contributor)

    def deliveries_of(self, contributor: str) -> frozenset[str]:
        """Marks of files of deliveries of this contributor that were withdrawn."""
        return self._marks("delivery", contributor)

    def _marks(self, scope: Scope, contributor: str = "") -> frozenset[str]:
        of = [e for e in self.entries if e.scope == scope]
        return frozenset(e.mark for e in of if contributor in ("", e.contributor))

    def told_by(self, contributor: str) -> InForce:
        """What this contributor told, and nothing of what others did."""
        own = tuple(e for e in self.entries if e.contributor == contributor)
        return InForce(own, self.renewed, frozenset(s for s in self.seen if s[0] == contributor))

    @property
    def chosen(self) -> frozenset[str]:
        """Marks of cases of which rows were chosen: the others are of somebody else."""
        return frozenset(e.because for e in self.entries) - {e.mark for e in self.entries} - {""}

    @property
    def contributors(self) -> frozenset[str]:
        """Contributors that withdrew."""
        return frozenset(e.contributor for e in self.entries if e.scope == "contributor")

    @property
    def charges(self) -> int:
        """How many charges the ledger had at the last of them, 0 without any."""
        return max((e.charges for e in self.entries), default=0)

    @property
    def state(self) -> str:
        """Hash of what is in force: the same before a withdrawal and after it was undone."""
        what = sorted((e.scope, e.contributor, e.mark, e.because) for e in self.entries)
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()

    def lost(self, contributor: str, ways: frozenset[str]) -> bool:
        """Whether people whom it told as withdrawn would not be recognised in its files of today.

        Args:
            ways: how these tell people apart, texts that begin with ``entry.WAY``.
        """
        marks = {m for e in self.entries if e.contributor == contributor for m in e.made}
        before = {m for m in marks if m.startswith(WAY)}
        renewed = self.renewed.get(contributor, frozenset())
        return not (before <= ways or ways <= renewed)

    def told_for(self, contributor: str) -> frozenset[str] | None:
        """Tokens for which the hub knows of everybody who withdrew; None where they play no part.

        Tokens that were made anew find nobody who withdrew under the ones before.
        """
        lists = [e.made for e in self.entries if e.contributor == contributor]
        each = [frozenset(m for m in made if not m.startswith(WAY)) for made in lists]
        made = [one for one in each if one]
        if not made:
            return None
        return frozenset.intersection(*made) | self.renewed.get(contributor, frozenset())


def in_force(entries: Iterable[Withdrawal]) -> InForce:
    """What is in force after these lines.

    >>> gone = Withdrawal("withdrawal", "person", "our-ngo", "ab")
    >>> back = Withdrawal("undo", "person", "our-ngo", "ab")
    >>> len(in_force([gone]).persons), in_force([gone, back]).state == in_force([]).state
    (1, True)
    """
    last: dict[tuple[str, ...], Withdrawal] = {}
    renewed: dict[str, frozenset[str]] = {}
    seen: set[tuple[str, str]] = set()
    decided: dict[tuple[str, str], int] = {}
    for entry in entries:
        key = (entry.contributor, entry.scope, entry.mark, entry.because)
        if entry.kind == "withdrawal":
            last[key] = entry
        elif entry.kind == "undo":
            last.pop(key, None)
        elif entry.kind == "renewal" and entry.mark:
            seen.add((entry.contributor, entry.mark))
        elif entry.kind == "decided":
            for one in entry.made:
                when, number = one.split(":")
                decided[entry.contributor, when] = int(number)
        elif entry.kind == "renewal":
            before = renewed.get(entry.contributor, frozenset())
            renewed[entry.contributor] = before | frozenset(entry.made)
    return InForce(tuple(last.values()), renewed, frozenset(seen), decided)


def reported(entries: Iterable[Withdrawal], contributor: str) -> tuple[Withdrawal, ...]:
    """The lines of what a contributor reported, as if no steward had decided about them.

    That there was something to decide depends on the records of others: so neither the decision nor
    what it wrote is among them, and who was kept to the contributor's own records counts as before.

    >>> gone = Withdrawal("withdrawal", "person", "our-ngo", "ab", time="1")
    >>> kept = (replace(gone, kind="undo", time="2"), replace(gone, scope="records", time="2"))
    >>> reported([gone, *kept, Withdrawal("decided", "contributor", "our-ngo")], "our-ngo") == (
    ...     gone,
    ... )
    True
    """
    own = [e for e in entries if e.contributor == contributor and e.kind != "decided"]

    def lines(kind: str, scope: str) -> set[tuple[str, str, str]]:
        return {(e.time, e.mark, e.because) for e in own if (e.kind, e.scope) == (kind, scope)}

    decided = lines("undo", "person") & lines("withdrawal", "records")
    moved: set[tuple[str, str]] = set()
    report = []
    for entry in own:
        pair = (entry.mark, entry.because)
        if (entry.time, *pair) in decided and (entry.kind, entry.scope) in _MOVED:
            moved.add(pair)
        else:
            mine = entry.scope == "records" and pair in moved
            report.append(replace(entry, scope="person") if mine else entry)
    return tuple(report)


_MOVED = {("undo", "person"), ("withdrawal", "records")}
"""The two lines by which the steward keeps a withdrawal to the records of its contributor."""


# --------------------------------------------------------------------------------------------------
# Which records belong to people who withdrew.
#
# A person withdraws, not a row: a record that is found by its case or its person key leaves, and so
# does every record, of whatever contributor, that has the same person key.  Whom tokens join with
# her stays: a false link would leave out somebody else (decision 27).
#
# Where several people share the number of a case, the rows that are hers are chosen, and the marks
# of the others are kept: a row of that case that nobody has spoken of may be hers, corrected.

RULE = "withdrawn"
"""Name of the rule by which rows of people who withdrew are excluded, in the account of rows."""


@dataclass(frozen=True)
class Filed:
    """One file of a contributor.

    Attributes:
        contributor: its id.
        records: ``record_id``, ``person_key`` (null allowed).
        cases: ``record_id``, ``case`` of the records that have one.
    """

    contributor: str
    records: pa.Table
    cases: pa.Table


def row_mark(secret: bytes, person_key: str | None, record_id: str) -> str:
    """What stands in the register for a row of a case: its person key, else its record."""
    return mark(secret, person_key if person_key is not None else f"\0record\0{record_id}")


def unspoken(file: Filed, force: InForce, secret: bytes) -> bool:
    """Whether a case of which rows were chosen has a row that nobody has spoken of."""
    known = {e.mark for e in force.entries} | {other for _who, other in force.seen}
    hers = _having(file.cases, "case", _key_marks(file.cases["case"], force.chosen, secret))
    return any(
        row_mark(secret, row["person_key"], row["record_id"]) not in known
        for row in _having(file.records, "record_id", hers["record_id"].to_pylist()).to_pylist()
    )


def left_out(files: Iterable[Filed], force: InForce, secret: bytes) -> pa.Array:
    """Ids of the records that are left out.

    Args:
        files: all files that take part; those of contributors that withdrew count as left out.
            They are gone through several times, so that no more than one need be in memory.
        force: the withdrawals.
        secret: the hub's person key.
    """
    ids = [pa.array([hit.record for hit in _gone(files, force, secret)], pa.string())]
    for file in files if force.contributors else ():
        if file.contributor in force.contributors:
            ids.append(file.records["record_id"].combine_chunks())
    return pa.concat_arrays(ids).drop_null().unique()


def carried(file: Filed, force: InForce, secret: bytes) -> frozenset[str]:
    """Marks in force of people whom a file has a record of: by its key, its case, or itself."""
    wanted = frozenset(e.mark for e in force.entries)
    hits = _hits(file, wanted, force.chosen, secret)
    return frozenset[str]().union(*(hit.marks for hit in hits))


def also_known(files: Sequence[Filed], cases: Iterable[str]) -> dict[str, set[str]]:
    """Person keys of the records of each case, where it has any.

    They are written down with the case, so that a person stays out of the files of others after
    the file that tells of both is gone.

    Args:
        files: of the contributor that tells the cases.
        cases: keys of cases.
    """
    wanted, by_case = pa.array(sorted(set(cases)), pa.string()), dict[str, set[str]]()
    for file in files:
        hers = file.cases.filter(pc.is_in(file.cases["case"], value_set=wanted))
        place = pc.index_in(hers["record_id"], value_set=file.records["record_id"].combine_chunks())
        keys = file.records["person_key"].take(place)
        for case, key in zip(hers["case"].to_pylist(), keys.to_pylist(), strict=True):
            if key is not None:
                by_case.setdefault(case, set()).add(key)
    return by_case


def _key_marks(keys: pa.ChunkedArray, marks: frozenset[str], secret: bytes) -> dict[str, str]:
    """Keys of people or cases that have one of the marks, with it."""
    known = keys.unique().drop_null().to_pylist() if marks else ()
    return {key: own for key in known if (own := mark(secret, key)) in marks}


def _having(rows: pa.Table, column: str, values: Iterable[str]) -> pa.Table:
    """The rows with one of these values."""
    return rows.filter(pc.is_in(rows[column], value_set=pa.array(list(values), pa.string())))


# --------------------------------------------------------------------------------------------------
# How many people of other contributors the withdrawals of one take out.
#
# A person withdraws everywhere, so one contributor can take out what another sent: also by planting
# a row with somebody's token.  Who sent it is not asked, for the question would tell it that she
# withdrew.  So these people are counted, for the steward alone, by who told it and in which
# quarter.

Notice = tuple[str, str]
"""A contributor that told, and the quarter in which it did, as 2026-Q1."""


@dataclass(frozen=True)
class _Hit:
    """A record of somebody who withdrew, with the marks that find it."""

    contributor: str
    record: str
    key: str | None
    marks: frozenset[str]


def quarter(time: str) -> str:
    """The quarter of a time.

    >>> quarter("2026-11-05T10:00:00.000000+00:00")
    '2026-Q4'
    """
    return f"{time[:4]}-Q{(int(time[5:7]) + 2) // 3}"


def elsewhere(files: Iterable[Filed], force: InForce, secret: bytes) -> Mapping[Notice, int]:
    """People of other contributors who are left out, by who told that they withdrew, and when.

    A person of whom the other contributor told it as well is not counted: it took her out itself.

    Args:
        files: all files that take part, without records that newer deliveries replace; they are
            gone through several times.
        force: the withdrawals; each line has its time.
        secret: the hub's person key.
    """
    telling: dict[str, list[Withdrawal]] = {}
    for entry in force.entries:
        if entry.scope in ("person", "records"):
            telling.setdefault(entry.mark, []).append(entry)
    people: dict[Notice, set[str]] = {}
    for hit in _gone(files, force, secret) if force.persons else ():
        person, marks = hit.record if hit.key is None else hit.key, set(hit.marks)
        if hit.key is not None:
            marks.add(mark(secret, hit.key))
        entries = [entry for each in marks for entry in telling.get(each, ())]
        if all(entry.contributor != hit.contributor for entry in entries):
            for entry in entries:
                if entry.scope == "person":
                    who = entry.contributor, quarter(entry.time)
                    people.setdefault(who, set()).add(person)
    return {who: len(each) for who, each in sorted(people.items())}


def _gone(files: Iterable[Filed], force: InForce, secret: bytes) -> Iterator[_Hit]:
    """The records of people who withdrew, at contributors that did not.

    Who has the person key of one whom a mark finds leaves with her, found by the marks of her key.
    """
    persons, hits, by_key = force.persons, list[_Hit](), dict[str, set[str]]()
    for file in files:
        if file.contributor not in force.contributors:
            marks = persons | force.records_at(file.contributor)
            hits += _hits(file, marks, force.chosen, secret)
    for hit in hits:
        if hit.key is not None and hit.marks & persons:
            by_key.setdefault(hit.key, set()).update(hit.marks & persons)
    yield from (hit for hit in hits if hit.key not in by_key)
    for file in files if by_key else ():
        if file.contributor not in force.contributors:
            for row in _having(file.records, "person_key", by_key).to_pylist():
                id_, key = row["record_id"], row["person_key"]
                yield _Hit(file.contributor, id_, key, frozenset(by_key[key]))


def _hits(
    file: Filed, marks: frozenset[str], chosen: frozenset[str], secret: bytes
) -> Iterator[_Hit]:
    """The records of a file that some of the marks find."""
    if not marks:
        return
    by_record: dict[str, set[str]] = {}
    cases = _key_marks(file.cases["case"], marks | chosen, secret)
    for row in _having(file.cases, "case", cases).to_pylist():
        by_record.setdefault(row["record_id"], set()).add(cases[row["case"]])
    records, keys = file.records, _key_marks(file.records["person_key"], marks, secret)
    near = pc.or_(
        pc.is_in(records["record_id"], value_set=pa.array(list(by_record), pa.string())),
        pc.is_in(records["person_key"], value_set=pa.array(list(keys), pa.string())),
    )
    for row in records.filter(near).to_pylist():
        id_, key = row["record_id"], row["person_key"]
        row_marks = by_record.get(id_, set()) | {row_mark(secret, key, id_)}
        if here := frozenset(row_marks & marks):
            yield _Hit(file.contributor, id_, key, here)
