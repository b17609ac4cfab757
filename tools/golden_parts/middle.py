"""The border: protected answers under seeded noise.

Belongs here: the hub's stored answer and its ledger; answers about one-off tables, rehearsals,
counts together, k-anonymous files.  Does not belong here: what a release makes of them (``right``).

Left out: secrets.
"""

from __future__ import annotations

from pathlib import Path

from golden_parts import inputs
from golden_parts.kept import Kept
from golden_parts.world import LANGUAGES, World

SIDES = ("casework", "hotline", "refuge")


def record(world: World, kept: Kept) -> None:
    """Keep every answer."""
    [answer] = (p for p in Path("hub/ledger/answers").iterdir() if p.is_dir())
    kept.tree("answer", answer)
    kept.file("ledger/ledger.jsonl", Path("hub/ledger/ledger.jsonl"))
    for lang in LANGUAGES:
        kept.outcome(f"ledger/show.{lang}", world.done("ledger", "hub", lang=lang))
    kept.outcome("ledger/json", world.done("ledger", "hub", "--json"))
    inputs.people_table(Path("people.csv"))
    Path("domains.yaml").write_text(inputs.DOMAINS, "utf-8")
    _alone(world, kept)
    _together(world, kept)
    for lang in LANGUAGES:
        words = ("--k", 5, "--columns", "year,gender,age", "--out", f"kanon-{lang}.csv")
        kept.outcome(f"kanon/said.{lang}", world.done("kanon", "people.csv", *words, lang=lang))
        kept.file(f"kanon/kanon-{lang}.csv", Path(f"kanon-{lang}.csv"))


def _alone(world: World, kept: Kept) -> None:
    """A one-off table: drafted, rehearsed, protected, and once more for nothing."""
    world.done("domains", "people.csv", "--out", "draft.yaml")
    kept.file("alone/draft.yaml", Path("draft.yaml"))
    protect = ("protect", "people.csv", "--domains", "domains.yaml")
    spent = ("--epsilon", 1, "--delta", "1e-6", "--max-people", 10_000)
    for lang in LANGUAGES:
        new = ("--ledger", f"alone-{lang}/ledger", "--new-ledger", "fictitious people")
        done = world.done(*protect, *spent, *new, "--out", f"alone-{lang}/out", lang=lang)
        kept.outcome(f"alone/said.{lang}", done)
        kept.tree(f"alone/{lang}", Path(f"alone-{lang}/out"))
        shown = world.done(
            "rehearse", "--domains", "domains.yaml", "--people", 2_000, "--epsilon", 1, lang=lang
        )
        kept.outcome(f"alone/rehearse.{lang}", shown)
    again = world.done(*protect, *spent, "--out", "again", "--ledger", "alone-en/ledger")
    kept.outcome("alone/again", again)
    kept.tree("alone/again-files", Path("again"))


def _together(world: World, kept: Kept) -> None:
    """A round of counts among three contributors, through one folder."""
    exchange = "exchange"
    hub = ("--keep", "keep-hub")
    names = [word for side in SIDES for word in ("--contributor", side)]
    promise = (
        "--domains",
        "domains.yaml",
        "--epsilon",
        1,
        "--delta",
        "1e-6",
        "--max-people",
        9_000,
    )
    said = [world.done("count", "new", exchange, *hub, *promise, *names)]
    for side in SIDES:
        said.append(world.done("count", "join", exchange, "--keep", f"keep-{side}", "--name", side))
    said.append(world.done("count", "start", exchange, *hub))
    for number, side in enumerate(SIDES):
        table = Path(f"{side}.csv")
        inputs.people_table(table, rows=300, seed=20 + number)
        said.append(world.done("count", "mask", table, exchange, "--keep", f"keep-{side}"))
    said.append(world.done("count", "close", exchange, *hub, "--ledger", "together/ledger",
                           "--new-ledger", "fictitious people"))  # fmt: skip
    for side in SIDES:
        said.append(world.done("count", "reveal", exchange, "--keep", f"keep-{side}"))
    said.append(world.done("count", "sum", exchange, *hub))
    [total] = Path("keep-hub").rglob("sum.count")
    said.append(world.done("count", "release", total, "--out", "together/out"))
    kept.text("together/said.txt", "".join(map(str, said)))
    kept.tree("together/exchange", Path(exchange))
    kept.tree("together/sum", Path("keep-hub"), without=("secret.count", "secret.json"))
    kept.tree("together/protected", Path("together/out"))
