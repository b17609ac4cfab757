"""DuckDB in this process, closed to the network and to the disk.

Ibis is only the language: an expression is compiled to SQL and run here, so that another engine
needs another few lines.  Both are loaded when a query is first made or run.

Nothing spills: rows come in slices that fit the memory limit; where they must be seen at once, the
machine's memory is the limit.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pyarrow as pa

from ctdhub.core.errors import error

if TYPE_CHECKING:
    import ibis.expr.types as ir

warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)  # see `run`

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
    """The rows of a query over the named tables, in the order of the tables.

    The query is planned once; with a relation, as :func:`run_whole` has it, it is read by words and
    planned twice, which takes longer than most files do.
    """
    return _run(sql, _CLOSED, tables, planned_once=True)


def run_whole(sql: str, **tables: pa.Table) -> pa.Table:
    """The same for tables that cannot come in slices: it may use most of the machine's memory.

    Raises:
        HubFolderError: that does not suffice.
    """
    import duckdb

    try:
        config = {k: v for k, v in _CLOSED.items() if k != "memory_limit"}
        return _run(sql, config, tables, planned_once=False)
    except duckdb.OutOfMemoryException:
        raise error("memory/linking") from None


def _run(
    sql: str,
    config: dict[str, str | bool | int | float | list[str]],
    tables: dict[str, pa.Table],
    *,
    planned_once: bool,
) -> pa.Table:
    """The same; planned once, the rows are copied once more, so they must be few."""
    import duckdb

    with duckdb.connect(":memory:", config=config) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        found = connection.execute(sql) if planned_once else connection.sql(sql)
        return found.to_arrow_table()
