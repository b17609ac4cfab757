"""Any table of public domains, protected alone: no hub, no schema of its own."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.border import Protected
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError, Overspend, PolicyError
from ctdhub.core.i18n import Numeral
from ctdhub.core.tabular import ROW, Tabular
from ctdhub.dp.asking import ReleaseRequest
from ctdhub.dp.contribution_bound import within_bound
from ctdhub.dp.engine import protect_table
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.mechanism import Progress
from ctdhub.dp.price import Pay
from ctdhub.dp.rows import Rows
from ctdhub.dp.standalone.scope import Scope

MAX_DELTA = 1e-6
MAX_PEOPLE = 10**10
"""More people than live; a smaller delta than theirs says nothing more."""

_ASKED = "table alone 1"
"""Sets these questions apart from those of hubs."""


def most_people(delta: float) -> int:
    """The most people that a delta is small enough for: 1 / (100 delta), at most MAX_PEOPLE.

    >>> most_people(1e-6), most_people(1e-8)
    (10000, 1000000)
    """
    return min(MAX_PEOPLE, math.floor(1 / (100 * Fraction(repr(delta)))))


def check_delta(delta: float, max_people: int) -> None:
    """Refuse a delta above 1e-6, or above 1 / (100 max_people).

    Raises:
        PolicyError: it is too large.
    """
    if not 0 < delta <= MAX_DELTA:
        raise error("delta")
    if max_people > most_people(delta):
        raise error("delta/people", limit=1 / (100 * max_people))


def too_many(answer: Protected, rows: int, max_people: int) -> HubError | None:
    """The fault of an answer about more people than its delta was chosen for, by the noisy count.

    Args:
        rows: the public bound of rows per person.
        max_people: the public bound of people.
    """
    if answer.people.value <= max_people * rows:
        return None
    people = math.ceil(answer.people.value / rows)
    return error("max-people", n=Numeral(max_people), people=Numeral(people))


@dataclass(frozen=True)
class Fitted:
    """A table that fits its domains.

    Attributes:
        table: the plan's columns in its order, dictionary-encoded by their public values.
        person: whom each row belongs to, None where each row is one person.
    """

    table: pa.Table
    person: pa.Array | None

    def within(self, rows: int, key: bytes) -> pa.Table:
        """The table with at most ``rows`` of each person; see :func:`bounded`."""
        if self.person is None:
            return self.table
        return self.table.filter(pa.array(bounded(self.person, self.table, rows, key)))


def fit_domains(raw: Tabular, scope: Scope) -> Fitted:
    """Check every cell against its domain.

    Raises:
        PolicyError: a column is missing; a cell holds a value outside its domain, or no person:
            the first such row is named, the value is not.
    """
    person = None if scope.person is None else _person(raw, scope, scope.person)
    return Fitted(coded(raw, scope), person)


def protect_alone(
    fitted: Fitted,
    scope: Scope,
    *,
    epsilon: float,
    delta: float,
    budget: float,
    ledger: Ledger,
    progress: Progress | None = None,
    given: Collection[str] = (),
    pay: Pay | None = None,
) -> Protected:
    """Protect a table; while its answer is not written, the same rows and settings are free.

    Args:
        fitted: see :func:`fit_domains`.
        scope: its public domains.
        epsilon, delta: the promise to each person.
        budget: the most epsilon that all charges of the ledger together may reach.
        ledger: a folder of this table's own.
        given: charges whose answers are not given again, see ``written``.
        pay: told the price before anything is charged, and may refuse it; None pays.

    Raises:
        PolicyError: epsilon is too small for the tables.
        Overspend, LedgerTampered, LedgerError: see ``protect_table``.
    """
    table = fitted.table
    if fitted.person is not None:
        with ledger.exclusive():
            key = bytes.fromhex(ledger.question(b"which rows of a person are kept"))
        table = fitted.within(scope.plan.rows, key)
    what = f"table of {len(scope.plan.domains)} columns at epsilon {epsilon:g}, budget {budget:g}"
    question = ReleaseRequest(scope.plan, epsilon, delta, budget, what, about=_ASKED)
    return ask_alone(table, question, ledger, scope.file, progress, given, pay)


def ask_alone(
    table: pa.Table | Rows,
    question: ReleaseRequest,
    ledger: Ledger,
    file: str,
    progress: Progress | None = None,
    given: Collection[str] = (),
    pay: Pay | None = None,
) -> Protected:
    """Ask a question outside a hub: what refuses it names the options of the command.

    Args:
        file: name of the file that holds the domains.
        given, pay: see :func:`protect_alone`.

    Raises:
        PolicyError, Overspend, LedgerTampered, LedgerError: see ``protect_table``.
    """
    try:
        return protect_table(table, question, ledger, {}, progress, given=given, pay=pay)
    except Overspend as cause:
        spent = cause.fields
        raise error(
            "budget/alone",
            file=ledger.folder,
            cost=spent["cost"],
            left=spent["left"],
            budget=spent["budget"],
        ) from None
    except PolicyError as cause:
        raise error("policy-noise/alone", file=file, rule=cause.rule, refusal=cause.fault) from None


def coded(raw: Tabular, scope: Scope) -> pa.Table:
    """The columns of the plan in its order, dictionary-encoded by their public values.

    Raises:
        PolicyError: a column is missing, or holds a value outside its domain: the first such row
            is named, the value is not.
    """
    columns = {}
    for name, domain in scope.plan.domains.items():
        if name not in raw.table.column_names:
            raise _missing(raw, scope, name)
        cells = raw.table.column(name).combine_chunks().dictionary_encode()
        known = pc.index_in(cells.dictionary, value_set=pa.array(domain, pa.string()))
        small = np.min_scalar_type(-len(domain) - 1)
        place = np.append(known.fill_null(-1).to_numpy(), -1).astype(small)
        blank = pa.array(scope.not_recorded.get(name, ()), pa.string())
        allowed = np.append(pc.is_in(cells.dictionary, value_set=blank).to_numpy(False), True)
        at = cells.indices.fill_null(len(cells.dictionary)).to_numpy()
        strange = (place < 0) & ~allowed
        if strange.any():
            raise _outside(raw, scope, name, int(np.argmax(strange[at])))
        index = place[at]
        columns[name] = pa.DictionaryArray.from_arrays(
            pa.array(index, mask=index < 0), pa.array(domain, pa.string())
        )
    return pa.table(columns)


def bounded(person: pa.Array, table: pa.Table, rows: int, key: bytes) -> npt.NDArray[np.bool_]:
    """Which rows are kept, so that nobody has more than ``rows``; see :func:`within_bound`.

    Args:
        person: whom each row belongs to, text without nulls.
        table: dictionary-encoded columns.
        key: secret.
    """
    content = [c.combine_chunks().indices.fill_null(-1).to_numpy() for c in table.columns]
    return within_bound(person, content, rows, key)


def _person(raw: Tabular, scope: Scope, name: str) -> pa.Array:
    if name not in raw.table.column_names:
        raise _missing(raw, scope, name)
    person = raw.table.column(name).combine_chunks()
    if person.null_count:
        row = int(np.argmax(person.is_null().to_numpy(False)))
        raise error("domains-person", file=raw.file, row=raw.table[ROW][row].as_py(), column=name)
    return person


def _missing(raw: Tabular, scope: Scope, column: str) -> HubError:
    return error("domains-column", file=raw.file, column=column, domains=scope.file)


def _outside(raw: Tabular, scope: Scope, column: str, row: int) -> HubError:
    place = raw.table[ROW][row].as_py()
    return error("public-domain", file=raw.file, row=place, column=column, domains=scope.file)
