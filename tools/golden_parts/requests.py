"""Twelve requests: what the ledger tells one question from another by.

Belongs here: the hub's own request, and eleven of one-off tables whose settings each differ in one
thing.  A request is kept as the message of the ledger's keyed hash: digests of the exact tables in
hexadecimal, then the canonical text.  Whoever changes one makes a hub pay for its next release.
"""

from __future__ import annotations

import json
from pathlib import Path

from golden_parts import inputs
from golden_parts.kept import Kept
from golden_parts.world import World

DIGEST = 32
"""Bytes of a digest."""

PERSON = inputs.DOMAINS.replace("columns:", "person: case\nrows: 2\ncolumns:")
VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "epsilon-1": (inputs.DOMAINS, ("--epsilon", "1")),
    "epsilon-2": (inputs.DOMAINS, ("--epsilon", "2")),
    "delta": (inputs.DOMAINS, ("--delta", "1e-7")),
    "support": (inputs.DOMAINS, ("--support", "2")),
    "max-people": (inputs.DOMAINS, ("--max-people", "5000")),
    "fewer-columns": (inputs.DOMAINS.replace("  debt: [yes, no]\n", ""), ()),
    "more-values": (inputs.DOMAINS.replace("[yes, no]", "[yes, no, part]"), ()),
    "rows-2": (PERSON, ()),
    "rows-3": (PERSON.replace("rows: 2", "rows: 3"), ()),
    "level": (inputs.DOMAINS.replace("columns:", "level: 0.9\ncolumns:"), ()),
    "groups": (inputs.DOMAINS + "groups: [[year, gender, age]]\n", ()),
}
"""Domains file and options by name."""


def record(world: World, kept: Kept) -> None:
    """Keep the requests, and the question that the ledger makes of each under a fixed secret."""
    seen = Path("requests.txt").read_text("utf-8").split()
    for number, line in enumerate(seen, 1):
        kept.text(f"requests/hub-{number}.txt", text_of(bytes.fromhex(line)))
    inputs.people_table(Path("people.csv"))
    inputs.people_table(Path("persons.csv"), person=True)
    for name, (domains, options) in VARIANTS.items():
        Path(f"{name}.yaml").write_text(domains, "utf-8")
        table = "persons.csv" if "person:" in domains else "people.csv"
        words = {
            "--epsilon": "1",
            "--delta": "1e-6",
            "--max-people": "10000",
            "--ledger": f"requests/{name}/ledger",
            "--new-ledger": "fictitious people",
        } | dict(zip(options[::2], options[1::2], strict=True))
        flat = [word for pair in words.items() for word in pair]
        before = len(world.requests)
        out = f"requests/{name}/out"
        Path(out).parent.mkdir(parents=True)
        world.done("protect", table, "--domains", f"{name}.yaml", *flat, "--out", out)
        for number, request in enumerate(dict.fromkeys(world.requests[before:]), 1):
            kept.text(f"requests/{name}-{number}.txt", text_of(request))


def text_of(request: bytes) -> str:
    """Digests of tables in hexadecimal, and the settings as they are written."""
    for start in range(0, len(request), DIGEST):
        try:
            json.loads(request[start:])
        except ValueError:
            continue
        return f"{request[:start].hex()}\n{request[start:].decode()}\n"
    return request.hex()
