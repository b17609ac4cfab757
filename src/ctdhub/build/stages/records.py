"""From contributed files to people: harmonise and link."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub.build.engine import Engine
from ctdhub.build.hub import Contribution, Hub
from ctdhub.build.stages.link_report import report_links
from ctdhub.build.steps import Step, hash_file, hash_folder, hash_of
from ctdhub.build.withdrawn import (
    CASES,
    RECORDS,
    TOKENS,
    accounted,
    check_told,
    forget,
    withdrawn_ids,
    without,
)
from ctdhub.core.error_catalogue import error
from ctdhub.dp.list_overlap import list_tables
from ctdhub.dp.overlap import Overlap
from ctdhub.dp.policy import Policy, load_policy
from ctdhub.sensitive.ingest.readers import read_table
from ctdhub.sensitive.linkage.joining import Linking
from ctdhub.sensitive.linkage.partitions import Places
from ctdhub.sensitive.linkage.review import READ
from ctdhub.sensitive.linkage.token_joins import joins
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.run import harmonise

PERPETRATORS, REJECTS = "perpetrators.parquet", "rejects.csv"
REPORT, PEOPLE, OVERLAP = "report.json", "people.parquet", "overlap.json"
CONFLICTS = "conflicts.parquet"


@cache
def code(*rooms: str) -> str:
    """Content hash of the rooms that a stage runs in, so that new code makes old work stale."""
    package = Path(__file__).parents[2]
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
        raise error("no-mapping", file=path, id=contributor)
    return path


@dataclass(frozen=True)
class HarmoniseFile:
    """How one contributed file becomes records; a worker elsewhere can be given it.

    It says where the mapping and the person key lie and holds neither.
    """

    given: Contribution
    mapping: Path
    years: tuple[int, int]
    key: Path

    def __call__(self, folder: Path) -> None:
        """Write records, perpetrators, rejects, lineage and conservation into the folder."""
        mapping, contributor = load_mapping(self.mapping), self.given.contributor
        raw, key = read_table(self.given.file, mapping.read), self.key.read_bytes()
        result = harmonise(raw, mapping, contributor=contributor, years=self.years, key=key)
        pq.write_table(result.records, folder / RECORDS)
        pq.write_table(result.perpetrators, folder / PERPETRATORS)
        pq.write_table(result.tokens, folder / TOKENS)
        pq.write_table(result.cases, folder / CASES)
        pa_csv.write_csv(result.rejects, folder / REJECTS)
        report = {
            "contributor": contributor,
            "date": self.given.date,
            "conservation": asdict(result.conservation),
            "notes": list(raw.notes),
            "lineage": [asdict(line) for line in result.lineage],
        }
        (folder / REPORT).write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")


def harmonise_file(hub: Hub, given: Contribution, rules: Policy) -> Step:
    """One contributed file -> records, perpetrators, rejects, lineage and conservation."""
    rules_file = mapping_file(hub, given.contributor)
    digest = hash_file(given.file)
    return Step(
        name=f"harmonise {given.contributor} {given.date} {digest[:8]}",
        inputs={
            "file": digest,
            "mapping": hash_file(rules_file),
            "years": hash_of(list(rules.years)),
            "person key": hash_of(hub.person_key().hex()),
            "code": code("core", "schema", "sensitive"),
        },
        output=hub.work / "harmonised" / given.contributor / given.date / digest[:16],
        run=HarmoniseFile(given, rules_file, rules.years, hub.key_file),
    )


def link_people(hub: Hub, rules: Policy, harmonised: Sequence[Step], engine: Engine) -> Step:
    """All records -> people, the unit of protection, their perpetrators, overlaps and links."""
    if not harmonised:
        raise error("no-contributions", file=hub.root)

    settings, asked = hub.settings.linkage, rules.linking
    lists = list_tables(rules, hub.facts(rules.years))
    check_told(hub, harmonised)

    def run(folder: Path) -> None:
        forget(hub, [step.output for step in harmonised])
        gone = withdrawn_ids(hub, harmonised)
        files = [(step.output / RECORDS, step.output / PERPETRATORS) for step in harmonised]
        records, tokens = _with_tokens(harmonised, gone)
        by_rows = joins(records, tokens, asked.people)
        linking = Linking(by_rows, by_rows)
        if lists:
            by_lists = joins(records, tokens, lists.tokens)
            linking = Linking(by_rows, by_lists, lists.names, lists.years)
        places = Places(folder / PEOPLE, folder / PERPETRATORS, folder / CONFLICTS)
        linked = engine.link(files, gone, linking, places)
        overlap = Overlap()
        if lists:
            doubles = linking.lists.num_rows - by_rows.num_rows
            people = dict(sorted(linked.known.items()))
            overlap = Overlap(lists.names, lists.years, lists.tokens, people, doubles)
        overlap.write(folder / OVERLAP)
        report_links(folder, records, tokens, linked, settings)
        totals = {"records": linked.records, "people": linked.people}
        (folder / REPORT).write_text(json.dumps(totals), "utf-8")

    return Step(
        name="link",
        inputs={
            **{step.name.removeprefix("harmonise "): step.key for step in harmonised},
            "linkage": hash_of([settings.model_dump(), asked.people, repr(lists)]),
            "withdrawals": hub.withdrawn().state,
            "code": code("core", "schema", "sensitive"),
        },
        output=hub.work / "people",
        run=run,
    )


def _with_tokens(harmonised: Sequence[Step], gone: pa.Array) -> tuple[pa.Table, pa.Table]:
    """The records that have tokens, and these."""
    records, tokens = [], []
    for step in harmonised:
        tokens.append(without(pq.read_table(step.output / TOKENS), gone))
        held = pq.read_table(step.output / RECORDS, columns=list(READ))
        having = pc.is_in(held["record_id"], value_set=tokens[-1]["record_id"].combine_chunks())
        records.append(held.filter(having))
    return pa.concat_tables(records), pa.concat_tables(tokens)


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
