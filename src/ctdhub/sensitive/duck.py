"""DuckDB in this process, closed to the network and to the disk.

Ibis is only the language: an expression is compiled to SQL and run here, so that another engine
needs another few lines.  Both are loaded when a query is first made or run.

Nothing spills: rows come in slices that fit the memory limit; where they must be seen at once, the
machine's memory is the limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from ctdhub.core.error_catalogue import error

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEMORY = "800MB"
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": MEMORY,
    "enable_external_access": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "temp_directory": "",
}


def sql_of(expression: ir.Table) -> str:
    """The expression in DuckDB's dialect."""
    import ibis

    return str(ibis.to_sql(expression, dialect="duckdb"))


def run(sql: str, **tables: pa.Table) -> pa.Table:
    """The rows of a query over the named tables, in the order of the tables."""
    return _run(sql, _CLOSED, tables)


def run_whole(sql: str, **tables: pa.Table) -> pa.Table:
    """The same for tables that cannot come in slices: it may use most of the machine's memory.

    Raises:
        HubFolderError: that does not suffice.
    """
    import duckdb

    try:
        return _run(sql, {k: v for k, v in _CLOSED.items() if k != "memory_limit"}, tables)
    except duckdb.OutOfMemoryException:
        raise error("memory/linking") from None


def _run(
    sql: str, config: dict[str, str | bool | int | float | list[str]], tables: dict[str, pa.Table]
) -> pa.Table:
    import duckdb

    with duckdb.connect(":memory:", config=config) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql).to_arrow_table()
