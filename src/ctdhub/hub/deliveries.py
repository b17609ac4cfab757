"""Deliveries of contributors: in which order they came, and what counts no more."""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.core.errors import error
from ctdhub.hub import contributions as work
from ctdhub.hub.contributions import contributor_of, date_of, left_by, mapping_file
from ctdhub.hub.folder import Agreement, Hub
from ctdhub.hub.paid import ledger
from ctdhub.hub.steps import Step, walk
from ctdhub.release.manifest import MANIFEST
from ctdhub.sensitive.consent.register import RULE, WAY, Filed, InForce, left_out, unspoken
from ctdhub.sensitive.linkage import deliveries as linked
from ctdhub.sensitive.linkage.deliveries import Dropped, Succession
from ctdhub.sensitive.linkage.pprl.derive import CHECK, format_of
from ctdhub.sensitive.mapping.file_account import Conservation
from ctdhub.sensitive.mapping.identifiers import keyings
from ctdhub.sensitive.mapping.mapping import Mapping as Reading
from ctdhub.sensitive.mapping.mapping import require_people
from ctdhub.sensitive.mapping.mapping_file import load_mapping

# --------------------------------------------------------------------------------------------------
# Deliveries of contributors: in which order they came, and what their agreements say of them.


@dataclass(frozen=True)
class DeliveredFiles:
    """What a contributor delivered.

    Attributes:
        agreement: of the contributor.
        dates: days of its deliveries, in their order; files of one day are one delivery.
        steps: its harmonised files.
    """

    agreement: Agreement
    dates: tuple[str, ...]
    steps: tuple[Step, ...]

    def number(self, step: Step) -> int:
        """The delivery that a file belongs to, from 0."""
        return self.dates.index(date_of(step))

    @cached_property
    def way(self) -> Succession:
        """How its deliveries follow each other; what nobody decided yet stays."""
        days = range(1, len(self.dates))
        kept = frozenset(d for d in days if self.agreement.left_on(self.dates[d]) != "gone")
        return Succession(len(self.dates), self.agreement.deliveries == "cumulative", kept)

    def rows(self) -> pa.Table:
        """All its rows, as ``ctdhub.sensitive.linkage.deliveries`` wants them."""
        return pa.concat_tables([_rows_of(step, self.number(step)) for step in self.steps])

    @cached_property
    def dropped(self) -> Dropped:
        """Its records that are in force no more."""
        return linked.dropped(self.rows(), self.way)

    def require_clear(self, file: Path, reports: frozenset[int] = frozenset()) -> None:
        """Refuse to go on where nobody can say who is in force.

        Args:
            file: the agreement.
            reports: deliveries whose rows are reports or calls.

        Raises:
            PolicyError: no bound on rows of one person was agreed, and rows without a key are
                reports or calls, or several deliveries have others; people are missing and the
                agreement says to ask; or one of several deliveries that are not cumulative has no
                person key in any row, nor a bound in its place.
        """
        rows, way, bounded = self.rows(), self.way, self.agreement.rows_per_person is not None
        if not bounded:
            self._require_bound(file, rows, reports)
        if len(self.dates) < 2:
            return
        if not way.cumulative:
            if linked.unkeyed(rows) and not bounded:
                raise error("deliveries/no-key", file=file, id=self.agreement.id)
            return
        asked = [d for d in way.kept if self.agreement.left_on(self.dates[d]) == "ask"]
        if open_ := sorted(set(asked) & set(linked.missing(rows, way))):
            days = ", ".join(self.dates[d] for d in open_)
            raise error("missing-people", file=file, id=self.agreement.id, dates=days)

    def _require_bound(self, file: Path, table: pa.Table, reports: frozenset[int]) -> None:
        alone = pc.and_(pc.equal(table["became"], linked.RECORD), pc.is_null(table["person_key"]))
        rows = table.filter(alone).select(["record_id", "delivery"])
        if self.way.cumulative:  # rows without a key count in the newest alone
            rows = rows.filter(pc.equal(rows["delivery"], self.way.newest))
        numbers = pa.array(sorted(reports), pa.int32())
        if pc.any(pc.is_in(rows["delivery"], value_set=numbers)).as_py():
            raise error("rows-per-person/reports", file=file, id=self.agreement.id)
        once = rows.group_by(["delivery", "record_id"]).aggregate([])
        by_delivery = once.group_by("delivery").aggregate([("record_id", "count")])
        most = pc.max(by_delivery["record_id_count"]).as_py() or 0
        if pc.count_distinct(once["record_id"]).as_py() > most:
            raise error("rows-per-person", file=file, id=self.agreement.id)


def sent(hub: Hub, harmonised: Iterable[Step]) -> list[DeliveredFiles]:
    """Harmonised files by contributor."""
    by_id: dict[str, list[Step]] = {}
    for step in harmonised:
        by_id.setdefault(contributor_of(step), []).append(step)
    return [
        DeliveredFiles(a, tuple(sorted(set(map(date_of, steps)))), tuple(steps))
        for a in hub.agreements()
        if (steps := by_id.get(a.id))
    ]


def _rows_of(step: Step, number: int) -> pa.Table:
    records = pq.read_table(step.output / work.RECORDS, columns=["record_id", "person_key"])
    others = pq.read_table(step.output / work.NO_RECORD)
    left = others["excluded"].to_pylist()
    became = [linked.EXCLUDED if one else linked.REJECTED for one in left]
    parts = [
        (records["record_id"], records["person_key"], pa.repeat(linked.RECORD, records.num_rows)),
        (pa.nulls(others.num_rows, pa.string()), others["person_key"], pa.array(became)),
    ]
    return pa.concat_tables(
        pa.table([ids, keys, pa.repeat(number, len(ids)).cast(pa.int32()), kind.cast(pa.int8())],
                 linked.ROWS)
        for ids, keys, kind in parts
    )  # fmt: skip


def reports_of(hub: Hub, one: DeliveredFiles) -> frozenset[int]:
    """Deliveries whose rows are reports or calls, by their numbers."""
    said = (load_mapping(mapping_file(hub, one.agreement.id, day)).rows for day in one.dates)
    return frozenset(number for number, rows in enumerate(said) if rows in ("report", "call"))


def refuse_unclear(hub: Hub, agreement: Agreement, dates: Sequence[str]) -> None:
    """Refuse rows, or several deliveries, of which nobody can say which are about one person.

    Args:
        agreement: of a contributor.
        dates: days of its deliveries.

    Raises:
        PolicyError: they have no person keys, or not the same, and the agreement does not say
            what they hold.
        MappingError: there is no mapping for one of them, or see :func:`require_people`.
    """
    days = sorted(set(dates))
    files = dict.fromkeys(mapping_file(hub, agreement.id, day) for day in days)
    read = {path: load_mapping(path) for path in files}
    for path, mapping in read.items():
        require_people(mapping, path, agreement.rows_per_person)
    keys = [mapping.key_columns() for mapping in read.values()]
    file = hub.agreement_file(agreement.id)
    _refuse_patches(agreement, dates, list(read.values()), file)
    if len(days) > 1 and agreement.deliveries != "cumulative":
        if None in keys and agreement.deliveries is None:
            raise error("deliveries", file=file, id=agreement.id)
        if None in keys and agreement.rows_per_person is None:
            raise error("deliveries/no-key", file=file, id=agreement.id)
        if len({(action, len(columns)) for columns, action in filter(None, keys)}) > 1:
            raise error("deliveries/keys", file=file, id=agreement.id)
    if None in keys and agreement.rows_per_person is None and agreement.person_key:
        raise error("rows-without-key", file=file, id=agreement.id)


def _refuse_patches(
    agreement: Agreement, dates: Sequence[str], read: Sequence[Reading], file: Path
) -> None:
    days = sorted(set(dates))
    if corrections := [day for day in days if agreement.patches_on(day)]:
        said = [m.model_dump_json(exclude={"accept", "tests", "name"}) for m in read]
        keyless = any(m.key_columns() is None for m in read)
        if keyless or len(set(said)) > 1:
            raise error("deliveries/patches", file=file, id=agreement.id)
        if days[0] in corrections:
            raise error("deliveries/patch-base", file=file, id=agreement.id, at=days[0])
        if twice := [day for day in corrections if list(dates).count(day) > 1]:
            raise error("deliveries/patch-files", file=file, id=agreement.id, at=twice[0])


# --------------------------------------------------------------------------------------------------
# What counts no more in a build, and candidates that may not be published for it.


@dataclass(frozen=True)
class OutOfForce:
    """Records that count no more: newer deliveries replace them, or their people withdrew.

    Attributes:
        by_rule: their ids by the rule that leaves them out; none stands under two.
    """

    by_rule: Mapping[str, pa.Array]

    @cached_property
    def ids(self) -> pa.Array:
        """All of them."""
        return pa.concat_arrays([pa.array([], pa.string()), *self.by_rule.values()])


def out_of_force(
    hub: Hub, delivered: Sequence[DeliveredFiles], force: InForce | None = None
) -> OutOfForce:
    """Records of what was delivered that count no more.

    What newer deliveries replace goes first, then who withdrew, then what is beyond the bound on
    rows of one person: so a withdrawal makes room for another row of its case alone.
    Withdrawals find people in what newer deliveries say of them, so that a number that was
    corrected finds nobody under the old one.

    Args:
        hub: the hub.
        delivered: of the contributors that are looked at.
        force: withdrawals; all that are in force, if None.
    """
    out, force = replaced_of(delivered), force or hub.withdrawn()
    if force.entries:
        steps = [step for one in delivered for step in one.steps]
        withdrawn = left_out(EachFiled(steps, out.ids), force, hub.person_key())
        out = OutOfForce({**out.by_rule, RULE: withdrawn})
    surplus = [
        _surplus(one, out.ids, one.agreement.rows_per_person)
        for one in delivered
        if one.agreement.rows_per_person
    ]
    return OutOfForce({**out.by_rule, linked.BEYOND: pa.concat_arrays(surplus)}) if surplus else out


def own_out_of_force(hub: Hub, one: DeliveredFiles) -> OutOfForce:
    """Records of a contributor that count no more for what it sent and told itself.

    This is what a private report may know: nothing that others send or tell changes it, so that a
    withdrawal told elsewhere does not show, not even to who plants a row with somebody's token.
    """
    return out_of_force(hub, [one], hub.withdrawn().told_by(one.agreement.id))


def _surplus(one: DeliveredFiles, gone: pa.Array, most: int) -> pa.Array:
    """Records of a contributor in force that are beyond the bound of its agreement."""
    parts = [filed(step, gone) for step in one.steps]
    records = pa.concat_tables([part.records for part in parts])
    cases = pa.concat_tables([part.cases for part in parts])
    return linked.beyond(records, cases, most)


def replaced_ids(hub: Hub, harmonised: Sequence[Step]) -> OutOfForce:
    """Records that newer deliveries of their contributors replace or leave out."""
    return replaced_of(sent(hub, harmonised))


def replaced_of(delivered: Iterable[DeliveredFiles]) -> OutOfForce:
    """The same of what was delivered."""
    parts = [one.dropped for one in delivered if len(one.dates) > 1]
    by_rule = {linked.REPLACED: [d.replaced for d in parts], linked.LEFT: [d.left for d in parts]}
    return OutOfForce({r: pa.concat_arrays(ids) for r, ids in by_rule.items() if ids})


class EachFiled:
    """Harmonised files without some records, read one by one."""

    def __init__(self, steps: Sequence[Step], gone: pa.Array) -> None:
        self._steps, self._gone = steps, gone

    def __iter__(self) -> Iterator[Filed]:
        return (filed(step, self._gone) for step in self._steps)


def filed(step: Step, gone: pa.Array) -> Filed:
    """A harmonised file without some records, as far as withdrawals are concerned."""
    records = pq.read_table(step.output / work.RECORDS, columns=["record_id", "person_key"])
    cases = pq.read_table(step.output / work.CASES)
    return Filed(contributor_of(step), without(records, gone), without(cases, gone))


def without(table: pa.Table, gone: pa.Array) -> pa.Table:
    """The rows of a table with ``record_id`` that belong to none of the records."""
    if not len(gone):
        return table
    return table.filter(pc.invert(pc.is_in(table["record_id"], value_set=gone)))


def accounted(account: dict[str, Any], step: Step, out: OutOfForce) -> dict[str, Any]:
    """The account of a file's rows in which records that count no more are excluded by rule."""
    if not len(out.ids):
        return account
    ids = pq.read_table(step.output / work.RECORDS, columns=["record_id"])["record_id"]
    excluded, records = dict(account["excluded"]), account["records"]
    for rule, gone in out.by_rule.items():
        if left := pc.sum(pc.is_in(ids, value_set=gone)).as_py() or 0:
            excluded[rule] = excluded.get(rule, 0) + left
            records -= left
    rest = Conservation(account["rows_read"], records, account["rejected"], excluded)
    return asdict(rest)


def made_with(steps: Iterable[Step], gone: pa.Array) -> frozenset[str]:
    """What says with which key and for which release the tokens in these files were made.

    Args:
        gone: records whose tokens are passed over.
    """
    checks: set[str] = set()
    for step in steps:
        tokens = without(pq.read_table(step.output / work.TOKENS), gone)["token"]
        checks.update(tokens.filter(pc.starts_with(tokens, f"{CHECK}-")).unique().to_pylist())
    return frozenset(checks)


def check_recognised(hub: Hub, harmonised: Sequence[Step]) -> None:
    """Refuse files whose tokens were made anew, while nobody said who withdrew in these tokens.

    So are files whose person keys are made of something else than when people withdrew, and files
    in which a case, of which the rows of some were chosen, has rows that nobody has spoken of: one
    of them may be hers, corrected.

    Raises:
        WithdrawalError: names the contributor.
    """
    force = hub.withdrawn()
    for name in sorted({e.contributor for e in force.entries}):
        checks = force.told_for(name)
        own = [step for step in harmonised if contributor_of(step) == name]
        if own and force.lost(name, ways_of(hub, own)):
            raise error("tokens-made-anew/keys", id=name)
        if checks is None and not force.chosen:
            continue
        gone = replaced_ids(hub, own).ids
        if checks is not None and not made_with(own, gone) <= checks:
            raise error("tokens-made-anew", id=name)
        if any(unspoken(filed(step, gone), force, hub.person_key()) for step in own):
            raise error("case-rows", id=name)


def ways_of(hub: Hub, own: Sequence[Step]) -> frozenset[str]:
    """How the newest delivery of a contributor tells people apart, texts as in ``made``."""
    day = max(map(date_of, own), default="")
    mapping = load_mapping(mapping_file(hub, contributor_of(own[0]), day)) if own else None
    keyed = keyings(mapping, contributor_of(own[0]), b"") if mapping else ()
    return frozenset(one.way for one in keyed if one) or frozenset({f"{WAY}nothing"})


def check_made_alike(hub: Hub, delivered: Iterable[DeliveredFiles], gone: pa.Array) -> None:
    """Refuse records in force of one contributor with tokens that cannot agree.

    Tokens are made anew for each release: a person of an older delivery would be another one in
    the newest.

    Raises:
        PolicyError: names the contributor.
    """
    for one in delivered:
        if len(one.dates) > 1 and len(made_with(one.steps, gone)) > 1:
            who = one.agreement.id
            raise error("deliveries/tokens", file=hub.agreement_file(who), id=who)


def check_one_format(harmonised: Iterable[Step], gone: pa.Array) -> None:
    """Refuse records in force whose tokens are of two formats: such tokens never agree.

    Raises:
        PolicyError: names the contributors of each format.
    """
    by_format: dict[int, set[str]] = {}
    for step in harmonised:
        for token in made_with([step], gone):
            by_format.setdefault(format_of(token), set()).add(contributor_of(step))
    if len(by_format) > 1:
        *older, _newest = sorted(by_format)
        names = sorted({name for version in older for name in by_format[version]})
        raise error("tokens-formats", names=", ".join(names), version=max(by_format))


def is_older(hub: Hub, candidate: Path) -> bool:
    """Whether a candidate may hold people who withdrew after it was made.

    It may be published where its charge came after every withdrawal in force, or where a build
    since then found that it is the answer about today's people: then nobody in it withdrew.
    """
    force = hub.withdrawn()
    if not force.entries:
        return False
    charge = json.loads((candidate / MANIFEST).read_text("utf-8")).get("charge")
    if any(e.number > force.charges for e in ledger(hub).entries() if e.id == charge):
        return False
    answer = left_by(hub.work / work.CANDIDATE, work.ANSWER) or {}
    return (answer.get("version"), answer.get("withdrawals")) != (candidate.name, force.state)


def forget(hub: Hub, used: Iterable[Path]) -> None:
    """Delete harmonised records whose raw file is gone or takes part no more."""
    root, kept = hub.work / "harmonised", set(used)
    for folder in list(root.glob("*/*/*")):
        if folder not in kept and folder.is_dir():
            shutil.rmtree(folder)
    for path in walk(root):  # what is inside comes first
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
