"""A contributor's three steps: join, mask, reveal.

``exchange`` is the folder in which files of the round lie that others see: a shared folder, or one
that attachments are saved to.  ``keep`` is the contributor's own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from ctdhub.core.atomic import made_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text
from ctdhub.core.tabular import Tabular
from ctdhub.dp.count import count, encode
from ctdhub.dp.mechanism import Progress
from ctdhub.dp.noise import Bits
from ctdhub.dp.secagg import protocol
from ctdhub.dp.secagg.channel import data
from ctdhub.dp.secagg.files import (
    check_free,
    named,
    read_request,
    read_round,
    read_terms,
    write,
)
from ctdhub.dp.secagg.layout import MOST_ROWS, Cells, SecaggLayout
from ctdhub.dp.secagg.messages import Joined, Round, SumRequest
from ctdhub.dp.secagg.noise_shares import with_noise
from ctdhub.dp.secagg.party_state import Keep, new_keep, open_keep
from ctdhub.dp.standalone.scope import Scope
from ctdhub.dp.standalone.table import fit_domains


def join(exchange: Path, keep: Path, name: str, source: Bits = os.urandom) -> Path:
    """Take part in a round: make a key for it and write the public half.

    Args:
        name: one of the plan's contributors.

    Returns:
        The file for the hub.

    Raises:
        CountError: the plan is missing or altered, or knows no such contributor.
    """
    terms = read_terms(exchange)
    if name not in terms.contributors:
        raise error(
            "count-name/not-in-plan",
            file=named(exchange, "plan"),
            names=", ".join(terms.contributors),
        )
    own = new_keep(keep, exchange, name, terms.hash, source)
    message = Joined(plan=terms.hash, contributor=name, key=own.secret.public)
    return write(named(exchange, "joined", name), message)


def my_round(exchange: Path, own: Keep) -> Round:
    """The round in a folder, if it is the one that this contributor joined.

    Raises:
        CountError: it is another, or the hub gave this contributor another key.
    """
    round_ = read_round(exchange)
    known = round_.terms.hash == own.plan and own.round in ("", round_.hash)
    if not known or (own.private and round_.keys.get(own.party) != own.secret.public):
        raise error("count-round/not-joined", file=named(exchange, "round"))
    return round_


def counted(raw: Tabular, scope: Scope, layout: SecaggLayout, key: bytes) -> Cells:
    """The exact numbers of a contributor's table.

    Args:
        key: secret; it chooses which rows are kept of a person who has too many.

    Raises:
        PolicyError: a cell does not fit its domain, see :func:`fit_domains`.
    """
    table = fit_domains(raw, scope).within(scope.plan.rows, key)
    return layout.flat(count(encode(table, scope.plan.domains), layout.tables))


def mask(
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
    path = named(exchange, "masked", own.party)
    check_free(path)
    if named(exchange, "request").exists():
        raise error("count-late", file=named(exchange, "request"))
    scope, layout = round_.terms.scope(), round_.terms.layout()
    if raw.table.num_rows * len(round_.names) > MOST_ROWS:
        raise error("count-rows", file=raw.file)
    tell(Text("counting"), 0.2)
    counts = counted(raw, scope, layout, data(own.rows))
    if layout.table(counts, layout.tables[0]).sum() > round_.terms.max_people * scope.plan.rows:
        raise error("count-rows/people", file=raw.file, most=round_.terms.max_people)
    tell(Text("drawing noise"), 0.4)
    noisy = with_noise(counts, layout, round_.shares, source)
    tell(Text("masking"), 0.7)
    side = protocol.PartySide(round_, own.party, secret)
    message, body = protocol.masked(side, noisy, source)
    own.noted(round=round_.hash, masked=hashlib.sha256(body).hexdigest())
    return write(path, message, body)


def reveal(exchange: Path, keep: Path, source: Bits = os.urandom) -> tuple[Path, SumRequest]:
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
    asked = read_request(exchange, round_)
    file, kept = named(exchange, "revealed", own.party), named(keep, "revealed", own.party)
    request = named(exchange, "request")
    if own.request not in ("", asked.hash):
        raise error("count-twice", file=request)
    if not set(asked.bodies) <= set(round_.names) or len(asked.bodies) < round_.threshold:
        raise error("count-few/request", file=request)
    if asked.bodies.get(own.party, own.masked) != own.masked:
        raise error("count-older", file=request)
    if not (own.request and kept.exists()):
        side = protocol.PartySide(round_, own.party, own.secret)
        try:
            answer = protocol.revealed(side, asked, source)
        except protocol.Mismatch as cause:
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
