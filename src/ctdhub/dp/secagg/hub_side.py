"""The hub's four steps: new, start, close, total."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError, Overspend, printable
from ctdhub.dp import kernels
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.noise import Bits
from ctdhub.dp.secagg import protocol
from ctdhub.dp.secagg.answer import packed
from ctdhub.dp.secagg.files import (
    altered,
    check_free,
    named,
    of_round,
    read,
    read_request,
    read_round,
    read_terms,
    write,
)
from ctdhub.dp.secagg.layout import Cells
from ctdhub.dp.secagg.messages import (
    LEAST,
    MOST,
    NAME,
    Joined,
    Masked,
    Revealed,
    Round,
    SumRequest,
    Terms,
    Total,
)
from ctdhub.dp.secagg.noise_shares import least_threshold
from ctdhub.dp.secagg.party_state import Keep, new_keep, open_keep
from ctdhub.dp.standalone.domains import DomainsFile
from ctdhub.dp.standalone.table import check_delta
from ctdhub.schema.model import load_schema


def new(
    exchange: Path,
    keep: Path,
    domains: DomainsFile | None,
    contributors: Sequence[str],
    *,
    epsilon: float,
    delta: float,
    max_people: int,
    columns: Sequence[str] = (),
    known_to: int | None = None,
    liars: int = 1,
    source: Bits = os.urandom,
) -> Terms:
    """Make the plan of a round.

    Args:
        domains: a domains file that a person has checked, None for the hub's own schema.
        contributors: 3 to 50 names.
        epsilon, delta: the promise to each person.
        max_people: the most people in all tables together; of more no records are made, whatever
            somebody sends.
        columns: of the schema, in its order.
        known_to: the most contributors that may know one person; None is all of them.
        liars: so many contributors may work with the hub or add wrong noise, at least 1.

    Raises:
        CountError: a name cannot be used, or is given twice; there are too few or too many.
        PolicyError: delta is too large for so many people; epsilon is too small for the tables.
    """
    names = tuple(sorted(contributors))
    if len(set(names)) < len(names) or not all(re.fullmatch(NAME, name) for name in names):
        raise error("count-name")
    if not LEAST <= len(names) <= MOST or not 1 <= (known_to or len(names)) <= len(names):
        raise error("count-contributors", least=LEAST, most=MOST)
    if not 1 <= liars < len(names):
        raise error("count-contributors/liars", most=len(names) - 1)
    check_delta(delta, max_people)
    own = new_keep(keep, exchange, protocol.HUB, "", source)
    terms = Terms(
        number=source(16).hex(),
        epsilon=epsilon,
        delta=delta,
        max_people=max_people,
        domains=domains,
        schema_version=None if domains else load_schema().version,
        columns=None if domains else tuple(columns),
        contributors=names,
        known_to=known_to or len(names),
        liars=liars,
        hub=own.secret.public,
    )
    write(named(exchange, "plan"), terms)
    own.noted(plan=terms.hash)
    return terms


def usual_threshold(contributors: int, liars: int) -> int:
    """How many must answer if nobody says otherwise: two thirds, and enough for the liars.

    >>> [usual_threshold(n, 1) for n in (3, 4, 5, 10)]
    [3, 3, 4, 7]
    """
    return max(LEAST, -(-2 * contributors // 3), least_threshold(contributors, liars))


def start(
    exchange: Path, keep: Path, without: Sequence[str] = (), threshold: int | None = None
) -> Round:
    """Make the round of those who joined.

    Args:
        without: contributors that are left out because they do not take part.
        threshold: how many must answer; None is the usual number.

    Raises:
        CountError: a contributor has not joined and is not left out; too few are there; the
            threshold is too low.
        PolicyError: epsilon is too small for the tables.
    """
    own = open_keep(keep)
    terms = read_terms(exchange)
    if terms.hash != own.plan or terms.hub != own.secret.public:
        raise altered(named(exchange, "plan"))
    _check_without(terms.contributors, without)
    keys = {}
    for name in terms.contributors:
        path = named(exchange, "joined", name)
        if name in without:
            continue
        if not path.exists():
            raise _missing(path, name)
        found, _body = read(path, Joined)
        if found.plan != terms.hash or found.contributor != name:
            raise altered(path)
        keys[name] = found.key
    needed = threshold or usual_threshold(len(keys), terms.liars)
    try:
        round_ = Round(terms=terms, keys=keys, threshold=needed)
    except (ValidationError, ValueError):
        least = max(LEAST, least_threshold(len(keys), terms.liars))
        raise error("count-threshold", file=named(exchange, "round"), least=least) from None
    _ = round_.shares  # refuses before anybody counts
    if own.round not in ("", round_.hash):
        raise error("count-begun", file=named(exchange, "round"))
    own.noted(round=round_.hash)
    write(named(exchange, "round"), round_)
    return round_


def close(
    exchange: Path, keep: Path, without: Sequence[str] = (), *, ledger: Ledger, budget: float
) -> SumRequest:
    """Say whose counts are in the sum, once and for all, and pay for it.

    Once the request is out the noisy sum can become known, so the charge stays whatever comes of
    the round.  Each round is a charge of its own: what it is called by is public.

    Args:
        without: contributors whose masked counts will not come.
        ledger: of the people of these contributors.
        budget: the most epsilon that all charges of the ledger together may reach.

    Raises:
        CountError: masked counts are missing and not left out, were altered, or do not fit the
            plan; fewer are there than the threshold; it was done before.
        Overspend, LedgerTampered, LedgerError: see :meth:`Ledger.charge`.
        CountError: the ledger lies in the folder that others see.
        HubError: what the release is made with is not installed.
    """
    kernels.require_sweep()  # else the release could not be made of what is paid for here
    own, round_ = _own(exchange, keep)
    _check_without(round_.names, without)
    side = protocol.PartySide(round_, protocol.HUB, own.secret)
    cells = round_.terms.layout().cells
    received = {}
    for name in round_.names:
        path = named(exchange, "masked", name)
        if name in without:
            continue
        if not path.exists():
            raise _missing(path, name)
        message, body = of_round(path, Masked, round_, name)
        _opened(side, name, body, path, cells)
        received[name] = message, hashlib.sha256(body).hexdigest()
    if len(received) < round_.threshold:
        raise error("count-few", n=len(received), needed=round_.threshold)
    asked = protocol.request(round_, received)
    if own.request not in ("", asked.hash):
        raise error("count-closed", file=named(exchange, "request"))
    check_free(named(exchange, "request"))
    refuse_seen(exchange, ledger.folder)
    own.noted(request=asked.hash, charge=_paid(ledger, round_, budget))
    write(named(exchange, "request"), asked)
    return asked


def total(exchange: Path, keep: Path) -> tuple[Path, Total]:
    """Take the masks off the noisy sum.

    Whether this succeeds depends on seeds and sizes alone: nothing looks at the sum.

    Returns:
        The file of the sum, in the hub's own folder, and what it says.

    Raises:
        CountError: too few contributors have revealed; a file was altered or is missing; shares
            do not fit.
    """
    own, round_ = _own(exchange, keep)
    asked = read_request(exchange, round_)
    if asked.hash != own.request:
        raise altered(named(exchange, "request"))
    side = protocol.PartySide(round_, protocol.HUB, own.secret)
    layout = round_.terms.layout()
    answers: dict[str, list[bytes]] = {}
    for name in round_.names:
        path = named(exchange, "revealed", name)
        if path.exists() and len(answers) < round_.threshold:
            answer, _body = of_round(path, Revealed, round_, name)
            try:
                answers[name] = protocol.shares_of(side, asked, answer)
            except protocol.Mismatch:
                raise altered(path) from None
    if len(answers) < round_.threshold:
        waiting = [n for n in round_.names if n not in answers]
        raise error(
            "count-reveals", n=len(answers), needed=round_.threshold, names=", ".join(waiting)
        )

    def received() -> Iterator[tuple[str, list[bytes], Cells]]:
        for name, digest in asked.bodies.items():
            path = named(exchange, "masked", name)
            _message, body = of_round(path, Masked, round_, name)
            if hashlib.sha256(body).hexdigest() != digest:
                raise altered(path)
            yield name, *_opened(side, name, body, path, layout.cells)

    try:
        cells = protocol.total(side, asked, answers, received())
    except ValueError:
        raise error("count-sum") from None
    found = Total(round=round_, contributors=tuple(asked.bodies), charge=own.charge)
    return write(named(keep, "sum"), found, packed(cells), mode=0o600), found


def refuse_seen(exchange: Path, ledger: Path) -> None:
    """Refuse a ledger in the folder that others see.

    Raises:
        CountError: it lies there.
    """
    if exchange.resolve() in (ledger.resolve(), *ledger.resolve().parents):
        raise error("count-keep/ledger", file=ledger)


def _paid(ledger: Ledger, round_: Round, budget: float) -> str:
    """The id of the charge for a round; one that was cut off after it is not paid twice."""
    terms = round_.terms
    what = f"round of counts by {len(round_.names)} contributors at epsilon {terms.epsilon:g}"
    cost = (round_.rho, terms.epsilon, terms.delta)
    with ledger.exclusive():
        question = ledger.question(b"round of counts " + round_.digest)
        for entry in ledger.entries():
            if entry.question == question:
                return entry.id
        try:
            return ledger.charge(question, *cost, what, budget=budget).id
        except Overspend as cause:
            left = cause.fields["left"]
            raise error(
                "budget/round", file=ledger.folder, cost=terms.epsilon, left=left, budget=budget
            ) from None


def _own(exchange: Path, keep: Path) -> tuple[Keep, Round]:
    """The hub's folder and its round.

    Raises:
        CountError: the round file is missing, or another than the one that this hub made.
    """
    own, round_ = open_keep(keep), read_round(exchange)
    if round_.hash != own.round or round_.terms.hub != own.secret.public:
        raise altered(named(exchange, "round"))
    return own, round_


def _opened(
    side: protocol.PartySide, name: str, body: bytes, path: Path, cells: int
) -> tuple[list[bytes], Cells]:
    """What a contributor sealed, if it fits the plan."""
    try:
        marks, numbers = protocol.opened(side, name, body)
    except protocol.Mismatch:
        raise altered(path) from None
    if numbers.size != cells:
        raise altered(path)
    return marks, numbers


def _check_without(names: Sequence[str], without: Sequence[str]) -> None:
    if strangers := set(without) - set(names):
        raise error(
            "count-name/not-in-round", name=printable(min(strangers)), names=", ".join(names)
        )


def _missing(path: Path, name: str) -> HubError:
    return error("count-missing/contributor", file=path, contributor=name)
