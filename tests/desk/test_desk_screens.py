"""Columns decided at the desk: by the workbench's own process, socket and checks of rights."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import time
from contextlib import suppress
from html import unescape
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

from ctdhub.core.errors import HubError
from tests.desk.desks import OURS, PATIENCE, Desk, reachable
from tests.desk.sending import rounds, rows, sent, work

COLUMNS = {
    "sexe": ["F", "femme", "FEMME", "Fille ?", "H", "homme", "garçon"],
    "age": ["0-8", "9-17", "18-20", "21-23", "24-26", "27-29", "30-38"],
    "nom": ["Zqxname Una", "Zqxname Dua", "Zqxname Tria"],
}
"""Written as somebody would who has not seen the practice files; all of it is fictitious."""


def dirty(rows_: int = 70) -> bytes:
    lines = [",".join(COLUMNS)]
    lines += [",".join(c[n % len(c)] for c in COLUMNS.values()) for n in range(rows_)]
    return "\n".join(lines).encode()


@pytest.fixture
def bench(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose workbench answers at its socket, on however busy a machine."""
    from ctdhub.desk import channel
    from ctdhub.desk.channel import SOCKET
    from ctdhub.desk.worker.answering import serve

    monkeypatch.setattr(channel, "SECONDS", 120.0)
    place = desk.config.folder / SOCKET
    threading.Thread(target=serve, args=(place,), daemon=True).start()
    reachable(place)
    assert rounds() == []
    return desk


@pytest.fixture
def delivery(bench: Desk) -> Any:
    """A delivery with a column of dirty texts, which the practice mapping cannot read."""
    key = sent(bench.client_of("contributor"), dirty(), "csv")
    assert work() == ["check done"]
    return rows("Delivery").get(id=key)


def way(delivery: Any, end: str = "columns/") -> str:
    return f"/deliveries/{delivery.id.hex}/{end}"


def offers(page: str) -> list[Any]:
    """The operations that buttons of a page carry."""
    found = re.findall(r'name="operations" value="([^"]*)"', page)
    return [json.loads(unescape(one)) for one in found]


def events(action: str, outcome: str = "done") -> int:
    return int(rows("TrailEvent").filter(action=action, outcome=outcome).count())


def direct(
    desk: Desk, role: str, delivery: Any, ask: str, visiting: Any = None, **more: Any
) -> dict[str, Any]:
    """What the workbench says to a web process that asks for whatever it likes."""
    from ctdhub.desk.views.deliveries import DeliveryCarrier

    asker = SimpleNamespace(who=visiting or desk.asking(role))
    return DeliveryCarrier(asker, delivery).ask({"ask": ask, **more})


def keep(client: Any, delivery: Any, **fields: str) -> None:
    kept = client.post(way(delivery), {"act": "keep", **fields})
    assert kept.status_code == 200
    assert "The mapping is kept." in kept.content.decode()
    assert work() == ["check done"]
    delivery.refresh_from_db()


def test_choices_of_the_page_are_applied_together(bench: Desk, delivery: Any) -> None:
    """A text, a column as a variable, one by operations, and one without a choice, in one click."""
    officer = bench.client_of("data_officer")
    page = officer.get(way(delivery)).content.decode()
    of = re.search(r'name="of" value="([^"]+)"', page)
    assert of
    question = page[page.index('class="card question"') :]
    assert "a person" in question
    assert "selected" not in question[: question.index("</select>")], "nobody has said so yet"
    leave = json.dumps([{"op": "setting", "key": "name", "value": "Together"}])
    given = {"of": of[1], "texts": "Fille ?", "codes": "female", "act": "answer",
             "column": ["a", "b"], "is": ["", ""], "rest": [leave, ""]}  # fmt: skip
    assert "Together" not in officer.post(way(delivery), given).content.decode()
    text = officer.get(way(delivery, "text/")).content.decode()
    assert "Fille ?" in text
    assert "Together" not in text, "nothing was chosen for it"
    officer.post(way(delivery), {**given, "codes": "", "act": "answer_all"})
    assert "Together" in officer.get(way(delivery, "text/")).content.decode()
    odd = {
        "column": "a",
        "is": '[1, {}, {"op": "rule"}, {"op": "rule"}]',
        "rest": "",
        "act": "answer",
    }
    assert officer.post(way(delivery), odd).status_code == 422
    nothing = officer.post(way(delivery), {"act": "answer"}).content.decode()
    assert "Nothing was chosen." in nothing


def test_all_that_a_chosen_reading_makes_of_texts_is_in_view(bench: Desk) -> None:
    """However many texts, and whether they become codes of one variable or kinds of several."""
    from django.template import engines

    from ctdhub.desk import screens

    words = {f"word {n}": "female" for n in range(9)} | {"word 9": None}
    kinds = {"means_threats": ["shouts", "threatens"], "means_debt_bondage": ["owes"]}
    rules = [("gender", [{"from": "a", "date": "true"}, {"from": "b", "map": words}])]
    rules += [(name, {"from": "c", "has": parts}) for name, parts in kinds.items()]
    reading = {"operations": [{"op": "rule", "variable": v, "rule": rule} for v, rule in rules]}
    (env,) = [one.env for one in engines.all() if hasattr(one, "env")]
    shown = env.from_string(
        '{% from "screens/parts.html" import values_of with context %}{{ values_of(reading) }}'
    ).render(
        reading=reading, cell=screens.cell, codes_said=screens.codes_said,
        variable_said=screens.variable_said,
    )  # fmt: skip
    pairs = re.findall(r"<bdi>(.*?) → (.*?)</bdi>", shown)
    assert [text for text, _code in pairs] == [*words, "shouts", "threatens", "owes"]
    assert [code for _text, code in pairs[8:]] == [
        "Woman or girl", "means: not recorded", "Threats", "Threats", "Debt bondage",
    ]  # fmt: skip


def test_a_column_is_read_as_any_variable_of_the_list(bench: Desk) -> None:
    head, *lines = dirty().decode().splitlines()
    file = "\n".join([f"{head},teinte", *(f"{line},rouge" for line in lines)]).encode()
    key = sent(bench.client_of("contributor"), file, "csv")
    assert work() == ["check done"]
    delivery, officer = rows("Delivery").get(id=key), bench.client_of("data_officer")
    page = officer.get(way(delivery)).content.decode()
    assert '<option value="ict_recruitment"' in page
    assert "reporting_entity" not in page, "no column is read as it"
    given = {"act": "answer", "column": "teinte", "is": "ict_recruitment", "rest": ""}
    assert officer.post(way(delivery), given).status_code == 200
    text = officer.get(way(delivery, "text/")).content.decode()
    assert re.search("ict_recruitment:[^:]*teinte|ict_recruitment: {from: teinte", unescape(text))


def test_columns_of_one_variable_make_one_operation() -> None:
    from ctdhub.desk.screens import _together

    old, a, b = ({"from": name} for name in ("old", "a", "b"))
    made = _together(
        [
            {"op": "rule", "variable": "means_threats", "rule": [old, a]},
            {"op": "accept", "entry": {"alarm": "x"}, "on": True},
            {"op": "rule", "variable": "means_threats", "rule": [old, b]},
            {"op": "rule", "variable": "means_other", "rule": b},
        ]
    )
    assert [one.get("rule") for one in made] == [[old, a, b], None, b]


def test_decided_kept_checked_again_and_accepted(bench: Desk, delivery: Any) -> None:
    officer = bench.client_of("data_officer")
    assert "Decide the columns" in officer.get(way(delivery, "")).content.decode()
    assert delivery.summary["stopped"], "the mapping in force is of another system"
    looks = events("mapping.read")
    page = officer.get(way(delivery)).content.decode()
    assert events("mapping.read") == looks + 1
    assert "Fille ?" in page
    assert "Zqxname" not in page
    early = officer.post(way(delivery), {"act": "keep"})
    assert early.status_code == 422
    assert "Nothing is kept yet" in early.content.decode()
    assert events("mapping.keep") == 0
    keep(officer, delivery, open="1")
    assert delivery.summary["rejected"] == 10
    assert [alarm["stops"] for alarm in delivery.summary["alarms"] if not alarm["accepted"]]
    officer.post(way(delivery, "accept/"))
    assert work() == ["accept failed"]

    column = officer.get(way(delivery, "columns/0/")).content.decode()
    sheet = re.search(r'name="sheet" value="([^"]+)"', column)
    assert sheet
    given = {"texts": "Fille ?", "codes": "female", "sheet": sheet[1], "act": "map"}
    assert "10 rows" in officer.post(way(delivery, "columns/0/"), given).content.decode()
    assert rows("Job").filter(state="waiting").count() == 0, "a draft changes nothing"
    keep(officer, delivery)
    assert delivery.summary["rejected"] == 0
    assert not [alarm for alarm in delivery.summary["alarms"] if not alarm["accepted"]]
    place = bench.hub / "mappings" / OURS / f"{delivery.created:%Y-%m-%d}.yaml"
    assert hashlib.sha256(place.read_bytes()).hexdigest() == delivery.mapping_commit
    assert "Fille ?" in place.read_text("utf-8")
    assert events("mapping.keep") == 2
    log = (bench.hub / "mappings" / ".history" / f"{OURS}.jsonl").read_text("utf-8")
    assert json.loads(log.splitlines()[-1])["who"] == bench.accounts["data_officer"].id.hex
    officer.post(way(delivery, "accept/"))
    assert work() == ["accept done"]
    delivery.refresh_from_db()
    assert delivery.state == "accepted"
    assert officer.get(way(delivery)).status_code == 200, "the accepted file is read where it lies"
    for file in (bench.hub / "desk").rglob("*"):
        if file.is_file():
            assert b"Fille" not in file.read_bytes(), file


def test_each_role_as_the_table_says(bench: Desk, delivery: Any) -> None:
    ours, steward = bench.client_of("contributor"), bench.client_of("steward")
    operations = json.dumps([{"op": "setting", "key": "name", "value": "x"}])
    for end in ("columns/", "columns/0/", "history/", "text/", "problems/", "identifiers/"):
        for role, client in (("contributor", ours), ("steward", steward)):
            answer = client.get(way(delivery, end))
            assert answer.status_code == 200, (role, end)
            assert "no-store" in answer["Cache-Control"]
            assert "Zqxname" not in answer.content.decode()
            assert "Keep the mapping" not in answer.content.decode()
        assert not offers(steward.get(way(delivery, end)).content.decode())
        assert steward.post(way(delivery, end), {"operations": operations}).status_code == 403
        for role in ("administrator", "auditor", "privacy_officer"):
            assert bench.client_of(role).get(way(delivery, end)).status_code == 403
        foreign = bench.client_of("other").get(way(delivery, end))
        assert foreign.status_code == 404
        assert "Fille" not in foreign.content.decode()
    assert ours.post(way(delivery), {"act": "keep"}).status_code == 403
    assert events("mapping.keep", "denied") == 1
    assert ours.post(way(delivery), {"operations": operations}).status_code == 200
    assert ours.post(way(delivery), {"act": "keep", "operations": operations}).status_code == 200
    drafts = [p.name for p in (bench.hub / "mappings" / ".drafts" / OURS).iterdir()]
    assert any(bench.accounts["contributor"].id.hex in name for name in drafts)
    assert not (bench.hub / "mappings" / OURS).exists(), "a draft is no mapping"


def test_what_a_contributor_decided_is_kept_by_the_data_officer(bench: Desk, delivery: Any) -> None:
    """Though the officer had opened the columns before."""
    ours, officer = bench.client_of("contributor"), bench.client_of("data_officer")
    assert "Fille ?" in officer.get(way(delivery)).content.decode()
    column = ours.get(way(delivery, "columns/0/")).content.decode()
    sheet = re.search(r'name="sheet" value="([^"]+)"', column)
    assert sheet
    given = {"texts": "Fille ?", "codes": "female", "sheet": sheet[1], "act": "map"}
    assert "10 rows" in ours.post(way(delivery, "columns/0/"), given).content.decode()
    officer.get(way(delivery))
    keep(officer, delivery)
    assert delivery.summary["rejected"] == 0
    kept = bench.hub / "mappings" / OURS / f"{delivery.created:%Y-%m-%d}.yaml"
    assert "Fille ?" in kept.read_text("utf-8")
    officer.get(way(delivery))
    own = bench.accounts["data_officer"].id.hex
    for draft in (bench.hub / "mappings" / ".drafts" / OURS).glob(f"*{own}*"):
        assert not json.loads(draft.read_text("utf-8"))["operations"], "begun with again"


def test_columns_begin_with_the_mapping_that_came_with_the_file(bench: Desk, delivery: Any) -> None:
    from ctdhub.desk.worker.answering import MAPPING, file_of
    from ctdhub.hub.folder import Hub

    text = (bench.hub / "mappings" / f"{OURS}.yaml").read_text("utf-8") + "# of the bundle\n"
    file_of(Hub(bench.hub), delivery).with_name(MAPPING).write_text(text, "utf-8")
    assert "error" not in direct(bench, "contributor", delivery, "open")
    (draft,) = (bench.hub / "mappings" / ".drafts" / OURS).iterdir()
    assert json.loads(draft.read_text("utf-8"))["base"] == text


def test_the_workbench_does_not_rely_on_the_web_process(bench: Desk, delivery: Any) -> None:
    """Whatever a web process that somebody else has taken over asks for."""
    forged = {"who": "x", "folder": "/", "file": "/etc/passwd", "contributor": "beacon-hotline"}
    for role, ask in (
        ("contributor", "keep"), ("other", "open"), ("other", "text"), ("steward", "do"),
        ("administrator", "open"), ("auditor", "columns"), ("privacy_officer", "problems"),
    ):  # fmt: skip
        found = direct(bench, role, delivery, ask, operations=[], **forged)
        assert found["error"]["rule"] == "workbench-denied", (role, ask)
    opened = direct(bench, "data_officer", delivery, "open", **forged)
    assert opened["file"]["rows"] == 70, "the file is that of the delivery"
    from django.db import transaction

    who = bench.asking("data_officer")
    with transaction.atomic():  # as the page of an answer holds SQLite's one lock meanwhile
        assert "error" not in direct(bench, "data_officer", delivery, "columns", who)
    officer = bench.accounts["data_officer"]
    rows("DeskAccount").filter(id=officer.id).update(is_active=False)
    ended = direct(bench, "data_officer", delivery, "open", who)
    assert ended["error"]["rule"] == "workbench-denied"
    rows("DeskAccount").filter(id=officer.id).update(is_active=True)
    from allauth.mfa.models import Authenticator

    Authenticator.objects.filter(user=officer).delete()
    alone = direct(bench, "data_officer", delivery, "open", who)
    assert alone["error"]["rule"] == "workbench-denied", "without a second factor"
    rows("Delivery").filter(id=delivery.id).update(state="withdrawn")
    assert direct(bench, "contributor", delivery, "open")["error"]["rule"] == "workbench-file"


def test_nobody_waits_for_what_another_organisation_asks(
    bench: Desk, delivery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of its people is at work, two wait, a fourth is told at once; others are answered."""
    from ctdhub.desk import channel
    from ctdhub.desk.worker import answering

    assert "error" not in direct(bench, "data_officer", delivery, "open")
    asked, told = threading.Event(), threading.Event()

    def slow() -> None:
        with answering._turn_of("beacon-hotline"):
            asked.set()
            told.wait(60)

    def waits() -> None:
        with suppress(HubError), answering._turn_of("beacon-hotline"):
            pass

    at_work = [threading.Thread(target=one, daemon=True) for one in (slow, waits, waits)]
    at_work[0].start()
    assert asked.wait(60)
    assert "error" not in direct(bench, "data_officer", delivery, "columns")
    monkeypatch.setattr(channel, "SECONDS", 1.0)
    with pytest.raises(HubError) as met, answering._turn_of("beacon-hotline"):
        pass
    assert met.value.rule == "workbench-busy", "it is not begun"
    monkeypatch.setattr(channel, "SECONDS", 60.0)
    for one in at_work[1:]:
        one.start()
    while answering._processes["beacon-hotline"].waiting < answering.MOST_WAITING:
        told.wait(0.01)
    with pytest.raises(HubError) as met, answering._turn_of("beacon-hotline"):
        pass
    assert met.value.rule == "workbench-busy"
    assert "error" not in direct(bench, "data_officer", delivery, "columns")
    told.set()
    for one in at_work:
        one.join(60)
    assert answering._processes["beacon-hotline"].waiting == 0


def test_what_takes_too_long_ends_alone_and_changes_nothing(
    bench: Desk, delivery: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from ctdhub.desk.worker import answering

    direct(bench, "data_officer", delivery, "open")
    before = direct(bench, "data_officer", delivery, "history")
    operation = {"op": "empty", "text": "Fille ?", "on": True}
    with monkeypatch.context() as short:
        short.setattr(answering, "LEAST_SECONDS", 0.001)
        met = direct(bench, "data_officer", delivery, "do", operations=[operation])["error"]
    assert met["rule"] == "workbench-slow"
    assert direct(bench, "data_officer", delivery, "history") == before
    done = direct(bench, "data_officer", delivery, "do", operations=[operation])["done"]
    assert done == [1], "in a new process"
    away = direct(bench, "data_officer", delivery, "problems", start="Fille")["error"]
    assert away["rule"] == "workbench-away"
    assert [*caplog.messages][-1] == "an answer failed: ValueError", "its kind, and no word of it"
    (kept,) = direct(bench, "data_officer", delivery, "history")["operations"]
    assert (kept["n"], kept["text"]) == (1, "Fille ?")


def test_a_page_waits_so_long_and_says_what_goes_on(
    bench: Desk, delivery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctdhub.desk import channel
    from ctdhub.desk.worker import answering

    monkeypatch.setattr(channel, "SECONDS", 0.0)
    monkeypatch.setattr(answering, "answer_of", lambda _body: threading.Event().wait(2) or b"{}")
    answer = bench.client_of("data_officer").get(way(delivery))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "workbench-late" in page
    assert "Load the page again in a minute" in page


def test_odd_messages_end_as_errors(bench: Desk, delivery: Any) -> None:
    import socket
    import struct

    from ctdhub.desk.channel import SOCKET, next_message, send_message

    until, who = time.monotonic() + PATIENCE, bench.asking("data_officer")
    fixed = {"account": who.account, "visit": who.visit, "delivery": delivery.id.hex}
    place = str(bench.config.folder / SOCKET)
    assert (bench.config.folder / SOCKET).stat().st_mode & 0o007 == 0
    listed = json.dumps({**fixed, "ask": ["open"]}).encode()
    none = (b"", b"[]", b"{", b"[" * 100_000, b"\xff", b'{"ask": "ledger"}')
    for body in (*none, b'{"account": 1, "delivery": 2}', listed):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(place)
            send_message(line, body)
            found = json.loads(next_message(line, until))
            rule = "desk-ask" if body in none else "workbench-request"
            assert found["error"]["rule"] == rule, body[:20]
    for bytes_ in (struct.pack(">I", 2**31), b"GET / HTTP/1.1\r\n\r\n", b"\0"):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(place)
            line.sendall(bytes_)
            line.shutdown(socket.SHUT_WR)
            with pytest.raises((ConnectionResetError, ValueError)):
                next_message(line, until)
    assert "error" not in direct(bench, "data_officer", delivery, "open"), "it goes on"


def test_a_workbench_that_is_away_is_a_page(desk: Desk) -> None:
    rounds()
    key = sent(desk.client_of("contributor"), dirty(8), "csv")
    work()
    answer = desk.client_of("data_officer").get(f"/deliveries/{key}/columns/")
    assert answer.status_code == 409
    assert "workbench-away" in answer.content.decode()
    assert "Fille" not in answer.content.decode()


def titled(*below: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in (["Registre – 2024"], ["Mis à jour le 12/01/2025"], [], *below):
        book.worksheets[0].append(row)
    book.create_sheet("Listes").append(["F"])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def test_a_file_with_a_title_row_is_no_dead_end(bench: Desk) -> None:
    """The practice mapping reads the first row; the page of the columns looks, or asks."""
    ours = bench.client_of("contributor")
    people = [["D-" + str(i), "FH"[i % 2], "Zqxlieu", 2000 + i] for i in range(60)]
    content = titled(["dossier", "sexe", "lieu", "année"], *people)
    delivery = rows("Delivery").get(id=sent(ours, content, "xlsx"))
    assert work() == ["check done"]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.summary["rows"]) == ("checked", 60)
    page = unescape(ours.get(way(delivery, "")).content.decode())
    assert "header_row" not in page
    assert "choose the sheet with the records" in page
    assert "sexe" in ours.get(way(delivery)).content.decode()


def test_the_desk_asks_which_row_holds_the_names(bench: Desk) -> None:
    ours = bench.client_of("contributor")
    content = titled([2021, 2022, 2023], *([i, 4, 5] for i in range(40)))
    delivery = rows("Delivery").get(id=sent(ours, content, "xlsx"))
    assert work() == ["check done"]
    delivery.refresh_from_db()
    assert delivery.state == "checked"
    page = ours.get(way(delivery)).content.decode()
    assert "Which row holds the names" in page
    assert page.count('name="header"') == 9, "an empty row is no choice"
    wrong = ours.post(way(delivery), {"header": "1"})
    assert wrong.status_code == 422
    assert "header_row" not in wrong.content.decode()
    assert "2022" in ours.post(way(delivery), {"header": "4"}).content.decode()
    assert "Columns of your file" in ours.get(way(delivery)).content.decode()
