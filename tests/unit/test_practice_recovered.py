"""What was planted comes back through ingest, mapping and linkage."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ctdhub.practice.write import CONTRIBUTORS, PracticeSummary, write_practice
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.identifiers import find_identifiers
from ctdhub.sensitive.ingest.raw import RawTable, read_table
from ctdhub.sensitive.linkage.people import (
    Linked,
    link,
    lists_of_people,
    people_by_lists,
    persons_of,
)
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.run import Harmonised, check_mapping, harmonise

PEOPLE = 12_000
KEY = b"k" * 32
YEARS = (2002, 2025)


@dataclass(frozen=True)
class Hub:
    summary: PracticeSummary
    raw: dict[str, RawTable]
    done: dict[str, Harmonised]
    linked: Linked

    def records(self, contributor: str) -> pa.Table:
        return self.done[contributor].records


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    summary = write_practice(tmp_path_factory.mktemp("practice"), PEOPLE)
    raw, done = {}, {}
    for contributor, file in summary.files.items():
        mapping = load_mapping(summary.folder / "mappings" / f"{contributor}.yaml")
        raw[contributor] = read_table(file, mapping.read)
        done[contributor] = harmonise(raw[contributor], mapping, contributor, YEARS, KEY)
    every = pa.concat_tables([one.records for one in done.values()])
    return Hub(summary, raw, done, link(every, load_schema()))


@pytest.mark.parametrize("contributor", CONTRIBUTORS)
def test_mappings_pass_their_own_tests(contributor: str, hub: Hub) -> None:
    mapping = load_mapping(hub.summary.folder / "mappings" / f"{contributor}.yaml")
    assert len(mapping.tests) >= 3
    check_mapping(mapping)


@pytest.mark.parametrize("contributor", CONTRIBUTORS)
def test_every_row_is_accounted_for(contributor: str, hub: Hub) -> None:
    sent, got = hub.summary.sent[contributor], hub.done[contributor].conservation
    assert got.rows_read == sent.rows
    assert got.rejected == sent.rejected >= 3
    assert dict(got.excluded) == sent.excluded
    assert got.records == sent.records
    rules = set(hub.done[contributor].rejects["rule"].to_pylist())
    assert {"unknown-country", "year-bounds", "unknown-code"} <= rules


def test_identifiers_are_there_to_be_found(hub: Hub) -> None:
    found = {
        contributor: {finding.column for finding in find_identifiers(raw)}
        for contributor, raw in hub.raw.items()
    }
    assert {"CaseNo", "ClientName", "ClientPhone"} <= found["harbour-casework"]
    assert {"Situation ID", "Caller name", "Caller phone"} <= found["beacon-hotline"]
    assert {"prs_FirstName", "prs_Birthdate", "prs_Email"} <= found["rivage-refuge"]
    assert "Expediente" in found["mirador-observatory"]


def test_the_planted_corridor_comes_back_exactly(hub: Hub) -> None:
    corridor = hub.summary.truth["corridor"]
    people = hub.linked.people
    on = pc.and_(
        pc.equal(people["citizenship"], corridor["citizenship"]),
        pc.equal(people["country_of_exploitation"], corridor["country_of_exploitation"]),
    )
    there = people.filter(on)
    for year, planted in corridor["years"].items():
        of_year = there.filter(pc.equal(there["year_of_registration"], int(year)))
        assert of_year.num_rows == planted["all"]
        assert pc.sum(pc.equal(of_year["gender"], "female")).as_py() == planted["women"]


def test_the_people_come_back(hub: Hub) -> None:
    lists = hub.summary.truth["lists"]
    assert hub.linked.people.num_rows == PEOPLE
    everybody = pa.concat_tables([hub.records(name) for name in CONTRIBUTORS])
    sets = lists_of_people(everybody, persons_of(everybody), CONTRIBUTORS, YEARS)
    found = people_by_lists(sets, CONTRIBUTORS)
    planted = {frozenset(name.split(" + ")): n for name, n in lists["overlap"].items()}
    assert {frozenset(names): n for names, n in found.items()} == planted
    assert lists["known_to_several"] / PEOPLE == pytest.approx(0.04, abs=0.01)


def test_unequal_accommodation_is_visible_in_the_files(hub: Hub) -> None:
    records = hub.records("harbour-casework")
    rows = records.filter(pc.is_valid(records["assistance_accommodation"]))
    rows = rows.filter(
        pc.and_(pc.is_valid(rows["citizenship"]), pc.is_valid(rows["country_of_exploitation"]))
    )
    received = pc.cast(pc.equal(rows["assistance_accommodation"], "received"), pa.float64())
    national = pc.equal(rows["citizenship"], rows["country_of_exploitation"])
    at_home = pc.mean(received.filter(national)).as_py()
    abroad = pc.mean(received.filter(pc.invert(national))).as_py()
    assert at_home == pytest.approx(0.6, abs=0.05)
    assert abroad < 0.65 * at_home


def test_the_hotline_stops_and_others_go_on(hub: Hub) -> None:
    last = {
        contributor: pc.max(hub.records(contributor)["year_of_registration"]).as_py()
        for contributor in CONTRIBUTORS
    }
    assert last["beacon-hotline"] == 2022
    assert {last[c] for c in CONTRIBUTORS if c != "beacon-hotline"} == {2025}


def test_means_are_mostly_empty_in_early_casework(hub: Hub) -> None:
    records = hub.records("harbour-casework")
    early = pc.less_equal(records["year_of_registration"], 2011)
    empty = pc.is_null(records["means_threats"])
    before = pc.mean(pc.cast(empty.filter(early), pa.float64())).as_py()
    after = pc.mean(pc.cast(empty.filter(pc.invert(early)), pa.float64())).as_py()
    assert before == pytest.approx(0.92, abs=0.03)
    assert after == pytest.approx(0.35, abs=0.05)


LOSSY = {
    "harbour-casework": set(),
    "rivage-refuge": {"labour_agriculture", "country_of_exploitation_rule"},
    "mirador-observatory": {"country_of_exploitation_rule"},
}
UNSAID = {"year_of_registration", "labour_not_specified", "recruiter_unknown"}
"""What a record says of itself, not of the person."""


@pytest.mark.parametrize("contributor", LOSSY)
def test_recorded_values_are_the_true_ones(contributor: str, hub: Hub) -> None:
    truth = pq.read_table(hub.summary.folder / "truth" / "people.parquet")
    by_token = dict(zip(truth["token"].to_pylist(), range(truth.num_rows), strict=True))
    records = hub.records(contributor)
    row = pa.array([by_token[key] for key in records["person_key"].to_pylist()])
    compared = set(truth.column_names) & set(records.column_names) - UNSAID - LOSSY[contributor]
    assert {"gender", "age_band", "citizenship", "means_threats"} <= compared
    for variable in compared:
        same = pc.drop_null(pc.equal(truth[variable].take(row), records[variable]))
        assert pc.all(same).as_py() is not False, variable


def test_perpetrators_are_child_rows(hub: Hub) -> None:
    rows = hub.done["harbour-casework"].perpetrators
    records = hub.records("harbour-casework")
    assert set(rows["record_id"].to_pylist()) <= set(records["record_id"].to_pylist())
    per_record = rows.group_by("record_id").aggregate([("perpetrator_gender", "count")])
    assert pc.max(per_record["perpetrator_gender_count"]).as_py() == 3
