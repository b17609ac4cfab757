"""Where Splink runs: in memory, silent, and shut off from files and networks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import duckdb

from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.linkage.identified.comparisons import MACROS

CLOSED = (
    ("temp_directory", "''"),
    ("autoinstall_known_extensions", "false"),
    ("autoload_known_extensions", "false"),
    ("enable_external_access", "false"),
    ("enable_progress_bar", "false"),
)
"""Settings under which DuckDB writes no file, reads none and loads no extension."""


def check_installed() -> None:
    """Refuse before anything is read.

    Raises:
        HubError: Splink is not installed.
    """
    if find_spec("splink") is None:
        raise error("no-splink")


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that writes no file, reads none and loads no extension."""
    connection = duckdb.connect()
    try:
        for name, value in CLOSED:
            connection.execute(f"SET {name} = {value}")
        connection.execute(MACROS)
        yield connection
    finally:
        connection.close()


@contextmanager
def quiet() -> Iterator[None]:
    """Splink's own words go nowhere: they can quote values."""
    log = logging.getLogger("splink")
    before = log.level, log.propagate
    log.setLevel(logging.CRITICAL + 1)
    log.propagate = False
    try:
        yield
    finally:
        log.level, log.propagate = before
