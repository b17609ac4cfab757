"""A zip archive of text tables, one for the records and one for each repeat (ODK Central).

ODK writes ``form.csv`` and, for each repeat, ``form-repeat.csv``.  A row of the first has its key
in ``KEY``; a row of a repeat has its own there, and in ``PARENT_KEY`` that of the row it belongs
to.  It sets a group off from its field by a hyphen (central-backend, ``lib/data/briefcase.js``),
which other names may hold too: here a slash stands for it, as in other forms.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import replace
from pathlib import PurePosixPath

import pyarrow as pa

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import many
from ctdhub.core.tabular import ROW
from ctdhub.sensitive.ingest import delimited
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import ReaderResult
from ctdhub.sensitive.ingest.shape.options import Child
from ctdhub.sensitive.ingest.zip_preflight import Archive

KEY, PARENT_KEY = "KEY", "PARENT_KEY"

TABLE = (".csv", ".tsv", ".txt")


def read(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    """The table of the records, and the child tables that the options name by their files.

    Raises:
        UnreadableFile: the archive is damaged, a table is missing or cannot be read, or it is not
            clear which holds the records.
        HostileFile: a limit is passed.
    """
    try:
        archive = Archive(data, file, limits)
        tables = _tables(archive)
        main = _main(tables, options.sheet, file)
        made = _table(archive.read(main), file, options, limits)
        children = {}
        for name, child in options.children.items():
            if child.file is not None:
                if child.file not in tables:
                    raise error("archive-table/child", file=file, name=child.file)
                children[name] = _as_child(archive.read(child.file), file, options, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise error("content", file=file) from None
    used = {main, *(child.file for child in options.children.values())}
    if rest := [name for name in tables if name not in used]:
        left = many(
            "{n} table of the archive is not read.",
            "{n} tables of the archive are not read.",
            len(rest),
            n=len(rest),
        )
        made.notes.append(left)
    return replace(made, children=children)


def shape(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReadOptions:
    """The options with a child table for each repeat, for a draft; what is stated stays.

    Raises:
        HostileFile, UnreadableFile: see :func:`read`.
    """
    if options.children:
        return options
    try:
        archive = Archive(data, file, limits)
        tables = _tables(archive)
        main = _main(tables, options.sheet, file)
        read_ = {name: _table(archive.read(name), file, options, limits) for name in tables}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise error("content", file=file) from None
    named = {t: _short(t, main) for t in tables if t != main and PARENT_KEY in read_[t].names}
    keys = {t: _texts(read_[t], KEY) for t in (main, *named)}
    children: dict[str, Child] = {}
    for table in sorted(named, key=len):
        parents = _texts(read_[table], PARENT_KEY)
        owner = next((t for t in keys if t != table and parents <= keys[t]), main)
        of = named.get(owner)
        child = Child(file=table, key=KEY, parent=PARENT_KEY, of=of)
        children[named[table]] = child
    order = sorted(children, key=lambda name: children[name].of is not None)
    return options.model_copy(update={"children": {name: children[name] for name in order}})


def _tables(archive: Archive) -> list[str]:
    """Text tables at the top of the archive; pictures and other files lie in folders."""
    return [n for n in archive.names if "/" not in n and n.lower().endswith(TABLE)]


def _main(tables: list[str], stated: str | None, file: str) -> str:
    """The table of the records: the one that is stated, or whose name all others begin with."""
    if stated is not None:
        if stated not in tables:
            raise error("archive-table/child", file=file, name=stated)
        return stated
    for table in tables:
        stem = PurePosixPath(table).stem
        if all(other == table or other.startswith(f"{stem}-") for other in tables):
            return table
    raise error("archive-table", file=file)


def _short(table: str, main: str) -> str:
    stem = PurePosixPath(table).stem.removeprefix(PurePosixPath(main).stem + "-")
    return re.sub(r"[\s.\[\]=~]+", "_", stem)


def _table(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    cells = delimited.read(data, file, options, limits)
    if KEY not in cells.names:
        return cells
    return replace(cells, names=[name.replace("-", "/") for name in cells.names])


def _as_child(data: bytes, file: str, options: ReadOptions, limits: Limits) -> pa.Table:
    cells = _table(data, file, options.model_copy(update={"skip_rows": ()}), limits)
    names = [name for name in cells.names if name]
    columns = [c for name, c in zip(cells.names, cells.columns, strict=True) if name]
    return pa.table([*columns, pa.array(cells.rows, pa.int64())], names=[*names, ROW])


def _texts(cells: ReaderResult, column: str) -> frozenset[str]:
    place = cells.names.index(column) if column in cells.names else None
    return frozenset() if place is None else frozenset(cells.columns[place].drop_null().to_pylist())
