"""Withdrawals that contributors report, pages while the worker is away, and what jobs leave."""

from __future__ import annotations

import json
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from ctdhub.core.errors import HubError, catalogue, error, from_json
from ctdhub.core.i18n import LANGUAGES, Text, language, many, said
from ctdhub.core.keys.signing import make_key
from ctdhub.desk import channel
from ctdhub.hub import withdrawals
from ctdhub.hub.folder import Hub
from ctdhub.sensitive.bundle.leaving import write_withdrawal
from ctdhub.sensitive.bundle.pack import HubCard
from tests.conftest import Once
from tests.desk import desks, rights
from tests.desk.desks import ROLES, Desk
from tests.desk.test_hub_pages import text, work
from tests.fixtures.hubs import copied
from tests.journeys.small_hub import KEYLESS, MAPPING, join, new_hub, people, send

CANARY = "Zq-7741/ع"
"""A number of a case that must not be found anywhere but in the worker's files."""
OURS, THEIRS = "rivage", "beacon"


@pytest.fixture(scope="session")
def telling_desk(once: Once) -> Path:
    """A hub of few rows: in ours a number is shared by several people; a desk with accounts."""

    def make(place: Path) -> None:
        hub = new_hub(place)
        join(hub, OURS, KEYLESS, name="Rivage")
        join(hub, THEIRS, MAPPING, name="Beacon")
        ours = [f"{CANARY},20{n},{'FM'[n % 2]},{n},1,NGA" for n in (18, 19, 20)]
        send(hub, OURS, "2026-01-15", *ours, "one,2020,F,30,1,NGA", "two,2021,M,31,0,ALB")
        send(hub, THEIRS, "2026-01-15", "x,2020,F,25,1,NGA")
        desks.set_up(place)
        with desks.opened(place):
            from django.db import connection

            from ctdhub.desk.walls import prepare

            prepare()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(desks, "OURS", OURS)
                patch.setattr(desks, "THEIRS", THEIRS)
                desk = Desk(place, nullcontext)
                desks.people(desk)
            from ctdhub.desk.models import RoleHeld

            for role, theirs in (("contributor", OURS), ("other", THEIRS)):
                held = RoleHeld.objects.filter(account=desk.accounts[role])
                held.update(organisation_id=theirs)
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    place = once("telling-desk", make)
    desks.set_up(place)
    return place


@pytest.fixture
def hub_desk(telling_desk: Path, tmp_path: Path) -> Iterator[Desk]:
    """A desk of this test's own, whose answers come without a socket."""
    from ctdhub.desk.worker.answering import answer_of
    from tests.fixtures.desks import with_accounts

    copied(Hub(telling_desk), tmp_path / "hub")
    with desks.opened(tmp_path / "hub"):
        channel.use(answer_of)
        yield with_accounts(Desk(tmp_path / "hub", nullcontext))


def reported(desk: Desk, **more: str) -> str:
    """The page of a report that our contributor sends."""
    given = {"scope": "person", "reason": "asked", "by": "case", **more}
    answer = desk.client_of("contributor").post("/withdrawals/tell/", given)
    assert answer.status_code == 302, text(answer)
    return str(answer["Location"])


def unmasked(answer: Any) -> str:
    """A page without its token against forged forms."""
    return re.sub(r"[A-Za-z0-9]{64}", "", text(answer))


def nowhere(desk: Desk, *texts: str) -> None:
    """None of these texts is in the database, or in a file of the desk."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in (desk.hub / "desk").rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            for one in texts:
                assert one.encode() not in held, (file, one)
                assert json.dumps(one)[1:-1].encode() not in held, (file, one)


def test_a_shared_number_is_asked_about_and_the_steward_carries_out(
    hub_desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    client, steward = hub_desk.client_of("contributor"), hub_desk.client_of("steward")
    page = reported(hub_desk, numbers=f"{CANARY}\none\n")
    assert CANARY not in page
    assert "looks for the records" in text(client.get(page))
    assert [(j.what, j.state) for j in work(hub_desk)] == [("told_find", "done")]
    shown = text(client.get(page))
    assert shown.count('name="rows-1"') == 3
    assert 'name="rows-2"' not in shown
    seen = re.search(r'name="seen" value="(\w{64})"', shown)
    assert seen
    assert "Carry out" not in text(steward.get("/withdrawals/"))
    given = {"seen": seen[1], "place": "1"}
    assert client.post(f"{page}answer/", given).status_code == 422  # no row, and not "none"
    stale = {**given, "seen": "0" * 64, "rows-1": "1"}
    assert client.post(f"{page}answer/", stale).status_code == 422
    assert client.post(f"{page}answer/", given | {"rows-1": "99"}).status_code == 422
    assert client.post(f"{page}answer/", given | {"rows-1": "1"}).status_code == 302
    assert "waits for the steward" in text(client.get(page))
    listed = text(steward.get("/withdrawals/"))
    assert "Carry out" in listed
    assert "Rivage" in listed
    assert "Reported withdrawals to carry out" in text(steward.get("/"))
    for role in set(ROLES) - {"steward"}:
        assert hub_desk.client_of(role).post(f"{page}carry-out/").status_code in (403, 404)
    assert steward.post(f"{page}carry-out/").status_code == 302
    assert [(j.what, j.state) for j in work(hub_desk)] == [("told_carry", "done")]
    assert "carried out" in text(client.get(page))
    hub = Hub(hub_desk.hub)
    lines = hub.withdrawal_lines()
    assert sum(line.kind == "withdrawal" for line in lines) == 2  # one row of three, and "one"
    assert sum(line.kind == "renewal" for line in lines) >= 2
    (left,) = (hub_desk.hub / "withdrawals" / "told").glob("*.json")
    assert CANARY not in json.loads(left.read_bytes())["numbers"]
    assert "Zq-7741" not in left.read_text("utf-8")
    nowhere(hub_desk, CANARY)
    assert not re.search(r"\b7741\b", caplog.text)  # in a key of a job it may be by chance


def test_a_report_is_its_contributors_alone(hub_desk: Desk) -> None:
    page = reported(hub_desk, numbers=CANARY)
    work(hub_desk)
    other = hub_desk.client_of("other")
    none = unmasked(other.get(f"/withdrawals/told/{'0' * 32}/"))
    assert other.get(page).status_code == 404
    assert unmasked(other.get(page)).replace(page, f"/withdrawals/told/{'0' * 32}/") == none
    assert other.post(f"{page}take-back/").status_code == 404
    assert "told/" not in text(other.get("/withdrawals/")).partition("<main")[2]
    steward = hub_desk.client_of("steward")
    assert steward.get(page).status_code == 403
    assert not re.search(r"\b2018\b", text(steward.get("/withdrawals/")))
    file = next((hub_desk.hub / "withdrawals" / "told").glob("*.json"))
    assert (file.stat().st_mode | file.parent.stat().st_mode) & 0o077 == 0
    assert hub_desk.client_of("contributor").post(f"{page}take-back/").status_code == 302
    assert not file.exists()


def test_neighbours_show_the_same_report(hub_desk: Desk) -> None:
    """That somebody else has reported, or holds, a person of ours shows nowhere in our pages."""
    client = hub_desk.client_of("contributor")
    page = reported(hub_desk, numbers=CANARY)
    work(hub_desk)

    def all_of() -> list[str]:
        places = (page, "/withdrawals/", "/withdrawals/tell/", "/")
        return [unmasked(client.get(p)).partition("<main")[2] for p in places]

    before = all_of()
    hub = Hub(hub_desk.hub)
    send(hub, THEIRS, "2026-02-15", f"{CANARY},2018,F,18,1,NGA", "y,2020,M,41,1,ALB")
    theirs = withdrawals.submit(hub, THEIRS, "person", "consent", ["x"])
    withdrawals.look_for(hub, theirs, lambda _step, _share: None)
    assert withdrawals.carry_out(hub, theirs, lambda _step, _share: None)
    withdrawals.look_for(hub, page.split("/")[-2], lambda _step, _share: None)
    assert all_of() == before


def test_unknown_numbers_are_dropped_or_kept_for_later(hub_desk: Desk) -> None:
    client = hub_desk.client_of("contributor")
    page = reported(hub_desk, numbers="nobody\none")
    work(hub_desk)
    shown = text(client.get(page))
    seen = re.search(r'name="seen" value="(\w{64})"', shown)
    assert seen
    assert 'value="drop"' in shown
    assert client.post(f"{page}answer/", {"seen": seen[1]}).status_code == 422
    assert client.post(f"{page}answer/", {"seen": seen[1], "unknown": "drop"}).status_code == 302
    (one,) = withdrawals.reports(Hub(hub_desk.hub)).values()
    assert (one.numbers, one.state) == (("one",), "ready")
    ahead = reported(hub_desk, numbers="later", ahead="yes")
    work(hub_desk)
    assert "waits for the steward" in text(client.get(ahead))
    hub_desk.client_of("steward").post(f"{ahead}carry-out/")
    (job,) = work(hub_desk)
    assert "nothing of it was taken out" in said(Text.from_json(job.outcome["text"]))
    assert len(Hub(hub_desk.hub).withdrawn().entries) == 1


def test_a_report_that_finds_nobody_is_not_done(hub_desk: Desk) -> None:
    """It says so to the contributor and the steward, until a record comes and is left out."""
    hub, client = Hub(hub_desk.hub), hub_desk.client_of("contributor")
    steward = hub_desk.client_of("steward")
    pages = [reported(hub_desk, numbers=n, ahead="yes") for n in ("later", "one\nnobody")]
    work(hub_desk)
    for page in pages:
        steward.post(f"{page}carry-out/")
    assert [j.state for j in work(hub_desk)] == ["done", "done"]
    none, some = (text(client.get(page)) for page in pages)
    assert "nothing of yours was taken out" in none
    assert "codes in place of your numbers" in none
    assert "carried out</" not in none
    assert "Take the report back" not in none
    assert "carried out</" in some
    assert "Numbers for which no record of yours was taken out: 1" in some
    for who in (client, steward):
        register = text(who.get("/withdrawals/"))
        assert register.count("no record found so far") == 2, "of three lines"
        assert "no record found</" in register
    assert "later" not in "".join(
        p.read_text("utf-8") for p in (hub_desk.hub / "withdrawals").rglob("*.json*")
    )
    assert len(people(hub)) == 5, "six but for the one"
    rows = (hub.root / "contributions" / OURS / "2026-01-15" / "a.csv").read_text("utf-8")
    send(hub, OURS, "2026-01-15", *rows.splitlines()[1:], "later,2021,M,31,0,ALB")
    assert len(people(hub)) == 5, "the new one is left out"
    for who in (client, steward):
        assert text(who.get("/withdrawals/")).count("no record found so far") == 1
    for code in LANGUAGES:
        client.cookies["desk_language"] = code
        for place in (pages[0], "/withdrawals/tell/", "/withdrawals/"):
            shown = text(client.get(place, headers={"accept-language": code}))
            main = shown.partition("<main")[2]
            assert "{" not in re.sub(r"<[^>]*>", "", main), (code, place)
            assert code == "en" or "no record found" not in main, (code, place)


def test_what_changed_between_answer_and_act_is_asked_again(hub_desk: Desk) -> None:
    hub, client = Hub(hub_desk.hub), hub_desk.client_of("contributor")
    page = reported(hub_desk, numbers=CANARY)
    work(hub_desk)
    seen = re.search(r'name="seen" value="(\w{64})"', text(client.get(page)))
    assert seen
    client.post(f"{page}answer/", {"seen": seen[1], "place": "1", "rows-1": "0"})
    send(hub, OURS, "2026-02-01", f"{CANARY},2022,F,44,1,GHA")
    hub_desk.client_of("steward").post(f"{page}carry-out/")
    (job,) = work(hub_desk)
    assert "must answer" in said(Text.from_json(job.outcome["text"]))
    assert not hub.withdrawal_lines()
    assert text(client.get(page)).count('name="rows-1"') == 4


def test_the_whole_organisation_and_what_is_refused(hub_desk: Desk) -> None:
    client = hub_desk.client_of("contributor")
    for given in (
        {"scope": "person", "numbers": " \n"},
        {"scope": "contributor"},
        {"scope": "person", "numbers": "9" * 501},
        {"scope": "person", "numbers": "\n".join(map(str, range(101)))},
        {"scope": "person", "numbers": "tok", "by": "token"},
    ):
        answer = client.post("/withdrawals/tell/", {"reason": "asked", "by": "case", **given})
        assert answer.status_code == 422, given
        assert str(hub_desk.hub) not in text(answer)
    assert client.post("/withdrawals/tell/", {"scope": "all", "reason": "x"}).status_code == 404
    page = reported(hub_desk, scope="contributor", sure="yes", reason="agreement")
    assert work(hub_desk) == []
    hub_desk.client_of("steward").post(f"{page}carry-out/")
    assert [j.state for j in work(hub_desk)] == ["done"]
    assert OURS in Hub(hub_desk.hub).withdrawn().contributors
    assert "Send the file again" not in text(client.get(page)), "nothing of theirs is used"
    for code in LANGUAGES:
        client.cookies["desk_language"] = code
        for place in (page, "/withdrawals/tell/", "/withdrawals/"):
            shown = text(client.get(place, headers={"accept-language": code}))
            assert "{" not in re.sub(r"<[^>]*>", "", shown.partition("<main")[2]), (code, place)


def test_a_report_without_an_answer_stops_releases_until_the_steward_passes_it(
    hub_desk: Desk,
) -> None:
    from ctdhub.desk.models import ReleasePlan

    hub, steward = Hub(hub_desk.hub), hub_desk.client_of("steward")
    plan = ReleasePlan.objects.create(version="2026.9", state="drafted", week=None)
    address, why = f"/releases/{plan.id.hex}/", "They do not answer the telephone."
    assert "wait for an answer" not in text(steward.get(address))
    page = reported(hub_desk, numbers="invented")
    work(hub_desk)
    for code in LANGUAGES:
        steward.cookies["desk_language"] = code
        shown = text(steward.get(address, headers={"accept-language": code}))
        assert ("wait for an answer: 1" in shown) is (code == "en")
        assert 'class="warning"' in shown
    del steward.cookies["desk_language"]
    with pytest.raises(HubError) as met:
        hub.refuse_unanswered()
    assert met.value.rule == "withdrawal-open"
    for role in set(ROLES) - {"steward"}:
        answer = hub_desk.client_of(role).post("/withdrawals/pass/", {"id": OURS, "reason": why})
        assert answer.status_code in (403, 404), role
    assert steward.post("/withdrawals/pass/", {"id": OURS, "reason": " "}).status_code == 422
    assert steward.post("/withdrawals/pass/", {"id": THEIRS, "reason": why}).status_code == 404
    assert steward.post("/withdrawals/pass/", {"id": OURS, "reason": why}).status_code == 302
    hub.refuse_unanswered()
    assert why in text(steward.get(address))
    assert why in text(steward.get("/withdrawals/"))
    client = hub_desk.client_of("contributor")
    assert why not in text(client.get(page)) + text(client.get("/withdrawals/"))


def test_the_file_of_a_kit_is_handed_in_at_the_desk(hub_desk: Desk, tmp_path: Path) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    hub, client, key = (
        Hub(hub_desk.hub),
        hub_desk.client_of("contributor"),
        make_key(tmp_path / "k"),
    )
    join(hub, OURS, KEYLESS, name="Rivage", senders=[key.public])
    card = HubCard(
        hub=hub.settings.name, schema_version="1.2", years=(2000, 2030), recipients=("age1",),
        contributor=OURS, contributor_name="Rivage", contributor_kind="hotline", date="2026-01-01",
    )  # fmt: skip
    good = write_withdrawal(card, ["one", "K-3"], "records", key, bytes(32))

    def post(content: bytes, who: Any = client, **more: str) -> Any:
        file = SimpleUploadedFile("Amina.ctdwithdrawal", content)
        given = {"scope": "person", "reason": "asked", "by": "case", "file": file, **more}
        return who.post("/withdrawals/tell/", given)

    for content, more in ((b"one", {}), (good[:-20], {}), (good * 9, {}), (good, {"numbers": "x"})):
        refused = post(content, **more)
        assert refused.status_code == 422
        assert 'href="#file"' in text(refused)
    other = post(good, hub_desk.client_of("other"))
    assert other.status_code == 422
    assert "another organisation" in text(other)
    assert not withdrawals.reports(hub)
    done = post(good)
    assert done.status_code == 302
    assert "handed in before" in text(post(good))
    work(hub_desk)
    (report,) = withdrawals.reports(hub).values()
    assert (report.state, report.scope, report.unknown) == ("asked", "records", (1, 2))
    assert 'value="ahead"' in text(client.get(done["Location"]))


def test_every_page_says_that_the_worker_is_away(hub_desk: Desk) -> None:
    from ctdhub.desk.models import Job, ReleasePlan
    from ctdhub.desk.registry import pages

    channel.use(None)  # nobody listens
    plan = ReleasePlan.objects.create(version="2026.9", state="drafted", week=None)
    job = Job.objects.create(
        what="build", lane="build", state="failed",
        outcome={"error": {"name": "desk-stopped", "rule": "desk-stopped", "file": None,
                           "row": None, "line": None, "column": None, "fields": {"name": "x"}}},
    )  # fmt: skip
    keys = {"ReleasePlan": plan.id.hex, "Job": job.id.hex}
    parts = {
        "version": "2026.1", "key": OURS, "day": "2026-01-15", "variable": "gender",
        "kind": "dpia",
    }  # fmt: skip
    clients = {r: hub_desk.client_of(r, raise_request_exception=False) for r in ROLES}
    asked = met = 0
    for page in pages():
        if page.of not in ("", *keys) or page.view.__module__.rpartition(".")[2] not in HUB_PAGES:
            continue
        told_page = page.path.startswith("withdrawals/told/")
        more = parts | {"id": keys.get(page.of, "")} | ({"key": "0" * 32} if told_page else {})
        address = re.sub(r"<(?:\w+:)?(\w+)>", lambda m, more=more: more[m[1]], "/" + page.path)
        for role, client in clients.items():
            if not rights.may(role, page.action):
                continue
            for method in {"GET", "POST"} & set(page.methods):
                answer = getattr(client, method.lower())(address)
                assert answer.status_code < 500, (role, method, address)
                asked += 1
                met += "does not answer" in text(answer)
    assert asked > 100
    assert met > 60


HUB_PAGES = (
    "home", "agreements", "looks", "hub_page", "withdrawals",
    "releases", "approval", "jobs",
)  # fmt: skip


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"given": 3}', b"\xff", b"nul"])
def test_an_answer_that_is_none_is_a_page(hub_desk: Desk, answer: bytes) -> None:
    channel.use(lambda _request: answer)
    client = hub_desk.client_of("steward")
    for address in ("/releases/", "/withdrawals/", "/agreements/", "/look/"):
        shown = client.get(address)
        assert shown.status_code == 422
        assert "does not answer" in text(shown)


def test_the_plan_is_shown_to_who_may_not_know_the_price(hub_desk: Desk) -> None:
    from ctdhub.desk.models import ReleasePlan

    plan = ReleasePlan.objects.create(version="2026.9", state="drafted", week=None)
    for role in ("steward", "privacy_officer", "data_officer", "auditor"):
        assert hub_desk.client_of(role).get(f"/releases/{plan.id.hex}/").status_code == 200, role


def test_a_busy_process_says_so_at_once_and_a_slow_asker_does_not_hold_it(
    hub_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctdhub.desk.worker import answering

    monkeypatch.setattr(answering, "PATIENCE", desks.PATIENCE)
    place = hub_desk.config.folder / channel.SOCKET
    threading.Thread(target=answering.serve, args=(place, 2), daemon=True).start()
    who = hub_desk.asking("steward")
    channel.use(None)

    def begin_slowly() -> list[socket.socket]:
        """Two lines that are begun, and that nobody was told to be too many."""
        held: list[socket.socket] = []
        while len(held) < 2:
            line = socket.socket(socket.AF_UNIX)
            with suppress(OSError):  # nobody listens yet
                line.connect(str(place))
                line.sendall(struct.pack(">I", 2**20))
                if not select.select([line], [], [], 0.2)[0]:
                    held.append(line)
        return held

    slow = begin_slowly()
    begun = time.monotonic()
    with pytest.raises(HubError) as busy:
        channel.ask_hub(who, "versions", id="x" * 100_000)
    assert busy.value.rule == "desk-busy"
    assert time.monotonic() - begun < desks.PATIENCE / 4
    for line in slow:
        line.close()

    monkeypatch.setattr(answering, "PATIENCE", 2.0)
    slow, served, answer = begin_slowly(), threading.Event(), None

    def drop_by_drop() -> None:
        while not served.wait(0.1):
            for line in slow:
                with suppress(OSError):
                    line.sendall(b" ")

    drops = threading.Thread(target=drop_by_drop)
    drops.start()
    try:
        while answer is None and time.monotonic() - begun < desks.PATIENCE:
            with suppress(HubError):
                answer = channel.ask_hub(who, "versions")
            time.sleep(0.2)
    finally:
        served.set()
        drops.join()
    assert answer is not None, "drop by drop holds it"
    assert answer["given"]["versions"] == []
    for line in slow:
        line.close()


def test_rows_of_jobs_hold_the_rule_and_no_word_of_a_file() -> None:
    """Whatever an error says, of whatever room: no text, number or name of it stays in a row."""
    from ctdhub.desk.worker.deliveries import stopped_as_kept

    canary, count = "Amina-7741.xlsx", 774_177
    kinds: tuple[Any, ...] = (
        canary, count, Text("A {x}", x=canary), many("{n} person", "{n} people", count),
    )  # fmt: skip
    for name, entry in catalogue().items():
        for value in kinds:
            fields = dict.fromkeys(entry.placeholders - {"file", "row", "line"}, value)
            try:
                met = error(name, file=canary, row=count, line=count, column=canary, **fields)
            except (KeyError, TypeError, ValueError):
                continue
            kept = stopped_as_kept(met)
            written = json.dumps(kept)
            assert "Amina" not in written, name
            assert str(count) not in written, name
            read = from_json(kept)
            assert read.rule in (met.rule, "desk-stopped")
            with language("ar"):
                assert str(read)
                assert said(read.remedy)
