"""First pages: each role finds its part and nothing else; a contributor what is its own."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ctdhub.core.errors import HubError, as_json, error
from ctdhub.core.i18n import LANGUAGES, _, language
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
    for state in ("built", "approved_by_one", "held", "refused", "scheduled"):
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
    text = words(shown(hub_desk.client_of("steward")))
    assert "Files that were not read yet 1" in text
    pipeline.build(Hub(hub_desk.hub), until="link")
    assert {address: shown(client, address) for address in before} == before


MENU = {
    "contributor": ["Files", "Rights", "Administration"],
    "data_officer": ["Files", "Checks", "Releases", "Rights", "Administration"],
    "steward": ["Files", "Checks", "Releases", "Rights", "Administration"],
    "privacy_officer": ["Checks", "Releases", "Rights", "Administration"],
    "administrator": ["Rights", "Administration"],
    "auditor": ["Checks", "Releases", "Rights", "Administration"],
}


def menu(page: str) -> list[list[tuple[str, str, bool]]]:
    """The lines of a page's menu: address, words, and whether it is marked as open."""
    lines = re.findall(
        r"<ul[^>]*>(.*?)</ul>", page.partition('class="menu"')[2].partition("</nav")[0], re.S
    )
    entry = r'<a href="([^"]+)"( aria-current="\w+")?>([^<]+)</a>'
    return [
        [(href, text, bool(here)) for href, here, text in re.findall(entry, one)] for one in lines
    ]


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_has_five_entries_and_leads_to_every_page(hub_desk: Desk, role: str) -> None:
    """An entry opens its first page; of the open entry each page is one click away."""
    from ctdhub.desk.allowed import allowed
    from ctdhub.desk.registry import pages

    client, who = hub_desk.client_of(role), hub_desk.accounts[role].who()
    (line,) = menu(client.get("/").content.decode())
    assert [text for _, text, _ in line] == MENU[role]
    reached = set()
    for address, text, _here in line:
        top, *below = menu(client.get(address).content.decode())
        assert [one for _, one, here in top if here] == [text]
        reached |= {href for href, _, _ in (below[0] if below else [(address, text, True)])}
        for pages_of_it in below:
            assert [href for href, _, here in pages_of_it if here] == [address]
            for href, words_of_it, _here in pages_of_it:
                answer = client.get(href, follow=True)
                assert answer.status_code == 200, href
                if not answer.redirect_chain:
                    again = menu(answer.content.decode())[1]
                    assert [one for _, one, here in again if here] == [words_of_it]
    wanted = {"/" + p.path for p in pages() if p.menu is not None and allowed(who, p.action)}
    assert reached == wanted


def test_a_new_hub_is_told_its_way_in_five_lines(desk: Desk) -> None:
    """Each line leads where whoever reads it can go on, and is done when the hub has it."""
    from ctdhub.desk.worker.answering import answer_of

    channel.use(answer_of)
    for role in ROLES:
        page = shown(desk.client_of(role))
        steps = page.partition("To the first release")[2].partition("</ol>")[0]
        assert ("<li>" in steps) == (role != "contributor")
        assert steps.count("<li>") in (0, 5)
        for address in re.findall('href="([^"]+)"', steps):
            assert desk.client_of(role).get(address).status_code == 200, (role, address)
        assert steps.count(">done<") == (0 if role == "contributor" else 3), role
    desk.client_of("steward").post("/keys/make/")
    from tests.desk.sending import work

    assert work() == ["hub_keys done"]
    assert shown(desk.client_of("auditor")).count(">done<") == 4
    channel.use(None)  # nobody answers: what waits is shown
    assert "To the first release" not in shown(desk.client_of("steward"))


def test_after_a_release_what_waits_is_all_that_is_shown(hub_desk: Desk) -> None:
    ledger = hub_desk.hub / "ledger" / "ledger.jsonl"
    for role in ROLES[1:]:
        page = shown(hub_desk.client_of(role))
        assert "To the first release" not in page
        if role in ("administrator", "auditor"):
            assert not re.search(
                r"alarm|not read|person|people|Beacon|Rivage|Files|Pairs", words(page)
            )
        assert ("What the desk needs" in page) == (role == "administrator")
    ledger.write_bytes(ledger.read_bytes().replace(b'"epsilon":', b'"epsilon" :', 1))
    for role in ROLES:
        shown(hub_desk.client_of(role))
    for code in LANGUAGES:
        client = hub_desk.client_of("steward")
        client.cookies["desk_language"] = code
        assert "{" not in words(shown(client)), code


@pytest.mark.parametrize("rule", ["ledger-behind", "ledger-gone", "job-memory"])
def test_a_page_says_who_types_a_command(desk: Desk, rule: str) -> None:
    """A remedy may need the command line, which nobody has who reads it on a page."""
    from ctdhub.desk.jobs import enqueue
    from ctdhub.desk.worker.answering import answer_of

    channel.use(answer_of)
    plan_row = plan(desk, "2", None)
    job = enqueue("price", "build", desk.accounts["steward"].who(), "", {"plan": plan_row.id.hex})
    job.state, job.outcome = "failed", {"error": as_json(error(rule))}
    job.save()
    for code in LANGUAGES:
        client = desk.client_of("steward")
        client.post("/language/", {"language": code, "next": "/"})
        for address in (f"/releases/{plan_row.id.hex}/", f"/jobs/{job.id.hex}/"):
            page = shown(client, address)
            with language(code, page=True):
                who = _("Whoever runs the server types the command.")
            assert rule in page
            assert "`" not in page
            assert ('<code dir="ltr">ctdhub ' in page) == (who in page) == (rule != "job-memory")


def test_a_job_that_died_stays_on_plan_and_approval(hub_desk: Desk) -> None:
    """Whoever looks there next sees why, until another job of the release came to its end."""
    from ctdhub.desk.jobs import enqueue

    row = plan(hub_desk, "2026.1", None)
    places = (f"/releases/{row.id.hex}/", "/approvals/2026.1/")
    steward, died = hub_desk.accounts["steward"].who(), error("job-died", n=3)
    (hub_desk.hub / "candidates").mkdir(exist_ok=True)
    shutil.move(hub_desk.hub / "releases" / "2026.1", hub_desk.hub / "candidates" / "2026.1")
    for what, thing_, given in (
        ("build", row, {"plan": row.id.hex, "version": "2026.1"}),
        ("approve", "2026.1", {}),
        ("publish", "2026.1", {}),
    ):
        job = enqueue(what, "build", None if what == "publish" else steward, thing_, given)
        job.state, job.outcome = "failed", {"error": as_json(died)}
        job.save()
        for role in ("steward", "privacy_officer", "auditor"):
            for place in places:
                page = shown(hub_desk.client_of(role), place)
                assert "3 times" in page, (what, role, place)
                assert "job-died" in page
                assert (f"/jobs/{job.id.hex}/" in page) == (role != "auditor")
        job.state = "running"
        job.save()
        assert "is running for this release" in shown(hub_desk.client_of("auditor"), places[1])
        job.state, job.outcome = "done", {}
        job.save()
        for place in places:
            assert "job-died" not in shown(hub_desk.client_of("steward"), place)
        type(job).objects.all().delete()


WAY = {
    "receiving": 0, "received": 1, "refused": 1, "checked": 2, "returned": 2, "accepted": 3,
    "replaced": None, "withdrawn": None,
}  # fmt: skip
"""How many of the four steps a file has behind it; None where it goes no further."""


@pytest.mark.parametrize("state", WAY)
def test_a_delivery_says_where_its_file_is(desk: Desk, state: str) -> None:
    from ctdhub.desk.models import DELIVERY_STATES

    assert set(WAY) == set(DELIVERY_STATES)
    one = thing(desk, "Delivery", OURS, state=state, kind="xlsx", bytes=10)
    for role in ("contributor", "data_officer"):
        page = shown(desk.client_of(role), f"/deliveries/{one.id.hex}/")
        line = page.partition('<ol class="way"')[2].partition("</ol>")[0]
        assert line.count("<li") == (0 if WAY[state] is None else 4)
        assert line.count('class="done"') == (WAY[state] or 0)
        assert line.count("aria-current") == bool(WAY[state])
