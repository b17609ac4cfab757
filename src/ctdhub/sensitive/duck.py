"""DuckDB in this process, closed to the network and to the disk; loaded when a query is run.

Nothing spills: rows must be seen at once, and the machine's memory is the limit.
"""

import warnings

import pyarrow as pa

from ctdhub.core.errors import error

warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)

CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "temp_directory": "",
}
"""A database that writes no file, reads none and loads no extension."""


def run_whole(sql: str, **tables: pa.Table) -> pa.Table:
    """The rows of a query over the named tables, in their order.

    Raises:
        HubFolderError: it needs more than most of the machine's memory.
    """
    import duckdb

    try:
        with duckdb.connect(":memory:", config=CLOSED) as connection:
            for name, table in tables.items():
                connection.register(name, table)
            return connection.sql(sql).to_arrow_table()
    except duckdb.OutOfMemoryException:
        raise error("memory/linking") from None
