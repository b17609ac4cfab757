"""Rows of one person: refused, or bounded by an agreement, enforced by case and paid for."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ctdhub.cli.approve import rows_of_statement
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import language
from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.plan import PersonRows, person_rows
from ctdhub.hub import init, pipeline
from ctdhub.hub.folder import Hub, epsilon_since, policy
from ctdhub.hub.private.pages import own_profile
from ctdhub.release.manifest import Manifest
from tests.fixtures.hubs import set_languages, set_policy
from tests.journeys.small_hub import HEADER, KEYLESS, MAPPING, accounts, join, new_hub, people, send

OUR, OTHER, THIRD = "our-ngo", "other-ngo", "third-ngo"
ONE, TWO = "2026-01-15", "2026-06-15"
CALLS = KEYLESS.replace("rows: person", "rows: call")


def refused(hub: Hub) -> str:
    """The rule by which a build as far as people stops; it says what to write."""
    with pytest.raises(HubError) as met:
        pipeline.build(hub, until="link")
    assert "rows_per_person: " in str(met.value.fix)
    return str(met.value.name)


def paid_for(hub: Hub) -> PersonRows:
    rules = policy(hub)
    return person_rows(rules, hub.facts(rules.years))


def test_a_second_delivery_without_keys_makes_nobody_two(tmp_path: Path, ctdhub) -> None:  # type: ignore[no-untyped-def]
    """A file of the practice hub comes again with assistance updated, and has no key."""
    hub = init.practice_hub(tmp_path / "hub", 1000)
    name = "mirador-observatory"
    for other in {a.id for a in hub.agreements()} - {name}:
        shutil.rmtree(hub.root / "contributions" / other)
        (hub.root / "contributors" / f"{other}.yaml").unlink()
    rules = hub.mapping(name)
    text = rules.read_text("utf-8")
    rules.write_text(
        text.replace("Expediente: case ", "Expediente: strip")
        .replace("enlace: token", "enlace: strip"), "utf-8",
    )  # fmt: skip
    said = hub.policy_file.read_text("utf-8")
    lists = next(line for line in said.splitlines() if line.startswith("sources:"))
    hub.policy_file.write_text(said.replace(lists, "sources: {share: 0.05, lists: []}"), "utf-8")
    agreement = hub.root / "contributors" / f"{name}.yaml"
    terms = agreement.read_text("utf-8")
    assert refused(hub) == "rows-without-key"
    terms += "person_key: no\n"
    agreement.write_text(terms, "utf-8")
    pipeline.build(hub, until="link")
    table = hub.work / "people" / "people.parquet"
    once = pq.read_metadata(table).num_rows
    [file] = (hub.root / "contributions" / name).glob("*/*.csv")
    again = file.parent.with_name(TWO) / file.name
    again.parent.mkdir()
    with file.open(encoding="utf-8-sig", newline="") as given:
        rows = list(csv.reader(given))
    place = next(i for i, c in enumerate(rows[0]) if "Sí" in {r[i] for r in rows[1:]} and i > 5)
    for row in rows[1:]:
        row[place] = "Sí"
    with again.open("w", encoding="utf-8-sig", newline="") as given:
        csv.writer(given).writerows(rows)
    assert refused(hub) == "deliveries"
    assert ctdhub("check", hub.root)[0] == 2, "before a build does"
    agreement.write_text(f"{terms}deliveries: cumulative\n", "utf-8")
    pipeline.build(hub, until="link")
    assert pq.read_metadata(table).num_rows == once
    agreement.write_text(f"{terms}deliveries: additions\nrows_per_person: 2\n", "utf-8")
    pipeline.build(hub, until="link")
    assert once < pq.read_metadata(table).num_rows <= 2 * once
    assert paid_for(hub) == PersonRows(2, keyed=False)


def test_who_promises_one_row_and_sends_five(tmp_path: Path) -> None:
    """Of a case no more rows count than agreed: which, is as good as chance, and stays so."""
    hub = new_hub(tmp_path / "hub")
    rows = [f"7,2020,F,{age},1,NGA" for age in (20, 25, 29, 33, 45)]
    join(hub, OUR, KEYLESS, rows_per_person=1)
    send(hub, OUR, ONE, *rows, "8,2021,M,25,0,GHA", ",2021,M,25,0,GHA")
    kept = people(hub)
    assert len(kept) == 3
    assert accounts(hub)[OUR, ONE]["rows-per-person"] == 4
    assert own_profile(hub, OUR)[1].excluded["rows-per-person"] == 4
    send(hub, OUR, ONE, "9,2022,F,25,1,ALB", *rows[::-1], "8,2021,M,25,0,GHA", ",2021,M,25,0,GHA")
    assert set(kept) < set(people(hub)), "whatever else there is, and in whatever order"
    join(hub, OUR, KEYLESS, rows_per_person=3)
    assert Counter(row[0] for row in people(hub)) == {2020: 3, 2021: 2, 2022: 1}
    assert paid_for(hub).bound == 3
    join(hub, OUR, KEYLESS)
    assert len(people(hub)) == 8, "where nothing was agreed a case may be a family"


def test_the_bound_of_a_case_counts_persons_with_and_without_a_key(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    rules = KEYLESS.replace("{case: case}", "{case: case, link: token}")
    join(hub, OUR, rules, rows_per_person=2)
    key, header = "a-token-of-sixteen-letters", f"link,{HEADER}"
    sent = [f"{key},7,2020,F,25,1,NGA", f"{key},7,2021,F,25,1,NGA"]
    send(hub, OUR, ONE, *sent, *(f",7,202{n},F,25,1,NGA" for n in range(2, 6)), header=header)
    assert len(people(hub)) == 2
    assert paid_for(hub) == PersonRows(2)


def test_calls_without_a_key_need_a_bound(tmp_path: Path, ctdhub) -> None:  # type: ignore[no-untyped-def]
    hub = new_hub(tmp_path / "hub")
    join(hub, OUR, CALLS)
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA", "3,2020,M,25,0,GHA")
    assert refused(hub) == "row-unit/not-people"
    assert ctdhub("check", hub.root)[0] == 2
    join(hub, OUR, CALLS, rows_per_person=2)
    assert ctdhub("check", hub.root)[0] == 0
    assert len(people(hub)) == 3
    keyed = CALLS.replace("case: case", "case: hash")
    join(hub, OUR, keyed)
    assert len(people(hub)) == 3
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", ",2020,M,25,0,GHA")
    assert refused(hub) == "rows-per-person/reports"
    join(hub, OUR, keyed, rows_per_person=4)
    assert len(people(hub)) == 2
    assert paid_for(hub) == PersonRows(4)


def test_additions_without_keys_need_a_bound(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    join(hub, OUR, KEYLESS, deliveries="additions")
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA")
    assert len(people(hub)) == 1
    send(hub, OUR, TWO, "1,2020,F,30,1,NGA")
    assert refused(hub) == "deliveries/no-key"
    join(hub, OUR, KEYLESS, deliveries="additions", rows_per_person=2)
    assert len(people(hub)) == 2
    join(hub, OUR, deliveries="additions")
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", ",2020,M,25,0,GHA")
    send(hub, OUR, TWO, "1,2020,F,30,1,NGA", ",2020,M,30,0,GHA")
    assert refused(hub) == "rows-per-person", "a lost number may make one person two"
    join(hub, OUR, deliveries="additions", rows_per_person=2)
    assert len(people(hub)) == 3


def test_a_person_with_rows_at_three_contributors(tmp_path: Path) -> None:
    """One keyed, one without a key, one of reports: the policy says how many may know her."""
    hub = new_hub(tmp_path / "hub")
    join(hub, OUR)
    join(hub, OTHER, KEYLESS)
    join(hub, THIRD, CALLS, rows_per_person=3)
    for contributor in (OUR, OTHER):
        send(hub, contributor, ONE, "1,2020,F,25,1,NGA")
    send(hub, THIRD, ONE, *(f"{n},202{n},F,25,1,NGA" for n in range(3)))
    assert len(people(hub)) == 5
    assert paid_for(hub) == PersonRows(3, 1, keyed=False)
    for known_to, bound in ((2, 4), (3, 5), (9, 5)):
        text = f"version: 1\nlinking: {{known_to: {known_to}}}\n"
        hub.policy_file.write_text(text, "utf-8")
        assert paid_for(hub) == PersonRows(bound, min(known_to, 3), keyed=False)
    (hub.root / "contributions" / THIRD / ONE / "a.csv").unlink()
    assert paid_for(hub).bound == 2, "who sends nothing has no rows"


@pytest.fixture
def small(tmp_path: Path) -> Hub:
    """A practice hub that releases three columns of a handful of people, by one contributor."""
    hub = init.practice_hub(tmp_path / "hub", 1000)
    for name in ("contributors", "mappings", "contributions"):
        shutil.rmtree(hub.root / name)
        (hub.root / name).mkdir()
    columns, none = ["year_of_registration", "gender", "age_band"], {"share": 0}
    set_policy(hub, columns=columns, perpetrators=none, sources=none, epsilon=1.0)
    set_languages(hub, "en")
    send(hub, OUR, ONE, *(f"{n},2020,F,25,1,NGA" for n in range(40)))
    return hub


def test_a_bound_that_grows(small: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    """The second release pays for three rows; what the first one cost such a person is said."""
    join(small, OUR, KEYLESS)
    pipeline.build(small, until="release")
    [first] = small.releases.glob("[!.]*/manifest.json")
    before = Manifest.model_validate_json(first.read_bytes())
    assert (before.unit, before.rows_per_person) == ("row of a contributor", 1)
    assert before.epsilon_by_rows["1"] == pytest.approx(1)
    assert "for each row of a contributor" in first.with_name("README.md").read_text("utf-8")
    assert epsilon_since(small, before) is None
    join(small, OUR, KEYLESS, rows_per_person=3)
    pipeline.build(small, until="candidate")
    [second] = small.candidates.glob("[!.]*/manifest.json")
    after = Manifest.model_validate_json(second.read_bytes())
    assert (after.unit, after.rows_per_person) == ("person with at most 3 rows", 3)
    assert after.rho == before.rho
    assert after.sigma["gender"] == pytest.approx(3 * before.sigma["gender"], rel=0.02)
    together = epsilon_of(10 * before.rho, before.delta)
    assert epsilon_since(small, after) == pytest.approx(together)
    said = dict(rows_of_statement(small, after))
    assert said["unit of protection"] == "person with at most 3 rows"
    assert "3 rows in each of them has epsilon 3.4 " in said["the bound grew"]
    text = second.with_name("README.md").read_text("utf-8")
    assert "Noise is for up to 3 rows of one person" in text
    changed = second.with_name("CHANGELOG.md").read_text("utf-8")
    assert f"{OUR}: at most 3 rows of one person count; it was 1." in changed
    assert "counts once)" not in text.replace("with one person key count once)", "")
    code, out, _err = ctdhub("check", small.root)
    assert (code, "person with at most 3 rows" in out) == (0, True)
    code, out, _err = ctdhub("rehearse", small.root, "--epsilon", "1", "--people", "50", "--json")
    assert (code, json.loads(out)["rows_per_person"]) == (0, 3)
    with language("ar"):
        assert len({said for _name, said in rows_of_statement(small, after)}) == 4


@pytest.mark.parametrize("rules", [KEYLESS, KEYLESS.replace("case: case", "case: strip")])
def test_what_is_protected_does_not_follow_from_a_mapping(tmp_path: Path, rules: str) -> None:
    """A key that the data forced out of a mapping changes nothing in public; a person says it."""
    hub = new_hub(tmp_path / "hub")
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA")
    join(hub, OUR, MAPPING)
    before = hub.facts((2000, 2030)), paid_for(hub)
    hub.mapping(OUR).write_text(rules, "utf-8")
    assert (hub.facts((2000, 2030)), paid_for(hub)) == before
    with pytest.raises(HubError) as met:
        pipeline.build(hub, until="link")
    assert met.value.name == "rows-without-key"
    join(hub, OUR, rules, person_key=False)
    pipeline.build(hub, until="link")
    assert paid_for(hub) == PersonRows(keyed=False)
    join(hub, OUR, MAPPING, person_key=False)
    assert paid_for(hub) == PersonRows(keyed=False), "nor does a key that a mapping gets"


def test_keys_alone_change_nothing(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    join(hub, OUR, MAPPING)
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA")
    [facts] = hub.facts((2000, 2030))["contributors"]
    assert not {"rows_per_person", "keyed"} & set(facts)
    assert paid_for(hub) == PersonRows()
