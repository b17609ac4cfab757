"""Perpetrators of people: what is public about their table, and how many rows of a person count.

Belongs here: their plan, their bound, their share of a release's cost.
Does not belong here: the mechanism, which is that of any table (``mechanism``).

The unit stays the person.  A person with at most ``rows`` perpetrators changes each table of
perpetrators by at most ``rows`` in L2 (all of them in one cell), so a table costs
``rows`` squared / (2 sigma squared), and the costs of both answers add (``accounting``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.protect.bound import Places, within_bound
from ctdhub.protect.count import Codes, encode
from ctdhub.protect.plan import Plan
from ctdhub.protect.policy import Policy
from ctdhub.schema import PERSON, Schema
from ctdhub.schema.emit import arrow_schema

_NO_DOMAIN = ("entity", "count")


@dataclass(frozen=True)
class Mentioned:
    """Perpetrators by the plan's domains, and what may be spent on them.

    Attributes:
        plan: of their table; ``plan.rows`` is the public bound.
        share: of the release's rho, 0 to 1.
        codes: one row per perpetrator of a person.
        person: place of that person in the table of people, by row.
    """

    plan: Plan
    share: float
    codes: Codes
    person: npt.NDArray[np.int64]

    def bounded(self, people: Codes, key: bytes) -> Mentioned:
        """At most ``plan.rows`` of each person; see :func:`within_bound`.

        A person is called by what is said of her, for her place depends on everybody else.

        Args:
            people: the table of people.
            key: secret.

        Raises:
            ValueError: a perpetrator belongs to nobody in the table.
        """
        if self.person.size and not 0 <= self.person.min() <= self.person.max() < people.people:
            raise ValueError("a perpetrator belongs to nobody")

        def said(places: Places) -> Iterable[bytes]:
            persons = self.person[places]
            rows = np.column_stack([c[persons].astype(">u2") for c in people.columns.values()])
            return (row.tobytes() for row in rows)

        content = [c.astype(np.uint16) for c in self.codes.columns.values()]
        kept = within_bound(self.person, content, self.plan.rows, key, said)
        columns = {name: codes[kept] for name, codes in self.codes.columns.items()}
        codes = Codes(columns, self.codes.sizes, int(kept.sum()))
        return replace(self, codes=codes, person=self.person[kept])


def mentioned(perpetrators: pa.Table | None, policy: Policy, schema: Schema) -> Mentioned | None:
    """The perpetrators of a release, None where the policy leaves them out.

    Args:
        perpetrators: ``person`` (place in the table of people) and the public variables of
            ``Schema.table("perpetrators")``; None is a table without rows.

    Raises:
        PolicyError: a column is missing, or holds a value outside its public domain.
    """
    if not policy.perpetrators.share:
        return None
    if perpetrators is None:
        persons = pa.field(PERSON, pa.int32())
        perpetrators = pa.schema([persons, *arrow_schema("perpetrators")]).empty_table()
    plan = plan_of_perpetrators(policy, schema)
    person = perpetrators[PERSON].to_numpy().astype(np.int64)
    return Mentioned(plan, policy.perpetrators.share, encode(perpetrators, plan.domains), person)


def plan_of_perpetrators(policy: Policy, schema: Schema) -> Plan:
    """Every column and pair of public variables of a perpetrator that have a public domain."""
    found = schema.table("perpetrators")
    names = [v.name for v in found if v.public and v.kind not in _NO_DOMAIN]
    return Plan(
        {name: schema.domain(name, policy.years) for name in names},
        rows=policy.perpetrators.rows,
        level=policy.level,
        false_share=policy.false_share,
        support=policy.support,
    )
