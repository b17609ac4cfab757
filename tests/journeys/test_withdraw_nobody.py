"""A withdrawal that finds nobody is never "done": it says so, and stays in force."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from ctdhub.core.i18n import LANGUAGES, _, language
from ctdhub.core.i18n import said as translated
from ctdhub.desk.worker.answers.ledgers import withdrawals as withdrawals_page
from ctdhub.hub import find_person, withdrawals
from ctdhub.hub.folder import Hub
from ctdhub.hub.withdrawals import NOTHING_FOUND
from ctdhub.sensitive.bundle.leaving import leaving
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from tests.journeys.small_hub import HEADER, KEYLESS, MAPPING, join, new_hub, people, send

TOKENS = MAPPING.replace("case: hash", "case: token")
ONE, OTHER = "a" * 31 + "1", "b" * 31 + "2"
"""Invented tokens."""


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A hub of two contributors."""
    hub = new_hub(tmp_path / "hub")
    join(hub, "ours")
    join(hub, "theirs")
    send(hub, "ours", "2026-01-15", "K-1,2020,F,30,1,NGA", "K-2,2021,M,31,0,ALB")
    send(hub, "theirs", "2026-01-15", "K-9,2020,F,25,1,NGA")
    return hub


def tell(hub: Hub, ctdhub, *numbers: str, more: tuple[str, ...] = ()) -> str:  # type: ignore[no-untyped-def]
    """What the verb says when the numbers are given."""
    file = hub.root.parent / "numbers.txt"
    file.write_text("\n".join(numbers), "utf-8")
    code, out, _err = ctdhub(
        "withdraw", hub.root, "--contributor", "ours", "--file", file, "--yes", *more
    )
    assert code == 0
    return " ".join(out.split())


def listed(hub: Hub, ctdhub) -> list[bool | None]:  # type: ignore[no-untyped-def]
    """Whether each line of the register in force found anybody."""
    code, out, _err = ctdhub("withdraw", hub.root, "--list", "--json")
    assert code == 0
    return [row["found"] for row in json.loads(out) if row["in_force"]]


def test_nobody_found_is_said_and_a_later_record_is_left_out(
    hub: Hub, ctdhub, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    assert len(people(hub)) == 3
    said = tell(hub, ctdhub, "K-9", more=("--ahead",))
    assert "nothing was taken out" in said
    assert listed(hub, ctdhub) == [False]
    for code in LANGUAGES:
        with language(code):
            wanted, standing = translated(NOTHING_FOUND)[:25], _("no record found so far")
        with monkeypatch.context() as patch:
            patch.setenv("CTDHUB_LANG", code)
            shown = " ".join(ctdhub("withdraw", hub.root, "--list")[1].split())
        assert wanted in shown, code
        assert standing.split()[0] in shown, code
    assert "no record found" in " ".join(ctdhub("withdraw", hub.root, "--list")[1].split())
    assert len(people(hub)) == 3, "K-9 is somebody else at the other contributor"
    rows = ("K-1,2020,F,30,1,NGA", "K-2,2021,M,31,0,ALB", "K-9,2022,F,19,1,NGA")
    send(hub, "ours", "2026-02-15", *rows)
    assert len(people(hub)) == 3
    assert listed(hub, ctdhub) == [True]
    assert "no record found" not in " ".join(ctdhub("withdraw", hub.root, "--list")[1].split())


def test_who_is_in_one_of_two_deliveries_is_found(hub: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    join(hub, "ours", deliveries="additions")
    send(hub, "ours", "2026-02-15", "K-3,2022,F,19,1,NGA")
    assert len(people(hub)) == 4
    assert "nothing was taken out" not in tell(hub, ctdhub, "K-3")
    assert listed(hub, ctdhub) == [True]
    assert len(people(hub)) == 3


def test_a_token_that_others_alone_have_takes_out_theirs_and_shows_nothing_here(
    tmp_path: Path,
    ctdhub,  # type: ignore[no-untyped-def]
) -> None:
    """The contributor's answer is the same whether or not somebody else has the token."""
    seen = []
    for there in (ONE, OTHER):
        hub = new_hub(tmp_path / there[:1] / "hub")
        join(hub, "ours", TOKENS)
        join(hub, "theirs", TOKENS)
        send(hub, "ours", "2026-01-15", f"{'c' * 31}3,2020,F,30,1,NGA")
        send(hub, "theirs", "2026-01-15", f"{there},2020,F,25,1,NGA")
        people(hub)
        told = tell(hub, ctdhub, ONE, more=("--by", "token", "--ahead"))
        assert ("nothing was taken out" in told) is (there != ONE)
        seen.append(list(withdrawals.recorded_numbers(hub, "ours").values()))
        assert listed(hub, ctdhub) == [there == ONE], "the steward sees the whole hub"
        assert len(people(hub)) == 2 - (there == ONE)
    assert seen == [[False], [False]]


def test_the_code_in_the_row_of_a_bundle_finds_whom_the_number_does_not(
    tmp_path: Path,
    ctdhub,  # type: ignore[no-untyped-def]
) -> None:
    own = tmp_path / "own.csv"
    own.write_text(f"{HEADER}\nK-1,2020,F,30,1,NGA\nK-2,2021,M,31,0,ALB\n", "utf-8")
    rules = parse_mapping(MAPPING, "m.yaml")
    left = leaving(read_isolated(own, rules.read), rules, "ours", (2000, 2030), bytes(32), tmp_path)
    hub = new_hub(tmp_path / "hub")
    join(hub, "ours", left.mapping)
    text = left.cases.decode()
    send(hub, "ours", "2026-01-15", *text.splitlines()[1:], header=text.splitlines()[0])
    assert len(people(hub)) == 2
    assert find_person.look_up(hub, "ours", ["K-2"], "case", "person", "asked").unknown == (1,)
    row = next(r for r in csv.DictReader(io.StringIO(text)) if r["row_in_file"] == "3")
    assert "nothing was taken out" not in tell(hub, ctdhub, row["case"])
    assert listed(hub, ctdhub) == [True]
    assert people(hub) == [row for row in people(hub) if row[1] == "female"]


def test_a_chosen_row_of_a_shared_case_counts_as_found(hub: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    join(hub, "ours", KEYLESS)
    people(hub)
    assert "nothing was taken out" not in tell(hub, ctdhub, "K-1")
    assert listed(hub, ctdhub) == [True]


def test_whose_files_were_not_searched_is_said_to_the_steward_alone(hub: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    people(hub)
    assert "Not every file was searched" not in tell(hub, ctdhub, "K-1")
    hub.mapping("theirs").write_text("version: 1\ncolumns: {gender: {form: sex}}\n", "utf-8")
    assert "searched: theirs sent" in tell(hub, ctdhub, "K-2"), "a mapping that cannot be read"
    assert "searched: theirs sent" not in tell(hub, ctdhub, "K-2", more=("--only-here",))
    assert "theirs" in repr(withdrawals_page(hub)["document"])
    assert "theirs" not in repr(withdrawals_page(hub, "ours")["document"])
    join(hub, "theirs")
    people(hub)
    send(hub, "theirs", "2026-02-15", "K-9,2020,F,25,1,NGA")
    assert "searched: theirs sent" in tell(hub, ctdhub, "K-2"), "a new file"


def test_a_report_that_the_desk_carries_out_meanwhile_is_no_error_of_the_program(
    hub: Hub, ctdhub, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    people(hub)
    submit = withdrawals.submit

    def and_carried_out(*told: object, **more: object) -> str:
        key = submit(*told, **more)  # type: ignore[arg-type]
        withdrawals.carry_out(hub, key, lambda _step, _share: None)
        return key

    monkeypatch.setattr(withdrawals, "submit", and_carried_out)
    file = hub.root.parent / "numbers.txt"
    file.write_text("K-1", "utf-8")
    more = ("--contributor", "ours", "--file", file, "--yes")
    code, _out, err = ctdhub("withdraw", hub.root, *more)
    assert (code, "has changed" in " ".join(err.split())) == (2, True)
    assert listed(hub, ctdhub) == [True]
