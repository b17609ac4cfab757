"""What withdrawals do to a build: records left out, candidates that may not be published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.build.filenames import ANSWER, CANDIDATE, CASES, RECORDS, TOKENS
from ctdhub.build.hub import Hub
from ctdhub.build.steps import Step, walk
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.dp.ledger.book import Ledger
from ctdhub.release.manifest import MANIFEST
from ctdhub.sensitive.consent.match import RULE, Filed, left_out
from ctdhub.sensitive.linkage.pprl.derive import CHECK
from ctdhub.sensitive.mapping.result import Conservation


def withdrawn_ids(hub: Hub, harmonised: Sequence[Step]) -> pa.Array:
    """Ids of the records of people who withdrew, in the harmonised files given."""
    force = hub.withdrawn()
    if not force.entries:
        return pa.array([], pa.string())
    return left_out(_EachFiled(harmonised), force, hub.person_key())


class _EachFiled:
    """Harmonised files, read one by one."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[Filed]:
        return map(filed, self._steps)


def filed(step: Step) -> Filed:
    """A harmonised file, as far as withdrawals are concerned."""
    return Filed(
        contributor_of(step),
        pq.read_table(step.output / RECORDS, columns=["record_id", "person_key"]),
        pq.read_table(step.output / CASES),
    )


def contributor_of(step: Step) -> str:
    """Whose file a step harmonises."""
    return step.output.parts[-3]


def without(table: pa.Table, gone: pa.Array) -> pa.Table:
    """The rows of a table with ``record_id`` that belong to none of the records."""
    if not len(gone):
        return table
    return table.filter(pc.invert(pc.is_in(table["record_id"], value_set=gone)))


def accounted(account: dict[str, Any], step: Step, gone: pa.Array) -> dict[str, Any]:
    """The account of a file's rows in which those who withdrew are excluded by that rule."""
    if not len(gone):
        return account
    ids = pq.read_table(step.output / RECORDS, columns=["record_id"])["record_id"]
    left = pc.sum(pc.is_in(ids, value_set=gone)).as_py() or 0
    excluded = dict(account["excluded"])
    if left:
        excluded[RULE] = excluded.get(RULE, 0) + left
    rest = Conservation(
        account["rows_read"], account["records"] - left, account["rejected"], excluded
    )
    return asdict(rest)


def made_with(steps: Iterable[Step]) -> frozenset[str]:
    """What says with which key and for which release the tokens in these files were made."""
    found: set[str] = set()
    for step in steps:
        tokens = pq.read_table(step.output / TOKENS, columns=["token"])["token"]
        found.update(tokens.filter(pc.starts_with(tokens, f"{CHECK}-")).unique().to_pylist())
    return frozenset(found)


def check_told(hub: Hub, harmonised: Sequence[Step]) -> None:
    """Refuse files whose tokens were made anew, while nobody said who withdrew in these tokens.

    Raises:
        WithdrawalError: names the contributor.
    """
    force = hub.withdrawn()
    for name in sorted({e.contributor for e in force.entries}):
        told = force.told_for(name)
        own = [step for step in harmonised if contributor_of(step) == name]
        if told is not None and not made_with(own) <= told:
            raise error("tokens-made-anew", id=name)


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
    paid = [e.number for e in Ledger(hub.ledger).entries() if e.id == charge]
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
