"""A file of the package that stands inside a page, and its hash for the page's policy."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from markupsafe import Markup


@cache
def inlined(folder: str, name: str) -> tuple[Markup, str]:
    """The file's text, and its hash as a Content-Security-Policy has it.

    Args:
        folder: package and folder, for example "ctdhub.site/static".
    """
    package, _slash, inside = folder.partition("/")
    text = (resources.files(package) / inside / name).read_text("utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"  # noqa: S704  (files of this package, no input)
