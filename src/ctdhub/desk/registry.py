"""The register of pages: each address with its action, so that none is without one.

The menu, the authorisation tests and the documentation read the register.  Desk and kit each set
``CTDHUB_GATE``, a function ``gate(page, request, parts)`` that checks and then calls the view.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from ctdhub.core.i18n import Text
from ctdhub.desk.allowed import ACTIONS

View = Callable[..., Any]


class KeyInAddress:
    """The key of a row as 32 hexadecimal digits."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> UUID:
        """The key."""
        return UUID(hex=value)

    def to_url(self, value: UUID | str) -> str:
        """Its digits."""
        return value.hex if isinstance(value, UUID) else UUID(value).hex


GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
"""Methods of HTTP that most pages answer; HEAD goes with GET."""

_THING = re.compile("<([A-Z][A-Za-z]+)>")


@dataclass(frozen=True)
class DeskPage:
    """A page of the register.

    Attributes:
        path: its address; ``<id>`` stands for a key of 32 hexadecimal digits.
        view: called as ``view(request)``, or as ``view(request, thing)`` where it is about one;
            other parts of the address follow by name.
        action: of the table in ``desk.allowed``.
        methods: of HTTP; HEAD goes with GET.
        of: kind of thing that ``<id>`` is the key of: the name of a table.
        name: by which templates and redirects refer to it.
        menu: its entry of the menu, if it has one.
        order: place in the menu; its tens are those of an entry.
        recorded: whether a POST becomes an event of the trail by itself; false where the view
            records what it did.
        posted: the action that a form asks for, where a page has forms that ask for more than
            looking; by the form alone.
        atomic: whether all of a request that writes is one transaction; false for one that forces
            files to the disk meanwhile, and takes SQLite's one lock for its rows alone.
    """

    path: str
    view: View
    action: str
    methods: tuple[str, ...]
    of: str
    name: str
    menu: Text | None = None
    order: int = 50
    recorded: bool = True
    atomic: bool = True
    posted: Callable[[Any], str] | None = None

    def action_of(self, request: Any) -> str:
        """The action that a request asks for."""
        if request.method != "POST" or self.posted is None:
            return self.action
        return self.posted(request.POST)


def page(
    path: str,
    view: View,
    action: str,
    methods: tuple[str, ...] = GET,
    name: str = "",
    **more: Any,
) -> Any:
    """A page as an entry of Django's list of addresses.

    Args:
        path: its address; the name of a table, as in ``papers/<Paper>/``, stands for the key of a
            thing, which the view is given.
        name: if empty, that of the view.
        more: see :class:`DeskPage`.

    Raises:
        ValueError: there is no such action, or ``<id>`` is said to be of no table.
    """
    from django.urls import path as address
    from django.urls import register_converter
    from django.urls.converters import get_converters

    if "key" not in get_converters():
        register_converter(KeyInAddress, "key")
    if action not in ACTIONS:
        raise ValueError(f"no such action: {action} ({path})")
    if "<id>" in path:
        raise ValueError(f"<id> is the key of a thing whose table is not said: {path}")
    of, answered = _THING.search(path), (*methods, "HEAD") if "GET" in methods else methods
    path = _THING.sub("<id>", path)
    spec = DeskPage(
        path, view, action, answered, of[1] if of else "", name or view.__name__, **more
    )

    @wraps(view, updated=())
    def through_the_gate(request: Any, **parts: Any) -> Any:
        return _gate()(spec, request, parts)

    through_the_gate.page = spec  # type: ignore[attr-defined]
    through_the_gate.csrf_exempt = getattr(view, "csrf_exempt", False)  # type: ignore[attr-defined]
    return address(path.replace("<id>", "<key:id>"), through_the_gate, name=spec.name)


def _gate() -> Callable[[DeskPage, Any, dict[str, Any]], Any]:
    from django.conf import settings
    from django.utils.module_loading import import_string

    gate: Callable[[DeskPage, Any, dict[str, Any]], Any] = import_string(settings.CTDHUB_GATE)
    return gate


def pages() -> Iterator[DeskPage]:
    """Every page that this process answers.

    Raises:
        ValueError: an address is none of the register.
    """
    from django.urls import URLPattern, get_resolver

    for entry in get_resolver().url_patterns:
        spec = getattr(getattr(entry, "callback", None), "page", None)
        if not isinstance(entry, URLPattern) or spec is None:
            raise ValueError(f"an address without an action: {entry.pattern}")
        yield spec
