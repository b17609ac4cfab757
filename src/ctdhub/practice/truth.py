"""The facts behind the practice data, to hold results against."""

from __future__ import annotations

from typing import Any

import numpy as np

from ctdhub.practice.chance import Bools
from ctdhub.practice.experience import belonging
from ctdhub.practice.marginals import Marginals
from ctdhub.practice.people import People
from ctdhub.schema import countries
from ctdhub.schema.countries import ALPHA3
from ctdhub.schema.model import load_schema


def facts(p: People, m: Marginals) -> dict[str, Any]:
    """Planted facts and totals, ready for JSON.

    Keys: ``people``; ``years``; ``women_share``; ``lists`` (overlap of contributors, size of the
    population behind the lists with tokens, people among it whom no list knows); ``corridor`` (by
    year: all, women, share); ``stopped`` (contributor and its last year); ``accommodation`` (by
    group: with a need, received, share); ``europe`` (to 2018: citizens, exploited, shares).
    """
    return {
        "people": len(p.year),
        "years": list(m.years),
        "women_share": _share(p.is_gender("female")),
        "lists": _lists(p, m),
        "corridor": _corridor(p, m),
        "stopped": _stopped(m),
        "accommodation": _accommodation(p, m),
        "europe": _europe(p),
    }


def _share(chosen: Bools) -> float:
    return round(float(chosen.mean()), 4) if len(chosen) else 0.0


def _lists(p: People, m: Marginals) -> dict[str, Any]:
    patterns, counts = np.unique(p.known, axis=0, return_counts=True)
    named = {
        " + ".join(np.array(p.ids)[pattern]): int(n)
        for pattern, n in zip(patterns, counts, strict=True)
    }
    with_tokens = p.known[:, [p.ids.index(name) for name in m.lists.chance]].any(axis=1)
    return {
        "with_tokens": list(m.lists.chance),
        "overlap": named,
        "known_to_several": int((p.known.sum(axis=1) > 1).sum()),
        "population": p.population,
        "known_to_none": p.population - int(with_tokens.sum()),
    }


def _corridor(p: People, m: Marginals) -> dict[str, Any]:
    on = p.codes["citizenship"] == ALPHA3.index(m.planted.citizenship)
    on &= p.codes["country_of_exploitation"] == ALPHA3.index(m.planted.country_of_exploitation)
    women = p.is_gender("female")
    years = {}
    for year in m.planted.all:
        there = on & (p.year == year)
        count, female = int(there.sum()), int((there & women).sum())
        years[str(year)] = {"all": count, "women": female, "share": round(female / count, 4)}
    return {
        "citizenship": m.planted.citizenship,
        "country_of_exploitation": m.planted.country_of_exploitation,
        "contributor": m.planted.contributor,
        "years": years,
    }


def _stopped(m: Marginals) -> list[dict[str, Any]]:
    return [
        {"contributor": name, "last_year": c.years[1]}
        for name, c in m.contributors.items()
        if c.years[1] < m.years[1]
    ]


def _accommodation(p: People, m: Marginals) -> dict[str, dict[str, Any]]:
    status = p.codes["assistance_accommodation"]
    received = load_schema().domain("assistance_accommodation").index("received")
    group = belonging(p.codes)
    found = {}
    for i, name in enumerate(m.assistance.accommodation):
        asked = status[(group == i) & (status >= 0)]
        found[name] = {
            "with_a_need": len(asked),
            "received": int((asked == received).sum()),
            "share": _share(asked == received),
        }
    return found


def _europe(p: People) -> dict[str, dict[str, Any]]:
    inside = np.array([countries.region(code) == "europe" for code in ALPHA3])
    until = p.year <= 2018
    women = p.is_gender("female")
    found = {}
    for name, column in (
        ("citizens", "citizenship"),
        ("exploited", "country_of_exploitation"),
    ):
        there = inside[p.codes[column]]
        found[name] = {
            "until_2018": int((there & until).sum()),
            "share": _share(there[until]),
            "women_share": _share(women[there & until]),
        }
    return found
