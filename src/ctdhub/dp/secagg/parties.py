"""The hub's and a contributor's steps of a round, and what each party keeps to itself."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from ctdhub.border import Protected
from ctdhub.core.errors import Overspend, error, printable
from ctdhub.core.files import made_whole, rewrite
from ctdhub.core.i18n import Text
from ctdhub.core.tables import Tabular
from ctdhub.dp import kernels
from ctdhub.dp.count import Counts, count, encode
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.mechanism import Progress, answer_to
from ctdhub.dp.noise import Bits
from ctdhub.dp.plan import Plan
from ctdhub.dp.published import pool
from ctdhub.dp.quote import unit
from ctdhub.dp.secagg import masks, messages
from ctdhub.dp.secagg.masks import Cells, SecaggLayout, with_noise
from ctdhub.dp.secagg.messages import Round, Terms, Total, altered, of_round, path_of, read, write
from ctdhub.dp.standalone.domains import DomainsFile, Scope
from ctdhub.dp.standalone.table import check_delta, fit_domains
from ctdhub.dp.workload import Workload
from ctdhub.schema.model import load_schema

# --------------------------------------------------------------------------------------------------
# What a party of a round keeps to itself: its private key, and which steps it took.

STATE = "state.json"


@dataclass(frozen=True)
class Keep:
    """The secret folder of one party in one round.

    Attributes:
        folder: readable by its owner alone.
        party: the contributor's name, "" for the hub.
        plan: hash of the plan.
        private: the private key, base64; "" once it has served.
        rows: secret key that chooses which rows of a person are kept, base64.
        round, masked, request: hashes of the round, of the sealed counts that were made last, and
            of the request that was answered (at the hub: made); "" before that.
        charge: at the hub, the charge that pays for the sum.
    """

    folder: Path
    party: str
    plan: str
    private: str = field(repr=False)
    rows: str = field(repr=False)
    round: str = ""
    masked: str = ""
    request: str = ""
    charge: str = ""

    @property
    def secret(self) -> masks.Secret:
        """The private key.

        Raises:
            CountError: it was destroyed when it had served.
        """
        if not self.private:
            raise error("count-over", file=self.folder)
        return masks.Secret(masks.data(self.private))

    def noted(self, **changes: str) -> Keep:
        """The same with changes, written to disk before anything else happens."""
        after = replace(self, **changes)  # type: ignore[arg-type]
        _write(after)
        return after


def new_keep(folder: Path, exchange: Path, party: str, plan: str, source: Bits) -> Keep:
    """Make the folder of a party with a fresh key.

    Raises:
        CountError: the folder holds something already, or lies where files are exchanged.
    """
    if folder.resolve() == exchange.resolve() or exchange.resolve() in folder.resolve().parents:
        raise error("count-keep/exposed", file=folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise error("count-keep/not-empty", file=folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    keep = Keep(
        folder, party, plan, masks.text(masks.Secret.new(source).private), masks.text(source(32))
    )
    _write(keep)
    return keep


def open_keep(folder: Path) -> Keep:
    """Read the folder of a party.

    Raises:
        CountError: it is none, or damaged.
    """
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_text("utf-8"))
        return Keep(folder, **state)
    except (OSError, ValueError, TypeError):
        raise error("count-keep", file=folder) from None


def _write(keep: Keep) -> None:
    state = asdict(keep)
    del state["folder"]
    rewrite(keep.folder / STATE, json.dumps(state, indent=1).encode())


# --------------------------------------------------------------------------------------------------
# The hub's four steps: new, start, close, total.


def new_round(  # noqa: PLR0913
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
    if len(set(names)) < len(names) or not all(re.fullmatch(messages.NAME, name) for name in names):
        raise error("count-name")
    least, most = messages.LEAST, messages.MOST
    if not least <= len(names) <= most or not 1 <= (known_to or len(names)) <= len(names):
        raise error("count-contributors", least=least, most=most)
    if not 1 <= liars < len(names):
        raise error("count-contributors/liars", most=len(names) - 1)
    check_delta(delta, max_people)
    own = new_keep(keep, exchange, messages.HUB, "", source)
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
    write(path_of(exchange, "plan"), terms)
    own.noted(plan=terms.hash)
    return terms


def usual_threshold(contributors: int, liars: int) -> int:
    """How many must answer if nobody says otherwise: two thirds, and enough for the liars.

    >>> [usual_threshold(n, 1) for n in (3, 4, 5, 10)]
    [3, 3, 4, 7]
    """
    return max(
        messages.LEAST, -(-2 * contributors // 3), masks.least_threshold(contributors, liars)
    )


def start_round(
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
    terms = messages.read_terms(exchange)
    if terms.hash != own.plan or terms.hub != own.secret.public:
        raise altered(path_of(exchange, "plan"))
    keys = {}
    for name, path in _sent(exchange, "joined", terms.contributors, without):
        message, _body = read(path, messages.Joined)
        if message.plan != terms.hash or message.contributor != name:
            raise altered(path)
        keys[name] = message.key
    needed = threshold or usual_threshold(len(keys), terms.liars)
    try:
        round_ = Round(terms=terms, keys=keys, threshold=needed)
    except (ValidationError, ValueError):
        least = max(messages.LEAST, masks.least_threshold(len(keys), terms.liars))
        raise error("count-threshold", file=path_of(exchange, "round"), least=least) from None
    _ = round_.shares  # refuses before anybody counts
    if own.round not in ("", round_.hash):
        raise error("count-begun", file=path_of(exchange, "round"))
    own.noted(round=round_.hash)
    write(path_of(exchange, "round"), round_)
    return round_


def close_round(
    exchange: Path, keep: Path, without: Sequence[str] = (), *, ledger: Ledger, budget: float
) -> messages.SumRequest:
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
    side = messages.PartySide(round_, messages.HUB, own.secret)
    cells = round_.terms.layout().cells
    received = {}
    for name, path in _sent(exchange, "masked", round_.names, without):
        message, body = of_round(path, messages.Masked, round_, name)
        _opened(side, name, body, path, cells)
        received[name] = message, hashlib.sha256(body).hexdigest()
    if len(received) < round_.threshold:
        raise error("count-few", n=len(received), needed=round_.threshold)
    asked = messages.request(round_, received)
    if own.request not in ("", asked.hash):
        raise error("count-closed", file=path_of(exchange, "request"))
    messages.check_free(path_of(exchange, "request"))
    refuse_seen(exchange, ledger.folder)
    own.noted(request=asked.hash, charge=_paid(ledger, round_, budget))
    write(path_of(exchange, "request"), asked)
    return asked


def total_of_round(exchange: Path, keep: Path) -> tuple[Path, Total]:
    """Take the masks off the noisy sum.

    Whether this succeeds depends on seeds and sizes alone: nothing looks at the sum.

    Returns:
        The file of the sum, in the hub's own folder, and what it says.

    Raises:
        CountError: too few contributors have revealed; a file was altered or is missing; shares
            do not fit.
    """
    own, round_ = _own(exchange, keep)
    asked = messages.read_request(exchange, round_)
    if asked.hash != own.request:
        raise altered(path_of(exchange, "request"))
    side = messages.PartySide(round_, messages.HUB, own.secret)
    layout = round_.terms.layout()
    answers: dict[str, messages.Shares] = {}
    for name in round_.names:
        path = path_of(exchange, "revealed", name)
        if path.exists() and len(answers) < round_.threshold:
            answer, _body = of_round(path, messages.Revealed, round_, name)
            try:
                answers[name] = messages.shares_of(side, asked, answer)
            except messages.Mismatch:
                raise altered(path) from None
    if len(answers) < round_.threshold:
        waiting = [n for n in round_.names if n not in answers]
        raise error(
            "count-reveals", n=len(answers), needed=round_.threshold, names=", ".join(waiting)
        )

    def received() -> Iterator[tuple[str, list[bytes], Cells]]:
        for name, digest in asked.bodies.items():
            path = path_of(exchange, "masked", name)
            _message, body = of_round(path, messages.Masked, round_, name)
            if hashlib.sha256(body).hexdigest() != digest:
                raise altered(path)
            yield name, *_opened(side, name, body, path, layout.cells)

    try:
        cells = messages.total(side, asked, answers, received())
    except ValueError:
        raise error("count-sum") from None
    total = Total(round=round_, contributors=tuple(asked.bodies), charge=own.charge)
    body = pa.compress(cells.astype("<u4").tobytes(), codec=CODEC, asbytes=True)
    return write(path_of(keep, "sum"), total, body, mode=0o600), total


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
    own, round_ = open_keep(keep), messages.read_round(exchange)
    if round_.hash != own.round or round_.terms.hub != own.secret.public:
        raise altered(path_of(exchange, "round"))
    return own, round_


def _opened(
    side: messages.PartySide, name: str, body: bytes, path: Path, cells: int
) -> tuple[list[bytes], Cells]:
    """What a contributor sealed, if it fits the plan."""
    try:
        marks, numbers = messages.opened(side, name, body)
    except messages.Mismatch:
        raise altered(path) from None
    if numbers.size != cells:
        raise altered(path)
    return marks, numbers


def _sent(
    exchange: Path, kind: str, names: Sequence[str], without: Sequence[str]
) -> Iterator[tuple[str, Path]]:
    """The file of each contributor that is not left out; all must be there."""
    if strangers := set(without) - set(names):
        name = printable(min(strangers))
        raise error("count-name/not-in-round", name=name, names=", ".join(names))
    for name in names:
        path = path_of(exchange, kind, name)
        if name not in without and not path.exists():
            raise error("count-missing/contributor", file=path, contributor=name)
        if name not in without:
            yield name, path


# --------------------------------------------------------------------------------------------------
# A contributor's three steps: join, mask, reveal.
#
# ``exchange`` is the folder in which files of the round lie that others see: a shared folder, or
# one that attachments are saved to.  ``keep`` is the contributor's own.


def join_round(exchange: Path, keep: Path, name: str) -> Path:
    """Take part in a round: make a key for it and write the public half.

    Args:
        name: one of the plan's contributors.

    Returns:
        The file for the hub.

    Raises:
        CountError: the plan is missing or altered, or knows no such contributor.
    """
    terms = messages.read_terms(exchange)
    if name not in terms.contributors:
        raise error(
            "count-name/not-in-plan",
            file=path_of(exchange, "plan"),
            names=", ".join(terms.contributors),
        )
    own = new_keep(keep, exchange, name, terms.hash, os.urandom)
    message = messages.Joined(plan=terms.hash, contributor=name, key=own.secret.public)
    return write(path_of(exchange, "joined", name), message)


def my_round(exchange: Path, own: Keep) -> Round:
    """The round in a folder, if it is the one that this contributor joined.

    Raises:
        CountError: it is another, or the hub gave this contributor another key.
    """
    round_ = messages.read_round(exchange)
    known = round_.terms.hash == own.plan and own.round in ("", round_.hash)
    if not known or (own.private and round_.keys.get(own.party) != own.secret.public):
        raise error("count-round/not-joined", file=path_of(exchange, "round"))
    return round_


def counted(raw: Tabular, scope: Scope, layout: SecaggLayout, key: bytes) -> Cells:
    """The exact numbers of a contributor's table.

    Args:
        key: secret; it chooses which rows are kept of a person who has too many.

    Raises:
        PolicyError: a cell does not fit its domain, see :func:`fit_domains`.
    """
    table = fit_domains(raw, scope).within(key)
    return layout.flat(count(encode(table, scope.plan.domains), layout.tables))


def mask_counts(
    exchange: Path,
    keep: Path,
    raw: Tabular,
    source: Bits = os.urandom,
    progress: Progress | None = None,
) -> Path:
    """Count a table, add a share of noise, mask the result, and write it for the hub.

    Before the hub has closed the round this may be done again with a better table: noise and masks
    are fresh, and only one of the two can ever be uncovered.

    Returns:
        The file for the hub.

    Raises:
        CountError: the round is not the contributor's; it is closed or over; there is such a file
            already.
        PolicyError: the table does not fit the domains, or has too many rows; epsilon is too small
            for the tables.
    """
    tell = progress or (lambda message, share: None)
    own = open_keep(keep)
    secret = own.secret
    round_ = my_round(exchange, own)
    path = path_of(exchange, "masked", own.party)
    messages.check_free(path)
    if path_of(exchange, "request").exists():
        raise error("count-late", file=path_of(exchange, "request"))
    scope, layout = round_.terms.scope(), round_.terms.layout()
    if raw.table.num_rows * len(round_.names) > masks.MOST_ROWS:
        raise error("count-rows", file=raw.file)
    tell(Text("counting"), 0.2)
    counts = counted(raw, scope, layout, masks.data(own.rows))
    if layout.table(counts, layout.tables[0]).sum() > round_.terms.max_people * scope.plan.rows:
        raise error("count-rows/people", file=raw.file, most=round_.terms.max_people)
    tell(Text("drawing noise"), 0.4)
    noisy = with_noise(counts, layout, round_.shares, source)
    tell(Text("masking"), 0.7)
    side = messages.PartySide(round_, own.party, secret)
    message, body = messages.masked(side, noisy, source)
    own.noted(round=round_.hash, masked=hashlib.sha256(body).hexdigest())
    return write(path, message, body)


def reveal_shares(
    exchange: Path, keep: Path, source: Bits = os.urandom
) -> tuple[Path, messages.SumRequest]:
    """Answer the hub's request, once; the private key is then destroyed.

    The answer is kept: the same request again gives the same file.

    Returns:
        The file for the hub, and what was answered.

    Raises:
        CountError: another request was answered before; too few are in the sum; the counts in it
            are not those that this contributor made last; a file was altered.
    """
    own = open_keep(keep)
    round_ = my_round(exchange, own)
    asked = messages.read_request(exchange, round_)
    file, kept = path_of(exchange, "revealed", own.party), path_of(keep, "revealed", own.party)
    request = path_of(exchange, "request")
    if own.request not in ("", asked.hash):
        raise error("count-twice", file=request)
    if not set(asked.bodies) <= set(round_.names) or len(asked.bodies) < round_.threshold:
        raise error("count-few/request", file=request)
    if asked.bodies.get(own.party, own.masked) != own.masked:
        raise error("count-older", file=request)
    if not (own.request and kept.exists()):
        side = messages.PartySide(round_, own.party, own.secret)
        try:
            answer = messages.revealed(side, asked, source)
        except messages.Mismatch as cause:
            raise error("count-shares", file=request, contributor=cause.party) from None
        # Noted first: whatever happens now, no other request is answered.
        own = own.noted(round=round_.hash, request=asked.hash)
        write(kept, answer, mode=0o600)
    if own.private:
        own.noted(private="")
    if not file.exists():
        with made_whole(file) as fresh:
            shutil.copyfile(kept, fresh)
    return file, asked


# --------------------------------------------------------------------------------------------------
# A protected answer out of a noisy sum: what the mechanism does once its noise is in.

CODEC = "zstd"

MECHANISM = "discrete Gaussian in shares: each contributor adds its own"


@dataclass(frozen=True)
class NoisySum:
    """The noisy sum of a round.

    Attributes:
        total: the round, whose counts are in the sum, and the charge.
        tables: noisy counts as signed numbers.
    """

    total: Total
    tables: Counts

    @property
    def workload(self) -> Workload:
        """Every table with its noise if all in the sum added their share.

        Raises:
            PolicyError: the tables are of another version of the schema.
        """
        return masks.summed_workload(self.total.round.shares, len(self.total.contributors))

    def impossible(self) -> int:
        """How many cells no honest counts give: far below zero, or far above the public bound.

        A function of noisy cells and public facts.  Honest sums have such a cell once in a million
        times.
        """
        terms, plan = self.total.round.terms, self.total.round.plan
        questions = self.workload
        reach = masks.beyond((q.sigma2 for q in questions), sum(q.cells for q in questions))
        most = terms.max_people * plan.rows
        number = 0
        for q, far in zip(questions, reach, strict=True):
            table = self.tables[q.columns]
            number += int(np.count_nonzero((table < -far) | (table > most + far)))
        return number


def read_sum(path: Path) -> NoisySum:
    """The noisy sum in a file.

    Raises:
        CountError: it is none, or was altered.
        PolicyError: it is of another version of the schema.
    """
    total, body = read(path, Total)
    layout = total.round.terms.layout()
    try:
        numbers = pa.decompress(body, 4 * layout.cells, codec=CODEC, asbytes=True)
        cells = np.frombuffer(numbers, "<u4").astype(np.uint32, copy=False)
    except (ValueError, pa.ArrowInvalid, OSError):
        raise altered(path) from None
    return NoisySum(total, layout.signed(cells))


def protected(
    noisy: NoisySum,
    support: int | None = None,
    source: Bits = os.urandom,
    progress: Progress | None = None,
) -> Protected:
    """What may be published of a noisy sum; it was paid for when the round was closed.

    Args:
        support: stands above that of the plan.
        source: orders and ties of the fit.

    Raises:
        CountError: the noisy number of people lies outside what the plan allows: records are never
            made of it.
    """
    kernels.require_sweep()
    round_, terms = noisy.total.round, noisy.total.round.terms
    plan: Plan = round_.plan if support is None else replace(round_.plan, support=support)
    questions = noisy.workload
    people = float(pool(noisy.tables, questions, most=0)[()].value)
    if not 0 <= people <= terms.max_people * plan.rows:
        raise error("count-people", file="sum.count", most=terms.max_people * plan.rows)
    tell = progress or (lambda message, share: None)
    answer = answer_to(dict(noisy.tables), questions, plan, source, tell)
    promise = terms.epsilon, terms.delta, round_.rho
    return answer.protected(plan, promise, unit(plan), noisy.total.charge, MECHANISM, facts={})
