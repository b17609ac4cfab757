"""What a contributor hands to a hub: tokens, bundle."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.approve import open_key
from ctdhub.cli.keys import open_linkage_key
from ctdhub.cli.output import bar, say, show_exactly, show_table
from ctdhub.core.errors import error, printable
from ctdhub.core.files import is_day, write_new
from ctdhub.core.format import number
from ctdhub.core.i18n import _, said
from ctdhub.core.keys.linkage import filling_secret
from ctdhub.release.manifest import VERSION_PATTERN
from ctdhub.sensitive.bundle.card import card_bytes, read_card
from ctdhub.sensitive.bundle.pack import pack_bundle, write_bundle
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.linkage.pprl.columns import ROLES, plan, propose
from ctdhub.sensitive.linkage.pprl.derive import AGE, AgeAt, Tokeniser, check_ages, kind_words
from ctdhub.sensitive.linkage.pprl.tokenise import check_new, tokenise
from ctdhub.sensitive.mapping.identifiers import TOKEN_COLUMN, TOKENS_COLUMN
from ctdhub.sensitive.mapping.mapping_file import named_mapping

if TYPE_CHECKING:
    from ctdhub.sensitive.linkage.pprl.columns import Role, TokenPlan
    from ctdhub.sensitive.linkage.pprl.derive import Lack
    from ctdhub.sensitive.linkage.pprl.tokenise import Made


# --------------------------------------------------------------------------------------------------
# The verb ``tokens``: a contributor makes a file that may leave.


def tokens(
    file: Annotated[Path, typer.Argument(help=options.table_help())],
    key: options.NeededPath,
    release: options.Needed,
    out: options.NeededPath,
    columns: str = "",
    mapping: str = "",
    keep: str = "",
    strip: str = "",
    age_at: str = "",
    dates: options.Order = "dmy",
    sheet: str | None = None,
    header_row: Annotated[int | None, typer.Option(min=1)] = None,
    delimiter: str | None = None,
    yes: options.Yes = False,
) -> None:
    """The verb ``tokens``."""
    check_release(release)
    check_new(out)
    secret = open_linkage_key(key)
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        rules = named_mapping(mapping) if mapping else None
        base = rules.read if rules else ReadOptions()
        reading = options.reading(base, sheet, header_row, delimiter)
        raw = read_isolated(file, reading)
        options.refuse_unused(raw, sheet, header_row, delimiter)
        roles = roles_of(columns) if columns else propose(raw)
        what = plan(raw, roles, names(keep), names(strip), rules)
        age = AgeAt(age_at, dates) if age_at else None
        if age:
            check_ages(raw, what, age)
    show_plan(what, age_at)
    question = _("Is this right, and may the remaining columns be sent?")
    options.require_yes(question, _("Nothing was written."), yes=yes)
    with bar() as progress:
        made = tokenise(
            raw, what, Tokeniser(secret.secret, release, filling_secret(key)), out, age, progress
        )
    for note in raw.notes:
        say(said(note))
    _show_made(made)
    text = _(
        "Wrote {file}. You may send this file to the hub. Never send the key to "
        "anybody, the hub least of all."
    )
    say(text, file=out)


def check_release(release: str) -> None:
    """Refuse what is no version of a release."""
    if not re.fullmatch(VERSION_PATTERN, release):
        raise error("release")


def names(text: str) -> list[str]:
    """Names of columns between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def roles_of(text: str) -> dict[Role, str]:
    """Roles out of ``given=…,family=…``."""
    found: dict[Role, str] = {}
    for part in names(text):
        said, __, column = part.partition("=")
        role = next((r for r in ROLES if r == said.strip()), None)
        if role is None or not column.strip() or role in found:
            raise error("roles", roles=", ".join(ROLES))
        found[role] = column.strip()
    return found


def show_plan(what: TokenPlan, age_at: str) -> None:
    """What happens to each column, before anything is written."""
    fates = {
        "token": _("converted to tokens, then removed"),
        "strip": _("is removed"),
        "code": _("becomes a keyed code"),
        "stay": _("is sent as it is"),
    }
    rows = []
    for column in what.columns:
        name = printable(column.name) + (f" ({column.role})" if column.role else "")
        rows.append((name, fates[column.fate], said(column.reason)))
    if age_at:
        rows.append((AGE, _("is added"), _("Calculated from the birth date, which is removed.")))
    for name in (TOKEN_COLUMN, TOKENS_COLUMN):
        rows.append((name, _("is added"), _("Keyed tokens; without the key they say nothing.")))
    head = (_("column"), _("what happens"), _("why"))
    show_table(_("What will be sent, and what will be removed"), head, rows, fold=False)


def _show_made(made: Made) -> None:
    kind = _("tokens {letter}: {keys}")
    counts = {
        _("rows read and written"): made.rows,
        **{kind.format(letter=k, keys=kind_words()[k]): n for k, n in made.tokens.items()},
        _("rows without the one token that represents a person"): made.without_token,
        _("rows that say too little for any token"): made.without_any,
        _("birth dates that cannot be read for certain"): made.births_unread,
    }
    rows = [(words, number(n)) for words, n in counts.items()]
    show_table("", ("", ""), [*rows, *age_rows(made.without_age)], fold=False)


def age_rows(without: dict[Lack, int] | None) -> list[tuple[str, str]]:
    """How many rows have no age, and why; nothing where no age was asked for."""
    if without is None:
        return []
    words: dict[Lack, str] = {
        "day": _("rows without an age: no full date to count at"),
        "birth": _("rows without an age: no birth date that can be read"),
        "before": _("rows without an age: the birth is after the day"),
    }
    rows = [(_("rows without an age"), number(sum(without.values())))]
    return rows + [(words[lack], number(count)) for lack, count in without.items()]


# --------------------------------------------------------------------------------------------------
# The verb group ``bundle``: what a contributor hands to a hub, made and opened without a desk.


def bundle_card(
    hub: Path, contributor: str, key: options.NeededPath, out: options.NeededPath
) -> None:
    """The verb ``ctdhub bundle card``."""
    from ctdhub.hub.receive_bundle import hub_card

    options.require_new(out)
    signing = open_key(key)
    signed = hub_card(options.hub(hub), contributor, signing, datetime.now(UTC).date())
    write_new(out, card_bytes(signed), 0o644)
    say(_("Wrote {file}."), file=out)
    say(_("Fingerprint: {print}"), print=signed.fingerprint)


def bundle_make(
    file: Annotated[Path, typer.Argument(help=options.table_help())],
    card: options.NeededPath,
    mapping: options.Needed,
    key: options.NeededPath,
    codes: options.NeededPath,
    out: options.NeededPath,
    delivery: Annotated[int, typer.Option(min=1)] = 1,
    yes: options.Yes = False,
) -> None:
    """The verb ``ctdhub bundle make``."""
    from ctdhub.core.keys.secret_files import write_new as write_secret
    from ctdhub.sensitive.bundle.leaving import SECRET_BYTES, codes_print, leaving

    options.require_new(out)
    hub = read_card(card).card
    signing = open_key(key)
    rules = named_mapping(mapping)
    if not codes.exists():
        write_secret(codes, secrets.token_bytes(SECRET_BYTES))
    secret = codes.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise error("key-length", file=codes)
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        raw = read_isolated(file, rules.read)
        progress(_("Preparing what will be sent"), 0.4)
        found = leaving(raw, rules, hub.contributor, hub.years, secret, out.parent)
    rows = [(column.name, fate_words(column.fate)) for column in found.columns]
    show_table("", (_("column"), _("what becomes of it")), rows, fold=False)
    options.require_yes(_("Is this right, and may it be sent?"), _("Nothing was written."), yes=yes)
    packed = pack_bundle(
        hub, found.cases, found.mapping, found.report, signing,
        delivery=delivery, codes=codes_print(secret),
    )  # fmt: skip
    write_bundle(packed, out)
    say(_("Wrote {file}: {rows} rows for {hub}."), file=out, rows=number(found.rows), hub=hub.hub)


def bundle_open(
    file: Path,
    hub: options.NeededPath,
    identity: Annotated[list[Path], typer.Option()],
    out: Path | None = None,
    day: str = "",
) -> None:
    """The verb ``ctdhub bundle open``."""
    from ctdhub.hub.receive_bundle import lay_apart, opened, receive

    if day and not is_day(day):
        raise error("usage", name="--day", command="ctdhub bundle open")
    if out is not None:
        options.require_private(out)
        lay_apart(opened(options.hub(hub), file, identity), out)
        say(_("Wrote {folder}."), folder=out)
        return
    on = date.fromisoformat(day) if day else datetime.now(UTC).date()
    done = receive(options.hub(hub), file, identity, on)
    made = done.bundle.manifest
    text = _("Delivery {n} of {id}, signed by {key}, is in the hub: {file}.")
    n, id = number(made.delivery), made.contributor
    show_exactly(text.format(n=n, id=id, key=made.signer, file=done.cases))
    text = _("The hub reads it by {file}.")
    if not done.read_by_it:
        text = _("The hub reads it by {file}, which is not the mapping of the bundle.")
    show_exactly(text.format(file=done.mapping))


def fate_words(fate: str) -> str:
    """What becomes of a column, in the language in force."""
    return {
        "leaves": _("is sent as it is"),
        "coarse": _("is sent as the year, age band or country that is read from it"),
        "coded": _("is sent as a code"),
        "birth": _("is sent as it is: a date of birth"),
        "token": _("is sent: keyed tokens"),
        "stripped": _("stays here: it may identify a person"),
        "unread": _("stays here: no rule reads it"),
    }[fate]
