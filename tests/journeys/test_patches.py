"""Deliveries of corrections: a blank cell says that what was known stands."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from ctdhub.cli.hub import show_deliveries
from ctdhub.hub import find_person, withdrawals
from ctdhub.hub.contributions import REJECTS
from ctdhub.hub.folder import Hub
from tests.journeys.small_hub import KEYLESS, MAPPING, accounts, join, new_hub, people, send
from tests.journeys.test_deliveries import ONE, OUR, THREE, TWO, brought, refused

LATER = {ONE: "records"}
WOMAN, GHANAIAN = (2020, "female", "24-26", "yes", "NGA"), (2019, "male", "18-20", "no", "GHA")


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A contributor whose later deliveries are corrections."""
    made = new_hub(tmp_path / "hub")
    join(made, OUR, deliveries=LATER)
    send(made, OUR, ONE, "1,2020,F,25,1,NGA", "2,2019,M,19,0,GHA")
    return made


def changed(row: tuple[Any, ...], at: int, value: Any) -> tuple[Any, ...]:
    return (*row[:at], value, *row[at + 1 :])


def left_out(hub: Hub, day: str) -> list[str]:
    """The rules of rows that were rejected on a day."""
    found = hub.work / "harmonised" / OUR / day
    return sorted(
        one["rule"] for file in found.glob(f"*/{REJECTS}") for one in csv.DictReader(file.open())
    )


def test_a_row_that_fills_the_age_alone_changes_the_age_alone(hub: Hub) -> None:
    send(hub, OUR, TWO, "1,,,35,,")
    assert people(hub) == [GHANAIAN, changed(WOMAN, 2, "30-38")]
    assert brought(hub) == [(2, 0, 0, 2), (1, 1, 0, 0)]
    send(hub, OUR, THREE, "1,,,,,ALB", "2,2021,,,,", header="case,year,sex,age,sexual,nationality")
    assert people(hub) == [
        changed(changed(WOMAN, 2, "30-38"), 4, "ALB"),
        changed(GHANAIAN, 0, 2021),
    ]


def test_a_file_may_hold_the_corrected_column_alone_and_says_what_is_not_recorded(hub: Hub) -> None:
    send(hub, OUR, TWO, "1,n/a", header="case,nationality")
    join(hub, OUR, MAPPING + "empty: ['', 'n/a']\noptional: [year, sex, age, sexual]\n",
         deliveries=LATER)  # fmt: skip
    assert people(hub) == [GHANAIAN, changed(WOMAN, 4, None)]


def test_a_blank_is_no_no_where_a_list_without_a_form_says_no(hub: Hub) -> None:
    """Nor is a rule that reads another column tried again where that one is blank too."""
    rules = MAPPING.replace(
        'map: {"1": "yes", "0": "no"}}',
        'has: ["1"], split: ";", absent: "no", known: ["0"]}',
    ).replace(
        "{from: nationality, country: true}",
        "[{from: nationality, country: true}, {value: FRA, when: {sex: [F]}}]",
    )
    join(hub, OUR, rules, deliveries=LATER)
    assert people(hub) == [GHANAIAN, WOMAN]
    send(hub, OUR, TWO, "1,,,35,,", "2,,F,,,")
    assert people(hub) == [changed(GHANAIAN, 1, "female"), changed(WOMAN, 2, "30-38")]


def test_nobody_is_left_out_or_counted_by_a_blank_cell(hub: Hub) -> None:
    """A rule that wants a yes meets the yes of before; a no of today counts."""
    consent = MAPPING.replace("when: {sexual: [never]}", "unless: {agreed: [yes]}")
    join(hub, OUR, consent, deliveries=LATER)
    header = "case,year,sex,age,sexual,nationality,agreed"
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA,yes", "2,2019,M,19,0,GHA,yes", "3,2019,M,19,0,GHA,no",
         header=header)  # fmt: skip
    send(hub, OUR, TWO, "1,,,35,,,", "2,,,,,,no", "3,,,20,,,", header=header)
    assert people(hub) == [changed(WOMAN, 2, "30-38")]


@pytest.mark.parametrize(
    ("rows", "rules"),
    [
        (["9,,,35,,"], ["patch-unknown"]),
        ([",,,35,,"], ["patch-key"]),
        (["1,,,35,,", "1,,,45,,"], ["patch-contradicts"] * 2),
        (["1,,,35,,", "1,,M,,,", "9,2020,F,25,1,NGA"], ["patch-unknown"]),
    ],
)
def test_what_nobody_can_know_is_a_reject_and_changes_nothing(
    hub: Hub, rows: list[str], rules: list[str]
) -> None:
    send(hub, OUR, TWO, *rows)
    both = len(rules) < len(rows)
    expected = changed(changed(WOMAN, 2, "30-38"), 1, "male") if both else WOMAN
    assert people(hub) == [GHANAIAN, expected]
    assert left_out(hub, TWO) == rules
    assert accounts(hub)[OUR, TWO]["rejected"] == len(rules)


def test_a_case_of_several_rows_is_not_corrected(hub: Hub) -> None:
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "1,2021,F,25,0,NGA", "2,2019,M,19,0,GHA")
    before = people(hub)
    send(hub, OUR, TWO, "1,,,35,,")
    assert people(hub) == before
    assert left_out(hub, TWO) == ["patch-several"]


def test_a_case_that_was_withdrawn_stays_out(hub: Hub) -> None:
    people(hub)
    found = find_person.look_up(hub, OUR, ["1"], "case", "person", "asked")
    withdrawals.withdraw(hub, found.entries)
    send(hub, OUR, TWO, "1,,,35,,", "2,,,,1,")
    assert people(hub) == [changed(GHANAIAN, 3, "yes")]


@pytest.mark.parametrize("number", ["a1", "A１", " A1 "])
def test_a_case_is_what_the_person_key_is_made_of(hub: Hub, number: str) -> None:
    """Capitals count, compatible spellings do not; nobody's row decides another's."""
    send(hub, OUR, ONE, "A1,2020,F,25,1,NGA", "2,2019,M,19,0,GHA")
    send(hub, OUR, TWO, f"{number},,,35,,")
    same = number != "a1"
    corrected = changed(WOMAN, 2, "30-38")
    assert people(hub) == [GHANAIAN, corrected if same else WOMAN]
    assert left_out(hub, TWO) == ([] if same else ["patch-unknown"])
    send(hub, OUR, ONE, "A1,2020,F,25,1,NGA", "a1,2018,M,19,0,GHA", "n/a,2019,M,19,0,GHA")
    send(hub, OUR, TWO, f"{number},,,35,,", "n/a,,,35,,")
    other = changed(GHANAIAN, 0, 2018)
    mended = [other, GHANAIAN, corrected] if same else [changed(other, 2, "30-38"), GHANAIAN, WOMAN]
    assert people(hub) == mended
    assert left_out(hub, TWO) == ["patch-key"]


def test_a_withdrawn_case_does_not_come_back_in_small_letters(hub: Hub) -> None:
    send(hub, OUR, ONE, "A1,2020,F,25,1,NGA", "2,2019,M,19,0,GHA")
    people(hub)
    found = find_person.look_up(hub, OUR, ["A1"], "case", "person", "asked")
    withdrawals.withdraw(hub, found.entries)
    send(hub, OUR, TWO, "a1,,,35,,")
    assert people(hub) == [GHANAIAN]


def test_corrections_of_records_that_are_gone_are_no_people(hub: Hub) -> None:
    """Withdrawn, or deleted by hand; one correction is left, or two."""
    send(hub, OUR, TWO, "1,,,35,,")
    people(hub)
    digests = [one.sha256 for one in hub.received() if one.date == ONE]
    withdrawals.withdraw_delivery(hub, OUR, ONE, digests, "mistake")
    assert refused(hub) == "deliveries/patch-base"
    send(hub, OUR, THREE, "1,2021,,,,")
    assert refused(hub) == "deliveries/patch-base"
    for day in (TWO, THREE):
        (hub.root / "contributions" / OUR / day / "a.csv").unlink()
    send(hub, OUR, THREE, "2,2019,M,19,0,GHA")
    join(hub, OUR, deliveries={THREE: "records"})
    assert people(hub) == [GHANAIAN]


@pytest.mark.parametrize("name", ["Edad", "age (years)"])
def test_a_column_that_no_earlier_delivery_has_stops_the_build(hub: Hub, name: str) -> None:
    """A correction under another name would be lost without a word."""
    optional = MAPPING + "optional: [year, sex, age, sexual, nationality]\n"
    join(hub, OUR, optional, deliveries=LATER)
    send(hub, OUR, TWO, "1,35", "2,20", header=f"case,{name}")
    assert refused(hub) == "new-column"
    join(hub, OUR, f"{optional}accept: ['new-column: {name}']\n", deliveries=LATER)
    assert people(hub) == [GHANAIAN, WOMAN]
    send(hub, OUR, TWO, "1,35", header="case,Age")
    join(hub, OUR, optional, deliveries=LATER)
    assert people(hub) == [GHANAIAN, changed(WOMAN, 2, "30-38")]


def test_nobody_is_told_that_corrections_are_additions(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    """Corrections by which people are excluded remove them, and those alone; or bring them back."""
    send(hub, OUR, TWO, "1,,,,never,", "2,,,,never,")
    assert people(hub) == []
    show_deliveries(hub)
    send(hub, OUR, THREE, "1,,,,1,")
    assert people(hub) == [WOMAN]
    show_deliveries(hub)
    assert "Warning" not in capsys.readouterr().out


def test_whole_records_follow_corrections_where_days_are_named(hub: Hub) -> None:
    send(hub, OUR, TWO, "1,,,35,,")
    send(hub, OUR, THREE, "1,2021,F,,1,", "3,2020,F,25,1,NGA")
    assert people(hub)[0] == GHANAIAN
    assert left_out(hub, THREE) == ["patch-unknown"], "each later delivery is one of corrections"
    join(hub, OUR, deliveries={TWO: "patches"})
    assert people(hub) == [GHANAIAN, WOMAN, (2021, "female", None, "yes", None)]
    join(hub, OUR, deliveries={THREE: "patches"})
    send(hub, OUR, TWO, "1,2021,F,,1,")
    send(hub, OUR, THREE, "1,,,35,,")
    assert people(hub) == [GHANAIAN, (2021, "female", "30-38", "yes", None)]


def test_what_cannot_be_compared_is_refused(hub: Hub) -> None:
    send(hub, OUR, TWO, "1,,,35,,")
    send(hub, OUR, TWO, "2,,,35,,", name="b.csv")
    assert refused(hub) == "deliveries/patch-files"
    (hub.root / "contributions" / OUR / TWO / "b.csv").unlink()
    join(hub, OUR, deliveries={ONE: "patches"})
    assert refused(hub) == "deliveries/patch-base"
    join(hub, OUR, KEYLESS, deliveries=LATER)
    assert refused(hub) == "deliveries/patches"
    join(hub, OUR, deliveries=LATER)
    dated = hub.root / "mappings" / OUR / f"{TWO}.yaml"
    dated.parent.mkdir()
    dated.write_text(MAPPING.replace("F: female", "F: male"), "utf-8")
    assert refused(hub) == "deliveries/patches"
    dated.write_text(MAPPING + "accept: [one-gender]\n", "utf-8")
    assert people(hub) == [GHANAIAN, changed(WOMAN, 2, "30-38")]
