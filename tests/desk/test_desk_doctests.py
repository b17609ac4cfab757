"""The examples in the text of desk and kit hold; Django must have begun before they are read."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import ctdhub

PACKAGE = Path(ctdhub.__file__).parent


def test_every_example_holds(practice_desk: Path) -> None:
    tried = 0
    for room in ("desk", "kit"):
        for module in sorted((PACKAGE / room).rglob("*.py")):
            if ">>>" in module.read_text("utf-8"):
                name = ".".join(module.relative_to(PACKAGE.parent).with_suffix("").parts)
                found = doctest.testmod(import_module(name))
                assert found.failed == 0, name
                tried += found.attempted
    assert tried > 5
