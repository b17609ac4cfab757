"""What each stage of the pipeline does: one function per stage, each makes a Step.

Belongs here: which inputs a stage depends on and which files it leaves behind.
Does not belong here: the order of the stages (``pipeline``), the work itself (the rooms).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub.errors import HubFolderError, LedgerTampered, MappingError, ReleaseError, printable
from ctdhub.harmonise import harmonise, load_mapping
from ctdhub.hub import Contribution, Hub
from ctdhub.i18n import _
from ctdhub.intake import read_table
from ctdhub.link import link
from ctdhub.portal import build_site as make_site
from ctdhub.protect import Ledger, Policy, Protected, load_policy, protect
from ctdhub.release import latest_release, next_version, open_release
from ctdhub.release import write_release as publish
from ctdhub.schema import load_schema
from ctdhub.steps import Progress, Step, hash_file, hash_folder, hash_of

RECORDS, PERPETRATORS, REJECTS = "records.parquet", "perpetrators.parquet", "rejects.csv"
REPORT, PEOPLE, OVERLAP, ANSWER = "report.json", "people.parquet", "overlap.csv", "answer.json"


@cache
def code(*rooms: str) -> str:
    """Content hash of the rooms that a stage runs in, so that new code makes old work stale."""
    package = Path(__file__).parent
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


def link_people(hub: Hub, harmonised: Sequence[Step]) -> Step:
    """All records -> people, the unit of protection, and the overlap between lists."""
    if not harmonised:
        what = _("The hub has no contributions yet.")
        fix = _("Put files into contributions/<contributor>/<date>/ and build again.")
        raise HubFolderError(what, fix, file=hub.root, rule="no-contributions")

    def run(folder: Path) -> None:
        tables = [pq.read_table(step.output / RECORDS) for step in harmonised]
        linked = link(pa.concat_tables(tables), load_schema())
        pq.write_table(linked.people, folder / PEOPLE)
        pa_csv.write_csv(linked.overlap, folder / OVERLAP)
        totals = {"records": linked.records, "people": linked.people.num_rows}
        (folder / REPORT).write_text(json.dumps(totals), "utf-8")

    return Step(
        name="link",
        inputs={
            **{step.name.removeprefix("harmonise "): step.key for step in harmonised},
            "code": code("schema", "link"),
        },
        output=hub.work / "people",
        run=run,
    )


def check_paid(hub: Hub) -> None:
    """Every release was paid for by a charge that the ledger still has.

    Raises:
        LedgerTampered: the ledger was replaced by an older or an empty one.
        ReleaseError: a release's manifest cannot be read.
    """
    charges = {entry.id for entry in Ledger(hub.ledger).entries()}
    for manifest in sorted(hub.releases.glob("[!.]*/manifest.json")):
        if _charge_of(manifest) not in charges:
            what = _("The ledger does not know the charge that paid for release {version}.")
            fix = _("Bring the ledger folder back from a copy; nothing is protected without it.")
            raise LedgerTampered(
                what.format(version=printable(manifest.parent.name)),
                fix,
                file=hub.ledger,
                rule="ledger-releases",
            )


def _charge_of(manifest: Path) -> object:
    try:
        return json.loads(manifest.read_text("utf-8"))["charge"]
    except (ValueError, TypeError, KeyError):
        what = _("The manifest is damaged.")
        fix = _("Restore the release from a copy.")
        raise ReleaseError(what, fix, file=manifest, rule="manifest") from None


def _answer(hub: Hub, rules: Policy, progress: Progress | None = None) -> Protected:
    check_paid(hub)
    people = pq.read_table(hub.work / "people" / PEOPLE)
    return protect(people, rules, Ledger(hub.ledger), hub.facts(rules.years), progress)


def protect_people(hub: Hub, rules: Policy, progress: Progress | None) -> Step:
    """People -> a protected answer, charged to the ledger; the answer lies in the ledger."""

    def run(folder: Path) -> None:
        charge = _answer(hub, rules, progress).guarantee.charge
        (folder / ANSWER).write_text(json.dumps({"charge": charge}), "utf-8")

    return Step(
        name="protect",
        inputs={
            "people": hash_file(hub.work / "people" / PEOPLE),
            "policy": hash_file(hub.policy_file),
        },
        output=hub.work / "protected",
        run=run,
    )


def write_release(hub: Hub, rules: Policy, version: str = "", notes: str = "") -> Step:
    """The protected answer -> an immutable release, unless the last one already holds it."""
    facts = hub.facts(rules.years)
    output = hub.work / "release"
    if released_version(hub) is None:
        shutil.rmtree(output, ignore_errors=True)  # the release it points to is gone

    def run(folder: Path) -> None:
        answer = _answer(hub, rules)
        last = latest_release(hub.releases)
        same = last is not None and _same(open_release(last).protected, answer)
        if last is None or not same or version:
            last = publish(answer, hub.releases, version or next_version(hub.releases), notes)
        (folder / ANSWER).write_text(json.dumps({"version": last.name}), "utf-8")

    return Step(
        name="release",
        inputs={
            "protected answer": hash_file(hub.work / "protected" / ANSWER),
            "hub.yaml and agreements": hash_of(facts),
            "version": version,
        },
        output=output,
        run=run,
    )


def _same(one: Protected, other: Protected) -> bool:
    return one.guarantee == other.guarantee and one.facts == other.facts


def released_version(hub: Hub) -> str | None:
    """The version that the last build released or found released, None where there is none."""
    try:
        version = json.loads((hub.work / "release" / ANSWER).read_text("utf-8"))["version"]
    except FileNotFoundError:
        return None
    return version if (hub.releases / version / "manifest.json").is_file() else None


def build_site(hub: Hub, progress: Progress | None) -> Step:
    """The current release -> the static site."""
    release = hub.releases / (released_version(hub) or "")

    def run(folder: Path) -> None:
        make_site(open_release(release), folder, progress)

    return Step(
        name="site",
        inputs={
            "release": hash_file(release / "manifest.json"),
            "code": code("schema", "insight", "portal", "locale"),
        },
        output=hub.site,
        run=run,
    )


def reports(hub: Hub) -> list[dict[str, Any]]:
    """The harmonisation report of every contributed file that has been built."""
    rules = policy(hub)
    files = [harmonise_file(hub, c, rules).output / REPORT for c in hub.contributions()]
    return [json.loads(path.read_text("utf-8")) for path in files if path.is_file()]
