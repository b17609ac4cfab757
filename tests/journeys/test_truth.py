"""What a release says beside what is true, which only practice data can tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import reduce
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ctdhub.hub import contributions, folder, pipeline
from ctdhub.hub.folder import Hub
from ctdhub.release.open import open_release
from ctdhub.schema import countries
from ctdhub.stats.answers import Answers
from tests.fixtures.hubs import set_policy

YEARS = [str(year) for year in range(2002, 2019)]
CONDITIONS: list[dict[str, Collection[str]]] = [
    {},
    {"gender": ["female"]},
    {"any_exploitation": ["yes"]},
    {"exploitation_sexual": ["yes"]},
    {"exploitation_forced_labour": ["yes"]},
    {"year_of_registration": YEARS},
]
REGIONS = [*countries.regions(), *countries.subregions(), "eu", "council_of_europe"]
SIDES = ("citizenship", "country_of_exploitation")


def true_count(people: pa.Table, where: Mapping[str, Collection[str]]) -> int:
    masks = [pc.is_in(people[name], value_set=pa.array(list(v))) for name, v in where.items()]
    return pc.sum(reduce(pc.and_, masks)).as_py() or 0


@pytest.mark.parametrize("epsilon", [4.0, 60.0])
def test_sums_over_regions_contain_the_truth(hub: Hub, epsilon: float) -> None:
    """Whether noise or the fit of the records is the greater error, intervals cover.

    In one release errors go together, for regions overlap: one in 25 covers less than 0.95 of its
    questions, all together 0.98.  So several releases are asked.
    """
    held = []
    for number in range(3):
        set_policy(hub, epsilon=epsilon + number / 1000)
        pipeline.build(hub, until="release")
        held += covered(hub)
    assert len(held) == 3 * len(REGIONS) * len(SIDES) * len(CONDITIONS)
    assert sum(held) / len(held) >= 0.95


def covered(hub: Hub) -> list[bool]:
    """For each question, whether the interval of the latest release holds what is true."""
    answers = Answers(open_release(hub.releases / str(folder.released_version(hub))))
    people = pq.read_table(hub.work / "people" / contributions.PEOPLE)
    year = people.schema.get_field_index("year_of_registration")
    people = people.set_column(year, "year_of_registration", people[year].cast(pa.string()))
    held = []
    for region, side, condition in product(REGIONS, SIDES, CONDITIONS):
        where = {side: countries.members(region), **condition}
        answer = answers.count(where)
        if answer.value is not None and answer.low is not None and answer.high is not None:
            held.append(answer.low <= true_count(people, where) <= answer.high)
    return held
