"""Two answers about one requested table at the same time: the first counts, on each database."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.desk.desks import OURS, Desk
from tests.desk.sending import rows
from tests.desk.things import thing

YES = {"answer": "yes", "reason": "useful", "policy": "0" * 64}
NO = {"answer": "no", "reason": "budget"}


@pytest.mark.parametrize(("first", "second"), [(YES, NO), (YES, YES), (NO, YES), (NO, NO)])
def test_of_two_answers_at_once_the_first_counts(
    each_desk: Desk, first: dict[str, str], second: dict[str, str]
) -> None:
    """Both saw the request open: the second has the row as it was before the first."""
    from django.db import transaction

    from ctdhub.desk.views.tables import decide_table

    desk = each_desk
    asked = thing(desk, "TableRequest", OURS, state="asked", reason="")
    officer = desk.accounts["privacy_officer"]
    for given in (first, second):
        request: Any = SimpleNamespace(POST=given, who=officer.who(), user=officer)
        with transaction.atomic():
            answer = decide_table(request, asked)
        assert answer.status_code == 302
    found = rows("TableRequest").get(id=asked.id)
    jobs = list(rows("Job").values_list("what", flat=True))
    if first is YES:
        assert (found.state, found.reason, jobs) == ("asked", "useful", ["take_up"])
    else:
        assert (found.state, found.reason, jobs) == ("refused", "budget", [])


def test_a_yes_that_stopped_leaves_the_request_open(desk: Desk) -> None:
    asked = thing(desk, "TableRequest", OURS, state="asked", reason="")
    officer, way = desk.client_of("privacy_officer"), f"/tables/{asked.id.hex}/decide/"
    assert officer.post(way, YES).status_code == 302
    assert officer.post(way, NO).status_code == 302
    assert rows("TableRequest").get(id=asked.id).state == "asked"
    rows("Job").update(state="failed")
    assert officer.post(way, NO).status_code == 302
    assert rows("TableRequest").get(id=asked.id).state == "refused"
