"""Any table of public domains, protected alone: no hub, no schema, a ledger of its own."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.border import Protected
from ctdhub.core.errors import HubError, Overspend, PolicyError, error, printable
from ctdhub.core.i18n import Numeral
from ctdhub.core.tables import ROW, Tabular
from ctdhub.dp.count import within_bound
from ctdhub.dp.engine import charge
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.custody import begin, leased, new_population, open_custody
from ctdhub.dp.ledger.file import LedgerFile, damaged, guarded, write_synced
from ctdhub.dp.mechanism import Progress
from ctdhub.dp.quote import ReleaseRequest, quote_table
from ctdhub.dp.standalone.domains import Scope

# --------------------------------------------------------------------------------------------------
# Any table of public domains, protected alone: no hub, no schema of its own.

MAX_DELTA = 1e-6
MAX_PEOPLE = 10**10
"""More people than live; a smaller delta than theirs says nothing more."""

_ABOUT = "table alone 1"
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
        scope: its public domains.
        table: the plan's columns in its order, dictionary-encoded by their public values.
        person: whom each row belongs to, None where each row is one person.
    """

    scope: Scope
    table: pa.Table
    person: pa.Array | None

    def within(self, key: bytes) -> pa.Table:
        """The table with at most as many rows of each person as count; see :func:`bounded`."""
        if self.person is None:
            return self.table
        most = self.scope.plan.rows
        return self.table.filter(pa.array(bounded(self.person, self.table, most, key)))


def fit_domains(raw: Tabular, scope: Scope) -> Fitted:
    """Check every cell against its domain.

    Raises:
        PolicyError: a column is missing; a cell holds a value outside its domain, or no person:
            the first such row is named, the value is not.
    """
    person = None if scope.person is None else _person(raw, scope, scope.person)
    return Fitted(scope, coded(raw, scope), person)


def protect_alone(
    fitted: Fitted,
    *,
    epsilon: float,
    delta: float,
    budget: float,
    ledger: Ledger,
    out: Path | None = None,
    receipt: str | None = None,
    progress: Progress | None = None,
) -> Protected:
    """Protect a table; while its answer is not written, the same rows and settings are free.

    Args:
        epsilon, delta: the promise to each person.
        budget: the most epsilon that all charges of the ledger together may reach.
        ledger: a folder of this table's own.
        out, receipt: the folder that the answer is for, and the charge that lies there, see
            :func:`written_charges`; for another answer than that one nothing is charged.

    Raises:
        PolicyError: epsilon is too small for the tables.
        ReleaseError: another answer lies in the folder.
        Overspend, LedgerTampered, LedgerError: see :func:`ctdhub.dp.engine.charge`; what refuses
            names the options of the command.
    """
    table, plan, before = fitted.table, fitted.scope.plan, written_charges(ledger, out, receipt)
    if fitted.person is not None:
        with ledger.exclusive():
            key = bytes.fromhex(ledger.question(b"which rows of a person are kept"))
        table = fitted.within(key)
    what = f"table of {len(plan.domains)} columns at epsilon {epsilon:g}, budget {budget:g}"
    question = ReleaseRequest(plan, epsilon, delta, budget, what, about=_ABOUT)
    try:
        quote = quote_table(table, question, ledger, {}, past=before)
        if receipt and not quote.answered:
            raise error("out-folder/other-table", file=out)
        return charge(quote, progress, agreed=receipt is not None)
    except Overspend as cause:
        cost, left, whole = (cause.fields[name] for name in ("cost", "left", "budget"))
        folder = ledger.folder
        raise error("budget/alone", file=folder, cost=cost, left=left, budget=whole) from None
    except PolicyError as cause:
        file = fitted.scope.file
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
            row = raw.table[ROW][int(np.argmax(strange[at]))].as_py()
            raise error("public-domain", file=raw.file, row=row, column=name, domains=scope.file)
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


# --------------------------------------------------------------------------------------------------
# The ledger of a lone table: named by whoever asks, begun only where that is said.


def ledger_of_table(folder: Path | None, new: str = "") -> Ledger:
    """The ledger in a folder; it begins only where ``new`` names its people.

    Args:
        folder: where it lies or shall lie; None is refused.
        new: who the people are, in words; empty where the ledger has begun.

    Raises:
        PolicyError: no folder is named; no ledger has begun there and none is to begin; one has
            begun and another is to.
        LedgerTampered: the ledger of this folder is gone, or nothing says whose it is.
        LedgerError: there is no state folder; the system refuses.
    """
    if folder is None:
        raise error("ledger-unnamed")
    folder = folder.absolute()
    custody = open_custody(folder, folder)
    if custody is None:
        if LedgerFile(folder).entries():
            raise error("ledger-unknown", file=folder)
        if leased(folder.resolve()) is not None:
            raise error("ledger-gone/known", file=folder)
        if not new.strip():
            raise error("ledger-unnamed/new", file=folder)
        custody = begin(folder, folder, new_population(new.strip(), "table"))
        return Ledger(folder, custody=custody)
    ledger = Ledger(folder, custody=custody)
    if new and (custody.population.name != new.strip() or ledger.entries()):
        name = printable(custody.population.name)
        raise error("ledger-begun", file=folder, name=name)
    return ledger


# --------------------------------------------------------------------------------------------------
# Which answers about lone tables were written into a folder: from then on they count as published.
#
# A lone table has no versions and nobody approves it.  What was written is taken to be published,
# so that the same answer never lies in a second folder: a reader of both would learn that nothing
# changed.  The folder that holds an answer may be filled again.

_FILE = "written.json"


def written_charges(
    ledger: Ledger, out: Path | None = None, holds: str | None = None
) -> frozenset[str]:
    """Charges whose answers are not to be given again.

    Args:
        out: the folder that the answer is for; None where it is for no folder yet.
        holds: the charge of the answer that lies there, None where there is none.

    Raises:
        LedgerError: a mark is damaged, or the system refuses to read.
    """
    charges = set()
    for path in (ledger.folder / "answers").glob(f"[!.]*/{_FILE}"):
        place, whole = _marked(path)
        charge = path.parent.name
        here = out is not None and place == str(out.absolute())
        if not (here and (not whole or holds == charge)):
            charges.add(charge)
    return frozenset(charges)


@contextmanager
def writing(ledger: Ledger, charge: str, out: Path) -> Iterator[None]:
    """Note that the block writes the answer of a charge into a folder.  Inside ``exclusive()``.

    A run that is cut off inside may be repeated for this folder, and for no other; where the block
    refuses, nothing was written.

    Raises:
        ReleaseError: somebody wrote it into another folder meanwhile (``out-folder/written``).
        LedgerError: the mark is damaged, or the system refuses to write.
    """
    path = ledger.folder / "answers" / charge / _FILE
    new = not path.exists()
    if new:
        _mark(path, out, whole=False)
    elif _marked(path)[0] != str(out.absolute()):
        raise error("out-folder/written", file=out)
    try:
        yield
    except (HubError, OSError):
        if new:
            path.unlink()
        raise
    _mark(path, out, whole=True)


def _marked(path: Path) -> tuple[str, bool]:
    """Where an answer was written, and whether all of it was."""
    try:
        with guarded(path):
            mark = json.loads(path.read_bytes())
        return str(mark["out"]), bool(mark["whole"])
    except (ValueError, TypeError, KeyError):
        raise damaged(path.parent) from None


def _mark(path: Path, out: Path, *, whole: bool) -> None:
    write_synced(path, json.dumps({"out": str(out.absolute()), "whole": whole}).encode())
