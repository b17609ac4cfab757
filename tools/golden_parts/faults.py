"""Messages of the error rules: wrong inputs through the command, in every language.

Belongs here: how a wrong input is laid out and kept: exit code, what was printed and complained.
Does not belong here: the inputs themselves (``wrong_files``, ``wrong_hubs``).

A message is kept with those of the other languages in one file, a line of the list to a fault.
What ``--help`` says of each verb is kept beside them.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from golden_parts import wrong_files, wrong_hubs
from golden_parts.kept import Kept
from golden_parts.world import LANGUAGES, STATE, World

COPY = Path("x")
"""Where each wrong input is laid out."""

VERB = re.compile(r"^  ([a-z]+) {2}", re.MULTILINE)
"""A verb in the list that ``ctdhub --help`` prints."""


def record(world: World, kept: Kept) -> None:
    """Keep the messages of every wrong input."""
    _help(world, kept)
    base = Path("base")
    base.mkdir()
    wrong_hubs.make_base(world, base)
    known = _known(world, base)
    cases = {**wrong_files.cases(), **wrong_hubs.cases()}
    for name, (words, files, change) in cases.items():
        said = []
        for lang in LANGUAGES:
            folder = COPY
            shutil.rmtree(STATE, ignore_errors=True)
            shutil.copytree(known, STATE)
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


def _known(world: World, base: Path) -> Path:
    """The state folder by which a copy of the base is no copy to its ledger."""
    base.rename(COPY)
    world.done("adopt", COPY / "hub")
    COPY.rename(base)
    return Path(shutil.copytree(STATE, f"{STATE}-base"))


def _help(world: World, kept: Kept) -> None:
    """The list of verbs and the help of each, in every language."""
    lists = {lang: world.done("--help", lang=lang) for lang in LANGUAGES}
    for verb in ("", *sorted(set(VERB.findall(lists["en"].out)))):
        said = [
            f"[{lang}] {world.done(verb, '--help', lang=lang) if verb else lists[lang]}"
            for lang in LANGUAGES
        ]
        kept.text(f"help/{verb or 'verbs'}.txt", "".join(said))
