"""Tests in a browser wait as long as ``tests/browser/conftest.py`` says, on a busy machine too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[1] / "browser").glob("test_*.py"))
OWN = re.compile(r"set_default(_navigation)?_timeout|\btimeout=")
AT_ONCE = re.compile(
    r"^ *(?:\w+\.)?page\.click\([^\n]*\)\n *(?:assert |return )?[^\n]*"
    r"(?:document\.activeElement|violations\(|\.content\(\)|inner_text\()",
    re.MULTILINE,
)
"""A click of a page, and then a look that waits for nothing."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_test_has_a_patience_of_its_own_or_looks_at_once(file: Path) -> None:
    text = file.read_text("utf-8")
    assert OWN.findall(text) == []
    assert AT_ONCE.findall(text) == [], "use loads(page, act), or expect(locator)"
