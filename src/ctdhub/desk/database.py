"""The database made ready, and each of its users in turn: owner of the tables, worker, web."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from ctdhub.core.error_catalogue import error
from ctdhub.desk.config import current
from ctdhub.desk.walls import build_walls

OWNER, WORK = "DATABASE_URL_OWNER", "DATABASE_URL_WORK"
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
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        (encoding,) = cursor.fetchone()
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
