"""The report on links for the steward, and the rule that no linkage key lies in a hub."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub.build.hub import Hub
from ctdhub.build.steps import walk
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text, said
from ctdhub.core.keys.linkage import holds_secret
from ctdhub.sensitive.linkage.partitions import Totals
from ctdhub.sensitive.linkage.review import cluster
from ctdhub.sensitive.linkage.settings import LinkageSettings

REVIEW, CLUSTERS, LINKAGE = "review.csv", "clusters.parquet", "linkage.json"
PAIRS = "pairs.parquet"
_MADE_HERE = {"ledger", "releases", "candidates", "site", "work", "withdrawals"}


def refuse_linkage_keys(hub: Hub) -> None:
    """Refuse a hub folder that holds a linkage key or a share of one.

    Folders that the hub fills itself are not searched.

    Raises:
        HubFolderError: names the first such file.
    """
    for top in sorted(hub.root.iterdir()):
        if top.name in _MADE_HERE:
            continue
        for path in [*walk(top), top]:
            if path.is_file() and holds_secret(path):
                raise error("linkage-key", file=path)


def report_links(
    folder: Path,
    records: pa.Table,
    tokens: pa.Table,
    linked: Totals,
    settings: LinkageSettings,
    without_key: dict[str, tuple[int, int]],
) -> None:
    """Write the report; rows of people are not touched by it.

    Args:
        records: those that have tokens, with the columns that ``cluster`` reads.
        linked: what became of all records.
        without_key: by contributor, records without any key, and all of them.
    """
    found = cluster(records, tokens, settings.cut, settings.look)
    reasons = [
        said(Text.from_json({"message": reason, "fields": {}}))
        for reason in found.review["reason"].to_pylist()
    ]
    at = found.review.schema.get_field_index("reason")
    review = found.review.set_column(at, "reason", pa.array(reasons, pa.string()))
    pa_csv.write_csv(review, folder / REVIEW)
    pq.write_table(found.members, folder / CLUSTERS)
    pq.write_table(found.pairs, folder / PAIRS)
    report = {
        "cut": settings.cut,
        "look": settings.look,
        "people": linked.people,
        "conflicts": dict(sorted(linked.conflicts.items(), key=lambda item: (-item[1], item[0]))),
        "persons_with_tokens": found.persons,
        "clusters": found.clusters,
        "links": found.links,
        "to_review": found.review.num_rows,
        "too_common": found.too_common,
        "made_apart": [list(group) for group in found.made_apart],
        "overlap": found.overlap,
        "without_key": {n: list(said) for n, said in without_key.items()},
        "held_twice": {n: list(said) for n, said in sorted(found.held_twice.items())},
        "patterns": [asdict(pattern) for pattern in found.patterns],
    }
    (folder / LINKAGE).write_text(json.dumps(report, indent=1), "utf-8")


def linkage(hub: Hub) -> dict[str, Any]:
    """The report of the last build.

    Raises:
        HubFolderError: there is none.
    """
    path = hub.work / "people" / LINKAGE
    if not path.is_file():
        raise error("no-report", file=path)
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return report
