"""A JSON file of the site, which people read too."""

from __future__ import annotations

import json
from pathlib import Path


def write_json(path: Path, value: object) -> None:
    """Write indented JSON in UTF-8, every language readable in it; its folder is there.

    Raises:
        ValueError: a number is not finite, for which JSON has no word.
    """
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", "utf-8")
