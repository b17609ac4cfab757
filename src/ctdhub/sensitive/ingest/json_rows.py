"""JSON: one object a line, or one list of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest import headers
from ctdhub.sensitive.ingest.encodings import to_utf8
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import ReaderResult, gather, too_many_rows
from ctdhub.sensitive.ingest.rejects import Reject

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.S)


class _BadRecord(ValueError):
    """A record that cannot be a row; carries its reject."""

    def __init__(self, rule: str, reason: Text, column: str | None = None) -> None:
        super().__init__(rule)
        self.rule, self.reason, self.column = rule, reason, column


def read(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    """Names, columns, row numbers and rejects; a row is a line, or a place in the list.

    Whole numbers lose ".0", true and false become TRUE and FALSE, null and empty lists null.
    A record that is no flat object, or a line that is no JSON, is a reject.  Its names may be data
    too (an object keyed by people), so a reject says the place of a value, as a column's letter.

    Raises:
        HostileFile: a limit is passed.
        UnreadableFile: the text is not JSON, or no record in it can be read.
    """
    text, encoding = to_utf8(data, options.encoding, file)
    skipped = options.unseen
    names: dict[str, int] = {}
    rows: list[tuple[int, dict[str, str | None]]] = []
    rejects: list[Reject] = []
    reason: Text | None = None
    for row, source in _records(text.decode(), file, limits):
        if row in skipped:
            continue
        if len(rows) + len(rejects) > limits.rows:
            raise too_many_rows(file, limits)
        try:
            record = _flat(_load(source) if isinstance(source, str) else source)
        except _BadRecord as bad:
            rejects.append(Reject(row, bad.rule, bad.reason, bad.column))
            reason = reason or bad.reason
            continue
        for name in record:
            names.setdefault(name, len(names))
        if len(names) > limits.columns:
            headers.clean(list(names), file, row, limits)
        rows.append((row, record))
    if not rows:
        if reason is None:
            raise error("json/no-records", file=file)
        first = rejects[0]
        raise error(
            "json/no-record",
            file=file,
            row=first.row,
            column=first.column,
            rule=first.rule,
            reason=reason,
        )
    clean = headers.clean(list(names), file, 1, limits)
    wide = ((row, [record.get(name) for name in names]) for row, record in rows)
    columns, numbers = gather(wide, len(names))
    return ReaderResult(clean, columns, numbers, rejects, 1, encoding)


def _records(text: str, file: str, limits: Limits) -> Iterator[tuple[int, Any]]:
    """Lines that are not blank, or the members of the one list."""
    stripped = text.lstrip()
    if not stripped.startswith("["):
        for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
            if line.strip():
                _check_depth(line, file, number, limits)
                yield number, line
        return
    _check_depth(text, file, None, limits)
    try:
        members = _load(text)
    except _BadRecord as bad:
        raise error("json", file=file, rule=bad.rule, reason=bad.reason) from None
    yield from enumerate((_Parsed(m) for m in members), 1)


def _check_depth(text: str, file: str, row: int | None, limits: Limits) -> None:
    if text.count("[") + text.count("{") > limits.nesting and _depth(text) > limits.nesting:
        raise error("nesting", file=file, row=row, limit=limits.nesting)


class _Parsed:
    """A member of a list that is parsed already, told apart from a line of text."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


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
        raise _BadRecord(
            "json", Text("The text is not JSON from its character {place} on.", place=cause.pos + 1)
        ) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise _BadRecord("duplicate-header", Text("A record has the same name twice."))
    return record


def _number(text: str) -> str:
    whole, point, rest = text.partition(".")
    return whole if point and not rest.strip("0") else text


def _no_constant(_text: str) -> Any:
    raise _BadRecord("json", Text("A value is infinite or not a number."))


def _flat(source: Any) -> dict[str, str | None]:
    value = source.value if isinstance(source, _Parsed) else source
    if not isinstance(value, dict):
        raise _BadRecord("json", Text("A record is not an object with names and values."))
    return {n: _text(headers.letter(i), member) for i, (n, member) in enumerate(value.items())}


def _text(place: str, value: Any) -> str | None:
    if value is None or value in ([], {}):
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if not isinstance(value, str):
        raise _BadRecord("nested", Text("A value is a list or an object, not text."), place)
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise _BadRecord("encoding", Text("A value holds half a character."), place)
    return value


def _depth(text: str) -> int:
    """How deep the brackets outside quotes are nested."""
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        if match[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in "]}":
            depth -= 1
    return deepest
