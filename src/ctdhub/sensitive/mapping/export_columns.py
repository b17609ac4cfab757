"""Columns of a known format out of hub records, by the crosswalk alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.error_catalogue import error
from ctdhub.schema import countries
from ctdhub.schema.crosswalk import Crosswalk, CrosswalkColumn
from ctdhub.schema.model import load_schema

REGIONS = {"africa": "africa", "americas": "americas_oceania", "oceania": "americas_oceania",
           "asia": "asia", "europe": "europe"}  # fmt: skip
"""UN M49 region to the hub's region; Antarctica has none."""


class HubColumns:
    """Records and their perpetrators, every value checked against the schema.

    Args:
        records: columns of the schema's records, any of which may be missing.
        perpetrators: ``record_id`` and columns of the schema's perpetrators.

    Raises:
        FileError: a value is not in the schema; which one is not said.
    """

    def __init__(self, records: pa.Table, perpetrators: pa.Table | None = None) -> None:
        schema = load_schema()
        self.rows: int = records.num_rows
        self._columns: dict[str, pa.ChunkedArray] = {}
        tables = [(records, schema.table("records"))]
        self._parent: list[int | None] = []
        if perpetrators is not None and perpetrators.num_rows:
            tables.append((perpetrators, schema.table("perpetrators")))
            ids = records["record_id"].combine_chunks()
            self._parent = pc.index_in(perpetrators["record_id"], value_set=ids).to_pylist()
        for table, variables in tables:
            for v in variables:
                if v.name not in table.column_names:
                    continue
                column = table[v.name]
                if v.kind not in ("year", "entity"):
                    domain = pa.array([*schema.domain(v.name), None], pa.string())
                    if not pc.all(pc.is_in(column, value_set=domain), min_count=0).as_py():
                        raise error("domain", column=v.name)
                self._columns[v.name] = column

    def column(self, name: str) -> pa.ChunkedArray | None:
        """The values of a variable, None where the tables do not have it."""
        return self._columns.get(name)

    def texts(self, name: str) -> pa.Array:
        """The values of a variable of the records as texts, null where it is missing."""
        column = self._columns.get(name)
        if column is None:
            return pa.nulls(self.rows, pa.string())
        return pc.cast(column, pa.string()).combine_chunks()

    def yes(self, name: str) -> pa.Array:
        """Where a flag of the records is yes; never null."""
        return pc.fill_null(pc.equal(self.texts(name), "yes"), False)

    def of_children(self, name: str, texts: Mapping[str, str]) -> pa.Array:
        """Per record the distinct texts of its perpetrators, sorted and joined by ";"."""
        found: list[set[str]] = [set() for _row in range(self.rows)]
        values = self._columns.get(name)
        for row, code in zip(self._parent, values.to_pylist() if values else [], strict=False):
            if row is not None and code in texts:
                found[row].add(texts[code])
        return pa.array([";".join(sorted(f)) or None for f in found], pa.string())


def cells(crosswalk: Crosswalk, name: str, hub: HubColumns) -> pa.Array:
    """The cells of one column, ``missing`` where nothing is recorded.

    Raises:
        KeyError: the format has no such column.
    """
    return pc.fill_null(_cells(crosswalk.column(name), hub), crosswalk.missing)


def _cells(c: CrosswalkColumn, hub: HubColumns) -> pa.Array:
    match c.form:
        case "flag":
            return _mapped(hub.texts(c.to or ""), {"yes": "1", "no": "0"})
        case "mark" if c.is_child:
            return hub.of_children(c.to or "", {"yes": "1"})
        case "mark" | "any":
            some = reduce(pc.or_, [hub.yes(name) for name in c.of or (c.to or "",)])
            return _where(some, "1")
        case "code":
            codes = {v.to: v.text for v in c.values if v.to and v.way != "read"}
            if c.is_child:
                return hub.of_children(c.to or "", codes)
            return _mapped(_with_region(c, hub), codes)
        case "country":
            plain = hub.texts(c.to or "")
            return plain if c.alpha == 3 else _mapped(plain, countries.ALPHA3_TO_ALPHA2)
        case "year":
            bands = {
                str(year): text
                for text, (first, last) in c.bands.items()
                for year in range(first, last + 1)
            }
            return _mapped(hub.texts(c.to or ""), bands) if bands else hub.texts(c.to or "")
        case "list" | "joined":
            return _list(c, hub)
        case _:
            return pa.nulls(hub.rows, pa.string())


def _with_region(c: CrosswalkColumn, hub: HubColumns) -> pa.Array:
    if c.region_of is None:
        return hub.texts(c.to or "")
    of = {code: r for code in countries.ALPHA3 if (r := REGIONS.get(countries.region(code)))}
    return pc.coalesce(hub.texts(c.to or ""), _mapped(hub.texts(c.region_of), of))


def _list(c: CrosswalkColumn, hub: HubColumns) -> pa.Array:
    flags: dict[str, list[str]] = {}
    for value in c.values:
        if value.to and value.way != "read":
            flags.setdefault(value.text, []).append(value.to)
    if not flags:
        return pa.nulls(hub.rows, pa.string())
    parts = [_where(reduce(pc.or_, map(hub.yes, names)), text) for text, names in flags.items()]
    separator = c.separators[0] if c.separators else ";"
    return reduce(
        lambda a, b: pc.coalesce(pc.binary_join_element_wise(a, b, separator), a, b), parts
    )


def _where(mask: pa.Array, text: str) -> pa.Array:
    return pc.if_else(mask, pa.scalar(text), pa.scalar(None, pa.string()))


def _mapped(column: pa.Array, texts: Mapping[str, str]) -> pa.Array:
    known = pa.array(list(texts), pa.string())
    return pa.array(list(texts.values()), pa.string()).take(pc.index_in(column, value_set=known))
