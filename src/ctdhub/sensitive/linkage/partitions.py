"""People of more records than fit into memory: all records of a person lie in one part.

A part is chosen by a checksum of what the person is called, so that it depends on nobody but those
who are joined with her.
Memory holds one contributed file, then one part.  Parts lie in a folder of their own inside the
folder that is filled, and are deleted as they are read; what a killed run leaves goes with it.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import PERSON, Schema, load_schema
from ctdhub.sensitive import coded_parquet
from ctdhub.sensitive.linkage.children import by_person, each_once
from ctdhub.sensitive.linkage.conflicts import CONFLICTS
from ctdhub.sensitive.linkage.joining import Linking
from ctdhub.sensitive.linkage.merge import Linked, link, persons_of
from ctdhub.sensitive.linkage.overlap import ByStratum

PART_ROWS = 2**18
"""Records of a part, on average."""

MOST_PARTS = 100
"""Two files of each are open at once, and some systems allow 256; beyond it parts grow."""

_PEOPLE = coded_parquet.as_codes(arrow_schema("people"))
MENTIONED = pa.schema([pa.field(PERSON, pa.string()), *arrow_schema("perpetrators")])
"""Perpetrators by person."""


@dataclass(frozen=True)
class Totals:
    """What was written.

    Attributes:
        records: records that went in.
        people: people they are about.
        conflicts: persons by the variable in which their records differ.
        known, strata: as in :class:`ctdhub.sensitive.linkage.merge.Linked`.
    """

    records: int = 0
    people: int = 0
    conflicts: Counter[str] = field(default_factory=Counter)
    known: Counter[tuple[str, ...]] = field(default_factory=Counter)
    strata: ByStratum = field(default_factory=Counter)

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.records + other.records,
            self.people + other.people,
            self.conflicts + other.conflicts,
            self.known + other.known,
            self.strata + other.strata,
        )

    @staticmethod
    def of(linked: Linked) -> Totals:
        """Of one part."""
        differ = linked.conflicts.group_by([PERSON, "variable"]).aggregate([])
        by_variable = Counter[str](differ["variable"].to_pylist())
        people = linked.people.num_rows
        return Totals(linked.records, people, by_variable, linked.known, linked.strata)


@dataclass(frozen=True)
class Places:
    """Where people, their perpetrators and conflicts of their records go, as Parquet."""

    people: Path
    perpetrators: Path
    conflicts: Path


def link_parts(
    files: Iterable[tuple[pa.Table, pa.Table]],
    rows: int,
    places: Places,
    linking: Linking,
    schema: Schema,
) -> Totals:
    """Join the records of many files to people; see :func:`ctdhub.sensitive.linkage.merge.link`.

    Equal records give equal files, whatever their order and that of the files.

    Args:
        files: records and the perpetrators that they mention, as ``harmonise`` gives them.
        rows: about how many records these are; it decides the number of parts.
        places: files to be written; of perpetrators, those of one person stand together.
        linking: who is joined beside equal keys, and whose lists are counted.

    Raises:
        ValueError: a perpetrator belongs to no record of its file.
    """
    parts = min(MOST_PARTS, -(-rows // PART_ROWS) or 1)
    folder = places.people.parent / "parts"
    folder.mkdir()
    paths = [[folder / f"{i}.{kind}" for i in range(parts)] for kind in ("records", "mentioned")]
    with ExitStack() as stack:
        records = _Divided(paths[0], stack)
        mentioned = _Divided(paths[1], stack)
        for said, children in files:
            persons = linking.on_lists(persons_of(said))
            records.add(divided(said.select(held(schema)), persons, parts))
            rows_of = by_person(children, said, schema, linking)
            persons = linking.on_lists(rows_of[PERSON].combine_chunks())
            mentioned.add(divided(rows_of, persons, parts))
    totals = _written(paths, places, linking, schema)
    folder.rmdir()
    return totals


def _written(
    paths: Sequence[Sequence[Path]], places: Places, linking: Linking, schema: Schema
) -> Totals:
    totals = Totals()
    with (
        coded_parquet.writer(places.people, _PEOPLE) as all_people,
        pq.ParquetWriter(places.perpetrators, MENTIONED) as all_mentioned,
        pq.ParquetWriter(places.conflicts, CONFLICTS) as all_conflicts,
    ):
        for part, children in zip(*paths, strict=True):
            if (records := _read(part)) is not None:
                linked = link(records, schema, linking)
                totals += Totals.of(linked)
                all_people.write_table(linked.coded)
                all_conflicts.write_table(linked.conflicts.combine_chunks())
            if (rows := _read(children)) is not None:
                all_mentioned.write_table(each_once(rows.cast(MENTIONED)).combine_chunks())
            pa.default_memory_pool().release_unused()
    return totals


def held(schema: Schema) -> list[str]:
    """Columns of records that people are made of."""
    return ["record_id", "person_key", *(v.name for v in schema.records)]


def divided(rows: pa.Table, persons: pa.Array, parts: int) -> Iterator[tuple[int, pa.Table]]:
    """Rows by part, in their order; a part without rows is left out.

    Args:
        persons: what the person of each row is called.
    """
    part_of = _parts(persons, parts)
    order = np.argsort(part_of, kind="stable")
    ends = np.cumsum(np.bincount(part_of, minlength=parts))
    turned = _narrow(rows).combine_chunks().take(pa.array(order))
    for part, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if end > start:
            yield part, turned.slice(start, end - start)


def _narrow(rows: pa.Table) -> pa.Table:
    """Codes of flags and of statuses, which most columns are, in a byte each."""
    few = {v.name for v in load_schema().records if v.kind in ("flag", "status")}
    for i, column in enumerate(rows.schema):
        if column.name in few and pa.types.is_dictionary(column.type):
            narrow = pa.dictionary(pa.int8(), column.type.value_type)
            rows = rows.set_column(i, column.name, rows.column(i).cast(narrow))
    return rows


def _parts(persons: pa.Array, parts: int) -> npt.NDArray[np.int64]:
    """The part of each person."""
    if parts == 1:
        return np.zeros(len(persons), dtype=np.int64)
    return np.array([zlib.crc32(p.encode()) % parts for p in persons.to_pylist()], dtype=np.int64)


class _Divided:
    """Rows in a file for each part, written as they come."""

    def __init__(self, paths: Sequence[Path], stack: ExitStack) -> None:
        self._paths, self._stack = paths, stack
        self._writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}

    def add(self, rows: Iterable[tuple[int, pa.Table]]) -> None:
        """Put rows into their parts."""
        for part, some in rows:
            self._writer(part, some.schema).write_table(some)

    def _writer(self, part: int, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        if part not in self._writers:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            writer = pa.ipc.new_stream(str(self._paths[part]), schema, options=options)
            self._writers[part] = self._stack.enter_context(writer)
        return self._writers[part]


def _read(path: Path) -> pa.Table | None:
    """The rows of a part, which is deleted; None where there are none."""
    if not path.exists():
        return None
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        rows = stream.read_all()
    path.unlink()
    return rows
