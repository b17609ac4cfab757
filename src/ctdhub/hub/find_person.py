"""Whose records a number of a case, or a token, finds."""

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.core.errors import HubError, MappingError, error
from ctdhub.core.tables import FILE_ROW
from ctdhub.hub.contributions import CASES, RECORDS, contributor_of, date_of, mappings
from ctdhub.hub.deliveries import EachFiled, filed, made_with, replaced_ids, without
from ctdhub.hub.folder import Hub, policy
from ctdhub.hub.stages.harmonise import harmonise_file
from ctdhub.hub.steps import Progress, Step
from ctdhub.schema.model import AGE, PERIOD, SEX
from ctdhub.sensitive.bundle.leaving import is_code
from ctdhub.sensitive.consent import register as consent
from ctdhub.sensitive.consent.register import InForce, Kind, Reason, Scope, Withdrawal
from ctdhub.sensitive.mapping.identifiers import Keying, keyings
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping

# --------------------------------------------------------------------------------------------------
# Rows behind the number of a case that several people share, so that the right ones are chosen.

_READ = ["record_id", "person_key", "source_row", PERIOD, SEX, AGE]


@dataclass(frozen=True)
class CaseRow:
    """One row, as the steward sees it.  Sensitive.

    Attributes:
        date, row: the delivery and the row in its file.
        year, gender, age: what it says, None where not recorded.
        mark: what would stand in the register for it.
        withdrawn: whether its contributor withdrew it before.
        keyed: whether it has a person key.
    """

    date: str
    row: int
    year: int | None
    gender: str | None
    age: str | None
    mark: str
    withdrawn: bool
    keyed: bool


@dataclass(frozen=True)
class NumberedCase:
    """A number of a case and its rows.  Sensitive.

    Attributes:
        place: its place (from 1) in what was given.
        mark: of the case.
        rows: those in force; ``mark`` is not shown.
        watched: whether rows of it were chosen before.
        chosen: marks of the rows about the person; None until somebody has said.
    """

    place: int
    mark: str
    rows: tuple[CaseRow, ...]
    watched: bool
    chosen: tuple[str, ...] | None = None

    @property
    def marks(self) -> frozenset[str]:
        """Marks of all rows."""
        return frozenset(row.mark for row in self.rows)

    @property
    def shared(self) -> bool:
        """Whether somebody must say which rows are hers."""
        return len(self.marks) > 1 or self.watched

    @property
    def alone(self) -> bool:
        """Whether it has one row, which nothing but itself tells from another row of that case."""
        return len(self.rows) == 1 and not self.watched and not self.rows[0].keyed

    def entries(self, chosen: Collection[int], entry: Withdrawal) -> list[Withdrawal]:
        """What would be written down: who withdrew, and of which rows she is not the person.

        Where no row is about her, a line that finds nobody keeps the number in force: a later row
        of that case is asked about.

        Args:
            chosen: places (from 0) of the rows that are hers; none says that none is.
            entry: what would be written down of the number itself.
        """
        kinds: dict[str, Kind] = {self.rows[place].mark: "withdrawal" for place in sorted(chosen)}
        if not (chosen or self.watched):
            kinds[hashlib.sha256(b"nobody yet" + self.mark.encode()).hexdigest()] = "withdrawal"
        for row in self.rows:
            if not row.withdrawn:
                kinds.setdefault(row.mark, "renewal")
        line = replace(entry, because=self.mark)
        return [replace(line, kind=kind, mark=row) for row, kind in kinds.items()]


Choose = Callable[[NumberedCase], Collection[int]]
"""Gives the places of the rows that are hers."""


def case_of(
    own: Sequence[Step], place: int, key: str, out: pa.Array, force: InForce, secret: bytes
) -> NumberedCase:
    """The rows of a case.

    Args:
        own: harmonised files of the contributor.
        place: of the number in what was given.
        key: of the case.
        out: ids of records that newer deliveries replace.
        force: what the contributor withdrew, so that nothing of others shows in its own report.
    """
    gone = {e.mark for e in force.entries}
    rows: dict[str, CaseRow] = {}
    for step in own:
        cases = without(pq.read_table(step.output / CASES), out)
        hers = cases["record_id"].filter(pc.equal(cases["case"], key)).combine_chunks()
        if len(hers):
            table = pq.read_table(step.output / RECORDS, columns=_READ)
            for r in table.filter(pc.is_in(table["record_id"], value_set=hers)).to_pylist():
                mark = consent.row_mark(secret, r["person_key"], r["record_id"])
                rows[r["record_id"]] = CaseRow(
                    date_of(step), r["source_row"], r[PERIOD], r[SEX], r[AGE], mark, mark in gone,
                    r["person_key"] is not None,
                )  # fmt: skip
    mark = consent.mark(secret, key)
    return NumberedCase(place, mark, tuple(rows.values()), mark in force.chosen)


ByWhat = Literal["case", "token"]


@dataclass(frozen=True)
class AffectedRecords:
    """What numbers of cases, or tokens, find at the moment.

    Attributes:
        entries: what would be written down, where it is not in force yet: a line for each number,
            and one for each person key that its records have besides.
        already: how many are in force already.
        unknown: places (from 1) in what was given of those that no record carries.
        records: records that would be left out, by contributor.
        people: people who would be, by the hub's own person keys.
        unsearched: contributors of whom a file was not searched.
    """

    entries: tuple[Withdrawal, ...]
    already: int
    unknown: tuple[int, ...]
    records: dict[str, int]
    people: int
    unsearched: tuple[str, ...] = ()

    @property
    def numbers(self) -> int:
        """How many numbers, or tokens, would be written down as withdrawn."""
        return reported_numbers(self.entries)


def reported_numbers(entries: Iterable[Withdrawal]) -> int:
    """How many numbers, or tokens, these lines are about."""
    return len({e.because or e.mark for e in entries if e.kind != "renewal"})


def look_up(  # noqa: PLR0913
    hub: Hub,
    contributor: str,
    texts: Sequence[str],
    by: ByWhat | None,
    scope: Scope,
    reason: Reason,
    progress: Progress | None = None,
    choose: Choose | None = None,
    everybody: bool = False,
) -> AffectedRecords:
    """Find the records of people by numbers of cases or tokens of a contributor.

    Its files are harmonised where they are not yet, those of others are taken as they are.

    Args:
        texts: numbers or tokens, as the contributor writes them.
        by: what they are; None takes numbers where the mapping knows them, else tokens.
        choose: says which rows of a case are hers where several people share its number.
        everybody: all people who share a number are meant.

    Raises:
        WithdrawalError: one of them is none; several people share a number, and nobody chooses.
        PolicyError: no such contributor.
        MappingError: its mapping knows no such numbers or tokens.
        HubError: its files cannot be read.
    """
    hub.agreement(contributor)
    keying = keying_of(hub, contributor, by)
    keys = keys_of(keying, texts)
    secret, force = hub.person_key(), hub.withdrawn().told_by(contributor)
    with hub.lock():
        steps = harmonised_files(hub, contributor, progress)
    own = [step for step in steps if contributor_of(step) == contributor]
    out = replaced_ids(hub, steps).ids
    carried: dict[str, set[str]] = {}
    for step in own:
        made = made_with([step], out)
        for key in _carried(step, keys, out):
            carried.setdefault(key, set()).update(made)
    known = consent.also_known([filed(step, out) for step in own if scope == "person"], keys)
    numbered = {
        key: case_of(own, place, key, out, force, secret)
        for place, key in (() if everybody or keying.action != "case" else enumerate(keys, 1))
    }
    shared = {key: case for key, case in numbered.items() if case.shared}
    if shared and choose is None:
        raise error("shared-case", places=", ".join(str(case.place) for case in shared.values()))
    entries: list[Withdrawal] = []
    already = 0
    for key in dict.fromkeys(keys):
        made_for = tuple(sorted({keying.way, *carried.get(key, ())}))
        mark = consent.mark(secret, key)
        entry = Withdrawal("withdrawal", scope, contributor, mark, "", reason, made_for)
        lines = [entry]
        if choose is not None and (case := shared.get(key)) is not None:
            lines = case.entries(choose(case), entry)
        elif key in numbered and numbered[key].alone:
            lines = numbered[key].entries([0], entry)  # a later row of that case may be another's
        else:
            for also in sorted(consent.mark(secret, other) for other in known.get(key, ())):
                lines.append(replace(entry, mark=also, because=mark))
        new = [one for one in lines if not in_force_already(one, force)]
        entries += new
        already += not new
    withdrawn = tuple(entry for entry in entries if entry.kind == "withdrawal")
    gone = consent.left_out(EachFiled(steps, out), InForce(withdrawn, {}), secret)
    records, people = _counted(steps, gone)
    unknown = tuple(place for place, key in enumerate(keys, 1) if key not in carried)
    others = unsearched(hub, steps) if scope == "person" else ()
    return AffectedRecords(tuple(entries), already, unknown, records, people, others)


def in_force_already(one: Withdrawal, force: InForce) -> bool:
    """Whether a line would add nothing to what is in force."""
    if one.kind == "renewal":
        return (one.contributor, one.mark) in force.seen
    who = attrgetter("scope", "contributor", "mark", "because")
    return any(who(one) == who(e) and set(one.made) <= set(e.made) for e in force.entries)


def keying_of(hub: Hub, contributor: str, by: ByWhat | None) -> Keying:
    """How what the contributor tells becomes a key, by the newest of its mappings that knows."""
    files = [file for _from, file in reversed(mappings(hub, contributor))]
    wanted: tuple[ByWhat, ...] = (by,) if by else ("case", "token")
    known = [_keyings(load_mapping(file), contributor, hub.person_key()) for file in files]
    for what in wanted:
        for one in known:
            if (keying := one.get(what)) is not None:
                return keying
    if by == "case":
        raise error("no-case/number", file=files[0], id=contributor)
    if by == "token":
        raise error("no-case/token", file=files[0], id=contributor)
    raise error("no-case", file=files[0], id=contributor)


def _keyings(mapping: Mapping, contributor: str, secret: bytes) -> dict[ByWhat, Keying]:
    """By what a mapping finds people: a number of a case, a token."""
    person, case = keyings(mapping, contributor, secret)
    ways: dict[ByWhat, Keying] = {"case": case} if case else {}
    if person and (person.action == "token" or (not case and len(person.columns) == 1)):
        ways["token" if person.action == "token" else "case"] = person
    return ways


def keys_of(keying: Keying, texts: Sequence[str]) -> list[str]:
    """The key of each text.

    Raises:
        WithdrawalError: a text is no number of a case, or no token; only its place is told.
    """
    keys: list[str] = []
    for place, text in enumerate(texts, 1):
        key = None
        with suppress(HubError):
            key = keying.of(text)
        if key is None:
            raise error("no-number", place=place)
        keys.append(key)
    return keys


def sends_codes(hub: Hub, contributor: str) -> bool:
    """Whether the files of a contributor hold codes in place of numbers of cases, as a bundle does.

    Where none came yet, whether its agreement names a key with which bundles are signed.
    """
    own = [one.file for one in hub.contributions() if one.contributor == contributor]
    for path in own:
        with path.open("rb") as file:
            lines = csv.reader(line.decode("utf-8", "replace") for line in file)
            coded = (is_code(cell) for row in lines for cell in row)
            if file.readline().startswith(FILE_ROW.encode()) and any(coded):
                return True
    return not own and bool(hub.agreement(contributor).senders)


def harmonised_files(hub: Hub, contributor: str, progress: Progress | None) -> list[Step]:
    """Files that are harmonised; those of this contributor are, if need be."""
    own = file_steps(hub, contributor)
    for place, step in enumerate(own):
        if progress:
            progress(step.name, place / len(own))
        step.refresh()
    return read_files(hub)


def file_steps(hub: Hub, contributor: str = "") -> list[Step]:
    """The step that harmonises each contributed file; of one contributor if it is named.

    Raises:
        MappingError: a file has no mapping.
    """
    years, files = policy(hub).years, hub.contributions()
    own = [one for one in files if contributor in ("", one.contributor)]
    return [harmonise_file(hub, one, years) for one in own]


def read_files(hub: Hub, contributor: str = "") -> list[Step]:
    """Files that are harmonised as they are now; of one contributor if it is named."""
    years, steps = policy(hub).years, list[Step]()
    for one in hub.contributions():
        with suppress(MappingError):
            if contributor in ("", one.contributor):
                steps.append(harmonise_file(hub, one, years))
    return [step for step in steps if step.reason() is None]


def unsearched(hub: Hub, steps: Iterable[Step]) -> tuple[str, ...]:
    """Contributors of whom a file is not among these steps: it is new, or no mapping reads it."""
    read, files = {step.output.parts[-3:] for step in steps}, hub.contributions()
    new = {c.contributor for c in files if (c.contributor, c.date, c.sha256[:16]) not in read}
    return tuple(sorted(new))


def _carried(step: Step, keys: Iterable[str], out: pa.Array) -> set[str]:
    """Which of the keys a file carries, in records that no newer delivery replaces."""
    wanted, file = pa.array(sorted(set(keys)), pa.string()), filed(step, out)
    matches: set[str] = set()
    for column in (file.records["person_key"], file.cases["case"]):
        matches.update(column.filter(pc.is_in(column, value_set=wanted)).to_pylist())
    return matches


def _counted(steps: Sequence[Step], gone: pa.Array) -> tuple[dict[str, int], int]:
    """Records left out by contributor, and the people whom they are about."""
    records: Counter[str] = Counter()
    people: set[str] = set()
    for step in steps:
        table = pq.read_table(step.output / RECORDS, columns=["record_id", "person_key"])
        table = table.filter(pc.is_in(table["record_id"], value_set=gone))
        records[contributor_of(step)] += table.num_rows
        people.update(pc.coalesce(table["person_key"], table["record_id"]).to_pylist())
    return {name: n for name, n in sorted(records.items()) if n}, len(people)
