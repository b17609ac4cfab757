"""The database: row-level security as the second wall, its users, statements that every request
sends.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from ctdhub.core.errors import error
from ctdhub.desk.allowed import VISITOR, Who, roles_of
from ctdhub.desk.config import current

# --------------------------------------------------------------------------------------------------
# Row-level security, the second wall: PostgreSQL itself keeps organisations apart.
#
# The scope of a request is set inside its transaction and ends with it.  Policies come from the
# table in ``desk.allowed``, so that the two walls cannot disagree.


@contextmanager
def scoped(who: Who = VISITOR, *, reading: bool = False) -> Iterator[None]:
    """One transaction in which the database shows what this somebody may see.

    Args:
        reading: nothing will be written; SQLite, which has no second wall, then needs no lock.
    """
    if connection.vendor != "postgresql":
        if reading:
            yield
        else:
            with transaction.atomic():
                yield
        return
    with transaction.atomic():
        set_scope(who)
        yield


def set_scope(who: Who) -> None:
    """Set whom the database serves until the transaction in force ends."""
    if connection.vendor != "postgresql":
        return
    if not connection.in_atomic_block:
        raise RuntimeError("a scope is set inside a transaction only")
    rows(
        "SELECT set_config('desk.account', %s, true), set_config('desk.org', %s, true),"
        " set_config('desk.roles', %s, true)",
        *(who.account, who.organisation, ",".join(sorted(who.roles))),
    )


def set_token(token_sha256: str) -> None:
    """Show the one invitation with this hash until the transaction in force ends."""
    if connection.vendor == "postgresql":
        rows("SELECT set_config('desk.token', %s, true)", token_sha256)


WEB, WORK = "desk_web", "desk_work"
"""Users of the database: that of the web process, whom the walls bind, and that of the worker."""

OWN = "own"
"""The policy of the tables' owner, who copies all rows for a backup."""

_ORG = "current_setting('desk.org', true)"
_ACCOUNT = "current_setting('desk.account', true)"
_ROLES = "string_to_array(current_setting('desk.roles', true), ',')"


@dataclass(frozen=True)
class Wall:
    """What the web process sees and changes of a table.

    Attributes:
        table: name of the model.
        actions: of ``desk.allowed``; whoever may any of them to anybody's things sees all rows.
        own: column that holds the organisation, whose contributors see the row.
        mine: column that holds the account, which sees the row.
        by_token: whoever has the token whose hash it holds sees the row.
        may: privileges of the web process.
    """

    table: str
    actions: tuple[str, ...]
    own: str = ""
    mine: str = ""
    by_token: bool = False
    may: str = "SELECT, INSERT, UPDATE, DELETE"

    def condition(self) -> str:
        """Which rows, as a condition of SQL; names and roles come from the code alone."""
        everybody = sorted(frozenset().union(*(roles_of(action) for action in self.actions)))
        parts = []
        if everybody:
            names = ",".join(f"'{role}'" for role in everybody)
            parts.append(f"{_ROLES} && ARRAY[{names}]")
        if self.own:
            parts.append(f"(\"{self.own}\" = {_ORG} AND {_ORG} <> '')")
        if self.mine:
            parts.append(f"(replace(\"{self.mine}\"::text, '-', '') = {_ACCOUNT})")
        if self.by_token:
            parts.append("(\"token_sha256\" = current_setting('desk.token', true))")
        return " OR ".join(parts) or "false"


_ORG_ID = "organisation_id"
WALLS = (
    Wall("Organisation", ("delivery.list", "agreement.read", "invitation.read"), own="id"),
    Wall("RoleHeld", ("account.read", "people.read"), mine="account_id"),
    Wall("Invitation", ("invitation.read", "invitation.confirm"), own=_ORG_ID, by_token=True),
    Wall("Delivery", ("delivery.list", "lineage.read"), own=_ORG_ID),
    Wall("DeliveryPart", ("delivery.list",), own=_ORG_ID),
    Wall("DeliveryFinding", ("delivery.list",), own=_ORG_ID),
    Wall("ReturnReason", ("delivery.list",), own=_ORG_ID),
    Wall("SenderKey", ("key.read",), own=_ORG_ID),
    Wall("ReleasePlan", ("plan.read",)),
    Wall("TableRequest", ("table.read",)),
    Wall("Job", ("job.read",), own=_ORG_ID, mine="account_id"),
    Wall("SigningTicket", (), mine="account_id", by_token=True),
    Wall("ApprovalDevice", ("approver.read",), mine="account_id"),
    Wall("OutgoingMail", (), may="INSERT"),
    Wall("Paper", ("paper.read",), own=_ORG_ID),
    Wall("TrailEvent", ("trail.read",), may="SELECT, INSERT"),
)
"""The walls of every table that is not of signing in."""


def build_walls() -> None:
    """Make the policies of every table, as its owner; what they were before is replaced.

    Tables of signing in (accounts, factors, sessions, cache) and the head of the trail are read
    before it is known who asks, and have none.
    """
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {WEB}, {WORK};"
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {WEB}, {WORK}"
        )
        for wall in WALLS:
            table = apps.get_model("desk", wall.table)._meta.db_table
            check = "true" if wall.may.endswith("INSERT") else wall.condition()
            cursor.execute(
                f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;'
                f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;'
                f'DROP POLICY IF EXISTS web ON "{table}"; DROP POLICY IF EXISTS work ON "{table}";'
                f'DROP POLICY IF EXISTS {OWN} ON "{table}";'
                f'CREATE POLICY {OWN} ON "{table}" TO CURRENT_USER USING (true) WITH CHECK (true);'
                f'CREATE POLICY work ON "{table}" TO {WORK} USING (true) WITH CHECK (true);'
                f'CREATE POLICY web ON "{table}" TO {WEB} USING ({wall.condition()})'
                f" WITH CHECK ({check});"
                f'REVOKE ALL ON "{table}" FROM {WEB}; GRANT {wall.may} ON "{table}" TO {WEB}'
            )


def refuse_partial_view() -> None:
    """Refuse to copy the tables as a user who may not see every row of them.

    Raises:
        HubError: some table has a wall without a gap for the user in force (rule
            "backup-database").
    """
    answer = rows(
        "SELECT EXISTS (SELECT 1 FROM pg_tables t WHERE schemaname = 'public' AND rowsecurity"
        " AND NOT EXISTS (SELECT 1 FROM pg_policies p WHERE p.schemaname = t.schemaname"
        " AND p.tablename = t.tablename AND permissive = 'PERMISSIVE' AND qual = 'true'"
        " AND cmd = 'ALL' AND current_user = ANY (p.roles)))"
    )
    if answer[0][0]:
        raise error("backup-database/walls")


def refuse_strong_user() -> None:
    """Refuse to serve as a user of the database whom the walls do not bind.

    Raises:
        PolicyError: it is a superuser, bypasses row-level security or owns a table (rule
            "desk-database").
    """
    if connection.vendor != "postgresql":
        return
    answer = rows(
        "SELECT rolsuper OR rolbypassrls OR EXISTS (SELECT 1 FROM pg_tables WHERE"
        " schemaname = 'public' AND pg_has_role(current_user, tableowner, 'MEMBER'))"
        " FROM pg_roles WHERE rolname = current_user"
    )
    if answer[0][0]:
        raise error("desk-database/superuser")


# --------------------------------------------------------------------------------------------------
# The database made ready, and each of its users in turn: owner of the tables, worker, web.

OWNER, DATABASE_WORK = "DATABASE_URL_OWNER", "DATABASE_URL_WORK"
"""Variables with the address of the database for its owner, and for the worker."""


@contextmanager
def as_user(variable: str) -> Iterator[None]:
    """Work as another user of the database inside the block, where this variable names one."""
    before, described = connections["default"], connections.databases["default"]
    if url := os.environ.get(variable):
        settings = {"default": current().database(url) | {"OPTIONS": {}}}
        connections.databases["default"] = connections.configure_settings(settings)["default"]
        connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"], connections.databases["default"] = before, described


def prepare() -> None:
    """Bring the tables up to this version; to be called as their owner, before anything else.

    Raises:
        PolicyError: another version made them (rule "desk-database"); or see
            :func:`refuse_encoding`.
    """
    refuse_encoding()
    loader = MigrationExecutor(connection).loader
    known = loader.disk_migrations.keys()
    if any(step not in known for step in loader.applied_migrations if step[0] == "desk"):
        raise error("desk-database/other")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    build_walls()


def refuse_encoding() -> None:
    """Refuse a database that does not keep the letters of every language.

    A server that was set up without a locale makes databases in SQL_ASCII, which take English and
    fail at the first name in Arabic or with an accent.

    Raises:
        PolicyError: its encoding is not UTF-8 (rule "desk-database").
    """
    if connection.vendor != "postgresql":
        return
    ((encoding,),) = rows("SHOW server_encoding")
    if encoding != "UTF8":
        raise error("desk-database/encoding", encoding=encoding)


def refuse_older_tables() -> None:
    """Refuse tables that only their owner could bring up to this version.

    Raises:
        PolicyError: there are none yet, or they are older (rule "desk-database"); or see
            :func:`refuse_encoding`.
    """
    refuse_encoding()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise error("desk-database/tables")


def owns_tables() -> bool:
    """Whether this process can change tables: SQLite has no owner, PostgreSQL's must be named."""
    return connection.vendor != "postgresql" or bool(os.environ.get(OWNER))


# --------------------------------------------------------------------------------------------------
# Statements that every request sends, written out: Django's way to make one from a table takes ten
# times as long as the database takes to answer it.
#
# What they show is kept apart by the same walls: they name whose rows they want, and row-level
# security binds them as it binds all others.


def rows(statement: str, *values: UUID | datetime | str) -> list[tuple[Any, ...]]:
    """The rows of a statement, as the database has them.

    Args:
        statement: of SQL, fixed; never made from what somebody sent.
        values: for each ``%s`` of it.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [_as_kept(value) for value in values] or None)
        return list(cursor.fetchall())


def _as_kept(value: UUID | datetime | str) -> Any:
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


@contextmanager
def unhurried() -> Iterator[None]:
    """One transaction that waits for no disk: a power cut may undo it, and nothing but it.

    For what is of no use after a power cut.  SQLite has one writer at a time, and whoever waits
    for the disk lets all others wait.
    """
    light = connection.vendor == "sqlite" and not connection.in_atomic_block
    if light:
        rows("PRAGMA synchronous=NORMAL")
    try:
        with transaction.atomic():
            yield
    finally:
        if light:
            rows("PRAGMA synchronous=FULL")
