"""A contributor's file as the workbench holds it, what a mapping makes of its rows, and a draft
over it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ctdhub.core.errors import error
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.sensitive.ingest.delimited import unescaped
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, find_identifiers
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping import mapping_file
from ctdhub.sensitive.mapping.drafting.proposals import Glance, glance
from ctdhub.sensitive.mapping.drafting.row_unit import identifiers_of_systems
from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest, suggest
from ctdhub.sensitive.mapping.evaluation import Bools, Kept, TextTable
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import text_of
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.transform import Asked, Transformed
from ctdhub.sensitive.workbench.drafts import DraftFold, Workplace, digest

# --------------------------------------------------------------------------------------------------
# A contributor's file as the workbench holds it: read once, columns as codes of their texts.

_HELD = 3
"""Files that are held at once."""


class TextCount(NamedTuple):
    """A text of a column, in its most frequent spelling, and the rows that hold it."""

    text: str
    rows: int


class OpenedFile(Kept):
    """A file.  Sensitive.

    Args:
        raw: as read.

    Attributes:
        texts: its table.
    """

    KEPT = 10_000

    def __init__(self, raw: RawTable) -> None:
        super().__init__()
        children = {name: unescaped(rows) for name, rows in raw.children.items()}
        self.raw = replace(raw, table=unescaped(raw.table), children=children)
        self.texts = TextTable(self.raw.table)
        self.codes = self.texts.table
        self.names = self.raw.column_names()
        self.header = Header(self.names)

    @cached_property
    def totals(self) -> int:
        """How many rows are lines of totals for certain, unless all are said to be records."""
        return 0 if self.raw.sums is None else int(self.raw.unlike(table=self.codes).sums.sum())

    @cached_property
    def findings(self) -> dict[str, IdentifierFinding]:
        """Likely identifiers by column."""
        found = {f.column: f for f in find_identifiers(self.raw)}
        of_system, _known = identifiers_of_systems(self.raw)
        return found | {c: f for c, f in of_system.items() if c in self.names}

    def glance(self, column: str) -> Glance:
        """What stands in a column of the table."""
        return self.once(("glance", column), lambda: glance(self.raw.table, column))

    def filled(self, column: str) -> int:
        """Cells of a column that hold something."""
        return sum(one.rows for one in self.counts(column))

    def counts(self, column: str) -> list[TextCount]:
        """The texts of a column, spellings that fold alike as one, those of most rows first."""
        return self.once(("counts", column), lambda: self._counts(column))

    def _counts(self, column: str) -> list[TextCount]:
        found: dict[str, TextCount] = {}
        for text, n in sorted(self._each(column), key=lambda one: -one[1]):
            if key := fold(text):
                spelt, rows = found.get(key, (trim(text), 0))
                found[key] = TextCount(spelt, rows + n)
        return [found[key] for key in sorted(found, key=lambda key: (-found[key].rows, key))]

    def _each(self, column: str) -> list[tuple[str, int]]:
        if column not in self.codes.column_names:
            counted = self.raw.cells(column).drop_null().value_counts().to_pylist()
            return [(one["values"], one["counts"]) for one in counted]
        texts = self.texts.texts(column)
        counted = np.bincount(self.texts.codes(column), minlength=len(texts) + 1)
        return [(t, n) for t, n in zip(texts, counted.tolist(), strict=False) if n]


def opened(path: Path, options: ReadOptions) -> OpenedFile:
    """A file, read as a mapping says; held until others take its place or it changes.

    Raises:
        FileError: it cannot be read; see ``ingest.isolated``.
    """
    now = path.stat() if path.exists() else None
    written = (now.st_mtime_ns, now.st_size) if now else (0, 0)
    return _opened(path, written, options.model_dump_json(exclude_unset=True))


@lru_cache(maxsize=_HELD)
def _opened(path: Path, _written: tuple[int, int], stated: str) -> OpenedFile:
    return OpenedFile(read_isolated(path, ReadOptions.model_validate_json(stated)))


# --------------------------------------------------------------------------------------------------
# What a mapping makes of the rows of a file.
#
# What a rule makes of the file's texts is kept (``TextTable.once``), so that an edit is counted at
# once: only what the rules that it changed read is worked out again.

_CHILDREN = "perpetrators"


def file_effect(mapping: Mapping, file: OpenedFile, years: tuple[int, int]) -> FileEffect:
    """What a mapping makes of a file; the last ones are held."""
    return _effect(Asked.of(mapping, years), file)


@lru_cache(maxsize=6)
def _effect(asked: Asked, file: OpenedFile) -> FileEffect:
    return FileEffect(asked.mapping, file, asked.years)


class FileEffect(Transformed):
    """What a mapping makes of a file, as a build would."""

    def __init__(self, mapping: Mapping, file: OpenedFile, years: tuple[int, int]) -> None:
        self.file = file
        own = file.raw.children or None
        super().__init__(mapping, file.texts, years, own, file.raw, file.codes)

    def counts(self) -> dict[str, Any]:
        """Rows by what becomes of them; rows that could not be read count as rejected."""
        return {
            "rows": self.file.raw.rows_read,
            "records": int(self.records.sum()),
            "rejected": int(self.rejected.sum()) + self.file.raw.rejects.num_rows,
            "excluded": self.left_out,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, and the child rows if there are any."""
        return (*self.answers, _CHILDREN) if self.child else (*self.answers,)

    def made(self, name: str) -> tuple[int, ...]:
        """The same as of another effect only where the variable is the same in all rows."""
        if name in self.answers:
            return (id(self.answers[name]),)
        return tuple(map(id, self.child.answers.values())) if self.child else ()

    def value(self, name: str) -> NDArray[np.int32]:
        """A variable of each row, or its child rows, as a number; 0 for nothing."""
        texts = self.file.texts
        found = np.zeros(texts.rows, np.int32)
        if name in self.answers:
            return texts.by_row(self.answers[name].on, self.answers[name].values)
        if name == _CHILDREN and self.children is not None:
            rows: dict[int, str] = {}
            for one in self.children.to_pylist():
                row = one.pop(ROW)
                rows[row] = f"{rows.get(row, '')}{one}"
            found[np.isin(self.file.codes[ROW], [*rows])] = [*map(texts.number, rows.values())]
        return found

    def rule(self) -> NDArray[np.int32]:
        """The rule that leaves each row out, as a number; 0 for none."""
        numbers = np.array([0, *map(self.file.texts.number, self.rules)], np.int32)
        return numbers[self.excluded]


def change(now: FileEffect, then: FileEffect) -> dict[str, Any]:
    """What becomes otherwise from one effect to the other, as ``ask`` says it."""
    before, after = now.counts(), then.counts()
    differ: Bools = (now.rule() != then.rule()) | (now.rejected != then.rejected)
    for name in dict.fromkeys([*now.names, *then.names]):
        if now.made(name) != then.made(name):
            differ |= (now.value(name) != then.value(name)) & now.records & then.records
    told = {key: [before[key], after[key]] for key in ("records", "rejected")}
    return {"rows": int(differ.sum()), **told}


# --------------------------------------------------------------------------------------------------
# A draft with its file: what a request works on.


class Bench:
    """A person's draft over a file.

    Args:
        place: whose.
        draft: the draft.
    """

    def __init__(self, place: Workplace, draft: DraftFold) -> None:
        self.place, self.draft = place, draft

    @cached_property
    def mapping(self) -> Mapping:
        """What the draft says."""
        return self.draft.mapping()

    @cached_property
    def file(self) -> OpenedFile:
        """The file, read as the draft says.

        Raises:
            HubError: no file was named, or it cannot be read.
        """
        if self.place.file is None:
            raise error("workbench-request")
        return opened(self.place.file, self.mapping.read)

    @property
    def effect(self) -> FileEffect:
        """What the mapping makes of the file."""
        return file_effect(self.mapping, self.file, self.place.years)


def in_force(place: Workplace) -> DraftFold | None:
    """An empty draft over the mapping in force, None where there is none."""
    now = mapping_file.in_force(place.mappings, place.contributor, place.day)
    if now is None:
        return None
    text = text_of(now[1])
    return DraftFold(text, now[0], (), digest(text), place.shown)


def suggested(place: Workplace, read: ReadOptions | None = None) -> DraftFold:
    """A draft over the mapping that is suggested for the file.

    Args:
        place: whose.
        read: what is stated about the file.

    Raises:
        HubError: no file was named, or it cannot be read; it is not certain which row holds the
            names, and nobody stated it (rule "no-header").
    """
    if place.file is None:
        raise error("workbench-nothing", id=place.contributor, at=place.day)
    now = in_force(place)
    yaml = suggest(*read_to_suggest(place.file, read)).yaml
    return DraftFold(yaml, None, (), now.seen if now else None, place.shown)
