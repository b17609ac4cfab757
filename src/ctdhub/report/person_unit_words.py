"""The unit of a release in words: who is protected, for how many rows, and who has more of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ctdhub.border import Guarantee
from ctdhub.core.format import decimal
from ctdhub.core.i18n import Text, formula, joined


def unit_words(unit: str, rows: int) -> Text:
    """Who is protected.

    Args:
        unit: as a guarantee has it.
        rows: the most rows of one person that noise is for.
    """
    if rows > 1:
        return Text("person with at most {n} rows", n=rows)
    known = {"person": Text("person"), "row of a contributor": Text("row of a contributor")}
    return known.get(unit) or joined([unit], "")


def noise_is_for(rows: int) -> Text:
    """For how many rows of one person noise is, and what a row is."""
    if rows == 1:
        return Text(
            "Noise is for one row of each person: records with the same person key are one row, "
            "and a record without a key is a row of its own."
        )
    return Text(
        "Noise is for up to {n} rows of one person: records with the same person key are one row, "
        "and a record without a key is a row of its own.",
        n=rows,
    )


def with_more_rows(by_rows: Mapping[str, float]) -> Text:
    """Epsilon of a person by the number of rows.

    Args:
        by_rows: as a guarantee has it, not empty.
    """
    return Text(
        "A person whom several contributors know under different keys has several rows. Epsilon "
        "of a person by the number of rows: {list}.",
        list=formula(rows_and_epsilon(by_rows)),
    )


def rows_and_epsilon(by_rows: Mapping[str, float]) -> str:
    """Numbers of rows and epsilon of each, rounded up.

    >>> rows_and_epsilon({"1": 4.0, "2": 8.6174})
    '1: 4; 2: 8.62'
    """
    return "; ".join(f"{rows}: {epsilon_words(of)}" for rows, of in by_rows.items())


def sentences(guarantee: Guarantee) -> list[Text]:
    """What a release says of its unit, beside naming it."""
    return [noise_is_for(guarantee.rows), with_more_rows(guarantee.by_rows)]


def epsilon_words(epsilon: float) -> str:
    """Epsilon with two decimals, rounded up."""
    return decimal(math.ceil(round(epsilon * 100, 6)) / 100, "0.##")
