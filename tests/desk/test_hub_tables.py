"""Tables on request: asked, priced, decided, measured; neither price nor answer reads a row."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from ctdhub.core.errors import HubError
from ctdhub.hub import rehearsal
from ctdhub.hub.folder import Hub
from tests.desk.desks import Desk
from tests.desk.test_hub_pages import text, work

CANARY = "Zq-7741 <b>/ع"
WANTED = ["gender", "exploitation_sexual", "records_per_person"]
_FORM = "/tables/ask/"


def asked(desk: Desk, role: str = "data_officer", **more: object) -> str:
    """The address of a request that an account makes."""
    answer = desk.client_of(role).post(_FORM, {"variables": WANTED, "purpose": CANARY, **more})
    assert answer.status_code == 302, text(answer)[-2000:]
    return str(answer["Location"])


def shown(answer: object) -> str:
    """The main part of a page without its token."""
    return re.sub(r"[A-Za-z0-9]{64}", "", text(answer).partition("<main")[2])


def test_a_request_is_priced_and_taken_into_the_policy(hub_desk: Desk) -> None:
    way, officer = asked(hub_desk), hub_desk.client_of("privacy_officer")
    assert way in text(officer.get("/tables/"))
    assert "Tables that were asked for" in text(officer.get("/"))
    page = text(officer.get(way))
    assert "&lt;b&gt;" in page
    assert "cost of this table alone" in page
    assert "no case record was read" in page
    policy = re.search(r'name="policy" value="(\w{64})"', page)
    assert policy
    yes = {"answer": "yes", "reason": "useful", "policy": policy[1]}
    for role in ("steward", "data_officer", "auditor", "contributor"):
        assert hub_desk.client_of(role).post(f"{way}decide/", yes).status_code == 403, role
    assert officer.post(f"{way}decide/", yes | {"reason": "imprecise"}).status_code == 404
    file = hub_desk.hub / "policy.yaml"
    before = file.read_text("utf-8")
    file.write_text(before + "# seen by hand\n", "utf-8")
    officer.post(f"{way}decide/", yes)
    (job,) = work(hub_desk)
    assert job.outcome["error"]["name"] == "desk-stopped"  # the price was another policy's
    assert "reason" not in shown(hub_desk.client_of("data_officer").get(way)).lower()
    file.write_text(before, "utf-8")
    assert officer.post(f"{way}decide/", yes).status_code == 302
    (job,) = work(hub_desk)
    assert job.state == "done", job.outcome
    after = yaml.safe_load(file.read_text("utf-8"))
    assert [set(table) for table in after["groups"]] == [set(WANTED)]
    assert {k: v for k, v in after.items() if k != "groups"} == {
        k: v for k, v in yaml.safe_load(before).items() if k != "groups"
    }
    assert officer.post(f"{way}decide/", yes).status_code == 409
    mine = text(hub_desk.client_of("data_officer").get(way))
    assert "agreed: in a coming release" in mine
    assert "many readers are helped" in mine
    assert "Practice privacy_officer" not in mine.partition("<main")[2]
    from ctdhub.desk.models import Job

    for job in Job.objects.all():
        assert CANARY not in json.dumps([job.given, job.outcome])


def test_a_refusal_has_a_reason_and_no_time(hub_desk: Desk) -> None:
    way, officer = asked(hub_desk, region="asia"), hub_desk.client_of("privacy_officer")
    client = hub_desk.client_of("data_officer")
    assert "Asia" in shown(client.get(way))
    for role in ("steward", "data_officer", "privacy_officer", "auditor"):
        reader = hub_desk.client_of(role)
        assert "Asia" in shown(reader.get(way)), role
        assert reader.get("/tables/").status_code == 200, role
    no = {"answer": "no", "reason": "exposing", "policy": ""}
    assert officer.post(f"{way}decide/", no).status_code == 302
    assert work(hub_desk) == []
    page = shown(client.get(way))
    assert "could point to individuals" in page
    assert page.count(f"{datetime.now(UTC):%Y}") == 1  # the day of the request alone
    assert client.post(f"{way}take-back/").status_code == 409
    for place in ("/tables/", way, _FORM):
        assert hub_desk.client_of("contributor").get(place).status_code == 403


def test_a_yes_that_waits_for_what_is_taken_back_writes_nothing(hub_desk: Desk) -> None:
    from ctdhub.desk.models import TableRequest

    way, officer = asked(hub_desk), hub_desk.client_of("privacy_officer")
    policy = re.search(r'name="policy" value="(\w{64})"', text(officer.get(way)))
    assert policy
    before = (hub_desk.hub / "policy.yaml").read_bytes()
    yes = {"answer": "yes", "reason": "useful", "policy": policy[1]}
    assert officer.post(f"{way}decide/", yes).status_code == 302
    assert hub_desk.client_of("data_officer").post(f"{way}take-back/").status_code == 302
    (job,) = work(hub_desk)
    assert job.outcome["text"]["message"] == "The request is no longer open; nothing was written."
    assert (hub_desk.hub / "policy.yaml").read_bytes() == before
    assert TableRequest.objects.get().state == "withdrawn"


def test_a_table_of_the_last_release_is_not_asked_for(hub_desk: Desk) -> None:
    from ctdhub.desk.models import TableRequest

    client = hub_desk.client_of("steward")
    answer = client.post(_FORM, {"variables": ["gender", "citizenship"], "purpose": CANARY})
    assert "Release 2026.1 holds this table already" in text(answer)
    assert not TableRequest.objects.exists()
    for bad in (
        {"variables": []},
        {"variables": [*WANTED, "citizenship", "any_sex"]},
        {"variables": [*WANTED, "citizenship"], "region": "asia"},
        {"variables": WANTED, "first": "2020"},
        {"variables": WANTED, "first": "٢٠٢٠", "last": "٢٠٢١"},
        {"variables": ["record_id", "policy.yaml"]},
    ):
        answer = client.post(_FORM, bad)
        assert answer.status_code == 422, bad
        assert "There is a problem" in text(answer)
    assert not TableRequest.objects.exists()
    way = asked(hub_desk, "steward", first="2019", last="2021")
    assert "year_of_registration" in TableRequest.objects.get().variables
    assert hub_desk.client_of("data_officer").post(f"{way}take-back/").status_code == 404
    assert client.post(f"{way}take-back/").status_code == 302
    assert TableRequest.objects.get().state == "withdrawn"


def test_rows_change_nothing_of_a_price_and_of_what_who_asked_sees(hub_desk: Desk) -> None:
    way = asked(hub_desk)
    places = ("/tables/", way, _FORM)
    client, officer = hub_desk.client_of("data_officer"), hub_desk.client_of("privacy_officer")
    before = [shown(client.get(place)) for place in places] + [shown(officer.get(way))]
    for file in (hub_desk.hub / "contributions").glob("*/*/*"):
        lines = file.read_bytes().split(b"\n")
        if file.suffix == ".csv":
            file.write_bytes(b"\n".join(lines[: len(lines) // 2]) + b"\n")
    after = [shown(client.get(place)) for place in places] + [shown(officer.get(way))]
    assert after == before


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ((), "table-request"),
        (("gender", "gender"), "table-request"),
        (("nobody",), "table-request"),
        (("gender", "age_band", "citizenship", "any_sex", "any_means"), "table-request"),
        (
            ("citizenship", "country_of_exploitation", "year_of_registration", "gender"),
            "table-request",
        ),
    ],
)
def test_what_is_no_table_is_refused(
    built_desk: Path,
    columns: tuple[str, ...],
    rule: str,
) -> None:
    with pytest.raises(HubError) as met:
        rehearsal.price_of(Hub(built_desk), columns)
    assert met.value.rule == rule


def test_a_variable_on_request_is_released_with_its_table(built_desk: Path) -> None:
    hub = Hub(built_desk)
    found = rehearsal.price_of(hub, ("crime_theft", "gender"))
    assert found.added == ("crime_theft",)
    assert found.price is not None
    assert found.price.growth > 1
    assert found.price.keep > found.epsilon > found.price.epsilon
    small = rehearsal.price_of(hub, WANTED).price
    large = rehearsal.price_of(hub, ["citizenship", *WANTED[1:]]).price
    assert small is not None
    assert large is not None
    assert large.half_width.lone > small.half_width.lone
    assert rehearsal.price_of(hub, ("gender", "citizenship")).price is None
