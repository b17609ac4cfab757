"""DuckDB in this process, closed to the network and to the disk; loaded when a query is run.

Nothing spills: rows must be seen at once, and the machine's memory is the limit.
"""

import os
import warnings
from typing import Any

import pyarrow as pa

from ctdhub.core.errors import error

warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)

CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False, "autoload_known_extensions": False,
    "autoinstall_known_extensions": False, "temp_directory": "",
}  # fmt: skip
"""A database that writes no file, reads none and loads no extension."""

_OPEN: dict[int, Any] = {}
"""The database of a process, and of the one that it was forked from: to open one costs more than
most queries do."""


def run_whole(sql: str, **tables: pa.Table) -> pa.Table:
    """The rows of a query over the named tables, in their order.

    Raises:
        HubFolderError: it needs more than most of the machine's memory.
    """
    import duckdb

    try:
        if os.getpid() not in _OPEN:
            _OPEN[os.getpid()] = duckdb.connect(":memory:", config=CLOSED)
        with _OPEN[os.getpid()].cursor() as connection:
            for name, table in tables.items():
                connection.register(name, table)
            return connection.sql(sql).to_arrow_table()
    except duckdb.OutOfMemoryException:
        raise error("memory/linking") from None
