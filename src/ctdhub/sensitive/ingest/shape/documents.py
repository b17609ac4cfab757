"""The list of records in a document, and whether the document holds all of them.

Envelopes and what they say of pages, by system (read in their documentation or source):
KoboToolbox ``count``, ``next``, ``results``; Primero ``data``, ``metadata.total``; DHIS2 ``pager``
(``total`` only where asked for), ``trackedEntities`` and, before 2.41, ``instances``; CommCare
``matching_records``, ``next``, ``cases`` and, in version 1, ``meta``, ``objects``; OData, which ODK
Central serves, ``value``, ``@odata.count``, ``@odata.nextLink``; GeoJSON ``features``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctdhub.sensitive.ingest.shape.paths import PathStep, follow, steps_of

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
