"""Regions of people that follow from their countries."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema import countries
from ctdhub.schema.roles import DESTINATION, DESTINATION_REGION, ORIGIN, ORIGIN_REGION

COUNTRY_OF = {ORIGIN_REGION: ORIGIN, DESTINATION_REGION: DESTINATION}
"""Each variable of regions, and the country that it follows from."""

_JOINED = {"americas": "americas_oceania", "oceania": "americas_oceania"}
"""Regions of UN M49 that the hub's code list has under another name."""


def with_regions(people: pa.Table, wanted: Collection[str]) -> pa.Table:
    """People with the wanted columns of regions filled.

    A region follows from the country; where there is no country, the region that a contributor
    gave stays.

    Args:
        people: columns of countries as alpha-3 codes, null where not recorded.
        wanted: names of columns of :data:`COUNTRY_OF`; a column is added where it is missing.
    """
    codes = pa.array(countries.ALPHA3, pa.string())
    keys = (countries.region(code) for code in countries.ALPHA3)
    named = [None if key == countries.NO_REGION else _JOINED.get(key, key) for key in keys]
    regions = pa.array(named, pa.string())
    for name in wanted:
        if COUNTRY_OF[name] not in people.column_names:
            continue
        country = people[COUNTRY_OF[name]].cast(pa.string())
        column = regions.take(pc.index_in(country.combine_chunks(), value_set=codes))
        if name in people.column_names:
            given = people[name].cast(pa.string()).combine_chunks()
            column = pc.coalesce(column, given)
            people = people.set_column(people.schema.get_field_index(name), name, column)
        else:
            people = people.append_column(name, column)
    return people
