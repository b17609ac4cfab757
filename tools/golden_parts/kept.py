"""Outputs that are kept, each a file that a developer can read and compare.

Belongs here: how an output becomes a file that is the same on every run.
Does not belong here: hashes (`tools/golden.py`), what is recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from golden_parts.world import Outcome, World

KEY = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")
"""Keys of steps in the names of folders: they follow the code."""


class Kept:
    """The outputs of one part.

    Args:
        folder: where they go.
        world: knows which paths are this machine's.
    """

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self._world = folder, world

    def text(self, name: str, content: object) -> None:
        """Keep a text or an outcome.

        Raises:
            ValueError: the name is taken.
        """
        path = self._place(name)
        path.write_text(self._world.without_paths(str(content)), "utf-8")

    def file(self, name: str, path: Path) -> None:
        """Keep a file: tables and workbooks as text, texts without paths, all else as it is."""
        if path.suffix == ".parquet":
            self.text(f"{name}.txt", table_text(pq.read_table(path)))
            return
        if path.suffix == ".xlsx":
            self.text(f"{name}.txt", workbook_text(path))
            return
        content = path.read_bytes()
        here = str(self._world.folder).encode()
        self._place(name).write_bytes(content.replace(here, b"HERE"))

    def tree(self, name: str, folder: Path, without: Iterable[str] = ()) -> None:
        """Keep all files of a folder but those of these names."""
        left_out = set(without)
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            if path.name not in left_out:
                place = KEY.sub("KEY", path.relative_to(folder).as_posix())
                self.file(f"{name}/{place}", path)

    def outcome(self, name: str, outcome: Outcome) -> None:
        """Keep what a command said."""
        self.text(f"{name}.txt", outcome)

    def _place(self, name: str) -> Path:
        path = self.folder / name
        if path.exists():
            raise ValueError(f"two outputs have the name {name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def table_text(table: pa.Table) -> str:
    """Schema and rows as text, a line per row: equal where tables are, whatever their bytes."""
    rows = (json.dumps(row, ensure_ascii=False, default=str) for row in table.to_pylist())
    own = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    fields = [f"{f.name}: {f.type}{'' if f.nullable else ' not null'}" for f in table.schema]
    return "\n".join([*fields, json.dumps(own, sort_keys=True), *rows]) + "\n"


def workbook_text(path: Path) -> str:
    """Names and cells of the sheets of a workbook; its file also holds the time it was written."""
    book = openpyxl.load_workbook(path, read_only=True)
    lines = []
    for sheet in book.worksheets:
        lines.append(f"sheet {sheet.title}")
        rows = sheet.iter_rows(values_only=True)
        lines += [json.dumps(row, ensure_ascii=False, default=str) for row in rows]
    return "\n".join(lines) + "\n"
