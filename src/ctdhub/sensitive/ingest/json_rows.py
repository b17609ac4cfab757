"""JSON: one object a line, one list of objects, or a document with such a list inside."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pyarrow as pa

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text
from ctdhub.core.tables import ROW
from ctdhub.sensitive.ingest import tidy
from ctdhub.sensitive.ingest.delimited import to_utf8
from ctdhub.sensitive.ingest.options import ANY, SELF, Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import ReaderResult, gather
from ctdhub.sensitive.ingest.rejects import Reject
from ctdhub.sensitive.ingest.shape import trees

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.S)

HIDDEN = "…"
"""Stands for the name of a member that only one record has: it may be data, such as a name."""


def read(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    """Names, columns, row numbers, rejects and child tables; a row is a line, or a place in a list.

    Whole numbers lose ".0", true and false become TRUE and FALSE, null and empty lists null.
    A line that is no JSON is a reject, and so is a record that is no flat object, unless the
    options say the shape of records.  Names may be data too (an object keyed by people): a reject
    says the place of a value as a column's letter, or where the options say the shape as its path,
    and then only if another record has it too.

    Raises:
        HostileFile: a limit is passed.
        UnreadableFile: the text is not JSON, no record in it can be read, or the document holds
            another list of records than the options say, or not all of them.
    """
    text, encoding = to_utf8(data, options.encoding, file)
    skipped = options.unseen
    table = _RowsSoFar(file, limits)
    flattening = trees.Flattening(options) if options.shaped else None
    notes: list[Text] = []
    for row, line, value in _records(text.decode(), file, options, limits, notes):
        if row in skipped:
            continue
        try:
            value = value if line is None else _load(line)
            table.add(row, flattening.row(value) if flattening else trees.FlatRow(_flat(value)))
        except trees.BadRecord as bad:
            table.refuse(row, bad)
    return replace(table.result(encoding, options.shaped), notes=notes)


def shape(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReadOptions:
    """The options with the shape of the document, for a draft; what is stated is not changed.

    Where the records are may be stated by itself; what is in them is then looked for.

    A document that is one page of several is read for a draft, which says so.

    Raises:
        HostileFile, UnreadableFile: see :func:`read`.
    """
    if options.model_copy(update={"rows": None}).shaped:
        return options
    text, _encoding = to_utf8(data, options.encoding, file)
    document = text.decode()
    if (tree := _whole(document, file, limits)) is None:
        tree = []
        for _row, line, value in _records(document, file, options, limits, []):
            with suppress(trees.BadRecord):
                tree.append(value if line is None else _load(line))
    return options.model_copy(update={**trees.recognise(tree, options.rows), "partial": True})


class _RowsSoFar:
    """Rows as they come, and what they make in the end."""

    def __init__(self, file: str, limits: Limits) -> None:
        self._file, self._limits = file, limits
        self._names: Counter[str] = Counter()
        self._rows: list[tuple[int, trees.Cells]] = []
        self._bad: list[tuple[int, trees.BadRecord]] = []
        self._children: dict[str, list[tuple[int, trees.Cells]]] = {}
        self._child_rows = 0

    def add(self, number: int, row: trees.FlatRow) -> None:
        self._names.update(row.cells.keys())
        self._rows.append((number, row.cells))
        for name, members in row.children.items():
            if len(members) > self._limits.children:
                limit = self._limits.children
                raise error("children", file=self._file, row=number, column=name, limit=limit)
            self._children.setdefault(name, []).extend((number, cells) for cells in members)
            self._child_rows += len(members)
        self._check(number)

    def refuse(self, number: int, bad: trees.BadRecord) -> None:
        self._bad.append((number, bad))
        self._check(number)

    def _check(self, row: int) -> None:
        limits = self._limits
        if max(len(self._rows) + len(self._bad), self._child_rows) > limits.rows:
            raise error("rows", file=self._file, limit=limits.rows)
        if len(self._names) > limits.columns:
            tidy.clean_headers(list(self._names), self._file, row, limits)

    def result(self, encoding: str, shaped: bool) -> ReaderResult:
        """What was read.

        Raises:
            UnreadableFile: there is no record.
        """
        places = Counter(bad.place for _row, bad in self._bad)

        def spoken(place: str | None) -> str | None:
            if place is None or not shaped:
                return place
            often = self._names[place] + places[place] > 1 or place in self._children
            return place if often else HIDDEN

        rejects = [Reject(row, bad.rule, bad.reason, spoken(bad.place)) for row, bad in self._bad]
        if not self._rows:
            raise self._nothing(rejects, shaped)
        names = list(self._names)
        columns, numbers = _columns(names, self._rows)
        return ReaderResult(
            tidy.clean_headers(names, self._file, 1, self._limits) if names else [],
            columns,
            numbers,
            rejects,
            1,
            encoding,
            children={name: self._child(rows) for name, rows in self._children.items()},
            places=[spoken(name) or name for name in names] if shaped else None,
        )

    def _child(self, rows: list[tuple[int, trees.Cells]]) -> pa.Table:
        names = list(dict.fromkeys(name for _row, cells in rows for name in cells))
        columns, numbers = _columns(names, rows)
        clean = tidy.clean_headers(names, self._file, 1, self._limits) if names else []
        return pa.table([*columns, pa.array(numbers)], names=[*clean, ROW])

    def _nothing(self, rejects: list[Reject], shaped: bool) -> Exception:
        if not rejects:
            return error("json/no-records", file=self._file)
        first = rejects[0]
        return error(
            "json/no-record" if shaped or first.rule != "nested" else "json/tree",
            file=self._file,
            row=first.row,
            column=first.column,
            rule=first.rule,
            reason=first.reason,
        )


def _columns(names: list[str], rows: list[tuple[int, trees.Cells]]) -> Any:
    return gather(((row, [cells.get(n) for n in names]) for row, cells in rows), len(names))


def _records(
    text: str, file: str, options: ReadOptions, limits: Limits, notes: list[Text]
) -> Iterator[tuple[int, str | None, Any]]:
    """Numbers with lines that are not blank, or with the members of the one list, which are parsed
    already; ``notes`` gets what to know.
    """
    members: list[Any] | None = None
    path = options.rows
    if path == ANY:
        path = trees.envelope(_document(text, file, limits)) or SELF
    if path not in (None, SELF):
        members = _at(_document(text, file, limits), path, options.partial, file, notes)
    elif (tree := _whole(text, file, limits)) is not None:
        members = tree if isinstance(tree, list) else [tree]
        if path is None and (name := trees.envelope(tree)):
            raise error("json/rows", file=file, name=name)
        if path is None and trees.list_paths(tree):
            raise error("json/lists", file=file)
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text) if members is None else (), 1):
        if line.strip():
            _check_depth(line, file, number, limits)
            yield number, line, None
    yield from ((number, None, member) for number, member in enumerate(members or (), 1))


def _document(text: str, file: str, limits: Limits) -> Any:
    _check_depth(text, file, None, limits)
    try:
        return _load(text)
    except trees.BadRecord as bad:
        raise error("json", file=file, rule=bad.rule, reason=bad.reason) from None


def _whole(text: str, file: str, limits: Limits) -> Any:
    """The list or the one object that the text is, None where it is lines or broken."""
    if text.lstrip().startswith("["):
        return _document(text, file, limits)
    first, _end, rest = text.strip().partition("\n")
    if rest and _depth(first, at_end=True) == 0:
        return None
    _check_depth(text, file, None if rest else 1, limits)
    try:
        tree = _load(text)
    except trees.BadRecord:
        return None
    return tree if isinstance(tree, dict) else None


def _at(document: Any, path: str, partial: bool, file: str, notes: list[Text]) -> list[Any]:
    """The records at a path.

    Raises:
        UnreadableFile: there is no list, or it is one page of several.
    """
    records = trees.records_at(document, path)
    if records is None:
        raise error("json/no-rows", file=file, name=path)
    if trees.has_more(document, trees.listed(document, path)):
        if not partial:
            raise error("one-page", file=file, n=len(records))
        notes.append(Text("The file is one page of several: the records of others are not in it."))
    return records


def _check_depth(text: str, file: str, row: int | None, limits: Limits) -> None:
    if text.count("[") + text.count("{") > limits.nesting and _depth(text) > limits.nesting:
        raise error("nesting", file=file, row=row, limit=limits.nesting)


def _load(source: str) -> Any:
    try:
        return json.loads(
            source,
            object_pairs_hook=_unique,
            parse_int=str,
            parse_float=_number,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as cause:
        raise trees.BadRecord(
            "json", Text("The text is not JSON from its character {place} on.", place=cause.pos + 1)
        ) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise trees.BadRecord("duplicate-header", Text("A record has the same name twice."))
    return record


def _number(text: str) -> str:
    whole, point, rest = text.partition(".")
    return whole if point and not rest.strip("0") else text


def _no_constant(_text: str) -> Any:
    raise trees.BadRecord("json", Text("A value is infinite or not a number."))


def _flat(value: Any) -> trees.Cells:
    if not isinstance(value, dict):
        raise trees.BadRecord("json", Text("A record is not an object with names and values."))
    return {
        n: trees.text_of(member, tidy.column_letter(i))
        for i, (n, member) in enumerate(value.items())
    }


def _depth(text: str, at_end: bool = False) -> int:
    """How deep the brackets outside quotes are nested: at the deepest place, or at the end."""
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        if match[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in "]}":
            depth -= 1
    return depth if at_end else deepest
