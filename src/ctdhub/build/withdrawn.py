"""What counts no more in a build, and candidates that may not be published for it."""

from __future__ import annotations

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

from ctdhub.build.deliveries import DeliveredFiles, sent
from ctdhub.build.filenames import ANSWER, CANDIDATE, CASES, RECORDS, TOKENS
from ctdhub.build.harmonised import contributor_of, date_of
from ctdhub.build.hub import Hub
from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.paid import ledger
from ctdhub.build.steps import Step, walk
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.release.manifest import MANIFEST
from ctdhub.sensitive.consent.entry import WAY
from ctdhub.sensitive.consent.in_force import InForce
from ctdhub.sensitive.consent.match import RULE, Filed, left_out, unspoken
from ctdhub.sensitive.linkage.deliveries import LEFT, REPLACED
from ctdhub.sensitive.linkage.pprl.derive import CHECK, format_of
from ctdhub.sensitive.linkage.rows_per_person import BEYOND, beyond
from ctdhub.sensitive.mapping.identifiers import keyings
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.result import Conservation


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
    found, force = replaced_of(delivered), force or hub.withdrawn()
    if force.entries:
        steps = [step for one in delivered for step in one.steps]
        withdrawn = left_out(EachFiled(steps, found.ids), force, hub.person_key())
        found = OutOfForce({**found.by_rule, RULE: withdrawn})
    surplus = [
        _surplus(one, found.ids, one.agreement.rows_per_person)
        for one in delivered
        if one.agreement.rows_per_person
    ]
    return OutOfForce({**found.by_rule, BEYOND: pa.concat_arrays(surplus)}) if surplus else found


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
    return beyond(records, cases, most)


def replaced_ids(hub: Hub, harmonised: Sequence[Step]) -> OutOfForce:
    """Records that newer deliveries of their contributors replace or leave out."""
    return replaced_of(sent(hub, harmonised))


def replaced_of(delivered: Iterable[DeliveredFiles]) -> OutOfForce:
    """The same of what was delivered."""
    found = [one.dropped for one in delivered if len(one.dates) > 1]
    by_rule = {REPLACED: [d.replaced for d in found], LEFT: [d.left for d in found]}
    return OutOfForce({r: pa.concat_arrays(ids) for r, ids in by_rule.items() if ids})


class EachFiled:
    """Harmonised files without some records, read one by one."""

    def __init__(self, steps: Sequence[Step], gone: pa.Array) -> None:
        self._steps, self._gone = steps, gone

    def __iter__(self) -> Iterator[Filed]:
        return (filed(step, self._gone) for step in self._steps)


def filed(step: Step, gone: pa.Array) -> Filed:
    """A harmonised file without some records, as far as withdrawals are concerned."""
    records = pq.read_table(step.output / RECORDS, columns=["record_id", "person_key"])
    cases = pq.read_table(step.output / CASES)
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
    ids = pq.read_table(step.output / RECORDS, columns=["record_id"])["record_id"]
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
    found: set[str] = set()
    for step in steps:
        tokens = without(pq.read_table(step.output / TOKENS), gone)["token"]
        found.update(tokens.filter(pc.starts_with(tokens, f"{CHECK}-")).unique().to_pylist())
    return frozenset(found)


def check_told(hub: Hub, harmonised: Sequence[Step]) -> None:
    """Refuse files whose tokens were made anew, while nobody said who withdrew in these tokens.

    So are files whose person keys are made of something else than when people withdrew, and files
    in which a case, of which the rows of some were chosen, has rows that nobody has spoken of: one
    of them may be hers, corrected.

    Raises:
        WithdrawalError: names the contributor.
    """
    force = hub.withdrawn()
    for name in sorted({e.contributor for e in force.entries}):
        told = force.told_for(name)
        own = [step for step in harmonised if contributor_of(step) == name]
        if own and force.lost(name, ways_of(hub, own)):
            raise error("tokens-made-anew/keys", id=name)
        if told is None and not force.chosen:
            continue
        gone = replaced_ids(hub, own).ids
        if told is not None and not made_with(own, gone) <= told:
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
            file = hub.root / "contributors" / f"{one.agreement.id}.yaml"
            raise error("deliveries/tokens", file=file, id=one.agreement.id)


def check_one_format(harmonised: Iterable[Step], gone: pa.Array) -> None:
    """Refuse records in force whose tokens are of two formats: such tokens never agree.

    Raises:
        PolicyError: names the contributors of each format.
    """
    found: dict[int, set[str]] = {}
    for step in harmonised:
        for token in made_with([step], gone):
            found.setdefault(format_of(token), set()).add(contributor_of(step))
    if len(found) > 1:
        *older, _newest = sorted(found)
        names = sorted({name for version in older for name in found[version]})
        raise error("tokens-formats", names=", ".join(names), version=max(found))


def refuse_older(hub: Hub, candidate: Path) -> None:
    """Refuse a candidate that may hold people who withdrew after it was made.

    It may be published where its charge came after every withdrawal in force, or where a build
    since then found that it is the answer about today's people: then nobody in it withdrew.

    Raises:
        ReleaseError: it may hold them.
    """
    force = hub.withdrawn()
    if not force.entries:
        return
    charge = json.loads((candidate / MANIFEST).read_text("utf-8")).get("charge")
    paid = [e.number for e in ledger(hub).entries() if e.id == charge]
    seen = hub.work / CANDIDATE / ANSWER
    confirmed = {"version": candidate.name, "withdrawals": force.state}
    if paid and paid[0] > force.charges:
        return
    found = json.loads(seen.read_text("utf-8")) if seen.is_file() else {}
    if {name: found.get(name) for name in confirmed} == confirmed:
        return
    raise error("withdrawn", file=candidate, version=printable(candidate.name))


def forget(hub: Hub, used: Iterable[Path]) -> None:
    """Delete harmonised records whose raw file is gone or takes part no more."""
    root, kept = hub.work / "harmonised", set(used)
    for folder in list(root.glob("*/*/*")):
        if folder not in kept and folder.is_dir():
            shutil.rmtree(folder)
    for path in walk(root):  # what is inside comes first
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
