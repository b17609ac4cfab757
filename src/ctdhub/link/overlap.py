"""How lists overlap: people by the set of lists that know them, and how many count twice.

Belongs here: exact counts.  Does not belong here: whom tokens join (``joins``), noise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa

from ctdhub.harmonise.engine import run
from ctdhub.link.joins import PERSON


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
    """

    lists: tuple[str, ...] = ()
    years: tuple[int, int] = (0, 0)
    tokens: int = 0
    people: dict[tuple[str, ...], int] = field(default_factory=dict)
    doubles: int = 0

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        content = {**asdict(self), "people": [[*item] for item in self.people.items()]}
        path.write_text(json.dumps(content, indent=1), "utf-8")

    @staticmethod
    def read(path: Path) -> Overlap:
        """Read what :meth:`write` wrote."""
        found = json.loads(path.read_text("utf-8"))
        return Overlap(
            tuple(found["lists"]),
            tuple(found["years"]),
            found["tokens"],
            {tuple(names): people for names, people in found["people"]},
            found["doubles"],
        )


_SETS = f"""
SELECT lists, count(*) AS people
FROM (
    SELECT coalesce(j.one, {PERSON}) AS person, sum(DISTINCT l.bit)::BIGINT AS lists
    FROM records r
    JOIN lists l ON r.reporting_entity = l.id
    LEFT JOIN joined j ON j.person = {PERSON}
    WHERE r.year_of_registration BETWEEN {{first:d}} AND {{last:d}}
    GROUP BY 1
)
GROUP BY 1 ORDER BY 1
"""


def people_by_lists(
    records: pa.Table, joined: pa.Table, lists: Sequence[str], years: tuple[int, int]
) -> dict[tuple[str, ...], int]:
    """People by the lists that know them, ids in order.

    Args:
        records: ``record_id``, ``person_key``, ``reporting_entity``, ``year_of_registration``.
        joined: persons who are another, schema ``ctdhub.link.joins.JOINS``.
        lists: ids of contributors.
        years: a list knows a person where it has a record of her from these years.
    """
    bits = pa.table({"id": list(lists), "bit": [1 << i for i in range(len(lists))]})
    sql = _SETS.format(first=years[0], last=years[1])
    found = run(sql, records=records, lists=bits, joined=joined)
    return {
        tuple(name for i, name in enumerate(lists) if which >> i & 1): people
        for which, people in zip(*(found[c].to_pylist() for c in found.column_names), strict=True)
    }
