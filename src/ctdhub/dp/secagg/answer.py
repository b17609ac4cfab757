"""A protected answer out of a sum: the same mechanism, without people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from ctdhub.border import Protected
from ctdhub.core.error_catalogue import error
from ctdhub.dp.asking import ReleaseRequest
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.mechanism import Progress
from ctdhub.dp.plan import Plan
from ctdhub.dp.secagg.files import altered, read
from ctdhub.dp.secagg.messages import Total
from ctdhub.dp.secagg.summed import Summed
from ctdhub.dp.standalone.domains import load_domains
from ctdhub.dp.standalone.table import ask_alone

CODEC = "zstd"

_ASKED = "counts alone 1"
"""Sets these questions apart from those of tables and of hubs."""

SCHEMA = "schema"


def packed(summed: Summed) -> bytes:
    """The numbers of a sum as the body of its file."""
    numbers = summed.cells.astype("<u4").tobytes()
    return pa.compress(numbers, codec=CODEC, asbytes=True)  # type: ignore[no-any-return]


def read_total(path: Path) -> tuple[Total, Summed]:
    """The sum in a file.

    Raises:
        CountError: it is none, or was altered.
        PolicyError: it is of another version of the schema.
    """
    found, body = read(path, Total)
    layout = found.terms.layout()
    try:
        numbers = pa.decompress(body, 4 * layout.cells, codec=CODEC, asbytes=True)
        return found, Summed(layout, np.frombuffer(numbers, "<u4").astype(np.uint32, copy=False))
    except (ValueError, pa.ArrowInvalid, OSError):
        raise altered(path) from None


def plan_of_total(found: Total, domains: str, support: int | None = None) -> Plan:
    """The plan of a sum, if it was counted by the domains that are named.

    Args:
        domains: path of the domains file, or the word "schema".
        support: stands above the file's own.

    Raises:
        PolicyError: it was counted by others; the file cannot be used.
    """
    terms = found.terms
    given = None if domains == SCHEMA else load_domains(Path(domains))
    if given != terms.domains:
        raise error("count-domains", file=domains)
    plan = terms.plan(len(found.contributors))
    return plan if support is None else replace(plan, support=support)


def protect_sum(
    summed: Summed,
    plan: Plan,
    *,
    epsilon: float,
    delta: float,
    budget: float,
    ledger: Ledger,
    file: str,
    progress: Progress | None = None,
) -> Protected:
    """Protect a sum of counts; the same sum with the same settings again is free.

    Args:
        plan: of the sum, see :meth:`Terms.plan`: its ``rows`` bound what one person adds.
        epsilon, delta: the promise to each person.
        budget: the most epsilon that all charges of the ledger together may reach.
        ledger: a folder of these contributors' own.
        file: name of the file that holds the domains, for errors.

    Raises:
        PolicyError: epsilon is too small for the tables.
        Overspend, LedgerTampered, LedgerError: see ``protect_table``.
    """
    what = f"sum of {len(plan.domains)} columns at epsilon {epsilon:g}, budget {budget:g}"
    question = ReleaseRequest(plan, epsilon, delta, budget, (_ASKED,), what, about=_ASKED)
    return ask_alone(summed, question, ledger, file, progress)
