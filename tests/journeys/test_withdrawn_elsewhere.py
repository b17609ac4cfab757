"""What a contributor can see of it when somebody withdraws at another: nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from ctdhub.core.errors import WithdrawalError
from ctdhub.document import html
from ctdhub.hub import find_person, pipeline, withdrawals
from ctdhub.hub.folder import Hub
from ctdhub.hub.private.look import look, own_rows
from ctdhub.hub.private.pages import own_page, own_profile, own_workbook
from ctdhub.hub.stages.link import deliveries
from ctdhub.hub.withdrawals import TakenElsewhere, decide, taken_elsewhere
from tests.journeys.small_hub import HEADER, MAPPING, accounts, join, new_hub, people, send

OUR, OTHER, ONE, TWO = "our-ngo", "other-ngo", "2026-01-15", "2026-06-15"
HERS, HIS, THIRD = (f"a-token-of-person-{n:04d}" for n in range(3))
TOKENS = MAPPING.replace("case: hash", "case: token")
DAY = date(2026, 7, 1)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """Two contributors that know two people both; the other has a row more, and a second delivery.

    Whether it knows her or planted a row with her token, which it can make, is all the same.
    """
    hub = new_hub(tmp_path / "hub")
    for contributor in (OUR, OTHER):
        join(hub, contributor, TOKENS)
    send(hub, OUR, ONE, f"{HERS},2020,F,25,1,NGA", f"{HIS},2020,M,25,0,GHA")
    rows = (f"{HERS},2020,F,25,1,NGA", f"{HIS},2019,M,24,0,GHA", f"{THIRD},2020,F,35,x,ALB")
    send(hub, OTHER, ONE, *rows)
    send(hub, OTHER, TWO, f"{HERS},2021,F,26,1,NGA", f"{THIRD},2021,F,36,1,ALB")
    assert len(people(hub)) == 3
    return hub


def told(hub: Hub, contributor: str, *tokens: str) -> dict[str, int]:
    """Withdraw people everywhere; records found by contributor."""
    found = find_person.look_up(hub, contributor, tokens, "token", "person", "asked")
    withdrawals.withdraw(hub, found.entries)
    return found.records


def seen(hub: Hub, contributor: str) -> tuple[object, ...]:
    """All that a contributor is ever given of exact counts: reports, pages, files."""
    lines = [d for d in deliveries(hub) if d.contributor == contributor]
    day = lines[-1].date
    (one,) = look(hub, contributor, day)
    rows = own_rows(hub, contributor, day)
    page = html.write(own_page("hub", one, rows, DAY))
    return (own_profile(hub, contributor), lines, one, page, own_workbook(one, rows))


def test_another_contributor_sees_nothing_of_it(hub: Hub) -> None:
    before, own = seen(hub, OTHER), own_profile(hub, OUR)
    assert told(hub, OUR, HERS, HIS) == {OUR: 2, OTHER: 2}
    assert len(people(hub)) == 1, "they are in no merged row"
    assert seen(hub, OTHER) == before
    assert own_profile(hub, OUR) != own, "who told it may see it"
    assert own_profile(hub, OUR)[1].excluded["withdrawn"] == 2
    assert [accounts(hub)[OTHER, day]["withdrawn"] for day in (ONE, TWO)] == [1, 1], "steward's"
    told(hub, OTHER, HERS)
    assert len(people(hub)) == 1
    itself = own_profile(hub, OTHER)[1]
    assert (itself.people, itself.excluded["withdrawn"]) == (2, 1), "what it told itself"
    assert withdrawals.take_back(hub, OUR, [HERS, HIS], "token", "asked") == 2
    assert len(people(hub)) == 2, "who told it undoes it, and nobody else"
    assert own_profile(hub, OTHER)[1] == itself


def at_the_desk(hub: Hub, contributor: str) -> str:
    """The register as the desk shows it to a contributor, or to the steward."""
    from ctdhub.desk.worker.answers.ledgers import withdrawals

    return repr(withdrawals(hub, contributor)["document"])


def limited(hub: Hub, limit: int) -> None:
    file = hub.root / "hub.yaml"
    said = yaml.safe_load(file.read_text("utf-8")) | {"withdrawn_elsewhere": limit}
    file.write_text(yaml.safe_dump(said), "utf-8")


def test_above_the_limit_the_steward_decides(hub: Hub, ctdhub: Run) -> None:
    """A contributor plants tokens and withdraws its plants: no more leave than the limit says."""
    limited(hub, 1)
    told(hub, OTHER, HIS, THIRD)
    (quarter,) = {t.quarter for t in taken_elsewhere(hub)}
    assert taken_elsewhere(hub) == [TakenElsewhere(OTHER, quarter, 1, 1)], "the third is its own"
    assert len(people(hub)) == 1
    told(hub, OTHER, HERS)
    assert taken_elsewhere(hub) == [TakenElsewhere(OTHER, quarter, 2, 1)]
    with pytest.raises(WithdrawalError) as met:
        pipeline.build(hub, until="link")
    assert met.value.rule == "withdrawn-elsewhere"
    before = at_the_desk(hub, OTHER)
    code, out, _err = ctdhub("withdraw", hub.root, "--list")
    assert code == 0
    assert re.search(rf"{OTHER}\W+{quarter}\W+2\W+1", out)
    assert decide(hub, OTHER, only_here=False) == 1
    assert people(hub) == []
    assert at_the_desk(hub, OTHER) == before, "that there was a decision tells whom others know"
    assert "people of others: decided" in at_the_desk(hub, "")
    with pytest.raises(WithdrawalError) as met:
        decide(hub, OTHER, only_here=True)
    assert met.value.rule == "nothing-to-decide"


def test_or_the_others_keep_their_people(hub: Hub, ctdhub: Run) -> None:
    limited(hub, 1)
    told(hub, OTHER, HIS, HERS)
    told(hub, OUR, HIS)
    assert len(people(hub)) == 1, "he withdrew at both, so nobody was taken out elsewhere but her"
    limited(hub, 0)
    before = at_the_desk(hub, OTHER)
    assert ctdhub("withdraw", hub.root, "--contributor", OTHER, "--decide", "--only-here",
                  "--yes")[0] == 0  # fmt: skip
    assert at_the_desk(hub, OTHER) == before
    assert "in these records" not in before
    assert "in these records" in at_the_desk(hub, "")
    assert people(hub) == [(2020, "female", "24-26", "yes", "NGA"), (2021, "female", "30-38", "yes",
                                                                    "ALB")]  # fmt: skip
    assert withdrawals.register(hub)[0][-1].scope == "records"
    withdrawals.take_back(hub, OTHER, [HERS], "token", "asked")
    undone = at_the_desk(hub, OTHER)
    assert undone.count("undone") == 1
    assert "in these records" not in undone


@pytest.mark.parametrize("hers", [False, True])
def test_rows_of_a_case_are_written_down_whoever_withdrew_elsewhere(
    tmp_path: Path, hers: bool
) -> None:
    """Her token planted in a case of two rows tells by no line what the other organisation did."""
    hub = new_hub(tmp_path / "hub")
    cases = MAPPING.replace("identifiers: {case: hash}", "identifiers: {case: token, no: case}")
    for contributor in (OUR, OTHER):
        join(hub, contributor, cases)
    rows = [f"{HIS},A-1,2020,M,25,0,GHA", f"{HERS},A-1,2020,F,25,1,NGA"]
    more = [f"{THIRD},A-2,2020,F,35,0,ALB"]
    lines = []
    for withdraw in (False, True):
        send(hub, OUR, ONE, *rows, header=f"case,no,{HEADER.removeprefix('case,')}")
        send(hub, OTHER, ONE, *rows, *more, header=f"case,no,{HEADER.removeprefix('case,')}")
        people(hub)
        if withdraw:
            who = ["A-1"] if hers else [HERS]
            found = find_person.look_up(
                hub, OTHER, who, "case" if hers else "token", "person", "asked",
                choose=lambda _case: [0],
            )  # fmt: skip
            withdrawals.withdraw(hub, found.entries)
        key = withdrawals.submit(hub, OUR, "person", "asked", ["A-1"], "case")
        report = withdrawals.look_for(hub, key, lambda *_: None)[0]
        shown = [[*case.rows] for case in report.asked]
        withdrawals.answer(hub, key, OUR, report.digest, {1: [0]}, "")
        found_now = withdrawals.look_for(hub, key, lambda *_: None)[1]
        assert found_now is not None
        lines.append((shown, [(e.kind, e.mark, e.because) for e in found_now.entries]))
        withdrawals.take_back_report(hub, key, OUR)
    assert lines[0] == lines[1]
    assert [kind for kind, *_ in lines[0][1]] == ["withdrawal", "renewal"]
