"""A few quick outputs of each kind, for the test that the golden set rests on nothing of a machine.

Belongs here: what takes a second.  Does not belong here: anything that `tests/golden` lists.
"""

from __future__ import annotations

from pathlib import Path

from golden_parts import inputs
from golden_parts.kept import Kept
from golden_parts.world import LANGUAGES, World


def record(world: World, kept: Kept) -> None:
    """Keep keys, a moment, noise, a table and messages."""
    kept.outcome("key", world.done("key", "new", "--out", "key.pem"))
    inputs.people_table(Path("people.csv"), rows=300)
    Path("domains.yaml").write_text(inputs.DOMAINS, "utf-8")
    words = ("--domains", "domains.yaml", "--epsilon", 1, "--delta", "1e-6", "--out", "a/out")
    words = (*words, "--max-people", 10_000, "--ledger", "a/ledger", "--new-ledger", "invented")
    kept.outcome("protect", world.done("protect", "people.csv", *words))
    kept.tree("protected", Path("a/out"))
    kept.file("ledger.jsonl", Path("a/ledger/ledger.jsonl"))
    kept.text("requests.txt", len(world.requests))
    for lang in LANGUAGES:
        kept.outcome(f"messages.many/{lang}", world.run("suggest", Path("no").resolve(), lang=lang))
