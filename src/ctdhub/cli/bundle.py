"""The verb group ``bundle``: what a contributor hands to a hub, made and opened without a desk."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.cli.tokens import ask_passphrase
from ctdhub.core.errors import error
from ctdhub.core.format import number
from ctdhub.core.i18n import _


def bundle_card(
    hub: Path,
    contributor: str,
    key: Annotated[Path, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """The verb ``ctdhub bundle card``."""
    from ctdhub.build.receive_bundle import hub_card
    from ctdhub.core.files import write_new
    from ctdhub.core.keys.signing import is_encrypted, read_key
    from ctdhub.sensitive.bundle.card import card_bytes

    options.require_new(out)
    signing = read_key(key, ask_passphrase() if is_encrypted(key) else "")
    signed = hub_card(options.hub(hub), contributor, signing, datetime.now(UTC).date())
    write_new(out, card_bytes(signed), 0o644)
    console.print(_("Wrote {file}.").format(file=escape(str(out))))
    console.print(_("Fingerprint: {print}").format(print=signed.fingerprint), highlight=False)


def bundle_make(
    file: Annotated[Path, typer.Argument(help=options.table_help())],
    card: Annotated[Path, typer.Option()],
    mapping: Annotated[str, typer.Option()],
    key: Annotated[Path, typer.Option()],
    codes: Annotated[Path, typer.Option()],
    out: Annotated[Path, typer.Option()],
    delivery: Annotated[int, typer.Option(min=1)] = 1,
    yes: options.Yes = False,
) -> None:
    """The verb ``ctdhub bundle make``."""
    from ctdhub.core.keys.secret_files import write_new
    from ctdhub.core.keys.signing import is_encrypted, read_key
    from ctdhub.sensitive.bundle.card import read_card
    from ctdhub.sensitive.bundle.leaving import SECRET_BYTES, codes_print, leaving
    from ctdhub.sensitive.bundle.pack import pack_bundle, write_bundle
    from ctdhub.sensitive.ingest.isolated import read_isolated
    from ctdhub.sensitive.mapping.mapping_file import named_mapping

    options.require_new(out)
    hub = read_card(card).card
    signing = read_key(key, ask_passphrase() if is_encrypted(key) else "")
    rules = named_mapping(mapping)
    if not codes.exists():
        write_new(codes, secrets.token_bytes(SECRET_BYTES))
    secret = codes.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise error("key-length", file=codes)
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        raw = read_isolated(file, rules.read)
        progress(_("Preparing what will be sent"), 0.4)
        found = leaving(raw, rules, hub.contributor, hub.years, secret, out.parent)
    table = Table(_("column"), _("what becomes of it"))
    for column in found.columns:
        table.add_row(escape(column.name), fate_words(column.fate))
    console.print(table)
    if not yes and not typer.confirm(_("Is this right, and may it be sent?")):
        console.print(_("Nothing was written."))
        raise typer.Exit(1)
    packed = pack_bundle(
        hub, found.cases, found.mapping, found.report, signing,
        delivery=delivery, codes=codes_print(secret),
    )  # fmt: skip
    write_bundle(packed, out)
    console.print(
        _("Wrote {file}: {rows} rows for {hub}.").format(
            file=escape(str(out)), rows=number(found.rows), hub=escape(hub.hub)
        )
    )


def bundle_open(
    file: Path,
    hub: Annotated[Path, typer.Option()],
    identity: Annotated[list[Path], typer.Option()],
    out: Path | None = None,
    day: str = "",
) -> None:
    """The verb ``ctdhub bundle open``."""
    from ctdhub.build.receive_bundle import lay_apart, opened, receive
    from ctdhub.core.files import is_day

    if day and not is_day(day):
        raise error("usage", name="--day", command="ctdhub bundle open")
    if out is not None:
        options.require_private(out)
        lay_apart(opened(options.hub(hub), file, identity), out)
        console.print(_("Wrote {folder}.").format(folder=escape(str(out))))
        return
    on = date.fromisoformat(day) if day else datetime.now(UTC).date()
    done = receive(options.hub(hub), file, identity, on)
    made = done.bundle.manifest
    console.print(
        _("Delivery {n} of {id}, signed by {key}, is in the hub: {file}.").format(
            n=number(made.delivery),
            id=made.contributor,
            key=made.signer,
            file=escape(str(done.cases)),
        ),
        soft_wrap=True,
    )
    said = (
        _("The hub reads it by {file}.")
        if done.read_by_it
        else _("The hub reads it by {file}, which is not the mapping of the bundle.")
    )
    console.print(said.format(file=escape(str(done.mapping))), soft_wrap=True)


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
