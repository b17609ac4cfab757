"""Values for the scripts of a page, as JSON that stands inside it."""

from __future__ import annotations

import json

from markupsafe import Markup


def embedded(value: object) -> Markup:
    r"""JSON to stand in a ``<script>``: no ``<``, so no tag in a text can begin or end.

    >>> embedded({"name": "</script>"})
    Markup('{"name":"\\u003c/script\\u003e"}')
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  (it holds no tag)
