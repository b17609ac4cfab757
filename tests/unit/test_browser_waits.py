"""Tests in a browser wait as long as ``tests/browser/conftest.py`` says, on a busy machine too."""

from __future__ import annotations

import re
from pathlib import Path

from tests.source import none

FILES = sorted((Path(__file__).parents[1] / "browser").glob("test_*.py"))
OWN = re.compile(r"set_default(_navigation)?_timeout|\btimeout=")
AT_ONCE = re.compile(
    r"^ *(?:\w+\.)?page\.click\([^\n]*\)\n *(?:assert |return )?[^\n]*"
    r"(?:document\.activeElement|violations\(|\.content\(\)|inner_text\()",
    re.MULTILINE,
)
"""A click of a page, and then a look that waits for nothing."""


def test_no_test_has_a_patience_of_its_own_or_looks_at_once() -> None:
    texts = {file.name: file.read_text("utf-8") for file in FILES}
    none(f"{name}: {own[0]}" for name, text in texts.items() for own in OWN.finditer(text))
    none(
        f"{name}: {click[0]}: use loads(page, act), or expect(locator)"
        for name, text in texts.items()
        for click in AT_ONCE.finditer(text)
    )
