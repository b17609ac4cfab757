"""All records become people, the unit of protection, with a report on links."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.build.closure import software
from ctdhub.build.deliveries import reports_of, sent
from ctdhub.build.elsewhere import check_elsewhere
from ctdhub.build.engine import Engine
from ctdhub.build.filenames import (
    CONFLICTS,
    OVERLAP,
    PEOPLE,
    PERPETRATORS,
    RECORDS,
    REPORT,
    TOKENS,
)
from ctdhub.build.harmonised import contributor_of
from ctdhub.build.hub import Hub
from ctdhub.build.settings import Agreement
from ctdhub.build.stages.delivery_report import report_deliveries
from ctdhub.build.stages.link_report import report_links
from ctdhub.build.steps import Input, Step, hash_of
from ctdhub.build.withdrawn import (
    check_made_alike,
    check_one_format,
    check_told,
    forget,
    out_of_force,
    without,
)
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text
from ctdhub.dp.list_overlap import list_tables
from ctdhub.dp.overlap import Overlap
from ctdhub.dp.policy import Policy
from ctdhub.schema.roles import ORIGIN
from ctdhub.sensitive.linkage.joining import Linking
from ctdhub.sensitive.linkage.partitions import Places
from ctdhub.sensitive.linkage.possible_doubles import possible_doubles
from ctdhub.sensitive.linkage.review import READ
from ctdhub.sensitive.linkage.token_joins import joins


def link_people(hub: Hub, rules: Policy, harmonised: Sequence[Step], engine: Engine) -> Step:
    """All records -> people, the unit of protection, their perpetrators, overlaps and links."""
    if not harmonised:
        raise error("no-contributions", file=hub.root)

    settings, asked = hub.settings.linkage, rules.linking
    lists = list_tables(rules, hub.facts(rules.years))
    check_told(hub, harmonised)

    def run(folder: Path) -> None:
        forget(hub, [step.output for step in harmonised])
        delivered = sent(hub, harmonised)
        for one in delivered:
            file = hub.root / "contributors" / f"{one.agreement.id}.yaml"
            one.require_clear(file, reports_of(hub, one))
        check_elsewhere(hub, delivered)
        gone = out_of_force(hub, delivered).ids
        check_made_alike(hub, delivered, gone)
        check_one_format(harmonised, gone)
        files = [(step.output / RECORDS, step.output / PERPETRATORS) for step in harmonised]
        records, tokens = _with_tokens(harmonised, gone)
        unkeyed, nobody = _without_key(harmonised, gone)
        by_rows = joins(records, tokens, asked.people)
        linking = Linking(by_rows, by_rows)
        if lists:
            by_lists = joins(records, tokens, lists.tokens)
            strata = tuple(name for name, _values in lists.strata)
            linking = Linking(by_rows, by_lists, lists.names, lists.years, strata)
        places = Places(folder / PEOPLE, folder / PERPETRATORS, folder / CONFLICTS)
        linked = engine.link(files, gone, linking, places)
        overlap = Overlap()
        if lists:
            doubles = linking.lists.num_rows - by_rows.num_rows
            people = dict(sorted(linked.known.items()))
            within = dict(sorted(linked.strata.items()))
            keyless = sum(nobody.values())
            overlap = Overlap(
                lists.names, lists.years, lists.tokens, people, doubles, keyless, strata=within
            )
            if lists.citizenships:
                found = possible_doubles(records, tokens, by_rows, asked.people)
                overlap = replace(
                    overlap,
                    possible=dict(Counter(found.citizenship) + nobody),
                    births=dict(Counter(found.birth) + Counter(no_key=sum(nobody.values()))),
                    captures=dict(found.captures),
                )
        overlap.write(folder / OVERLAP)
        report_links(folder, records, tokens, linked, settings, unkeyed)
        report_deliveries(hub, folder, delivered)
        totals = {"records": linked.records, "people": linked.people}
        (folder / REPORT).write_text(json.dumps(totals), "utf-8")

    senders = set(map(contributor_of, harmonised))
    return Step(
        name="link",
        inputs={
            **{step.name.removeprefix("harmonise "): step.key for step in harmonised},
            Input("linkage", Text("linkage")): hash_of(
                [settings.model_dump(), asked.people, asdict(lists) if lists else None]
            ),
            Input("deliveries", Text("deliveries")): hash_of(
                [
                    [a.id, a.deliveries, a.model_dump(mode="json")["left"], *_bound(a)]
                    for a in hub.agreements()
                    if a.id in senders
                ]
            ),
            Input("withdrawals", Text("withdrawals")): hub.withdrawn().state,
        },
        output=hub.work / "people",
        run=run,
        software=software(__name__),
        meaning={step.name.removeprefix("harmonise "): step.sense for step in harmonised},
    )


def _bound(agreement: Agreement) -> list[int]:
    """The bound on rows of one person, where one was agreed: then a case is one person."""
    return [] if agreement.rows_per_person is None else [agreement.rows_per_person]


def _without_key(
    harmonised: Sequence[Step], gone: pa.Array
) -> tuple[dict[str, tuple[int, int]], Counter[str]]:
    """Records in force without any key, neither one of a person nor a token: by contributor, with
    all of its records, and by citizenship ("" where not recorded)."""
    held: dict[str, list[pa.Table]] = {}
    rows: Counter[str] = Counter()
    nobody: Counter[str] = Counter()
    for step in harmonised:
        records = pq.read_table(step.output / RECORDS, columns=["record_id", "person_key", ORIGIN])
        records = without(records, gone)
        tokens = pq.read_table(step.output / TOKENS, columns=["record_id"])
        having = pc.is_in(records["record_id"], value_set=tokens["record_id"].combine_chunks())
        none = records.filter(pc.and_(pc.is_null(records["person_key"]), pc.invert(having)))
        rows[contributor_of(step)] += records.num_rows
        said = none[ORIGIN].cast(pa.string()).fill_null("")
        none = pa.table({"record_id": none["record_id"], ORIGIN: said})
        held.setdefault(contributor_of(step), []).append(none)
    found = {}
    for name, parts in sorted(held.items()):
        once = pa.concat_tables(parts).group_by("record_id").aggregate([(ORIGIN, "min")])
        nobody.update(once[f"{ORIGIN}_min"].to_pylist())
        found[name] = (once.num_rows, rows[name])
    return found, nobody


def _with_tokens(harmonised: Sequence[Step], gone: pa.Array) -> tuple[pa.Table, pa.Table]:
    """The records that have tokens, and these."""
    records, tokens = [], []
    for step in harmonised:
        tokens.append(without(pq.read_table(step.output / TOKENS), gone))
        held = pq.read_table(step.output / RECORDS, columns=list(READ))
        having = pc.is_in(held["record_id"], value_set=tokens[-1]["record_id"].combine_chunks())
        records.append(held.filter(having))
    return pa.concat_tables(records), pa.concat_tables(tokens)
