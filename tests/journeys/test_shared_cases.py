"""A number that several people share: what a row is, and whose row it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import HubError
from ctdhub.hub import find_person, pipeline, withdrawals
from ctdhub.hub.find_person import NumberedCase
from ctdhub.hub.folder import Hub
from ctdhub.hub.stages.link import deliveries
from tests.journeys.small_hub import accounts, join, new_hub, people, send

OUR, ONE, TWO = "our-ngo", "2026-01-15", "2026-06-15"
HEADER = "file_number,line,date,role,sex,age"
SHEET = (
    "1001,1,2024-03-01,victim,F,22", "1001,2,2024-03-01,victim,M,15",
    "1001,3,2024-03-01,accused,M,40", "1002,1,2024-03-02,victim,F,30",
    "1002,2,2024-03-02,accused,M,41", "1003,1,2024-03-03,victim,F,19",
)  # fmt: skip
RULES = """
version: 1
rows: person
identifiers: {file_number: case}
columns:
  year_of_registration: {from: date, year: true}
  gender: {from: sex, map: {F: female, M: male}}
  age_band: {from: age, band: true}
accept: ["new-column: role"]
"""
KEYED = RULES.replace("rows: person", "rows: report\nkey: [file_number, line]")
FORCED = RULES.replace("file_number: case", "file_number: hash")


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A hub with the sheet of six rows."""
    made = new_hub(tmp_path / "hub")
    join(made, OUR, RULES, deliveries="cumulative")
    send(made, OUR, ONE, *SHEET, header=HEADER)
    return made


def tell(hub: Hub, number: str, *rows: int, everybody: bool = False) -> tuple[int, int]:
    """Withdraw rows (from 1) of a case; people found, withdrawals written down."""
    found = find_person.look_up(
        hub, OUR, [number], "case", "person", "asked",
        choose=lambda _case: [row - 1 for row in rows], everybody=everybody,
    )  # fmt: skip
    return found.people, withdrawals.withdraw(hub, found.entries)


def bands(hub: Hub) -> list[tuple[str, str]]:
    return [row[1:3] for row in people(hub)]


@pytest.mark.parametrize("rules", [RULES, KEYED])
def test_six_rows_are_six_people_and_one_of_them_withdraws(hub: Hub, rules: str) -> None:
    join(hub, OUR, rules, deliveries="cumulative")
    assert len(people(hub)) == 6
    assert [(d.records, d.people, d.shared) for d in deliveries(hub)] == [(6, 6, 0)]
    with pytest.raises(HubError) as met:
        find_person.look_up(hub, OUR, ["1001"], "case", "person", "asked")
    assert met.value.rule == "shared-case"
    assert tell(hub, "1001", 2) == (1, 1)
    left = bands(hub)
    assert len(left) == 5
    assert ("male", "9-17") not in left
    assert accounts(hub)[OUR, ONE]["withdrawn"] == 1
    assert tell(hub, "1003") == (1, 1), "a number of one person asks nothing"
    assert withdrawals.take_back(hub, OUR, ["1001", "1003"], "case", "asked") == 2
    assert len(people(hub)) == 6
    assert tell(hub, "1001", everybody=True) == (3, 1)
    assert len(people(hub)) == 3


@pytest.mark.parametrize("rules", [RULES, KEYED])
def test_a_corrected_row_of_that_case_is_asked_about(hub: Hub, rules: str) -> None:
    join(hub, OUR, rules, deliveries="cumulative")
    tell(hub, "1001", 2)
    send(hub, OUR, TWO, *SHEET, header=HEADER)
    assert len(people(hub)) == 5, "sent again as she was"
    corrected = (
        "1001,2,2025-03-01,victim,M,18" if rules == RULES else "1001,7,2024-03-01,victim,M,16"
    )
    send(hub, OUR, TWO, SHEET[0], corrected, *SHEET[2:], header=HEADER)
    with pytest.raises(HubError) as met:
        pipeline.build(hub, until="link")
    assert met.value.rule == "case-rows"
    seen: list[NumberedCase] = []
    find_person.look_up(
        hub, OUR, ["1001"], "case", "person", "asked", choose=lambda c: seen.append(c) or []
    )
    assert [row.withdrawn for row in seen[0].rows] == [False] * 3
    assert tell(hub, "1001", 2) == (1, 1)
    assert len(people(hub)) == 5
    send(hub, OUR, TWO, SHEET[0], *SHEET[3:], "1004,1,2024-03-01,victim,F,50", header=HEADER)
    assert len(people(hub)) == 5
    send(hub, OUR, TWO, SHEET[0].replace("22", "50"), *SHEET[3:], header=HEADER)
    if rules == RULES:
        with pytest.raises(HubError):
            pipeline.build(hub, until="link")
        assert tell(hub, "1001") == (0, 0), "none of these rows is hers"
    assert len(people(hub)) == 4


def test_a_later_victim_of_a_case_with_one_row_is_asked_about(hub: Hub) -> None:
    """Her row is found again as it was; another row of her case may be another person's."""
    assert tell(hub, "1003") == (1, 1)
    assert len(people(hub)) == 5
    send(hub, OUR, TWO, *SHEET, "1003,2,2024-06-03,victim,M,12", header=HEADER)
    with pytest.raises(HubError) as met:
        pipeline.build(hub, until="link")
    assert met.value.rule == "case-rows"
    tell(hub, "1003")
    assert len(people(hub)) == 6, "he stays, and she does not"
    assert withdrawals.take_back(hub, OUR, ["1003"], "case", "asked") == 1


def test_a_forced_key_makes_one_person_and_is_warned_of(hub: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    join(hub, OUR, FORCED, deliveries="cumulative")
    assert len(people(hub)) == 3
    assert [d.shared for d in deliveries(hub)] == [2]
    code, out, _err = ctdhub("build", hub.root, "--until", "link")
    assert code == 0
    assert f"Warning: in the files of {OUR}, 2 person keys have rows that contradict" in " ".join(
        out.split()
    )


def test_births_that_differ_show_a_shared_key(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    rules = FORCED.replace("{file_number: hash}", "{file_number: hash, born: band}")
    rules = rules.replace("from: age, band: true", "from: born, band: true, at: date")
    join(hub, OUR, rules)
    header = "file_number,date,sex,born"
    twins = ("1,2024-01-01,F,2008-05-01", "1,2024-01-01,F,2010-05-01", "2,2024-01-01,F,2008-05-01")
    send(hub, OUR, ONE, *twins, "2,2024-02-01,F,01/05/2008", "3,2024-01-01,F,", header=header)
    assert len(people(hub)) == 3
    assert [d.shared for d in deliveries(hub)] == [1], "one band, two births"
    days = ("1,2024-01-01,F,39569", "1,2024-01-01,F,40299", "2,2024-01-01,F,39569")
    send(hub, OUR, ONE, *days, "2,2024-02-01,F,39569.0", "3,2024-01-01,F,", header=header)
    assert len(people(hub)) == 3
    assert [d.shared for d in deliveries(hub)] == [1], "days as Excel counts them"


@pytest.mark.parametrize("answer", ["2", "2, 2", "x\n7\n2"])
def test_the_command_lists_rows_and_lets_one_choose(hub: Hub, answer: str) -> None:
    typed = f"1001\n{answer}\ny\n"
    done = CliRunner().invoke(
        command(), ["withdraw", str(hub.root), "--contributor", OUR], input=typed
    )
    assert done.exit_code == 0, done.output
    assert "Which rows are about the person who withdraws?" in done.output
    assert "Withdrawals written down: 1" in " ".join(done.output.split())
    assert len(people(hub)) == 5
    args = ["withdraw", str(hub.root), "--contributor", OUR, "--yes"]
    refused = CliRunner().invoke(command(), args, input="1002\n")
    assert refused.exit_code != 0


def test_a_mapping_that_is_tried_shows_people(tmp_path: Path, ctdhub) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "sheet.csv").write_text("\n".join((HEADER, *SHEET)) + "\n", "utf-8")
    for rules, people_, shared in ((FORCED, 3, "2"), (RULES, 6, ""), (KEYED, 6, "")):
        (tmp_path / "rules.yaml").write_text(rules, "utf-8")
        code, out, _err = ctdhub(
            "harmonise", tmp_path / "sheet.csv", "--mapping", tmp_path / "rules.yaml"
        )
        rows = {
            line.split("│")[1].strip(): line.split("│")[2].strip()
            for line in out.splitlines()
            if line.count("│") == 3
        }
        assert (code, rows["people"], rows.get("keys that contradict", "")) == (
            0,
            str(people_),
            shared,
        )
        assert "A hub asks" not in out
    (tmp_path / "rules.yaml").write_text(RULES.replace("rows: person", "rows: call"), "utf-8")
    args = ("harmonise", tmp_path / "sheet.csv", "--mapping", tmp_path / "rules.yaml")
    assert "A hub asks what a row is" in " ".join(ctdhub(*args)[1].split())


TOKENS = FORCED.replace("hash", "token")
LINES = RULES.replace("rows: person\nidentifiers: {file_number: case}",
                      "rows: report\nkey: [file_number, line]")  # fmt: skip


OTHER = FORCED.replace("identifiers: {file_number: hash}",
                       "identifiers: {line: hash, file_number: strip}")  # fmt: skip


@pytest.mark.parametrize("after", [TOKENS, LINES, OTHER])
def test_who_withdrew_is_asked_for_where_keys_are_made_of_something_else(
    tmp_path: Path, after: str
) -> None:
    """Marks of numbers find nobody among tokens: she would be back, and nobody would see it."""
    made, key = new_hub(tmp_path / "hub"), "letters-before-1001"
    join(made, OUR, FORCED, deliveries="cumulative")
    rows = (f"{key},1,2024-03-01,victim,F,22", "letters-before-1002,2,2024-03-02,victim,F,30")
    send(made, OUR, ONE, *rows, header=HEADER)
    assert tell(made, key) == (1, 1)
    assert len(people(made)) == 1
    later = made.mapping(OUR).with_suffix("") / f"{TWO}.yaml"
    later.parent.mkdir()
    later.write_text(after, "utf-8")
    assert len(people(made)) == 1, "it reads nothing yet"
    send(made, OUR, TWO, *rows, header=HEADER)
    with pytest.raises(HubError) as met:
        pipeline.build(made, until="link")
    assert met.value.name == "tokens-made-anew/keys"
    withdrawals.tell_renewed(made, OUR)
    assert len(people(made)) == 2, "the steward says so in writing"
