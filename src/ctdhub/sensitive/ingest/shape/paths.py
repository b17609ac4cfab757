"""Paths through a tree: names of members with dots between, and a choice among members of a list.

``a.b`` is member ``b`` of member ``a``; a list on the way stands for each of its members;
``a[k=text].v`` takes of the list ``a`` only those objects whose member ``k`` is the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

SELF = "."
"""The path of the document itself."""

ANY = "*"
"""Stands for the document where it is a list, else for the list in the envelope of a system."""

_STEP = re.compile(r"([^.\[\]]+)(?:\[([^=\[\]]+)=([^\[\]]*)\])?(?:\.(?!$)|$)")


class PathStep(NamedTuple):
    """One member, and which of them where they are several."""

    name: str
    key: str | None
    text: str | None


def steps_of(path: str) -> tuple[PathStep, ...]:
    """The steps of a path.

    Raises:
        ValueError: it is no path.

    >>> steps_of("a[k=x y].v")
    (PathStep(name='a', key='k', text='x y'), PathStep(name='v', key=None, text=None))
    >>> steps_of(".")
    ()
    """
    if path == SELF:
        return ()
    found, place = [], 0
    while place < len(path):
        if not (match := _STEP.match(path, place)):
            raise ValueError("a path is names with dots between, such as a.b or a[k=text].v")
        found.append(PathStep(*match.groups()))
        place = match.end()
    return tuple(found)


def follow(value: Any, steps: tuple[PathStep, ...]) -> Iterator[Any]:
    """What stands at the end of a path; members that are missing are passed over.

    >>> list(follow({"a": [{"k": "x", "v": "1"}, {"k": "y", "v": "2"}]}, steps_of("a[k=y].v")))
    ['2']
    """
    if isinstance(value, list) and steps:
        for member in value:
            yield from follow(member, steps)
    elif not steps:
        yield value
    elif isinstance(value, dict) and steps[0].name in value:
        found = value[steps[0].name]
        if steps[0].key is not None:
            members = found if isinstance(found, list) else [found]
            key, text = steps[0].key, steps[0].text
            found = [m for m in members if isinstance(m, dict) and m.get(key) == text]
        yield from follow(found, steps[1:])
