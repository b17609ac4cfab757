"""First pages: each role finds its part and nothing else; a contributor what is its own."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES
from ctdhub.desk import channel
from ctdhub.hub import pipeline
from ctdhub.hub.folder import Hub
from ctdhub.hub.private.pages import own_profile
from tests.desk.desks import OURS, ROLES, THEIRS, Desk
from tests.desk.things import CANARY, thing

TODAY = datetime.now(UTC).date()
MONDAY = TODAY - timedelta(days=TODAY.weekday())
REPORT = ("/report/", "/report/file/")


def shown(client: Any, address: str = "/") -> str:
    """What is inside of a page, without what differs from one request to the next."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    text = answer.content.decode()
    text = text.partition("<main")[2] or text
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", text)


def words(text: str) -> str:
    """A page without its elements."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def plan(desk: Desk, version: str, week: date | None, state: str = "drafted") -> Any:
    return thing(desk, "ReleasePlan", OURS, version=version, week=week, state=state)


def ends(desk: Desk, day: date | None) -> None:
    from ctdhub.desk.models import Organisation

    Organisation.objects.filter(id=OURS).update(ends=day)


def test_what_became_of_the_last_file(hub_desk: Desk) -> None:
    client = hub_desk.client_of("contributor")
    assert "No delivery yet." in shown(client)
    more = {"kind": "xlsx", "bytes": 10}
    thing(hub_desk, "Delivery", OURS, state="accepted", **more)
    returned = thing(hub_desk, "Delivery", OURS, state="returned", **more)
    for code, cells in (("values", ["B14", "B15", "C3"]), ("columns", ["B14", "D1"])):
        thing(hub_desk, "ReturnReason", OURS, delivery=returned, code=code, cells=cells)
    thing(hub_desk, "Delivery", OURS, state="withdrawn", **more)
    page = shown(client)
    assert "2 reasons · 4 cells" in page
    assert "Correct the file" in page
    assert f"/deliveries/{returned.id.hex}/" in page
    assert "Files sent 4" not in words(page)
    assert "Files sent 3 Files accepted 1" in words(page)
    sentences = {
        "checked": "accepts or returns",
        "receiving": "not arrived",
        "accepted": "accepted the file",
    }
    for state, said in sentences.items():
        thing(hub_desk, "Delivery", OURS, state=state, **more)
        assert said in shown(client)
        assert "Correct the file" not in shown(client)
    assert "Files sent 5" in words(shown(client))


def test_the_end_of_the_agreement_is_reminded_of(hub_desk: Desk) -> None:
    client = hub_desk.client_of("contributor")
    reminded = {None: "", TODAY + timedelta(61): "", TODAY + timedelta(60): "ends on",
                TODAY: "ends on", TODAY - timedelta(1): "ended on"}  # fmt: skip
    for day, said in reminded.items():
        ends(hub_desk, day)
        found = re.search(r'class="warning">Your agreement (\w+ on)', shown(client))
        assert (found[1] if found else "") == said, day
    for address in re.findall(r'<li><a href="([^"]+)"', shown(client)):
        assert client.get(address).status_code == 200, address


def test_of_plans_the_week_alone_is_told(hub_desk: Desk) -> None:
    client = hub_desk.client_of("contributor")
    assert "not planned yet" in shown(client)
    plan(hub_desk, "2026.1", MONDAY + timedelta(7))  # is published
    plan(hub_desk, "2026.7", MONDAY - timedelta(7))
    plan(hub_desk, "2026.8", None)
    assert "not planned yet" in shown(client)
    later = plan(hub_desk, "2031.9", date(2031, 6, 30))
    page = shown(client)
    assert "week of June 30, 2031" in page or "week of 30 June 2031" in page
    assert "2031.9" not in page
    for state in ("built", "approved_by_one", "held", "refused", "scheduled", "simulated"):
        later.state, later.reason, later.note = state, CANARY, {"en": CANARY}
        later.save()
        assert shown(client) == page, state
    plan(hub_desk, "2031.8", MONDAY)
    assert not re.search(r"\b2031\b", shown(client))
    answer = channel.ask_hub(hub_desk.asking("contributor"), "next_week")
    assert answer == {"given": {"week": MONDAY.isoformat()}}


def test_the_private_report_is_its_own_alone(hub_desk: Desk) -> None:
    client = hub_desk.client_of("contributor")
    _agreement, own = own_profile(Hub(hub_desk.hub), OURS)
    page = client.get("/report/")
    assert page["Cache-Control"] == "no-store"
    assert f"You sent {own.rows} rows" in page.content.decode()
    assert "Do not publish" in page.content.decode()
    file = client.get("/report/file/")
    assert file["Content-Disposition"] == 'attachment; filename="private-report-2026.1.en.html"'
    assert file["Cache-Control"] == "no-store"
    assert "Do not publish" in file.content.decode()
    assert f"You sent {own.rows} rows" in file.content.decode()
    for role in ROLES[1:]:
        for address in REPORT:
            assert hub_desk.client_of(role).get(address).status_code == 403, role
        with pytest.raises(HubError):
            channel.ask_hub(hub_desk.asking(role), "report", id=OURS)
    with pytest.raises(HubError) as refused:
        channel.ask_hub(hub_desk.asking("contributor"), "report", id=THEIRS)
    assert refused.value.rule == "desk-ask"
    assert "/report/" in shown(client)


def test_no_exact_count_becomes_a_row_or_a_line(
    hub_desk: Desk,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from django.apps import apps

    from ctdhub.desk.models import TrailEvent

    def sizes() -> dict[str, int]:
        models = apps.get_app_config("desk").get_models()
        return {model.__name__: model.objects.count() for model in models}

    client = hub_desk.client_of("contributor")
    before = sizes()
    with caplog.at_level("DEBUG"):
        for address in REPORT:
            assert client.get(address).status_code == 200
    assert sizes() == before | {"TrailEvent": before["TrailEvent"] + 2}
    events = TrailEvent.objects.order_by("-number")[:2].values_list("action", "thing", "outcome")
    assert list(events) == [("report.read", "", "done")] * 2
    _agreement, own = own_profile(Hub(hub_desk.hub), OURS)
    for count in (own.rows, own.records, own.people):
        assert not re.search(rf"\b{count}\b", caplog.text)


def test_before_there_is_a_report_the_page_says_when(hub_desk: Desk) -> None:
    client = hub_desk.client_of("contributor")
    file = next((hub_desk.hub / "contributions" / OURS).glob("*/*"))
    kept = file.read_bytes()
    file.write_bytes(kept + b"\n")
    assert "once the hub has read" in shown(client, "/report/")
    assert client.get("/report/file/").status_code == 404
    file.write_bytes(kept)
    (hub_desk.hub / "releases").rename(hub_desk.hub / "gone")
    assert "once a release is published" in shown(client, "/report/")
    channel.use(None)  # nobody answers there
    assert client.get("/report/").status_code == 422
    assert "Your last file" in shown(client)


def test_neighbouring_hubs_are_equal_to_a_contributor(hub_desk: Desk) -> None:
    """Another's file comes, is returned, another's records change and are read, a job fails."""
    client = hub_desk.client_of("contributor")
    thing(hub_desk, "Delivery", OURS, state="checked", kind="xlsx", bytes=10)
    before = {address: shown(client, address) for address in ("/", *REPORT)}
    theirs = thing(hub_desk, "Delivery", THEIRS, state="returned", kind="xlsx", bytes=10)
    thing(hub_desk, "ReturnReason", THEIRS, delivery=theirs, cells=["A1"])
    thing(hub_desk, "Delivery", THEIRS, state="accepted", kind="xlsx", bytes=10)
    thing(hub_desk, "Job", THEIRS, state="failed")
    file = next((hub_desk.hub / "contributions" / "harbour-casework").glob("*/*"))
    rows = file.read_bytes().rstrip(b"\n").split(b"\n")
    file.write_bytes(b"\n".join(rows[:-20]) + b"\n")
    assert {address: shown(client, address) for address in before} == before
    text = words(shown(hub_desk.client_of("privacy_officer")))
    assert "Files that were not read yet: 1" in text
    assert "No alarm is open." not in text
    pipeline.build(Hub(hub_desk.hub), until="link")
    assert {address: shown(client, address) for address in before} == before


PARTS = {
    "data_officer": {"Deliveries", "Alarms", "Releases"},
    "steward": {"Deliveries", "Alarms", "Releases", "Privacy budget", "Last build"},
    "privacy_officer": {"Alarms", "Releases", "Privacy budget", "Last build"},
    "administrator": {"Last build", "Operation", "Accounts", "Trail"},
    "auditor": {"Releases", "Privacy budget", "Trail"},
}


@pytest.mark.parametrize("role", ROLES[1:])
def test_each_role_of_the_hub_finds_its_parts(hub_desk: Desk, role: str) -> None:
    client = hub_desk.client_of(role)
    plan(hub_desk, "2031.2", None)
    thing(hub_desk, "Delivery", THEIRS, state="checked", kind="xlsx", bytes=10)
    page = shown(client)
    cards = re.findall(r'<h3><a href="([^"]+)">([^<]+)</a>', page)
    assert {title for _, title in cards} == PARTS[role]
    for address, _ in cards:
        assert client.get(address).status_code == 200, address
    text = words(page)
    assert ("2031.2" in text) == ("Releases" in PARTS[role])
    assert ("Checked: 1" in text) == ("Deliveries" in PARTS[role])
    assert ("No alarm is open." in text) == ("Alarms" in PARTS[role])
    if "Privacy budget" in PARTS[role]:
        left = r"Spent: epsilon [\d.]+ of 900\. Available for one more version: [\d.]+\."
        assert re.search(left, text)
    if role in ("administrator", "auditor"):
        assert not re.search(r"alarm|not read|person|people|Beacon|Rivage|Files|Pairs", text)
    for code in LANGUAGES:
        client.cookies["desk_language"] = code
        assert "{" not in words(shown(client)), code


def test_a_part_that_cannot_be_read_says_so(hub_desk: Desk) -> None:
    ledger = hub_desk.hub / "ledger" / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"epsilon":', b'"epsilon" :', 1))
    assert "Cannot be read now" in shown(hub_desk.client_of("auditor"))
    channel.use(None)
    for role in ROLES:
        shown(hub_desk.client_of(role))
