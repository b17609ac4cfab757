"""All records become people, the unit of protection, with reports on links and deliveries."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text, said
from ctdhub.core.keys.linkage import holds_secret
from ctdhub.dp.policy import Policy
from ctdhub.dp.sources import Overlap, double_tables, list_tables
from ctdhub.hub import contributions as work
from ctdhub.hub import deliveries as hub_deliveries
from ctdhub.hub.contributions import account_of, contributor_of, date_of, left_by
from ctdhub.hub.deliveries import DeliveredFiles, OutOfForce, own_out_of_force, without
from ctdhub.hub.engine import Engine
from ctdhub.hub.folder import Hub
from ctdhub.hub.steps import Step, hash_of, software, walk
from ctdhub.hub.withdrawals import check_elsewhere
from ctdhub.schema.model import AGE, ORIGIN, SEX
from ctdhub.sensitive.consent.register import RULE
from ctdhub.sensitive.linkage.deliveries import READ as DELIVERY_COLUMNS
from ctdhub.sensitive.linkage.deliveries import changes, shared_keys
from ctdhub.sensitive.linkage.people import Linking, PartitionsPlaces, Totals
from ctdhub.sensitive.linkage.review import READ, cluster
from ctdhub.sensitive.linkage.settings import LinkageSettings
from ctdhub.sensitive.linkage.token_joins import joins, possible_doubles

# --------------------------------------------------------------------------------------------------
# People beside rows and records, by contributor and delivery: for the steward alone.
#
# The counts are exact.  They lie below ``work/`` and are shown to whoever builds, never in a
# message of an error and never outside the hub.


@dataclass(frozen=True)
class DeliveryLine:
    """One delivery.  Sensitive: the counts are exact.

    Attributes:
        contributor, date: whose, and the day it came.
        rows, records: rows read in its files, and records made of them.
        people: whom these records are about, but for those of whom the contributor itself told that
            they withdrew: it may be shown this line.
        shared: person keys in force whose rows contradict each other in gender or birth.
        changed, left, new: people whose records are others than before the delivery, who have none
            now, and who had none; only people with a key can be compared.
        again: people with a key who had records before.
    """

    contributor: str
    date: str
    rows: int
    records: int
    people: int
    shared: int
    changed: int
    left: int
    new: int
    again: int

    @property
    def compared(self) -> bool:
        """Whether any of its people could be looked for in other deliveries."""
        return bool(self.new or self.again or self.left) or not self.people


def report_deliveries(hub: Hub, folder: Path, delivered: Sequence[DeliveredFiles]) -> None:
    """Write what each delivery brought, by contributor and date."""
    lines = [asdict(line) for one in delivered for line in _lines(one, own_out_of_force(hub, one))]
    (folder / work.DELIVERED).write_text(json.dumps(lines, indent=1), "utf-8")


def deliveries(hub: Hub) -> list[DeliveryLine]:
    """What the last build saw of each delivery; nothing where it linked nobody."""
    return [DeliveryLine(**line) for line in left_by(hub.work / "people", work.DELIVERED) or ()]


def _lines(one: DeliveredFiles, out: OutOfForce) -> list[DeliveryLine]:
    rows, records = Counter[str](), Counter[str]()
    for step in one.steps:
        account, day = account_of(step), date_of(step)
        rows[day] += account["rows_read"]
        records[day] += account["records"]
    shared = Counter(_shared(one, out.ids)["delivery"].to_pylist())
    brought = changes(_staying(one.rows(), out), one.way)
    who = one.agreement.id
    return [
        DeliveryLine(who, day, rows[day], records[day], shared=shared[number], **asdict(of))
        for number, (day, of) in enumerate(zip(one.dates, brought, strict=True))
    ]


def _staying(rows: pa.Table, out: OutOfForce) -> pa.Table:
    """The rows of people who did not withdraw, in all their versions."""
    gone = out.by_rule.get(RULE, pa.array([], pa.string()))
    if not len(gone):
        return rows
    hers = rows["person_key"].filter(pc.is_in(rows["record_id"], value_set=gone))
    keyed = pc.is_in(rows["person_key"], value_set=hers.combine_chunks().drop_null())
    left = pc.or_(keyed, pc.is_in(rows["record_id"], value_set=gone))
    return rows.filter(pc.invert(left))


def _shared(one: DeliveredFiles, gone: pa.Array) -> pa.Table:
    """Keys in force that several people share, by delivery."""
    rows: list[pa.Table] = []
    births: list[pa.Table] = []
    for step in one.steps:
        said = pq.read_table(
            step.output / work.RECORDS, columns=list(DELIVERY_COLUMNS), read_dictionary=[SEX, AGE]
        )
        rows.append(_numbered(without(said, gone), one.number(step)))
        births.append(_numbered(pq.read_table(step.output / work.BIRTHS), one.number(step)))
    return shared_keys(pa.concat_tables(rows).unify_dictionaries(), pa.concat_tables(births))


def _numbered(table: pa.Table, delivery: int) -> pa.Table:
    numbers = pa.repeat(pa.scalar(delivery, pa.int32()), table.num_rows)
    return table.append_column("delivery", numbers)


# --------------------------------------------------------------------------------------------------
# The report on links for the steward, and the rule that no linkage key lies in a hub.

REVIEW, CLUSTERS, LINKAGE = "review.csv", "clusters.parquet", "linkage.json"
PAIRS = "pairs.parquet"
_MADE_HERE = {"ledger", "releases", "candidates", "site", "work", "withdrawals", "desk"}


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


@dataclass(frozen=True)
class Keys:
    """Which records in force have keys.

    Attributes:
        records, tokens: the records that have tokens, and these.
        without: by contributor, records without any key, neither one of a person nor a token, and
            all of its records.
        nobody: people without any token by citizenship ("" where not recorded).
    """

    records: pa.Table
    tokens: pa.Table
    without: dict[str, tuple[int, int]]
    nobody: Counter[str]


def report_links(folder: Path, keys: Keys, linked: Totals, settings: LinkageSettings) -> None:
    """Write the report; rows of people are not touched by it.

    Args:
        linked: what became of all records.
    """
    clustering = cluster(keys.records, keys.tokens, settings.cut, settings.look)
    reasons = [
        said(Text.from_json({"message": reason, "fields": {}}))
        for reason in clustering.review["reason"].to_pylist()
    ]
    at = clustering.review.schema.get_field_index("reason")
    review = clustering.review.set_column(at, "reason", pa.array(reasons, pa.string()))
    pa_csv.write_csv(review, folder / REVIEW)
    pq.write_table(clustering.members, folder / CLUSTERS)
    pq.write_table(clustering.pairs, folder / PAIRS)
    report = {
        "cut": settings.cut,
        "look": settings.look,
        "people": linked.people,
        "conflicts": dict(sorted(linked.conflicts.items(), key=lambda item: (-item[1], item[0]))),
        "persons_with_tokens": clustering.persons,
        "clusters": clustering.clusters,
        "links": clustering.links,
        "to_review": clustering.review.num_rows,
        "too_common": clustering.too_common,
        "made_apart": [list(group) for group in clustering.made_apart],
        "overlap": clustering.overlap,
        "without_key": {n: list(said) for n, said in keys.without.items()},
        "held_twice": {n: list(said) for n, said in sorted(clustering.held_twice.items())},
        "patterns": [asdict(pattern) for pattern in clustering.patterns],
    }
    (folder / LINKAGE).write_text(json.dumps(report, indent=1), "utf-8")


def linkage(hub: Hub) -> dict[str, Any]:
    """The report of the last build.

    Raises:
        HubFolderError: there is none.
    """
    folder = hub.work / "people"
    report: dict[str, Any] | None = left_by(folder, LINKAGE)
    if report is None:
        raise error("no-report", file=folder / LINKAGE)
    return report


# --------------------------------------------------------------------------------------------------
# All records become people, the unit of protection, with a report on links.


def link_people(hub: Hub, rules: Policy, harmonised: Sequence[Step], engine: Engine) -> Step:
    """All records -> people, the unit of protection, their perpetrators, overlaps and links."""
    if not harmonised:
        raise error("no-contributions", file=hub.root)

    settings, asked = hub.settings.linkage, rules.linking
    lists = list_tables(rules, hub.facts(rules.years))
    counted = double_tables(rules, hub.facts(rules.years))
    hub_deliveries.check_recognised(hub, harmonised)

    def run(folder: Path) -> None:
        hub_deliveries.forget(hub, [step.output for step in harmonised])
        delivered = hub_deliveries.sent(hub, harmonised)
        for one in delivered:
            file = hub.agreement_file(one.agreement.id)
            one.require_clear(file, hub_deliveries.reports_of(hub, one))
        check_elsewhere(hub, delivered)
        gone = hub_deliveries.out_of_force(hub, delivered).ids
        hub_deliveries.check_made_alike(hub, delivered, gone)
        hub_deliveries.check_one_format(harmonised, gone)
        outputs = [step.output for step in harmonised]
        files = [(output / work.RECORDS, output / work.PERPETRATORS) for output in outputs]
        keys = _keys(harmonised, gone)
        by_rows = joins(keys.records, keys.tokens, asked.people)
        linking = Linking(by_rows, by_rows)
        if lists:
            by_lists = joins(keys.records, keys.tokens, lists.tokens)
            strata = tuple(name for name, _values in lists.strata)
            linking = Linking(by_rows, by_lists, lists.names, lists.years, strata)
        places = PartitionsPlaces(
            folder / work.PEOPLE, folder / work.PERPETRATORS, folder / work.CONFLICTS
        )
        linked = engine.link(files, gone, linking, places)
        overlap = Overlap()
        if lists:
            doubles = linking.lists.num_rows - by_rows.num_rows
            people = dict(sorted(linked.known.items()))
            within = dict(sorted(linked.strata.items()))
            overlap = Overlap(
                lists.names, lists.years, lists.tokens, people, doubles, strata=within
            )
        if counted:
            repeats = possible_doubles(keys.records, keys.tokens, by_rows, asked.people)
            overlap = replace(
                overlap,
                without_key=repeats.without_key + keys.nobody.total(),
                possible=dict(Counter(repeats.citizenship) + keys.nobody),
                captures=dict(repeats.captures),
            )
        overlap.write(folder / work.OVERLAP)
        report_links(folder, keys, linked, settings)
        report_deliveries(hub, folder, delivered)
        totals = {"records": linked.records, "people": linked.people}
        (folder / work.REPORT).write_text(json.dumps(totals), "utf-8")

    senders, read = (
        set(map(contributor_of, harmonised)),
        {"id", "deliveries", "left", "rows_per_person"},
    )
    agreed = [a for a in hub.agreements() if a.id in senders]
    stated = [a.model_dump(mode="json", include=read) for a in agreed]
    return Step(
        name="link",
        inputs={
            **{step.name.removeprefix("harmonise "): step.key for step in harmonised},
            Text("linkage"): hash_of(
                [settings.model_dump(), asked.people, lists and asdict(lists), bool(counted)]
            ),
            Text("deliveries"): hash_of(stated),
            Text("withdrawals"): hub.withdrawn().state,
        },
        output=hub.work / "people",
        run=run,
        software=software(__name__),
        meaning={step.name.removeprefix("harmonise "): step.sense for step in harmonised},
    )


def _keys(harmonised: Sequence[Step], gone: pa.Array) -> Keys:
    records, tokens, people = list[pa.Table](), list[pa.Table](), list[pa.Table]()
    keyless: dict[str, list[pa.Table]] = {}
    rows: Counter[str] = Counter()
    columns = list(dict.fromkeys([*READ, "person_key", ORIGIN]))
    for step in harmonised:
        tokens.append(without(pq.read_table(step.output / work.TOKENS), gone))
        table = without(pq.read_table(step.output / work.RECORDS, columns=columns), gone)
        having = pc.is_in(table["record_id"], value_set=tokens[-1]["record_id"].combine_chunks())
        records.append(table.filter(having).select(list(READ)))
        none = table.filter(pc.and_(pc.is_null(table["person_key"]), pc.invert(having)))
        rows[contributor_of(step)] += table.num_rows
        keyless.setdefault(contributor_of(step), []).append(none.select(["record_id"]))
        person = pc.coalesce(table["person_key"], table["record_id"])
        said = table[ORIGIN].cast(pa.string())
        people.append(pa.table({"person": person, "of": said, "has": having}))
    every = pa.concat_tables(people).group_by("person").aggregate([("has", "any"), ("of", "min")])
    nobody = every.filter(pc.invert(every["has_any"]))["of_min"].fill_null("").to_pylist()
    counts = {}
    for name, parts in sorted(keyless.items()):
        once = pa.concat_tables(parts).group_by("record_id").aggregate([])
        counts[name] = (once.num_rows, rows[name])
    return Keys(pa.concat_tables(records), pa.concat_tables(tokens), counts, Counter(nobody))
