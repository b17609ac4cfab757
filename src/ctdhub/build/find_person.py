"""Whose records a number of a case, or a token, finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.build.case_rows import Choose, case_of
from ctdhub.build.filenames import RECORDS
from ctdhub.build.harmonised import contributor_of
from ctdhub.build.hub import Hub
from ctdhub.build.mapping_by_date import mappings
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.build.steps import Progress, Step
from ctdhub.build.withdrawn import EachFiled, filed, made_with, replaced_ids
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError, MappingError, printable
from ctdhub.sensitive.consent.entry import Reason, Scope, Withdrawal, mark
from ctdhub.sensitive.consent.in_force import InForce
from ctdhub.sensitive.consent.match import also_known, left_out
from ctdhub.sensitive.mapping.identifiers import Keying, keyings
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping

ByWhat = Literal["case", "token"]


@dataclass(frozen=True)
class FoundRecords:
    """What numbers of cases, or tokens, find at the moment.

    Attributes:
        entries: what would be written down, where it is not in force yet: a line for each number,
            and one for each person key that its records have besides.
        already: how many are in force already.
        unknown: places (from 1) in what was given of those that no record carries.
        records: records that would be left out, by contributor.
        people: people who would be, by the hub's own person keys.
    """

    entries: tuple[Withdrawal, ...]
    already: int
    unknown: tuple[int, ...]
    records: dict[str, int]
    people: int

    @property
    def told(self) -> int:
        """How many numbers, or tokens, would be written down as withdrawn."""
        return numbers_told(self.entries)


def numbers_told(entries: Iterable[Withdrawal]) -> int:
    """How many numbers, or tokens, these lines are about."""
    return len({e.because or e.mark for e in entries if e.kind != "renewal"})


def look_up(
    hub: Hub,
    contributor: str,
    texts: Sequence[str],
    by: ByWhat | None,
    scope: Scope,
    reason: Reason,
    progress: Progress | None = None,
    choose: Choose | None = None,
    everybody: bool = False,
) -> FoundRecords:
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
    known_contributor(hub, contributor)
    keying = keying_of(hub, contributor, by)
    keys = keys_of(keying, texts)
    secret, force = hub.person_key(), hub.withdrawn()
    with hub.lock():
        steps = harmonised_files(hub, contributor, progress)
    own = [step for step in steps if contributor_of(step) == contributor]
    out = replaced_ids(hub, steps).ids
    carried: dict[str, set[str]] = {}
    known: dict[str, set[str]] = {}
    for step in own:
        made = made_with([step], out)
        for key in _carried(step, keys, out):
            carried.setdefault(key, set()).update(made)
    if scope == "person":
        known = also_known([filed(step, out) for step in own], keys)
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
        made_for, told = tuple(sorted({keying.way, *carried.get(key, ())})), mark(secret, key)
        entry = Withdrawal("withdrawal", scope, contributor, told, "", reason, made_for)
        lines = [entry]
        if choose is not None and (case := shared.get(key)) is not None:
            lines = case.entries(choose(case), entry)
        elif key in numbered and numbered[key].alone:
            lines = numbered[key].entries([0], entry)  # a later row of that case may be another's
        else:
            for also in sorted(mark(secret, other) for other in known.get(key, ())):
                lines.append(replace(entry, mark=also, because=told))
        new = [one for one in lines if not in_force_already(one, force)]
        entries += new
        already += not new
    withdrawn = tuple(entry for entry in entries if entry.kind == "withdrawal")
    gone = left_out(EachFiled(steps, out), InForce(withdrawn, {}), secret)
    records, people = _counted(steps, gone)
    unknown = tuple(place for place, key in enumerate(keys, 1) if key not in carried)
    return FoundRecords(tuple(entries), already, unknown, records, people)


def known_contributor(hub: Hub, contributor: str) -> None:
    """Refuse an id that no agreement has.

    Raises:
        PolicyError: tells the ids there are.
    """
    known = [a.id for a in hub.agreements()]
    if contributor not in known:
        raise error("contributor", id=printable(contributor), ids=", ".join(known) or "–")


def in_force_already(one: Withdrawal, force: InForce) -> bool:
    """Whether a line would add nothing to what is in force."""
    if one.kind == "renewal":
        return one.mark in force.seen
    return any(
        (one.scope, one.contributor, one.mark, one.because)
        == (e.scope, e.contributor, e.mark, e.because)
        and set(one.made) <= set(e.made)
        for e in force.entries
    )


def keying_of(hub: Hub, contributor: str, by: ByWhat | None) -> Keying:
    """How what the contributor tells becomes a key, by the newest of its mappings that knows."""
    files = [file for _from, file in reversed(mappings(hub, contributor))]
    wanted: tuple[ByWhat, ...] = (by,) if by else ("case", "token")
    known = [_keyings(load_mapping(file), contributor, hub.person_key()) for file in files]
    for what in wanted:
        for one in known:
            if (found := one.get(what)) is not None:
                return found
    if by == "case":
        raise error("no-case/number", file=files[0], id=contributor)
    if by == "token":
        raise error("no-case/token", file=files[0], id=contributor)
    raise error("no-case", file=files[0], id=contributor)


def _keyings(mapping: Mapping, contributor: str, secret: bytes) -> dict[ByWhat, Keying]:
    """By what a mapping finds people: a number of a case, a token."""
    person, case = keyings(mapping, contributor, secret)
    found: dict[ByWhat, Keying] = {}
    if case is not None:
        found["case"] = case
    elif person is not None and person.action == "hash" and len(person.columns) == 1:
        found["case"] = person
    if person is not None and person.action == "token":
        found["token"] = person
    return found


def keys_of(keying: Keying, texts: Sequence[str]) -> list[str]:
    """The key of each text.

    Raises:
        WithdrawalError: a text is no number of a case, or no token; only its place is told.
    """
    keys: list[str] = []
    for place, text in enumerate(texts, 1):
        try:
            key = keying.of(text)
        except HubError:
            key = None
        if key is None:
            raise error("no-number", place=place)
        keys.append(key)
    return keys


def harmonise_own(hub: Hub, contributor: str, progress: Progress) -> None:
    """Harmonise a contributor's files where they are not yet, so that :func:`look_up` can ask.

    Raises:
        PolicyError: no such contributor.
        HubError: its files cannot be read.
    """
    known_contributor(hub, contributor)
    with hub.lock():
        harmonised_files(hub, contributor, progress)


def harmonised_files(hub: Hub, contributor: str, progress: Progress | None) -> list[Step]:
    """Files that are harmonised; those of this contributor are, if need be."""
    rules, found = policy(hub), []
    given = hub.contributions()
    for place, contribution in enumerate(given):
        own = contribution.contributor == contributor
        try:
            step = harmonise_file(hub, contribution, rules.years)
        except MappingError:
            if own:
                raise
            continue
        if own:
            if progress:
                progress(step.name, place / len(given))
            step.refresh()
        if step.reason() is None:
            found.append(step)
    return found


def read_files(hub: Hub, contributor: str = "") -> list[Step]:
    """Files that are harmonised as they are now; of one contributor if it is named."""
    years, steps = policy(hub).years, list[Step]()
    for one in hub.contributions():
        with suppress(MappingError):
            if contributor in ("", one.contributor):
                steps.append(harmonise_file(hub, one, years))
    return [step for step in steps if step.reason() is None]


def _carried(step: Step, keys: Iterable[str], out: pa.Array) -> set[str]:
    """Which of the keys a file carries, in records that no newer delivery replaces."""
    wanted, file = pa.array(sorted(set(keys)), pa.string()), filed(step, out)
    found: set[str] = set()
    for column in (file.records["person_key"], file.cases["case"]):
        found.update(column.filter(pc.is_in(column, value_set=wanted)).to_pylist())
    return found


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
