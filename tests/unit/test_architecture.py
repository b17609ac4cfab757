"""The tree tells the story: imports go one way, the border holds, modules stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ctdhub

PACKAGE = Path(ctdhub.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# Left to right: a room may import rooms to its left and itself.
ORDER = [
    "i18n", "errors", "paper", "client", "keys", "schema", "intake", "harmonise", "link",
    "profile", "protect", "release", "insight", "portal",
