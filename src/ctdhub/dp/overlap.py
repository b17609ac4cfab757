"""How lists overlap, as the engine takes it: people by the set of lists that know them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Overlap:
    """Exact counts.  Sensitive.

    Attributes:
        lists: ids of the lists, in order; () where none are asked about.
        years: first and last year, both included, in which a list must know a person.
        tokens: the most tokens of a person that join her with others; 0 for her key alone.
        people: people by the lists that know them, ids in order; sets without people are left
            out, and so are people on no list.
        doubles: rows of people that are another row's person by these tokens.
        without_key: records without any key, each a person of its own.
        possible: rows that may be another row's person, by citizenship, "" where not recorded;
            empty where nobody asks, as are the next two.
        births: the same by how exactly the birth is known, keys of :data:`BIRTHS`.
        captures: rows found by each of :data:`CAPTURES`.
        strata: people by the lists that know them, as in ``people``, by variable and value, ""
            where not recorded; empty where nobody asks.
    """

    lists: tuple[str, ...] = ()
    years: tuple[int, int] = (0, 0)
    tokens: int = 0
    people: dict[tuple[str, ...], int] = field(default_factory=dict)
    doubles: int = 0
    without_key: int = 0
    possible: dict[str, int] = field(default_factory=dict)
    births: dict[str, int] = field(default_factory=dict)
    captures: dict[str, int] = field(default_factory=dict)
    strata: dict[tuple[str, str, tuple[str, ...]], int] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        content = asdict(self)
        for name in ("people", "strata"):
            content[name] = [[*item] for item in content[name].items()]
        path.write_text(json.dumps(content, indent=1), "utf-8")

    @staticmethod
    def read(path: Path) -> Overlap:
        """Read what :meth:`write` wrote."""
        found = json.loads(path.read_text("utf-8"))
        strata = {(name, value, tuple(on)): n for (name, value, on), n in found.get("strata", ())}
        return Overlap(
            tuple(found["lists"]),
            tuple(found["years"]),
            found["tokens"],
            {tuple(names): people for names, people in found["people"]},
            found["doubles"],
            found.get("without_key", 0),
            found.get("possible", {}),
            found.get("births", {}),
            found.get("captures", {}),
            strata,
        )
