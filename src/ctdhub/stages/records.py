"""From contributed files to people: harmonise and link.

Belongs here: stages on the sensitive side of the border, and their reports.
Does not belong here: protection and what follows it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub.errors import HubFolderError, MappingError
from ctdhub.harmonise import harmonise, load_mapping
from ctdhub.hub import Contribution, Hub
from ctdhub.i18n import _
from ctdhub.intake import read_table
from ctdhub.link import link, link_perpetrators
from ctdhub.link.joins import joins, renamed
from ctdhub.link.overlap import Overlap, people_by_lists
from ctdhub.protect import Policy, load_policy
from ctdhub.protect.lists import list_tables
from ctdhub.schema import load_schema
from ctdhub.stages.linking import report_links
from ctdhub.stages.withdrawn import (
    CASES,
    RECORDS,
    TOKENS,
    accounted,
    check_told,
    forget,
    withdrawn_ids,
    without,
)
from ctdhub.steps import Step, hash_file, hash_folder, hash_of

PERPETRATORS, REJECTS = "perpetrators.parquet", "rejects.csv"
REPORT, PEOPLE, OVERLAP = "report.json", "people.parquet", "overlap.json"


@cache
def code(*rooms: str) -> str:
    """Content hash of the rooms that a stage runs in, so that new code makes old work stale."""
    package = Path(__file__).parents[1]
    return hash_of([[r, hash_folder(package / r)] for r in rooms])


def policy(hub: Hub) -> Policy:
    """The hub's policy, checked."""
    return load_policy(hub.policy_file)


def mapping_file(hub: Hub, contributor: str) -> Path:
    """The mapping of a contributor.

    Raises:
        MappingError: the hub has none.
    """
    path = hub.mapping(contributor)
    if not path.is_file():
        what = _("There is no mapping for the contributor {id}.").format(id=contributor)
        fix = _("Make one with `ctdhub suggest FILE`, check it, and save it under mappings/.")
        raise MappingError(what, fix, file=path, rule="no-mapping")
    return path


def harmonise_file(hub: Hub, given: Contribution, rules: Policy) -> Step:
    """One contributed file -> records, perpetrators, rejects, lineage and conservation."""
    rules_file = mapping_file(hub, given.contributor)

    def run(folder: Path) -> None:
        mapping = load_mapping(rules_file)
        raw = read_table(given.file, mapping.read)
        result = harmonise(
            raw,
            mapping,
            contributor=given.contributor,
            years=rules.years,
            key=hub.person_key(),
        )
        pq.write_table(result.records, folder / RECORDS)
        pq.write_table(result.perpetrators, folder / PERPETRATORS)
        pq.write_table(result.tokens, folder / TOKENS)
        pq.write_table(result.cases, folder / CASES)
        pa_csv.write_csv(result.rejects, folder / REJECTS)
        report = {
            "contributor": given.contributor,
            "date": given.date,
            "conservation": asdict(result.conservation),
            "notes": list(raw.notes),
            "lineage": [asdict(line) for line in result.lineage],
        }
        (folder / REPORT).write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")

    digest = hash_file(given.file)
    return Step(
        name=f"harmonise {given.contributor} {given.date} {digest[:8]}",
        inputs={
            "file": digest,
            "mapping": hash_file(rules_file),
            "years": hash_of(list(rules.years)),
            "person key": hash_of(hub.person_key().hex()),
            "code": code("schema", "intake", "harmonise"),
        },
        output=hub.work / "harmonised" / given.contributor / given.date / digest[:16],
        run=run,
    )


def link_people(hub: Hub, rules: Policy, harmonised: Sequence[Step]) -> Step:
    """All records -> people, the unit of protection, their perpetrators, overlaps and links."""
    if not harmonised:
        what = _("The hub has no contributions yet.")
        fix = _("Put files into contributions/<contributor>/<date>/ and build again.")
        raise HubFolderError(what, fix, file=hub.root, rule="no-contributions")

    settings, asked = hub.settings.linkage, rules.linking
    lists = list_tables(rules, hub.facts(rules.years))
    check_told(hub, harmonised)

    def run(folder: Path) -> None:
        forget(hub, [step.output for step in harmonised])
        schema, gone = load_schema(), withdrawn_ids(hub, harmonised)
        records, tokens = (_all(harmonised, name, gone) for name in (RECORDS, TOKENS))
        joined = joins(records, tokens, asked.people)
        linked = link(renamed(records, joined), schema)
        perpetrators = link_perpetrators(_all(harmonised, PERPETRATORS, gone), linked, schema)
        pq.write_table(linked.people, folder / PEOPLE)
        pq.write_table(perpetrators, folder / PERPETRATORS)
        overlap = Overlap()
        if lists:
            further = joins(records, tokens, lists.tokens)
            overlap = Overlap(
                lists.names,
                lists.years,
                lists.tokens,
                people_by_lists(records, further, lists.names, lists.years),
                further.num_rows - joined.num_rows,
            )
        overlap.write(folder / OVERLAP)
        report_links(folder, records, tokens, linked, settings)
        totals = {"records": linked.records, "people": linked.people.num_rows}
        (folder / REPORT).write_text(json.dumps(totals), "utf-8")

    return Step(
        name="link",
        inputs={
            **{step.name.removeprefix("harmonise "): step.key for step in harmonised},
            "linkage": hash_of([settings.model_dump(), asked.people, repr(lists)]),
            "withdrawals": hub.withdrawn().state,
            "code": code("schema", "link", "withdraw"),
        },
        output=hub.work / "people",
        run=run,
    )


def _all(harmonised: Sequence[Step], name: str, gone: pa.Array) -> pa.Table:
    """One table of all files, without the records of people who withdrew."""
    tables = [pq.read_table(step.output / name) for step in harmonised]
    return pa.concat_tables([without(table, gone) for table in tables])


def reports(hub: Hub) -> list[dict[str, Any]]:
    """The harmonisation report of every contributed file that has been built.

    Records of people who withdrew are counted as excluded by the rule ``withdrawn``.
    """
    rules = policy(hub)
    steps = [harmonise_file(hub, c, rules) for c in hub.contributions()]
    built = [step for step in steps if (step.output / REPORT).is_file()]
    gone = withdrawn_ids(hub, built)
    found = []
    for step in built:
        report = json.loads((step.output / REPORT).read_text("utf-8"))
        report["conservation"] = accounted(report["conservation"], step, gone)
        found.append(report)
    return found
