"""Record one part: `tools/golden.py` runs it in a process, folder and environment of its own."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from golden_parts import desk
from golden_parts.kept import Kept
from golden_parts.world import World

PEOPLE = 2_000
BASES = {"left": "hub", "middle": "hub", "right": "hub", "desk": "hub",
         "hub_answers": "desk", "desk_pages": "desk"}  # fmt: skip
"""What is made before a part, or before another base, for it to begin with a copy of."""


def make_hub(world: World) -> None:
    """The practice hub that others read: built to the site, in four languages."""
    world.done("demo", "hub", "--people", PEOPLE)
    lines = "\n".join(request.hex() for request in dict.fromkeys(world.requests))
    (world.folder / "requests.txt").write_text(lines, "utf-8")


MAKES = {"hub": make_hub, "desk": desk.make}
"""What makes a base."""


def before(parts: Iterable[str]) -> list[str]:
    """The bases of some parts, each after its own.

    >>> before(["right", "desk_pages"])
    ['hub', 'desk']
    """
    found: dict[str, None] = {}
    for part in parts:
        chain = [part]
        while base := BASES.get(chain[0]):
            chain.insert(0, base)
        found |= dict.fromkeys(chain[:-1])
    return list(found)


def main(part: str, folder: Path, kept: Path) -> None:
    """Record a part, or make a base.

    Args:
        part: a module of this package, or one of :data:`MAKES`.
        folder: an empty folder to work in; the bases lie beside it.
        kept: where the outputs go.
    """
    world = World(folder, f"golden {part}")
    if part in BASES:
        without = () if part == "right" else ("site",)
        made = folder.parent / BASES[part]
        shutil.copytree(made, folder, ignore=shutil.ignore_patterns(*without), dirs_exist_ok=True)
        world.done("adopt", "hub")
    if part in MAKES:
        MAKES[part](world)
    else:
        importlib.import_module(f"golden_parts.{part}").record(world, Kept(kept, world))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
