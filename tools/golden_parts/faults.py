"""Messages of the error rules: wrong inputs through the command, in every language.

Belongs here: how a wrong input is laid out and kept: exit code, what was printed and complained.
Does not belong here: the inputs themselves (``wrong_files``, ``wrong_hubs``).

A message is kept with those of the other languages in one file, a line of the list to a fault.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from golden_parts import wrong_files, wrong_hubs
from golden_parts.kept import Kept
from golden_parts.world import LANGUAGES, World


def record(world: World, kept: Kept) -> None:
    """Keep the messages of every wrong input."""
    base = Path("base")
    base.mkdir()
    wrong_hubs.make_base(world, base)
    cases = {**wrong_files.cases(), **wrong_hubs.cases()}
    for name, (words, files, change) in cases.items():
        said = []
        for lang in LANGUAGES:
            folder = Path("x")
            if "hub" in f"{words} {list(files)}" or "link.key" in words:
                shutil.copytree(base, folder)
            else:
                folder.mkdir()
            for place, content in files.items():
                path = folder / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
            if change:
                change(folder)
            with world.inside(folder):
                said.append(f"[{lang}] {world.run(*words, lang=lang)}")
            shutil.rmtree(folder)
        kept.text(f"{name}.txt", "".join(said))
