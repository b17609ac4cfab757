"""Pages pass the parts of files, and parts are not forgotten."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ctdhub.desk.web import LONG, MOST_PAGES, PagesFirst


def asking(size: int) -> Any:
    return SimpleNamespace(requests=[SimpleNamespace(content_length=size)])


def test_pages_pass_parts_but_not_for_ever() -> None:
    queue = PagesFirst()
    parts = [asking(LONG) for _ in range(3)]
    pages = [asking(LONG - 1) for _ in range(2 * MOST_PAGES)]
    for one in (*parts, *pages):
        queue.append(one)
    assert len(queue) == 3 + 2 * MOST_PAGES
    order = [queue.popleft() for _ in range(len(queue))]
    expected = [*pages[:MOST_PAGES], parts[0], *pages[MOST_PAGES:], parts[1], parts[2]]
    assert [id(one) for one in order] == [id(one) for one in expected]
    assert not queue
    with pytest.raises(IndexError):
        queue.popleft()


def test_a_part_that_comes_later_waits_its_turns_anew() -> None:
    queue = PagesFirst()
    for _ in range(10):
        queue.append(asking(0))
    for _ in range(8):
        queue.popleft()
    part = asking(LONG)
    queue.append(part)
    assert [queue.popleft() is part for _ in range(3)] == [False, False, True]
