"""Persons as a contributor tells them apart, and what its records say against a link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.i18n import Text
from ctdhub.schema.roles import SEX
from ctdhub.sensitive.linkage.match_weights import FACTS, Ints

TOLERANCE = 1
"""Years by which birth years may differ: an age is known to the year, a registration too."""


@dataclass(frozen=True)
class Persons:
    """Persons, from 0.

    Attributes:
        of_record: person of each row that went in.
        record: id of the first record of each person.
        key: what the contributor tells each person by: its key, else the id of the record.
        source: contributor of each person, from 0.
        sources: ids of the contributors.
        facts: codes of ``match_weights.FACTS`` by person, -1 where not recorded.
        women, men: codes of these genders.
        born, seen: first and last possible year of birth and of registration, shape (n, 2),
            without bounds where not recorded.
    """

    of_record: Ints
    record: list[str]
    key: list[str]
    source: Ints
    sources: list[str]
    facts: dict[str, Ints]
    women: int
    men: int
    born: NDArray[np.float64]
    seen: NDArray[np.float64]


def persons_of(held: pa.Table, facts: pa.Table) -> Persons:
    """A person is a contributor's key of a person, else a record.

    Args:
        held: ``record_id``, ``contributor``.
        facts: for each row of it ``person_key_first``, ``age_band_first``,
            ``year_of_registration_first`` and the columns of the facts.
    """
    key = pc.coalesce(facts["person_key_first"], held["record_id"])
    scope = pc.binary_join_element_wise(held["contributor"], key, "\0").combine_chunks()
    coded = scope.dictionary_encode()
    of_record = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    n = len(coded.dictionary)
    first = np.full(n, len(of_record), np.int64)
    np.minimum.at(first, of_record, np.arange(len(of_record)))
    contributor = held["contributor"].combine_chunks().dictionary_encode()
    facts_, genders = {}, dict[str, int]()
    for name in FACTS:
        said = facts[f"{name}_first"].combine_chunks().dictionary_encode()
        codes = said.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        facts_[name] = _latest(of_record, n, codes)
        if name == SEX:
            genders = {text: i for i, text in enumerate(said.dictionary.to_pylist())}
    year = facts["year_of_registration_first"].cast(pa.float64()).to_numpy().copy()
    age = np.array([_ages(band) for band in facts["age_band_first"].to_pylist()]).reshape(-1, 2)
    return Persons(
        of_record=of_record,
        record=held["record_id"].take(pa.array(first)).to_pylist(),
        key=key.take(pa.array(first)).to_pylist(),
        source=contributor.indices.to_numpy(zero_copy_only=False).astype(np.int64)[first],
        sources=contributor.dictionary.to_pylist(),
        facts=facts_,
        women=genders.get("female", -2),
        men=genders.get("male", -2),
        born=_bounds(of_record, n, year - age[:, 1] - 1, year - age[:, 0]),
        seen=_bounds(of_record, n, year, year),
    )


def _ages(band: str | None) -> tuple[float, float]:
    """Youngest and oldest age of a band, unbounded where it is."""
    if not band:
        return np.nan, np.nan
    low, __, high = band.rstrip("+").partition("-")
    return float(low), float(high) if high else np.inf


def _latest(of_record: Ints, n: int, codes: Ints) -> Ints:
    """The code of a person: that of the last record that has one, -1 where none has."""
    found = np.full(n, -1, np.int64)
    known = codes >= 0
    found[of_record[known]] = codes[known]
    return found


def _bounds(
    of_record: Ints, n: int, low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The widest bounds that any record of a person allows: shape (n, 2), open where unknown."""
    bounds = np.column_stack([np.full(n, np.inf), np.full(n, -np.inf)])
    known = ~np.isnan(low)
    np.minimum.at(bounds[:, 0], of_record[known], low[known])
    np.maximum.at(bounds[:, 1], of_record[known], high[known])
    bounds[bounds[:, 0] > bounds[:, 1]] = (-np.inf, np.inf)
    return bounds


def contradiction(p: Persons, x: int, y: int) -> Text | None:
    """Why two persons cannot be one; None where nothing says so."""
    gender = p.facts[SEX]
    if {int(gender[x]), int(gender[y])} == {p.women, p.men}:
        return Text("The genders differ.")
    if max(p.born[x, 0], p.born[y, 0]) > min(p.born[x, 1], p.born[y, 1]) + TOLERANCE:
        return Text("The ages do not belong to one person.")
    if p.seen[x, 0] + TOLERANCE < p.born[y, 0] or p.seen[y, 0] + TOLERANCE < p.born[x, 0]:
        return Text("One was registered before the other was born.")
    return None
