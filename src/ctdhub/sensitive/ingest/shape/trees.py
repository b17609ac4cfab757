"""Trees and documents: the list of records in them, and one record as cells of one row."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctdhub.core.errors import error, printable
from ctdhub.core.i18n import Text
from ctdhub.core.tables import trim
from ctdhub.sensitive.ingest import readers
from ctdhub.sensitive.ingest.options import (
    Limits,
    NameValue,
    PathStep,
    ShapeOptions,
    follow,
    steps_of,
)
from ctdhub.sensitive.ingest.readers import translated
from ctdhub.sensitive.ingest.shape.children import list_cell

# --------------------------------------------------------------------------------------------------
# The list of records in a document, and whether the document holds all of them.
#
# Envelopes and what they say of pages, by system (read in their documentation or source):
# KoboToolbox ``count``, ``next``, ``results``; Primero ``data``, ``metadata.total``; DHIS2
# ``pager`` (``total`` only where asked for), ``trackedEntities`` and, before 2.41, ``instances``;
# CommCare ``matching_records``, ``next``, ``cases`` and, in version 1, ``meta``, ``objects``;
# OData, which ODK Central serves, ``value``, ``@odata.count``, ``@odata.nextLink``; GeoJSON
# ``features``.

ENVELOPES = (
    *("results", "data", "cases", "trackedEntities", "trackedEntityInstances", "instances"),
    *("objects", "value", "features", "records", "items", "rows", "submissions"),
)
"""Members under which systems put their list of records."""

OUTER = "outer"
"""Member of a record that holds the form around it, where a form holds several records."""

_TOTALS = (
    *("count", "total", "metadata.total", "pager.total", "matching_records"),
    "meta.total_count",
)
_NEXT = ("next", "meta.next", "pager.nextPage")
_ODATA = ("@odata.count", "@odata.nextLink")
_PAGES = (("pager.page", "pager.pageSize"), ("page", "pageSize"))


def envelope(document: Any) -> str | None:
    """The path of the list of records, under a name that systems use; None where there is none.

    An empty list counts where the document speaks of pages.

    >>> envelope({"count": "1", "results": [{"a": "1"}]}), envelope({"a": [{"b": "1"}]})
    ('results', None)
    """
    if isinstance(document, list):
        names = {envelope(page) for page in document} if document else {None}
        return names.pop() if len(names) == 1 else None
    paged = _says_pages(document)
    found = [
        path
        for path, value in _lists_in(document, "")
        if path.rpartition(".")[2] in ENVELOPES and (paged or value)
    ]
    return found[0] if len(found) == 1 else None


def holds_lists(document: Any) -> bool:
    """Whether an object has a list of objects, so that it may be no record but an envelope."""
    return any(value for _path, value in _lists_in(document, ""))


def list_paths(document: Any) -> list[str]:
    """Paths of all lists of objects that stand in no other list.

    >>> list_paths({"data": {"people": [{"a": "1"}]}, "n": "1"})
    ['data.people']
    """
    return [path for path, value in _lists_in(document, "") if value]


def _lists_in(value: Any, at: str) -> Iterator[tuple[str, list[Any]]]:
    for name, member in value.items() if isinstance(value, dict) else ():
        path = f"{at}.{name}" if at else name
        if isinstance(member, dict):
            yield from _lists_in(member, path)
        elif isinstance(member, list) and all(isinstance(each, dict) for each in member):
            yield path, member


def _says_pages(page: Any) -> bool:
    """Whether an object says how many records there are, or where more are."""
    paths = (*_TOTALS, *_NEXT)
    known = any(True for path in paths for _value in follow(page, steps_of(path)))
    return known or any(name in page for name in _ODATA if isinstance(page, dict))


def records_at(document: Any, path: str) -> list[Any] | None:
    """The records at a path, of all pages where the document is a list of them; None without any.

    Where they stand in a list inside each form, what else the form says goes with each of its
    records, under :data:`OUTER`.

    >>> records_at([{"r": [1]}, {"r": [2]}], "r"), records_at({"r": 1}, "r")
    ([1, 2], None)
    >>> records_at({"forms": [{"n": "1", "people": [{"a": "x"}]}]}, "forms.people")
    [{'a': 'x', 'outer': {'n': '1'}}]
    """
    found: list[Any] = []
    lists = 0
    for value, form in _descend(document, steps_of(path), None):
        if not isinstance(value, list):
            return None
        lists += 1
        for record in value:
            inner = form is not None and isinstance(record, dict) and OUTER not in record
            found.append({**record, OUTER: form} if inner else record)
    return found if lists else None


def _descend(
    value: Any, steps: tuple[PathStep, ...], form: dict[str, Any] | None
) -> Iterator[tuple[Any, dict[str, Any] | None]]:
    """What stands at the end of a path, with the rest of the form around it."""
    if not steps:
        yield value, form
    elif isinstance(value, list):
        for member in value:
            page = steps[0].name in ENVELOPES and _says_pages(member)
            whole = isinstance(member, dict) and not page
            rest = {k: v for k, v in member.items() if k != steps[0].name} if whole else form
            yield from _descend(member, steps, rest)
    else:
        for found in follow(value, steps[:1]):
            yield from _descend(found, steps[1:], form)


def listed(document: Any, path: str) -> int:
    """Members of the first list on a path: what an envelope counts, be the records further in.

    >>> listed({"results": [{"people": [1, 2]}]}, "results.people")
    1
    """
    pages = document if isinstance(document, list) else [document]
    steps = steps_of(path)
    for n in range(1, len(steps) + 1):
        found = [list(follow(page, steps[:n])) for page in pages]
        if all(isinstance(each, list) for page in found for each in page):
            return sum(len(each) for page in found for each in page)
    return 0


def has_more(document: Any, n: int) -> bool:
    """Whether a document says, or leaves open, that there are more records than its ``n``.

    >>> has_more({"count": "3", "next": None}, 2), has_more({"count": "2", "next": None}, 2)
    (True, False)
    >>> has_more({"pager": {"page": "1", "pageSize": "50"}}, 50)
    True
    """
    pages = document if isinstance(document, list) else [document]
    totals = [total for page in pages for total in _totals(page)]
    if totals:
        return max(totals) > n
    if not all(any(_texts(page, path) for path in _NEXT) or _member(page, _ODATA[1])
               for page in pages):  # fmt: skip
        return len(pages) == 1 and any(_full(pages[0], n, *names) for names in _PAGES)
    return True


def _totals(page: Any) -> Iterator[int]:
    for path in _TOTALS:
        yield from (int(text) for text in _texts(page, path) if text.isdecimal())
    if (text := _member(page, _ODATA[0])) and str(text).isdecimal():
        yield int(text)


def _full(page: Any, n: int, number: str, size: str) -> bool:
    """Whether a page without a total is full, or not the first."""
    numbers, sizes = _texts(page, number), _texts(page, size)
    later = any(text.isdecimal() and int(text) > 1 for text in numbers)
    return later or any(text.isdecimal() and 0 < int(text) <= n for text in sizes)


def _texts(page: Any, path: str) -> list[str]:
    return [v for v in follow(page, steps_of(path)) if isinstance(v, str) and v]


def _member(page: Any, name: str) -> Any:
    return page.get(name) if isinstance(page, dict) else None


# --------------------------------------------------------------------------------------------------
# One record of a tree becomes cells of one row, with child rows for the objects in its lists.

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


# --------------------------------------------------------------------------------------------------
# Names for ids, such as those of data elements in DHIS2, from a list that a system gives out.

IDS, NAMES = ("id", "uid"), ("displayName", "name", "label")


def read_names(path: Path) -> dict[str, str]:
    """Ids and names of all objects that have both, in the lists of a JSON document.

    Raises:
        UnreadableFile: it is no JSON, or no object in it has an id and a name (``no-names``).
        HostileFile: the file is too large.
    """
    file = printable(path.name)
    with translated(file):
        data = readers.load(path, file, Limits())
        try:
            document: Any = json.loads(data)
        except (ValueError, RecursionError):
            raise error("no-names", file=file) from None
    lists = [document] if isinstance(document, list) else []
    lists += [records_at(document, at) or [] for at in list_paths(document)]
    found: dict[str, str] = {}
    for each in (each for members in lists for each in members if isinstance(each, dict)):
        number = next((each[k] for k in IDS if isinstance(each.get(k), str)), None)
        name = next((each[k] for k in NAMES if isinstance(each.get(k), str)), None)
        if number and name and name.strip():
            found[number] = name.strip()
    if not found:
        raise error("no-names", file=file)
    return found


def used(names: Mapping[str, str], columns: Iterable[str]) -> dict[str, str]:
    """The names of those ids that columns end in, or are.

    >>> used({"dA": "Age", "dB": "Sex"}, ["events.dataValues.dA", "event"])
    {'dA': 'Age'}
    """
    ends = {column.rpartition(".")[2] for column in columns}
    return {number: name for number, name in names.items() if number in ends}
