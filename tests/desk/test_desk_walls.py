"""The authorisation matrix, made from the register: every page x role x another's thing.

Once with all checks, and once, on PostgreSQL, with the checks of the gate taken out: row-level
security alone must then keep the organisations apart.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest

from ctdhub.core.errors import HubError
from tests.desk import rights
from tests.desk.desks import OURS, ROLES, THEIRS, Desk, connected
from tests.desk.things import CANARY, thing

NO_SUCH = "0" * 32
SIGNING_IN = {"DeskAccount"}
"""Tables that are read before it is known who asks, and so have no second wall."""


def pages() -> list[Any]:
    from ctdhub.desk.registry import pages as registered

    return [page for page in registered() if page.action != "door.open"]


def address(page: Any, key: str = NO_SUCH) -> str:
    """The address of a page, other parts filled with what is nowhere."""
    path = page.path.replace("<id>", key)
    path = re.sub(r"<int:\w+>", "999999", path)
    return "/" + re.sub(r"<(\w+:)?\w+>", "x", path)


def theirs_of(desk: Desk) -> dict[str, Any]:
    """A row of the other organisation in every table that a page is about."""
    return {of: thing(desk, of, THEIRS) for of in sorted({p.of for p in pages()} - {""})}


def same(answer: Any, key: str) -> bytes:
    """The bytes of an answer without what differs from one request to the next."""
    text = answer.content.decode().replace(key, "KEY")
    return re.sub(r'(value="|CSRFToken":")[A-Za-z0-9]{64}', "TOKEN", text).encode()


def ask(client: Any, page: Any, method: str, key: str = NO_SUCH) -> Any:
    way = address(page, key)
    return client.generic(method, way, b"", "application/x-www-form-urlencoded")


def test_every_page_by_role_and_relation(desk: Desk) -> None:
    theirs = theirs_of(desk)
    count = 0
    for role in ("", *ROLES):
        client = desk.client_of(role, raise_request_exception=False)
        for page in pages():
            for method in set(page.methods) - {"HEAD"}:
                where = f"{role or 'visitor'} {method} {page.path}"
                if not role:
                    answer = ask(client, page, method)
                    assert answer.status_code == 302, where
                    assert answer["Location"].startswith("/accounts/login/"), where
                    assert CANARY.encode() not in answer.content, where
                elif not rights.may(role, page.action):
                    assert ask(client, page, method).status_code == 403, where
                elif page.of and role == "contributor" and page.of not in SIGNING_IN:
                    key = theirs[page.of].pk
                    key = getattr(key, "hex", key)
                    answer = ask(client, page, method, key)
                    assert answer.status_code == 404, where
                    none = ask(client, page, method)
                    assert same(answer, key) == same(none, NO_SUCH), where
                elif method == "GET" and not page.of:
                    answer = ask(client, page, method)
                    assert answer.status_code < 500, where
                    assert answer.status_code != 403, where
                    if role == "contributor":
                        assert CANARY.encode() not in answer.content, where
                        assert b"Beacon" not in answer.content, where
                count += 1
    assert count >= 7 * 20


def test_row_level_security_holds_without_the_gate(
    desk_on_postgres: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db.models import Q

    from ctdhub.desk import gate
    from ctdhub.desk.allowed import Verdict

    desk = desk_on_postgres
    theirs = theirs_of(desk)
    ours = {of: thing(desk, of, OURS) for of in theirs if of not in ("ReleasePlan",)}
    monkeypatch.setattr(gate, "allowed", lambda *_given: Verdict())
    monkeypatch.setattr(gate, "scope", lambda *_given: Q())
    client = desk.client_of("contributor", raise_request_exception=False)
    for page in pages():
        for method in set(page.methods) - {"HEAD"}:
            where = f"{method} {page.path}"
            if page.of:
                if page.of in SIGNING_IN:
                    continue
                key = theirs[page.of].pk
                answer = ask(client, page, method, getattr(key, "hex", key))
                assert answer.status_code == 404, where
            elif method == "GET":
                answer = ask(client, page, method)
            else:
                continue
            assert CANARY.encode() not in answer.content, where
    assert ours


def test_every_table_of_data_has_a_wall(desk_on_postgres: Desk) -> None:
    """By what PostgreSQL itself says, and by reading as the web's user with and without a scope."""
    from django.apps import apps
    from django.db import connection, transaction

    from ctdhub.desk.walls import WALLS, set_scope

    desk = desk_on_postgres
    open_ones = {"DeskAccount", "TrailHead"}
    tables = {model.__name__: model for model in apps.get_app_config("desk").get_models()}
    assert set(tables) == {wall.table for wall in WALLS} | open_ones
    for name in set(tables) - open_ones - {"TrailEvent", "Organisation", "RoleHeld"}:
        thing(desk, name, THEIRS)
    walled = [tables[wall.table] for wall in WALLS]
    assert all(model.objects.exists() for model in walled if model is not tables["TrailEvent"])
    people = [
        (desk.accounts[role].who(), seen)
        for role, seen in (("contributor", False), ("other", True))
    ]
    with desk.as_web():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
            )
            assert {row[0] for row in cursor} == {model._meta.db_table for model in walled}
        for model in walled:
            if model.__name__ != "OutgoingMail":
                assert not model.objects.exists(), model
        for who, seen in people:
            with transaction.atomic():
                set_scope(who)
                for wall in WALLS:
                    found = tables[wall.table].objects
                    if wall.own == "organisation_id":
                        assert found.exists() == seen, (who, wall.table)
            assert not tables["Delivery"].objects.exists()  # the scope ended with the transaction


def test_the_web_cannot_write_for_another_or_change_the_walls(desk_on_postgres: Desk) -> None:
    from django.db import ProgrammingError, connection, transaction

    from ctdhub.desk.trail import record
    from ctdhub.desk.walls import refuse_strong_user, set_scope

    desk = desk_on_postgres
    who = desk.accounts["contributor"].who()
    with desk.as_web():
        refuse_strong_user()

        def send(organisation: str) -> None:
            with transaction.atomic():
                set_scope(who)
                thing(desk, "Delivery", organisation)
                record(who, "delivery.send")

        send(OURS)
        with pytest.raises(ProgrammingError, match="row-level security"):
            send(THEIRS)
        for forbidden in (
            "ALTER TABLE desk_delivery DISABLE ROW LEVEL SECURITY",
            "UPDATE desk_trailevent SET outcome = 'done'",
            "DELETE FROM desk_trailevent",
            "SELECT * FROM desk_outgoingmail",
        ):
            with pytest.raises(ProgrammingError), connection.cursor() as cursor:
                cursor.execute(forbidden)


def test_the_start_refuses_a_user_whom_the_walls_do_not_bind(
    desk_on_postgres: Desk, postgres_template: Any
) -> None:
    from django.db import connection

    from ctdhub.core.errors import PolicyError
    from ctdhub.desk.walls import refuse_strong_user
    from tests.desk import desks, postgres

    name = connection.settings_dict["NAME"]
    for user in ("postgres", "desk_owner"):
        with desks.connected(postgres.settings(postgres_template, name, user)):
            with pytest.raises(PolicyError) as met:
                refuse_strong_user()
            assert met.value.rule == "desk-database"


def test_a_database_that_cannot_keep_every_script_is_refused(
    desk_on_postgres: Desk, postgres_template: Any
) -> None:
    from ctdhub.core.errors import PolicyError
    from ctdhub.desk.walls import prepare, refuse_encoding, refuse_older_tables
    from ctdhub.desk.worker.backup import resume
    from tests.desk import desks, postgres

    refuse_encoding()
    postgres.new_database(postgres_template, "narrow", encoding="SQL_ASCII")
    with desks.connected(postgres.settings(postgres_template, "narrow", "desk_owner")):
        restored = partial(resume, desk_on_postgres.config, "postgresql")
        for act in (prepare, refuse_older_tables, restored):
            with pytest.raises(PolicyError, match="SQL_ASCII") as met:
                act()
            assert met.value.name == "desk-database/encoding"


@pytest.mark.parametrize("until_the_end", ["true", "false"])
def test_a_pool_hands_on_no_scope(
    desk_on_postgres: Desk, postgres_template: Any, until_the_end: str
) -> None:
    """With the last argument "false" the next user of the pool would see the rows of the first."""
    from django.db import connection, transaction

    from ctdhub.desk.models import Delivery
    from tests.desk import desks, postgres

    desk = desk_on_postgres
    thing(desk, "Delivery", THEIRS)
    name = connection.settings_dict["NAME"]
    pool = {"OPTIONS": {"pool": {"min_size": 1, "max_size": 1}}}
    with desks.connected({**postgres.settings(postgres_template, name, "desk_web"), **pool}):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT set_config('desk.org', '{THEIRS}', {until_the_end})")
            assert Delivery.objects.count() == 1
        connection.close()  # back into the pool
        assert Delivery.objects.count() == (0 if until_the_end == "true" else 1)
        connection.close()
        connection.close_pool()


def test_the_scope_is_set_in_one_place() -> None:
    from pathlib import Path

    import ctdhub.desk

    folder = Path(ctdhub.desk.__file__).parent
    setting = {f.name for f in folder.rglob("*.py") if "set_config" in f.read_text("utf-8")}
    assert setting == {"walls.py"}
    text = (folder / "walls.py").read_text("utf-8")
    assert text.count("set_config(") == text.count("%s, true)")


def test_migrations_say_all_that_the_models_say(desk: Desk) -> None:
    from django.core.management import call_command

    call_command("makemigrations", check_changes=True, verbosity=0)  # exits where there are some


def test_tables_of_another_version_are_refused(each_desk: Desk) -> None:
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    from ctdhub.desk.walls import prepare

    described = {**connection.settings_dict}
    with connected({**described, "USER": "desk_owner"}) if each_desk.postgres else nullcontext():
        prepare()
        MigrationRecorder(connection).record_applied("desk", "0001_tables")
        with pytest.raises(HubError) as met:
            prepare()
    assert met.value.name == "desk-database/other"
