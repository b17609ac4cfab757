"""Which years somebody reports on, by the agreements: no record and no cell is of another one.

Public settings decide that, never the data, and never the clock: the last year is that of the
version, which ``facts`` hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.dp.policy import Policy

Years = frozenset[int]


def covered_years(policy: Policy, facts: Mapping[str, Any]) -> Years:
    """Years of the policy that the agreement of some contributor covers, gaps left out.

    Args:
        facts: public facts; ``years``, first and last that a release is about, and of each
            contributor its own, where its agreement says so.

    Raises:
        PolicyError: there is no such year.

    >>> facts = {"years": [2010, 2016], "contributors": [{"years": [2002, 2011]},
    ...                                                  {"years": [2014, 2030]}]}
    >>> sorted(covered_years(Policy(years=(2005, 2015)), facts))
    [2010, 2011, 2014, 2015]
    """
    whole = facts.get("years") or policy.years
    given = [c.get("years") for c in facts.get("contributors", ()) if isinstance(c, Mapping)]
    spans = [span or whole for span in given] or [whole]
    first, last = max(whole[0], policy.years[0]), min(whole[1], policy.years[1])
    found = frozenset(y for y in range(first, last + 1) if any(a <= y <= b for a, b in spans))
    if not found:
        raise error("policy-coverage", file="policy.yaml", first=first, last=last)
    return found
