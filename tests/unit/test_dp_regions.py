"""Regions follow from countries; a region that was given alone stays."""

from __future__ import annotations

import pyarrow as pa

from ctdhub.dp.count import COUNTRY_OF, with_regions
from ctdhub.schema import countries
from ctdhub.schema.model import load_schema


def test_every_country_has_the_region_of_the_code_list() -> None:
    people = pa.table({"citizenship": pa.array(countries.ALPHA3)})
    found = with_regions(people, ["citizenship_region"])["citizenship_region"].to_pylist()
    by_code = dict(zip(countries.ALPHA3, found, strict=True))
    assert by_code["ATA"] is None
    assert set(found) - {None} == set(load_schema().domain("citizenship_region"))
    assert [by_code[c] for c in ("UKR", "CIV", "MEX", "FJI", "KHM")] == [
        "europe", "africa", "americas_oceania", "americas_oceania", "asia",
    ]  # fmt: skip


def test_a_country_stands_above_the_region_that_was_given() -> None:
    people = pa.table(
        {
            "country_of_exploitation": pa.array(["DEU", None, None], pa.string()),
            "exploitation_region": pa.array(["asia", "africa", None], pa.string()),
        }
    )
    found = with_regions(people, list(COUNTRY_OF))
    assert found["exploitation_region"].to_pylist() == ["europe", "africa", None]
    assert "citizenship_region" not in found.column_names
