"""What a contributor can see of it when somebody withdraws at another: nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ctdhub.build import find_person, withdraw
from ctdhub.build.hub import Hub
from ctdhub.build.look.own_rows import own_rows
from ctdhub.build.look.seen import look
from ctdhub.build.own_report import own_profile
from ctdhub.build.stages.delivery_report import deliveries
from ctdhub.cli.look_own import own_page, own_workbook
from ctdhub.document import html
from tests.journeys.small_hub import MAPPING, accounts, join, new_hub, people, send

OUR, OTHER, ONE, TWO = "our-ngo", "other-ngo", "2026-01-15", "2026-06-15"
HERS, HIS, THIRD = (f"a-token-of-person-{n:04d}" for n in range(3))
TOKENS = MAPPING.replace("case: hash", "case: token")
DAY = date(2026, 7, 1)


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
    withdraw.withdraw(hub, found.entries)
    return found.records


def seen(hub: Hub, contributor: str) -> tuple[object, ...]:
    """All that a contributor is ever given of exact counts: reports, pages, files."""
    lines = [d for d in deliveries(hub) if d.contributor == contributor]
    pages: list[object] = []
    for day in sorted({d.date for d in lines}):
        (one,) = look(hub, contributor, day)
        rows = own_rows(hub, contributor, day)
        pages += [html.write(own_page("hub", one, rows, DAY)), len(own_workbook(one, rows)), one]
    return (own_profile(hub, contributor), lines, pages)


@pytest.mark.parametrize("who", [HERS, HIS])
def test_another_contributor_sees_nothing_of_it(hub: Hub, who: str) -> None:
    before, own = seen(hub, OTHER), seen(hub, OUR)
    assert told(hub, OUR, who)[OTHER] >= 1
    assert len(people(hub)) == 2, "she is in no merged row"
    assert seen(hub, OTHER) == before
    assert seen(hub, OUR) != own, "who told it may see it"
    assert own_profile(hub, OUR)[1].excluded["withdrawn"] == 1
    assert accounts(hub)[OTHER, TWO if who == HERS else ONE]["withdrawn"] == 1, "steward's account"


def test_telling_it_as_well_shows_what_one_told_oneself(hub: Hub) -> None:
    alone, both = seen(hub, OTHER), told(hub, OUR, HERS)
    people(hub)
    assert seen(hub, OTHER) == alone
    told(hub, OTHER, HERS)
    people(hub)
    own = own_profile(hub, OTHER)[1]
    assert (own.people, own.excluded["withdrawn"]) == (2, 1)
    assert both[OTHER] == 1
    assert withdraw.take_back(hub, OUR, [HERS], "token", "asked") == 1
    assert len(people(hub)) == 2, "who told it undoes it, and nobody else"
    assert own_profile(hub, OTHER)[1] == own
