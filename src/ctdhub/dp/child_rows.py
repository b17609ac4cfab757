"""Perpetrators of people: what is public about their table, and how many rows of a person count.

The unit stays the person.  Of a row of people at most ``each`` perpetrators count, and one person
has at most B rows, so that she changes each table of perpetrators by at most ``rows`` = B x
``each`` in L2 (all of them in one cell): a table costs ``rows`` squared / (2 sigma squared), and
the costs of both answers add (``accounting``).
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from ctdhub.dp.person_rows import ONE, PersonRows
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.policy import Policy
from ctdhub.dp.rows import Bound, InMemory, Rows, Tally
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import PERSON, Schema

_NO_DOMAIN = ("entity", "count")


@dataclass(frozen=True)
class Mentioned:
    """Perpetrators, and what may be spent on them.

    Attributes:
        plan: of their table; ``plan.rows`` is the public bound for all rows of one person.
        each: the public bound for one row of people.
        share: of the release's rho, 0 to 1.
        rows: one for each perpetrator of a person, who is called in the column ``PERSON``.
    """

    plan: Plan
    share: float
    rows: Rows
    each: int

    def tally(self, tables: tuple[Columns, ...], key: bytes) -> Tally:
        """Tables of at most ``each`` of each row of people.

        Args:
            key: secret; it decides which.
        """
        return Tally(self.plan.domains, tables, bound=Bound(PERSON, self.each, key))


def mentioned(
    perpetrators: pa.Table | Rows | None, policy: Policy, schema: Schema, of: PersonRows = ONE
) -> Mentioned | None:
    """The perpetrators of a release, None where the policy leaves them out.

    Args:
        perpetrators: ``person`` (what the person is called, whoever else there is) and the public
            variables of ``Schema.table("perpetrators")``; None is a table without rows.
        of: the rows that one person may have, by the agreements.
    """
    if not policy.perpetrators.share:
        return None
    if perpetrators is None:
        persons = pa.field(PERSON, pa.string())
        perpetrators = pa.schema([persons, *arrow_schema("perpetrators")]).empty_table()
    rows = InMemory(perpetrators) if isinstance(perpetrators, pa.Table) else perpetrators
    settings = policy.perpetrators
    return Mentioned(plan_of_perpetrators(policy, schema, of), settings.share, rows, settings.rows)


def plan_of_perpetrators(policy: Policy, schema: Schema, of: PersonRows = ONE) -> Plan:
    """Every column and pair of public variables of a perpetrator that have a public domain."""
    found = schema.table("perpetrators")
    names = [v.name for v in found if v.public and v.kind not in _NO_DOMAIN]
    return Plan(
        {name: schema.domain(name, policy.years) for name in names},
        rows=policy.perpetrators.rows * of.bound,
        tokens=policy.linking.people,
        level=policy.level,
        false_share=policy.false_share,
        support=policy.support,
    )
