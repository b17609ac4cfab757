"""The hub's pages: each role sees its part, nobody else's, in four languages, and acts by jobs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from ctdhub.core.i18n import LANGUAGES
from ctdhub.desk import channel
from ctdhub.hub.folder import Hub
from tests.conftest import Once
from tests.desk import desks
from tests.desk.desks import ROLES, THEIRS, Desk
from tests.fixtures.desks import with_accounts
from tests.fixtures.hubs import copied, make_real
from tests.journeys.small_hub import send
from tests.unit.test_desk_doubles import _hub as linked_hub

READ = (
    "/agreements/", f"/agreements/{THEIRS}/", "/look/", f"/look/{THEIRS}/",
    f"/look/{THEIRS}/rejects/2026-01-15/", "/drift/", "/coverage/", "/doubles/", "/lineage/",
    "/lineage/gender/", "/ledger/", "/withdrawals/", "/releases/", "/releases/rehearsal/",
    "/releases/version/2026.1/",
)  # fmt: skip

MAY = {
    "contributor": {"/agreements/", "/withdrawals/"},
    "data_officer": set(READ) - {"/ledger/"},
    "steward": set(READ),
    "privacy_officer": set(READ)
    - {f"/look/{THEIRS}/rejects/2026-01-15/", "/drift/", "/doubles/", "/withdrawals/"},
    "administrator": set(),
    "auditor": {
        "/agreements/", f"/agreements/{THEIRS}/", "/lineage/", "/lineage/gender/", "/ledger/",
        "/releases/", "/releases/rehearsal/", "/releases/version/2026.1/",
    },
}  # fmt: skip
"""What each role may open; everything else is refused."""


def work(desk: Desk) -> list[Any]:
    """Do the jobs that wait, in this process; gives their rows."""
    from ctdhub.desk.models import Job
    from ctdhub.desk.worker.child import do

    done = []
    for job in Job.objects.filter(state="waiting").order_by("created"):
        Job.objects.filter(id=job.id).update(state="running")
        do(job)
        job.refresh_from_db()
        done.append(job)
    return done


def text(answer: Any) -> str:
    return str(answer.content.decode())


def token(answer: Any) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text(answer))
    assert found
    return found[1]


def test_each_role_sees_its_part(hub_desk: Desk) -> None:
    clients = {role: hub_desk.client_of(role) for role in ROLES}
    for role, address in product(ROLES, READ):
        answer = clients[role].get(address)
        if address in MAY[role]:
            assert answer.status_code in (200, 302), (role, address, text(answer)[-900:])
            assert answer["Cache-Control"] == "no-store"
        else:
            assert answer.status_code in (403, 404), (role, address)
    assert hub_desk.client_of("").get("/look/").status_code == 302


def test_every_page_in_every_language(hub_desk: Desk) -> None:
    client = hub_desk.client_of("steward")
    for place, address in enumerate(READ):  # the worker's answers: tests/journeys/test_desk_answers
        for code in {"ar", LANGUAGES[place % len(LANGUAGES)]}:
            client.cookies["desk_language"] = code
            answer = client.get(address, headers={"accept-language": code})
            assert answer.status_code == 200, (code, address)
            assert "{" not in re.sub(r"<[^>]*>", "", text(answer).partition("<main")[2])


@pytest.mark.parametrize("state", ["waiting", "running", "done"])
def test_a_job_leads_back_once_and_waits_only_while_it_waits(hub_desk: Desk, state: str) -> None:
    from ctdhub.desk.jobs import enqueue
    from ctdhub.desk.models import Job

    job = enqueue("agreement", "files", hub_desk.accounts["privacy_officer"].who(), THEIRS)
    Job.objects.filter(id=job.id).update(state=state)
    shown = text(hub_desk.client_of("privacy_officer").get(f"/jobs/{job.id.hex}/"))
    assert shown.count("Back to the agreements") == 1
    assert ("as soon as the hub is free" in shown) == (state == "waiting")


def test_a_contributor_is_told_nothing_of_others(hub_desk: Desk) -> None:
    client = hub_desk.client_of("contributor")
    for address in ("/", "/keys/", "/withdrawals/"):
        shown = text(client.get(address)).partition("<main")[2]
        for other in ("Beacon", "beacon", "Harbour", "harbour", "Mirador", "mirador"):
            assert other not in shown, (address, other)
    assert client.get(f"/agreements/{THEIRS}/").status_code == 404
    assert client.get("/agreements/no-such-one/").status_code == 404
    mine = client.get("/agreements/", follow=True)
    assert "Refuge du Rivage" in text(mine)
    assert "left of it" not in text(mine)


def test_texts_of_cells_are_for_the_data_officer_and_the_steward(hub_desk: Desk) -> None:
    address = "/look/harbour-casework/"
    assert "Ukrayne" in text(hub_desk.client_of("data_officer").get(address))
    assert "Ukrayne" not in text(hub_desk.client_of("privacy_officer").get(address))


def test_an_agreement_is_changed_by_a_job_against_what_was_shown(hub_desk: Desk) -> None:
    officer = hub_desk.client_of("privacy_officer")
    address = f"/agreements/{THEIRS}/change/"
    form = officer.get(address)
    base = re.search(r'name="base" value="(\w{64})"', text(form))
    assert base
    fields = {
        "base": base[1], "name": "منارة الأمل", "kind": "hotline", "scope": "a", "legal_basis": "b",
        "consent_rule": "c", "retention": "d", "display_rule": "e", "budget_limit": "7,5",
        "ends": "2030-01-31", "rows_per_person": "3",
    }  # fmt: skip
    bad = officer.post(address, {**fields, "ends": "soon", "scope": " ", "rows_per_person": "0"})
    assert bad.status_code == 422
    assert 'href="#ends"' in text(bad)
    assert 'href="#scope"' in text(bad)
    assert 'href="#rows_per_person"' in text(bad)
    assert "منارة الأمل" in text(bad)
    posted = officer.post(address, fields)
    assert posted.status_code == 302
    (job,) = work(hub_desk)
    assert job.state == "done"
    (one,) = [a for a in Hub(hub_desk.hub).agreements() if a.id == THEIRS]
    assert (one.name, one.budget_limit, str(one.ends)) == ("منارة الأمل", 7.5, "2030-01-31")
    assert one.rows_per_person == 3
    assert "its people can be invited" in text(officer.get(posted["Location"]))
    officer.post(address, fields | {"scope": "other"})  # made against the older file
    (job,) = work(hub_desk)
    assert job.state == "failed"
    assert "Somebody else changed" in text(officer.get(f"/jobs/{job.id.hex}/"))
    for role in ("steward", "auditor", "administrator"):
        assert hub_desk.client_of(role).post(address, fields).status_code == 403
    assert hub_desk.client_of("contributor").post(address, fields).status_code == 403


def test_an_organisation_has_its_name_in_the_language_of_the_reader(hub_desk: Desk) -> None:
    officer = hub_desk.client_of("privacy_officer")
    address = f"/agreements/{THEIRS}/change/"
    base = re.search(r'name="base" value="(\w{64})"', text(officer.get(address)))
    assert base
    given = Hub(hub_desk.hub).agreement(THEIRS).model_dump(mode="json", exclude_none=True)
    names = {"names-fr": "Ligne du Phare", "names-ar": " خط  المنارة "}
    officer.post(address, {**given, "base": base[1], **names})
    assert [job.state for job in work(hub_desk)] == ["done"]
    assert Hub(hub_desk.hub).agreement(THEIRS).names == {"fr": "Ligne du Phare", "ar": "خط المنارة"}
    for code, name in (("en", given["name"]), ("fr", "Ligne du Phare"), ("ar", "خط المنارة")):
        officer.cookies["desk_language"] = code
        shown = text(officer.get("/agreements/", headers={"accept-language": code}))
        assert shown.count(name) == 1, "once, as its link"
        other = hub_desk.client_of("other")
        other.cookies["desk_language"] = code
        assert name in text(other.get("/", headers={"accept-language": code}))
    assert "Ligne du Phare" in text(officer.get(address))


def test_from_the_plan_to_the_candidate(hub_desk: Desk) -> None:
    steward, officer = hub_desk.client_of("steward"), hub_desk.client_of("privacy_officer")
    charges = len(_ledger(hub_desk))
    made = steward.post(
        "/releases/new/",
        {
            "version": "2026.2",
            "week": "2026-12-03",
            "note-en": "New year.",
            "note-ar": "سنة جديدة.",
        },
    )
    plan = made["Location"]
    assert "30" in text(steward.get(plan))
    assert "Find the price of release 2026.2" in text(steward.get("/"))
    assert "release 2026.2" not in text(officer.get("/")), "there is no price to decide on yet"
    wanted = ["gender", "exploitation_sexual", "records_per_person"]
    table = steward.post("/tables/ask/", {"variables": wanted})["Location"]
    policy = re.search(r'name="policy" value="(\w{64})"', text(officer.get(table)))
    assert policy
    officer.post(f"{table}decide/", {"answer": "yes", "reason": "useful", "policy": policy[1]})
    assert [job.state for job in work(hub_desk)] == ["done"]
    asked = {"people": "500", "epsilons": "30 60"}
    assert steward.post(f"{plan}rehearse/", asked).status_code == 302
    assert [job.state for job in work(hub_desk)] == ["done"]
    assert "± " in text(steward.get("/releases/rehearsal/"))
    make_real(Hub(hub_desk.hub))  # a hub of fictitious people spends unasked
    assert steward.post(f"{plan}price/").status_code == 302
    assert [job.state for job in work(hub_desk)] == ["done"]
    assert "epsilon 60" in text(steward.get(plan))
    assert "release 2026.2" not in text(steward.get("/"))
    assert "Decide on the price of release 2026.2" in text(officer.get("/"))
    assert steward.post(f"{plan}build/").status_code == 302  # nobody said yes
    (job,) = work(hub_desk)
    assert job.outcome["error"]["name"] == "desk-stopped"
    assert "epsilon 60" in text(steward.get(f"/jobs/{job.id.hex}/"))
    assert not re.search(r"\b60\b", json.dumps(job.outcome))
    boxes = {}
    for role in ("steward", "auditor"):  # what it would cost is for two roles
        page = text(hub_desk.client_of(role).get(plan))
        boxes[role] = page.partition("The last job of this release stopped.")[2].partition(
            "</div>"
        )[0]
    assert "epsilon 60" in boxes["steward"]
    assert "Rule:" in boxes["auditor"]
    assert "60" not in re.sub(r"[0-9a-f]{32}", "", boxes["auditor"])
    assert len(_ledger(hub_desk)) == charges
    assert steward.post(f"{plan}spend/", {"answer": "yes", "epsilon": "60.0"}).status_code == 403
    assert officer.post(f"{plan}spend/", {"answer": "yes", "epsilon": "1.0"}).status_code == 302
    assert "Yes, spend epsilon 60" in text(officer.get(plan))
    assert officer.post(f"{plan}spend/", {"answer": "yes", "epsilon": "60.0"}).status_code == 302
    assert steward.post(f"{plan}build/").status_code == 302
    (job,) = work(hub_desk)
    assert job.state == "done", job.outcome
    assert len(_ledger(hub_desk)) == charges + 1
    shown = text(steward.get(plan))
    assert "Yes, spend" not in shown
    assert "The candidate is in the hub" in shown
    changes = text(steward.get(f"{plan}changes/"))
    assert "English: New year." in changes
    assert "سنة جديدة." in changes
    assert "Rows that were not used" in changes
    auditor = text(hub_desk.client_of("auditor").get(f"{plan}changes/"))
    assert "Rows that were not used" not in auditor
    made = hub_desk.hub / "candidates" / "2026.2"
    measured = json.loads((made / "manifest.json").read_text("utf-8"))["drawn"]
    assert set(wanted) in [set(one.split("*")) for one in measured]  # of its own noise
    assert "in a coming release" in text(steward.get(table))
    made.rename(hub_desk.hub / "releases" / "2026.2")  # as two people would have it
    assert "published in 2026.2" in text(steward.get(table))
    (hub_desk.hub / "releases" / "2026.2").rename(hub_desk.hub / "work" / "gone")
    assert "To do" in text(steward.get(plan)) or "to do" in text(steward.get(plan))


@pytest.fixture
def other_desk(once: Once, practice_desk: Path, tmp_path: Path) -> Iterator[Desk]:
    """A desk on another hub: not invented, without a release, with links, a name in Arabic."""
    from django.db import connection

    from ctdhub.desk.models import Organisation
    from ctdhub.desk.walls import prepare
    from ctdhub.desk.worker.answering import answer_of

    copied(Hub(once("hub-with-doubles", linked_hub)), tmp_path / "hub")
    with desks.opened(tmp_path / "hub"):
        prepare()
        desk = Desk(tmp_path / "hub", nullcontext)
        for key in (desks.OURS, THEIRS):
            Organisation.objects.get_or_create(id=key, defaults={"name": key})
        desks.people(desk)
        channel.use(answer_of)
        yield desk
        connection.close()


def test_pairs_are_decided_and_the_second_decider_sees_the_first(other_desk: Desk) -> None:
    client = other_desk.client_of("data_officer")
    assert 'href="/doubles/"' in text(client.get("/look/"))
    report = other_desk.hub / "work" / "people" / "linkage.json"
    before = report.read_text("utf-8")
    report.write_text(json.dumps(json.loads(before) | {"persons_with_tokens": 0}), "utf-8")
    assert 'href="/doubles/"' not in text(client.get("/look/"))
    report.write_text(before, "utf-8")
    shown = text(client.get("/doubles/"))
    pair = re.search(r'name="pair" value="(\w{32})"', shown)
    assert pair
    given = {"pair": pair[1], "same": "yes", "seen": "0"}
    assert client.post("/doubles/decide/", given).status_code == 302
    assert "Practice data_officer" in text(client.get("/doubles/"))
    assert other_desk.client_of("steward").post("/doubles/decide/", given).status_code == 403
    assert client.post("/doubles/decide/", given | {"pair": "x"}).status_code == 404
    assert client.post("/doubles/decide/", given | {"pair": "0" * 32}).status_code == 422
    assert pair[1] not in (other_desk.hub / "desk" / "desk.sqlite3").read_bytes().decode("latin-1")


def test_another_hub_has_something_to_say_on_every_page(other_desk: Desk) -> None:
    steward = other_desk.client_of("steward")
    places = "agreements look drift coverage doubles lineage lineage/gender ledger withdrawals"
    for address in ("/", "/releases/", *(f"/{place}/" for place in places.split())):
        assert steward.get(address).status_code == 200, address
    assert "منارة" in text(steward.get("/agreements/"))
    assert "Nothing was published yet." in text(steward.get("/lineage/gender/"))


def test_an_alarm_is_accepted_by_name_and_the_command_line_holds_to_it(other_desk: Desk) -> None:
    from ctdhub.hub.stages.alarms import alarms_of

    hub, client = Hub(other_desk.hub), other_desk.client_of("data_officer")
    rows = [f"t-{n:016d},a-{n:016d},n-{n},2020,{'FQ'[n % 2]},30,1,NGA" for n in range(20)]
    header = "link,tokens,case,year,sex,age,sexual,nationality"
    send(hub, "harbour", "2026-06-15", *rows, header=header)
    assert client.post("/look/read/").status_code == 302
    (job,) = work(other_desk)
    assert (job.state, job.outcome["error"]["name"]) == ("failed", "desk-stopped")
    assert "sex" not in json.dumps(job.outcome)
    opened = {a.entry for a in alarms_of(hub) if a.contributor == "harbour" and not a.accepted}
    assert opened
    shown = text(client.get("/look/harbour/"))
    assert "unknown-texts: sex" in shown
    entry = re.search(r'name="entry" value="([^"]+)"', shown)
    base = re.search(r'name="base" value="(\w{64})"', shown)
    assert entry
    assert base
    given = {"entry": entry[1], "date": "2026-06-15", "base": base[1], "reason": "كما هو متوقع"}
    assert client.post("/look/harbour/accept/", given).status_code == 302
    (job,) = work(other_desk)
    assert job.state == "done", job.outcome
    left = {a.entry for a in alarms_of(hub) if a.contributor == "harbour" and not a.accepted}
    assert left == opened - {entry[1]}
    assert "كما هو متوقع" in hub.mapping("harbour").read_text("utf-8")
    assert client.post("/look/harbour/accept/", given).status_code == 302  # the mapping is another
    assert [job.state for job in work(other_desk)] == ["failed"]


def test_a_contributor_is_withdrawn_and_the_desk_follows_the_command_line(
    hub_desk: Desk,
) -> None:
    steward = hub_desk.client_of("steward")
    given = {"key": THEIRS, "reason": "agreement", "sure": "yes"}
    assert steward.post("/withdrawals/contributor/", given | {"sure": ""}).status_code == 404
    assert steward.post("/withdrawals/contributor/", given).status_code == 302
    assert [job.state for job in work(hub_desk)] == ["done"]
    assert THEIRS in Hub(hub_desk.hub).withdrawn().contributors
    assert "withdrawn" in text(steward.get("/agreements/"))
    (hub_desk.hub / "contributors" / "new-one.yaml").write_text(
        (hub_desk.hub / "contributors" / f"{THEIRS}.yaml")
        .read_text("utf-8")
        .replace(f"id: {THEIRS}", "id: new-one"),
        "utf-8",
    )  # by hand
    assert "/agreements/new-one/" in text(steward.get("/agreements/"))


def test_the_hub_is_asked_by_a_socket(built_desk: Path, tmp_path: Path) -> None:
    from ctdhub.core.errors import HubError
    from ctdhub.desk.allowed import Who
    from ctdhub.desk.worker.answering import serve

    copied(Hub(built_desk), tmp_path / "h")
    with desks.opened(tmp_path / "h"):
        desk = with_accounts(Desk(tmp_path / "h", nullcontext))
        place = desk.config.folder / channel.SOCKET
        who = desk.asking("steward")
        with pytest.raises(HubError) as away:
            channel.ask_hub(who, "versions")
        assert away.value.rule == "desk-away"
        threading.Thread(target=serve, args=(place,), daemon=True).start()
        desks.reachable(place)
        found = channel.ask_hub(who, "versions")
        assert found["given"]["versions"][0]["version"] == "2026.1"
        auditor, officer = desk.asking("auditor"), desk.accounts["data_officer"].who()
        others = (
            (auditor, "look"),
            (Who("0" * 32), "ledger"),
            (Who("x"), "ledger"),
            (officer, "ledger"),  # signed in nowhere
            (replace(officer, visit=who.visit), "ledger"),  # in the visit of somebody else
            (replace(officer, visit="x" * 32), "ledger"),
        )
        for asker, ask in others:
            with pytest.raises(HubError) as refused:
                channel.ask_hub(asker, ask, id=THEIRS)
            assert refused.value.rule == "desk-ask"


def test_whoever_is_not_signed_in_any_more_is_not_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visit that ended, rested too long, was long enough, or is another's; too many questions."""
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    from ctdhub.core.errors import HubError
    from ctdhub.desk.allowed import VISITOR
    from ctdhub.desk.models import TrailEvent
    from ctdhub.desk.worker import answering

    monkeypatch.setattr(answering, "_questions", {})
    monkeypatch.setattr(answering, "_looked", {})
    monkeypatch.setattr(answering, "_to_write", SimpleQueue())
    who = desk.asking("steward")

    def found() -> Any:
        return answering.who_of(who.account, who.visit)

    assert found() == who
    visits = UserSession.objects.filter(session_key=who.visit)
    for field, hours in (("last_seen_at", 0.6), ("created_at", 13)):
        before = visits.values_list(field, flat=True)[0]
        visits.update(**{field: timezone.now() - timedelta(hours=hours)})
        assert found() == VISITOR, field
        visits.update(**{field: before})
    assert found() == who
    Session.objects.filter(session_key=who.visit).update(expire_date=timezone.now())
    assert found() == VISITOR
    Session.objects.filter(session_key=who.visit).delete()
    assert found() == VISITOR

    other = desk.asking("data_officer")
    for _ in range(3):
        answering.note_look(other, "look.read")
        answering.note_look(other, "ledger.read")  # no case data
    answering.write_looks(answering._to_write, once=True)
    of_reading = TrailEvent.objects.filter(action__in=["answer.look.read", "answer.ledger.read"])
    assert [(e.account, e.action) for e in of_reading] == [(other.account, "answer.look.read")]
    monkeypatch.setattr(answering, "MOST_A_MINUTE", 3)
    monkeypatch.setattr(answering, "_questions", {})
    for _ in range(3):
        answering.who_of(other.account, other.visit)
    with pytest.raises(HubError) as often:
        answering.who_of(other.account, other.visit)
    assert often.value.rule == "desk-busy"


def _ledger(desk: Desk) -> list[str]:
    lines = (desk.hub / "ledger" / "ledger.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["id"] for line in lines]
