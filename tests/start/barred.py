"""Run commands where some modules cannot be imported, as on a system that lacks them.

``python barred.py NAME,NAME < LINES``: each line is the JSON list of a command's words; the first
that fails ends the run with its code.
"""

from __future__ import annotations

import json
import sys
from importlib.abc import MetaPathFinder
from typing import Any


class Barred(MetaPathFinder):
    """Finds that the named modules, and what lies below them, are not there."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def main() -> None:
    names = set(sys.argv[1].split(","))
    for name in names:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, Barred(names))
    from ctdhub.cli.main import main as command

    for line in sys.stdin:
        sys.argv = ["ctdhub", *json.loads(line)]
        try:
            command()
        except SystemExit as ended:
            if ended.code:
                raise


if __name__ == "__main__":
    main()
