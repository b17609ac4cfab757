"""What a series says of its noise holds for the difference of two years, in few years too."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from invented_release import FACTS
from practice_releases import Practice

from ctdhub.dp.policy import Policy
from ctdhub.stats.trend import series


@pytest.mark.parametrize(("last", "draws"), [(2003, 120), (2006, 30)])
def test_differences_of_years_vary_as_said(last: int, draws: int, tmp_path: Path) -> None:
    """Two years: 13 % more than if the noise of fitted years were independent."""
    rng, n = np.random.default_rng(5), 400
    people = pa.table(
        {
            "year_of_registration": [str(y) for y in rng.integers(2002, last + 1, n)],
            "gender": rng.choice(["female", "male"], n).tolist(),
            "any_means": rng.choice(["yes", "no"], n).tolist(),
            "reporting_entity": ["one"] * n,
        }
    )
    practice = Practice(tmp_path, people, {**FACTS, "years": [2002, last]})
    columns = ("year_of_registration", "gender", "any_means")
    practice.policy = Policy(columns=columns, years=(2002, last), epsilon=4.0)
    practice.rho = 0.05
    off = []
    for seed in range(1, draws + 1):
        found = series(practice.release(seed), {})
        assert found is not None
        truth = practice.people_where({})
        noise = [x - truth.get(int(y), 0) for x, y in zip(found.noisy, found.years, strict=True)]
        off += [(a - b) / found.sigma for a, b in combinations(noise, 2)]
    assert np.std(off) == pytest.approx(2**0.5, rel=0.12)
    assert np.std(off) < 1.06 * 2**0.5, "no more than is said"
