"""Trees and documents: the list of records in them, a record as cells of a row, their shape."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctdhub.core.errors import error, printable
from ctdhub.core.i18n import Text
from ctdhub.core.tables import trim
from ctdhub.sensitive.ingest.options import (
    LONGEST,
    SELF,
    Child,
    Limits,
    NameValue,
    PathStep,
    ShapeOptions,
    follow,
    steps_of,
)
from ctdhub.sensitive.ingest.raw import load, translated
from ctdhub.sensitive.ingest.shape.children import list_cell
from ctdhub.sensitive.ingest.shape.systems import OUTER, system_of

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

_TOTALS = (
    *("count", "total", "matching_records", "metadata/total", "pager/total", "meta/total_count"),
    "@odata.count",
)
_NEXT = ("next", "meta/next", "pager/nextPage", "@odata.nextLink")
_PAGES = (("pager/page", "pager/pageSize"), ("page", "pageSize"))
"""What a page says of all, of the next one, and of itself: members inside of members."""


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
    paths = [
        path
        for path, value in _lists_in(document, "")
        if path.rpartition(".")[2] in ENVELOPES and (paged or value)
    ]
    return paths[0] if len(paths) == 1 else None


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
    return bool(_values_at(page, *_TOTALS, *_NEXT))


def _values_at(page: Any, *places: str) -> list[Any]:
    """What stands at those places, in whichever list they lie."""
    paths = [tuple(PathStep(name, None, "") for name in place.split("/")) for place in places]
    return [value for path in paths for value in follow(page, path)]


def records_at(document: Any, path: str) -> list[Any] | None:
    """The records at a path, of all pages where the document is a list of them; None without any.

    Where they stand in a list inside each form, what else the form says goes with each of its
    records, under :data:`OUTER`.

    >>> records_at([{"r": [1]}, {"r": [2]}], "r"), records_at({"r": 1}, "r")
    ([1, 2], None)
    >>> records_at({"forms": [{"n": "1", "people": [{"a": "x"}]}]}, "forms.people")
    [{'a': 'x', 'outer': {'n': '1'}}]
    """
    records: list[Any] = []
    lists = 0
    for value, form in _descend(document, steps_of(path), None):
        if not isinstance(value, list):
            return None
        lists += 1
        for record in value:
            inner = form is not None and isinstance(record, dict) and OUTER not in record
            records.append({**record, OUTER: form} if inner else record)
    return records if lists else None


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
        for branch in follow(value, steps[:1]):
            yield from _descend(branch, steps[1:], form)


def listed(document: Any, path: str) -> int:
    """Members of the first list on a path: what an envelope counts, be the records further in.

    >>> listed({"results": [{"people": [1, 2]}]}, "results.people")
    1
    """
    pages = document if isinstance(document, list) else [document]
    steps = steps_of(path)
    for n in range(1, len(steps) + 1):
        branches = [list(follow(page, steps[:n])) for page in pages]
        if all(isinstance(each, list) for page in branches for each in page):
            return sum(len(each) for page in branches for each in page)
    return 0


def has_more(document: Any, n: int) -> bool:
    """Whether a document says, or leaves open, that there are more records than its ``n``.

    >>> has_more({"count": "3", "next": None}, 2), has_more({"count": "2", "next": None}, 2)
    (True, False)
    >>> has_more({"pager": {"page": "1", "pageSize": "50"}}, 50)
    True
    """
    pages = document if isinstance(document, list) else [document]
    totals = _numbers(value for page in pages for value in _values_at(page, *_TOTALS))
    if totals:
        return max(totals) > n
    if all(any(isinstance(v, str) and v for v in _values_at(page, *_NEXT)) for page in pages):
        return True
    return len(pages) == 1 and any(_full(pages[0], n, *places) for places in _PAGES)


def _full(page: Any, n: int, number: str, size: str) -> bool:
    """Whether a page without a total is full, or not the first."""
    numbers, sizes = _numbers(_values_at(page, number)), _numbers(_values_at(page, size))
    return any(at > 1 for at in numbers) or any(0 < most <= n for most in sizes)


def _numbers(values: Iterable[Any]) -> list[int]:
    return [int(value) for value in values if isinstance(value, str) and value.isdecimal()]


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
            self._put(row.cells, name, self._cell(list(follow(record, steps)), name), name)
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

    def _cell(self, values: list[Any], place: str) -> str | None:
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
    pairs: dict[str, list[Any]] = {}
    for member in members:
        if not isinstance(member, dict):
            raise BadRecord("nested", Text("A value is a list or an object, not text."), at)
        name = next((n for key in pair.name if (n := member.get(key))), None)
        value = member.get(pair.value)
        if isinstance(name, str) and name.strip():
            values = pairs.setdefault(called.get(name.strip(), name.strip()), [])
            if value not in values:
                values.append(value)
        elif value not in (None, "", [], {}):
            reason = Text("A value in a list of names and values has no name.")
            raise BadRecord("nested", reason, at)
    return {name: values[0] if len(values) == 1 else values for name, values in pairs.items()}


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
        data = load(path, file, Limits())
        try:
            document: Any = json.loads(data)
        except (ValueError, RecursionError):
            raise error("no-names", file=file) from None
    lists = [document] if isinstance(document, list) else []
    lists += [records_at(document, at) or [] for at in list_paths(document)]
    names: dict[str, str] = {}
    for each in (each for members in lists for each in members if isinstance(each, dict)):
        number = next((each[k] for k in IDS if isinstance(each.get(k), str)), None)
        name = next((each[k] for k in NAMES if isinstance(each.get(k), str)), None)
        if number and name and name.strip():
            names[number] = name.strip()
    if not names:
        raise error("no-names", file=file)
    return names


def used(names: Mapping[str, str], columns: Iterable[str]) -> dict[str, str]:
    """The names of those ids that columns end in, or are.

    >>> used({"dA": "Age", "dB": "Sex"}, ["events.dataValues.dA", "event"])
    {'dA': 'Age'}
    """
    ends = {column.rpartition(".")[2] for column in columns}
    return {number: name for number, name in names.items() if number in ends}


# --------------------------------------------------------------------------------------------------
# What shape a document has, looked at before a mapping says so.
#
# Only drafts look.  What is found is written into the mapping, and a build reads what is written.

LOOKED_AT = 2_000
"""Records that are looked at."""

KINDS = 12
"""Kinds of child rows, such as stages of a programme, up to which each is a child table."""

_NAMES = ("displayName", "label", "name", "attribute", "dataElement", "key", "code", "question")
_VALUES = ("value", "answer")
_STAGE = "programStage"
CASE, TYPE = "case_id", "case_type"
"""Columns that number and name cases of CommCare."""


@dataclass
class _Outline:
    """What stands at the paths of records."""

    columns: dict[str, None] = field(default_factory=dict)
    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lists: bool = False
    nested: bool = False
    broken: dict[str, None] = field(default_factory=dict)

    def look(self, value: Any, at: str, raw: str = "") -> None:
        """Look at a value at a path, whose own name in the file is ``raw``."""
        if isinstance(value, dict):
            self.nested |= bool(at)
            for key, member in value.items():
                if trim(key):
                    self.look(member, f"{at}.{key}" if at else key, key)
        elif isinstance(value, list) and value:
            self.columns.setdefault(at)
            if all(isinstance(member, dict) for member in value):
                self.objects.setdefault(at, []).extend(value)
                for member in value:
                    for key, inner in member.items():
                        if trim(key):
                            self.look(inner, f"{at}.{key.removeprefix(f'{raw}/')}", key)
            elif any(isinstance(member, dict | list) for member in value):
                self.broken.setdefault(at)
            else:
                self.lists = True
        elif at:
            self.columns.setdefault(at)


def recognise(document: Any, stated: str | None = None) -> dict[str, Any]:
    """What is to be said under ``read`` so that the document becomes one flat table.

    Args:
        document: the document.
        stated: where its records are, if that is known.

    Returns:
        Settings of :class:`ShapeOptions`; none for a flat list, and none where it is not clear
        where the records are.

    >>> recognise({"count": "1", "results": [{"p": [{"p/s": "m"}, {"p/s": "f"}]}]})["children"]
    {'p': Child(path='p', sheet=None, file=None, where={}, key=None, of=None, parent=None, \
fold={}, count=False)}
    """
    rows = stated or _rows(document)
    records = records_at(document, rows) if rows not in (None, SELF) else document
    if stated == SELF and isinstance(document, dict):
        records = [document]
    if not isinstance(records, list):
        return {}
    seen = _Outline()
    for record in records[:LOOKED_AT]:
        if isinstance(record, dict):
            seen.look(record, "")
    system = system_of(seen.columns)
    dropped = [*(system.drop if system else ()), *seen.broken]
    if "attributes" in seen.objects:  # an enrolment repeats those of its tracked entity
        dropped += [path for path in seen.objects if path.endswith(".attributes")]
    lists = {
        path: members
        for path, members in seen.objects.items()
        if len(path) <= LONGEST and not _is_dropped(path, dropped)
    }
    pairs = {path: pair for path, of in lists.items() if (pair := _pair(of, len(records)))}
    children = dict(_children({p: m for p, m in lists.items() if p not in pairs}))
    children |= _cases(records)
    used = [path for path in dropped if path in seen.broken or path in seen.objects or system]
    settings = {"rows": rows, "pairs": pairs, "drop": tuple(used), "children": children}
    shape = {key: value for key, value in settings.items() if value}
    if seen.lists or (seen.nested and not shape):
        shape["lists"] = ";"
    return shape if seen.nested or seen.objects or seen.lists or seen.broken or rows else {}


def _rows(document: Any) -> str | None:
    if (known := envelope(document)) or not isinstance(document, dict):
        return known
    lists = list_paths(document)
    single = [value for value in document.values() if not isinstance(value, list | dict)]
    return lists[0] if len(lists) == 1 and not single else None


def _pair(members: list[dict[str, Any]], records: int) -> NameValue | None:
    """How a list of objects says names and values, None where it says something else.

    Names of questions come again in record after record; names of people do not, and must not
    become names of columns.
    """
    value = next((key for key in _VALUES if all(key in m for m in members)), None)
    names = tuple(key for key in _NAMES if any(key in m for m in members))
    if value is None or not all(any(m.get(key) for key in names) for m in members):
        return None
    said = Counter(next(str(m[key]) for key in names if m.get(key)) for m in members)
    if records > 1 and len(said) > len(members) / 2:
        return None
    return NameValue(name=names, value=value)


def _children(lists: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, Child]]:
    """A child table for each list of objects; for each stage where its rows are of several."""
    taken: Counter[str] = Counter()
    for path, members in lists.items():
        name = re.sub(r"[\s.\[\]=]+", "_", re.split(r"[./]", path)[-1]) or "child"
        taken[name] += 1
        name = name if taken[name] == 1 else f"{name}_{taken[name]}"
        stages = {str(m[_STAGE]) for m in members if m.get(_STAGE)}
        if 1 < len(stages) <= KINDS:
            for stage in sorted(stages):
                yield f"{name}_{stage}", Child(path=path, where={_STAGE: (stage,)})
        else:
            yield name, Child(path=path)


def _cases(records: list[Any]) -> dict[str, Child]:
    """Cases of a type that always belong to a case of another type in the file."""
    types: dict[str, list[tuple[dict[str, Any], str]]] = {TYPE: [], f"properties.{TYPE}": []}
    for record in records:
        for path, members in types.items():
            if isinstance(record, dict) and isinstance(record.get(CASE), str):
                kinds = follow(record, steps_of(path))
                members += [(record, kind) for kind in kinds if isinstance(kind, str) and kind]
    path, cases = max(types.items(), key=lambda item: len(item[1]))
    ids = {case[CASE]: kind for case, kind in cases}
    links: dict[str, set[str | None]] = {}
    for case, kind in cases:
        indices = case.get("indices")
        found_links = [
            name
            for name, index in (indices.items() if isinstance(indices, dict) else ())
            if isinstance(index, dict) and ids.get(str(index.get(CASE)), kind) != kind
        ]
        links.setdefault(kind, set()).update(found_links or [None])
    return {
        kind: Child(where={path: (kind,)}, key=CASE, parent=f"indices.{next(iter(names))}.{CASE}")
        for kind, names in links.items()
        if len(names) == 1 and None not in names and not re.search(r"[\s.\[\]=]", kind)
    }


def _is_dropped(at: str, dropped: list[str]) -> bool:
    path = at.removeprefix(f"{OUTER}.")
    return any(
        path.startswith(d[:-1]) if d.endswith("*") else path == d or path.startswith(f"{d}.")
        for d in dropped
    )
