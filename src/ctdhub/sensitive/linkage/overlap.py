"""How lists overlap: people by the set of lists that know them, and how many count twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc


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


def people_by_lists(
    records: pa.Table, persons: pa.Array, lists: Sequence[str], years: tuple[int, int]
) -> Counter[tuple[str, ...]]:
    """People by the lists that know them, ids in order.

    Args:
        records: ``reporting_entity``, ``year_of_registration``.
        persons: whose each record is.
        lists: ids of contributors.
        years: a list knows a person where it has a record of her from these years.
    """
    names = records["reporting_entity"].combine_chunks().cast(pa.string())
    which = pc.index_in(names, value_set=pa.array(lists, pa.string()))
    year = records["year_of_registration"].combine_chunks()
    inside = pc.and_(pc.greater_equal(year, years[0]), pc.less_equal(year, years[1]))
    known = pa.table({"person": persons, "list": which})
    known = known.filter(pc.and_(inside, which.is_valid()))
    once = known.group_by(["person", "list"]).aggregate([])
    bits = pc.shift_left(pa.scalar(1, pa.int32()), once["list"])
    sets = once.append_column("bits", bits).group_by("person").aggregate([("bits", "sum")])
    return Counter(
        {
            tuple(name for i, name in enumerate(lists) if row["values"] >> i & 1): row["counts"]
            for row in pc.value_counts(sets["bits_sum"]).to_pylist()
        }
    )
