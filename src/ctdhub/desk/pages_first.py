"""The order in which requests are answered: pages pass the parts of files.

Whoever reads a page waits for it; whoever sends a file waits for all of its parts, and a part that
waits a little longer makes no difference to them.  The work is the same.
"""

from __future__ import annotations

from collections import deque
from typing import Any

LONG = 2**16
"""Bytes of a body from which on a request is one of those that wait."""

MOST_PAGES = 4
"""Pages that pass a part in a row; then a part has its turn, so that uploads go on."""


class PagesFirst:
    """A queue of connections with a request each, as waitress keeps them."""

    def __init__(self) -> None:
        self._pages: deque[Any] = deque()
        self._parts: deque[Any] = deque()
        self._passed = 0

    def __len__(self) -> int:
        return len(self._pages) + len(self._parts)

    def append(self, connection: Any) -> None:
        """Put a connection at the end of its kind."""
        long = connection.requests[0].content_length >= LONG
        (self._parts if long else self._pages).append(connection)

    def popleft(self) -> Any:
        """The connection that is answered next.

        Raises:
            IndexError: none waits.
        """
        if self._parts and (not self._pages or self._passed >= MOST_PAGES):
            self._passed = 0
            return self._parts.popleft()
        self._passed = self._passed + 1 if self._parts else 0
        return self._pages.popleft()
