"""Protected records as a table of text."""

from __future__ import annotations

import pyarrow as pa

from ctdhub.dp.indicators import Draft
from ctdhub.dp.policy import Domains


def to_table(records: Draft, domains: Domains) -> pa.Table:
    """One text column per public column, null where not recorded; ``records`` are used up."""
    return pa.table(
        {
            name: pa.array([None, *domain], pa.string()).take(pa.array(records.pop(name)))
            for name, domain in domains.items()
        }
    )
