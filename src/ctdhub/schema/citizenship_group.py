"""Whom the country of exploitation owes what: its nationals, citizens of the EU, everybody else.

The groups are those by which the law of the European Union and the reports of its members tell
victims apart (Directive 2011/36/EU; Eurostat, crim_thb).  The EU means its members of today
(:func:`ctdhub.schema.countries.members`), for every year: a group then means one list of countries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ctdhub.schema import countries

NATIONAL, OTHER_EU, THIRD_COUNTRY = "national", "other_eu", "third_country"
GROUPS = (NATIONAL, OTHER_EU, THIRD_COUNTRY)
NOT_RECORDED = ""


def citizenship_group(citizenship: str | None, country: str | None) -> str:
    """The group of a citizen of one country who was exploited in another, or in the same.

    Args:
        citizenship, country: ISO 3166 alpha-3 codes; empty or None where not recorded.

    Returns:
        One of :data:`GROUPS`; empty where either country is not recorded.

    >>> [citizenship_group(*pair) for pair in (("ITA", "ITA"), ("ROU", "ITA"), ("ROU", "GBR"))]
    ['national', 'other_eu', 'third_country']
    >>> citizenship_group("ITA", None)
    ''
    """
    if not citizenship or not country:
        return NOT_RECORDED
    if citizenship == country:
        return NATIONAL
    members = countries.members("eu")
    return OTHER_EU if citizenship in members and country in members else THIRD_COUNTRY


def group_codes(citizenship: Sequence[str], country: Sequence[str]) -> npt.NDArray[np.uint16]:
    """The group of every pair of two public domains of countries, as codes.

    Returns:
        (1 + citizenships) x (1 + countries), "not recorded" first on both axes: 0 is "not
        recorded", k the k-th of :data:`GROUPS`.

    >>> group_codes(("FRA", "PHL"), ("FRA", "ITA")).tolist()
    [[0, 0, 0], [0, 1, 2], [0, 3, 3]]
    """
    origins, places = np.array(["", *citizenship]), np.array(["", *country])
    union = countries.members("eu")
    inside = np.isin(origins, union)[:, None] & np.isin(places, union)[None, :]
    codes = np.where(origins[:, None] == places[None, :], 1, np.where(inside, 2, 3))
    codes[0, :] = codes[:, 0] = 0
    return codes.astype(np.uint16)
