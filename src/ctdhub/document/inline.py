"""A file of the package that stands inside a page, and its hash for the page's policy."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources

from markupsafe import Markup

_COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)
_LONE_COMMENT = re.compile(r"^ */\*.*?\*/\n", re.DOTALL | re.MULTILINE)
"""A comment of a script that has lines of its own."""
_INDENT = re.compile(r"^ +", re.MULTILINE)
_IMPORT = re.compile(r'^@import "([^"]+)";$', re.MULTILINE)


@cache
def inlined(folder: str, name: str) -> tuple[Markup, str]:
    """The file's text, and its hash as a Content-Security-Policy has it.

    A line ``@import "package/folder/name.css";`` is replaced by that file, also inside such a file.
    Comments of style sheets, and those of scripts that have lines of their own, are left out; so is
    the indentation of scripts, which hold no text over several lines.

    Args:
        folder: package and folder, for example "ctdhub.site/static".
    """
    text = _text(f"{folder}/{name}")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"  # noqa: S704  (files of this package, no input)


def _text(path: str) -> str:
    package, _slash, inside = path.partition("/")
    text = (resources.files(package) / inside).read_text("utf-8")
    if path.endswith(".js"):
        return _INDENT.sub("", _LONE_COMMENT.sub("", text)).strip()
    if not path.endswith(".css"):
        return text.strip()
    return _IMPORT.sub(lambda found: _text(found[1]), _COMMENT.sub("", text)).strip()
