"""One record of a tree becomes cells of one row, with child rows for the objects in its lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ctdhub.core.i18n import Text
from ctdhub.core.text import trim
from ctdhub.sensitive.ingest.shape.documents import OUTER
from ctdhub.sensitive.ingest.shape.list_cell import list_cell
from ctdhub.sensitive.ingest.shape.options import NameValue, ShapeOptions
from ctdhub.sensitive.ingest.shape.paths import follow, steps_of

Cells = dict[str, str | None]
"""Name of a column to text."""


class BadRecord(ValueError):
    """A record that cannot be a row.

    Attributes:
        rule: short name of what is wrong.
        reason: one sentence without a value of the record.
        place: path or letter of the value, None where it is the record.
    """

    def __init__(self, rule: str, reason: Text, place: str | None = None) -> None:
        super().__init__(rule)
        self.rule, self.reason, self.place = rule, reason, place


@dataclass
class FlatRow:
    """The cells of one record and its child rows by name of the child table."""

    cells: Cells = field(default_factory=dict)
    children: dict[str, list[Cells]] = field(default_factory=dict)


def text_of(value: Any, place: str) -> str | None:
    """The text of a single value; null and what is empty have none.

    Raises:
        BadRecord: it is a list or an object that holds something, or no whole text.
    """
    if value is None or value in ([], {}):
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if not isinstance(value, str):
        raise BadRecord("nested", Text("A value is a list or an object, not text."), place)
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise BadRecord(
            "encoding", Text("A value contains an invalid (incomplete) Unicode character."), place
        )
    return value


class Flattening:
    """How records of one file are laid flat.

    Objects become columns with a dot between the names.  A list of single values becomes one cell.
    A list of objects becomes child rows, under the name that the options give its path, else under
    the path.  Where the names of such objects repeat the path of the list, as in KoboToolbox, the
    repeated part is left out.

    >>> row = Flattening(ShapeOptions(lists=";")).row({"a": {"b": ["x", "y"]}, "p": [{"p/s": "m"}]})
    >>> row.cells, row.children
    ({'a.b': 'x;y'}, {'p': [{'s': 'm'}]})
    """

    def __init__(self, options: ShapeOptions) -> None:
        self._options = options
        self._paths = {name: steps_of(path) for name, path in options.paths.items()}
        self._dropped = frozenset(path for path in options.drop if not path.endswith("*"))
        self._stems = tuple(path[:-1] for path in options.drop if path.endswith("*"))
        self._named: dict[str, list[str]] = {}
        for name, child in options.children.items():
            if child.path is not None:
                self._named.setdefault(child.path, []).append(name)

    def row(self, record: Any) -> FlatRow:
        """The row of a record.

        Raises:
            BadRecord: it is no object, or a value in it has no place in a table.
        """
        if not isinstance(record, dict):
            raise BadRecord("json", Text("A record is not an object with names and values."))
        row = FlatRow()
        for name, value in record.items():
            self._member(name, value, name, name, row.cells, row)
        for name, steps in self._paths.items():
            self._put(row.cells, name, self._found(list(follow(record, steps)), name), name)
        return row

    def _member(self, raw: str, value: Any, at: str, name: str, cells: Cells, row: FlatRow) -> None:
        """Put one member in its place.

        Args:
            raw: its name as the file says it.
            value: what it holds.
            at: its path from the record.
            name: its path from the row, main or child, whose ``cells`` these are.
        """
        if not trim(name.rpartition(".")[2]):
            if value not in (None, "", [], {}):
                raise BadRecord("json", Text("A member of a record has no name."))
            return
        own = at.removeprefix(f"{OUTER}.")
        if {at, own} & self._dropped or (self._stems and own.startswith(self._stems)):
            return
        if isinstance(value, list) and at in self._options.pairs:
            value = _paired(value, self._options.pairs[at], at, self._options.names)
        if value == {} or (value == [] and at in self._named):
            return
        if isinstance(value, dict) and at not in self._named:
            for key, member in value.items():
                self._member(key, member, f"{at}.{key}", f"{name}.{key}", cells, row)
        elif isinstance(value, dict | list) and value:
            members = [value] if isinstance(value, dict) else value
            if all(isinstance(member, dict) for member in members):
                self._rows(raw, members, at, row)
            else:
                texts = [text_of(member, at) for member in members]
                self._put(cells, name, list_cell(texts, self._options.mark), at)
        else:
            self._put(cells, name, text_of(value, at), at)

    def _rows(self, raw: str, members: list[dict[str, Any]], at: str, row: FlatRow) -> None:
        for member in members:
            cells: Cells = {}
            for name in self._named.get(at, [at]):
                row.children.setdefault(name, []).append(cells)
            for key, value in member.items():
                short = key.removeprefix(f"{raw}/")
                self._member(key, value, f"{at}.{short}", short, cells, row)

    def _found(self, values: list[Any], place: str) -> str | None:
        flat = [v for value in values for v in (value if isinstance(value, list) else [value])]
        texts = [text_of(value, place) for value in flat]
        return texts[0] if len(texts) == 1 else list_cell(texts, self._options.mark)

    def _put(self, cells: Cells, name: str, text: str | None, place: str) -> None:
        if name in cells:
            raise BadRecord("duplicate-header", Text("A record has the same name twice."), place)
        cells[name] = text


def _paired(
    members: list[Any], pair: NameValue, at: str, called: Mapping[str, str]
) -> dict[str, Any]:
    """The list of names and values as an object; a name that comes twice has a list of values.

    >>> _paired([{"n": "a", "v": "1"}], NameValue(name="n", value="v"), "x", {"a": "Age"})
    {'Age': '1'}
    """
    found: dict[str, list[Any]] = {}
    for member in members:
        if not isinstance(member, dict):
            raise BadRecord("nested", Text("A value is a list or an object, not text."), at)
        name = next((n for key in pair.name if (n := member.get(key))), None)
        value = member.get(pair.value)
        if isinstance(name, str) and name.strip():
            values = found.setdefault(called.get(name.strip(), name.strip()), [])
            if value not in values:
                values.append(value)
        elif value not in (None, "", [], {}):
            reason = Text("A value in a list of names and values has no name.")
            raise BadRecord("nested", reason, at)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
