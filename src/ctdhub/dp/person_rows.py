"""How many rows of people one person may have: the unit of a release, and what its noise is for.

A row is one person key, else one record.  The agreement of a contributor bounds the rows that one
person may have there (``rows_per_person``, 1 where it says nothing); the policy says with how many
contributors one person may be (``linking.known_to``).  Equal keys only ever make fewer rows of
several.  So one person has at most as many rows as the largest ``known_to`` of these bounds
together: that is B, and it is public.  Noise is for B rows, B times that of one row: by the group
property of zCDP what costs rho for one row costs B squared times rho for B (Bun and Steinke 2016,
proposition 1.9), and rho here is what a person with B rows is promised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.policy import Policy

EXAMPLES = (1, 2, 3, 5, 10)
"""Numbers of rows for which a release says what is really promised."""


@dataclass(frozen=True)
class PersonRows:
    """The unit of a release.

    Attributes:
        bound: B, the most rows that one person may have and that noise is for.
        known_to: with how many contributors at most.
        keyed: whether every contributor's mapping has a person key.
    """

    bound: int = 1
    known_to: int = 1
    keyed: bool = True

    @property
    def unit(self) -> str:
        """Who is protected, in English words.

        >>> PersonRows().unit, PersonRows(keyed=False).unit, PersonRows(3).unit
        ('person', 'row of a contributor', 'person with at most 3 rows')
        """
        if self.bound > 1:
            return f"person with at most {self.bound} rows"
        return "person" if self.keyed else "row of a contributor"


ONE = PersonRows()


def person_rows(policy: Policy, facts: Mapping[str, Any]) -> PersonRows:
    """The unit that policy and agreements make.

    Args:
        facts: public facts; ``contributors`` with ``rows_per_person`` and ``keyed``, each only
            where it is not 1 and not true.

    >>> several = [{"id": "a"}, {"id": "b", "rows_per_person": 3}, {"id": "c", "keyed": False}]
    >>> person_rows(Policy(), {"contributors": several})
    PersonRows(bound=3, known_to=1, keyed=False)
    >>> all_three = Policy.model_validate({"linking": {"known_to": 3}})
    >>> person_rows(all_three, {"contributors": several}).bound
    5
    """
    given = [c for c in facts.get("contributors") or () if isinstance(c, Mapping)]
    bounds = sorted((int(c.get("rows_per_person") or 1) for c in given), reverse=True)
    known_to = min(policy.linking.known_to, max(1, len(given)))
    keyed = all(c.get("keyed", True) for c in given)
    return PersonRows(max(1, sum(bounds[:known_to])), known_to, keyed)


def epsilon_by_rows(rho: float, delta: float, bound: int) -> dict[str, float]:
    """Epsilon of a person by the number of rows, rounded up: that of rho × (rows / bound)².

    Args:
        rho: what a person with ``bound`` rows is promised.

    >>> from ctdhub.dp.accounting import rho_of
    >>> found = epsilon_by_rows(rho_of(1.0, 1e-8), 1e-8, 1)
    >>> {rows: round(epsilon, 2) for rows, epsilon in found.items()}
    {'1': 1.0, '2': 2.08, '3': 3.21, '5': 5.6, '10': 12.26}
    """
    numbers = sorted({*EXAMPLES, bound})
    return {str(n): epsilon_of(rho * (n / bound) ** 2, delta) for n in numbers}
