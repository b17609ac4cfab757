"""Record one part: `tools/golden.py` runs it in a process, folder and environment of its own."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

from golden_parts.kept import Kept
from golden_parts.world import World

PEOPLE = 2_000
NEEDS_HUB = ("left", "middle", "right")
"""Parts that read the hub of :func:`make_hub`, which is made before them."""


def make_hub(world: World) -> None:
    """The practice hub that left, middle and right read: built to the site, in four languages."""
    world.done("demo", "hub", "--people", PEOPLE)


def main(part: str, folder: Path, kept: Path) -> None:
    """Record a part, or make the hub.

    Args:
        part: ``hub``, or a module of this package.
        folder: an empty folder to work in; the hub lies beside it.
        kept: where the outputs go.
    """
    world = World(folder, f"golden {part}")
    if part == "hub":
        make_hub(world)
        lines = "\n".join(request.hex() for request in dict.fromkeys(world.requests))
        (folder / "requests.txt").write_text(lines, "utf-8")
        return
    made = folder.parent / "hub"
    if part in NEEDS_HUB:
        without = () if part == "right" else ("site",)
        shutil.copytree(made, folder, ignore=shutil.ignore_patterns(*without), dirs_exist_ok=True)
        world.done("adopt", "hub")
    importlib.import_module(f"golden_parts.{part}").record(world, Kept(kept, world))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
