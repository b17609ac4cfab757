"""Verbs of a contributor's keys: tokens, key."""

from __future__ import annotations

import re
import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.core.errors import FileError, error, printable
from ctdhub.core.format import number
from ctdhub.core.i18n import _, said
from ctdhub.sensitive.linkage.pprl.derive import kind_words

if TYPE_CHECKING:
    from ctdhub.core.keys.linkage import LinkageKey
    from ctdhub.sensitive.linkage.pprl.columns import Role, TokenPlan
    from ctdhub.sensitive.linkage.pprl.derive import Lack
    from ctdhub.sensitive.linkage.pprl.tokenise import Made


# --------------------------------------------------------------------------------------------------
# The verb group ``key``: keys to approve with, and the key that contributors link with.


class For(StrEnum):
    """What a key is for, as Typer wants choices."""

    approval = "approval"
    linkage = "linkage"
    receiving = "receiving"
    people = "people"
    inbox = "inbox"


def key_new(
    out: Annotated[Path, typer.Option()],
    purpose: Annotated[For, typer.Option("--for")] = For.approval,
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key new``."""
    from ctdhub.core.keys.age import make_identity
    from ctdhub.core.keys.envelope import make_pair
    from ctdhub.core.keys.linkage import new_key, write_linkage_key
    from ctdhub.core.keys.secret_files import write_new
    from ctdhub.core.keys.signing import make_key

    if passphrase and purpose is For.inbox:  # the worker starts with nobody there to type one
        raise error(
            "usage/apart", name="--passphrase", names="--for inbox", command="ctdhub key new"
        )
    secret = _new_passphrase(passphrase)
    if purpose is For.linkage:
        key = new_key()
        write_linkage_key(out, key, secret)
        _show_linkage(key)
    elif purpose is For.people:
        write_new(out, secrets.token_bytes(32))
    elif purpose is For.receiving:
        _show(make_pair(out, secret))
    elif purpose is For.inbox:
        _show(make_identity(out))
    else:
        _show(make_key(out, secret).public)


def key_show(
    file: Path,
) -> None:
    """The verb ``ctdhub key show``."""
    from ctdhub.core.keys.envelope import is_envelope, public_half
    from ctdhub.core.keys.linkage import is_linkage_key
    from ctdhub.core.keys.signing import is_encrypted, read_key

    if is_linkage_key(file):
        _show_linkage(open_linkage_key(file))
        return
    if is_envelope(file):
        raise error("key-unreadable/envelope", file=file)
    secret = ask_passphrase() if is_encrypted(file) else ""
    try:
        _show(public_half(file, secret))
    except FileError:
        _show(read_key(file, secret).public)


def key_wrap(
    key: Path,
    to: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """The verb ``ctdhub key wrap``."""
    from ctdhub.core.keys.envelope import wrap

    held = open_linkage_key(key)
    wrap(held, to, out)
    _show_linkage(held)


def key_unwrap(
    envelope: Path,
    own: Annotated[Path, typer.Option("--with")],
    out: Annotated[Path, typer.Option()],
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key unwrap``."""
    from ctdhub.core.keys.envelope import unwrap
    from ctdhub.core.keys.linkage import write_linkage_key
    from ctdhub.core.keys.signing import is_encrypted

    key = unwrap(envelope, own, ask_passphrase() if is_encrypted(own) else "")
    write_linkage_key(out, key, _new_passphrase(passphrase))
    _show_linkage(key)


def key_split(
    key: Path,
    need: Annotated[int, typer.Option()],
    shares: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option()],
) -> None:
    """The verb ``ctdhub key split``."""
    from ctdhub.core.keys.linkage import split_files

    held = open_linkage_key(key)
    for path in split_files(held, need, shares, out):
        console.print(escape(str(path)), soft_wrap=True, highlight=False)
    _show_linkage(held)


def key_join(
    shares: list[Path],
    out: Annotated[Path, typer.Option()],
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key join``."""
    from ctdhub.core.keys.linkage import join_files, write_linkage_key

    key = join_files(shares)
    write_linkage_key(out, key, _new_passphrase(passphrase))
    _show_linkage(key)


def key_rotate(
    key: Path,
    out: Annotated[Path, typer.Option()],
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key rotate``."""
    from ctdhub.core.keys.linkage import write_linkage_key

    following = open_linkage_key(key).rotated()
    write_linkage_key(out, following, _new_passphrase(passphrase))
    _show_linkage(following)


def open_linkage_key(file: Path) -> LinkageKey:
    """Read the linkage key, asking for its passphrase where it has one."""
    from ctdhub.core.keys.linkage import is_locked, read_linkage_key

    return read_linkage_key(file, ask_passphrase() if is_locked(file) else "")


def ask_passphrase() -> str:
    """Ask for the passphrase of a file."""
    return str(typer.prompt(_("Passphrase"), hide_input=True))


def _new_passphrase(wanted: bool) -> str:
    if not wanted:
        return ""
    return str(typer.prompt(_("Passphrase"), hide_input=True, confirmation_prompt=True))


def _show(public: str) -> None:
    console.print(public, soft_wrap=True, markup=False, highlight=False)


def _show_linkage(key: LinkageKey) -> None:
    console.print(
        _("Linkage key, generation {n}, fingerprint {print}").format(
            n=key.generation, print=key.fingerprint
        ),
        highlight=False,
    )


# --------------------------------------------------------------------------------------------------
# The verb ``tokens``: a contributor makes a file that may leave.


def tokens(
    file: Annotated[Path, typer.Argument(help=options.table_help())],
    key: Annotated[Path, typer.Option()],
    release: Annotated[str, typer.Option()],
    out: Annotated[Path, typer.Option()],
    columns: str = "",
    mapping: str = "",
    keep: str = "",
    strip: str = "",
    age_at: str = "",
    dates: options.Order = options.Order.dmy,
    sheet: str | None = None,
    header_row: Annotated[int | None, typer.Option(min=1)] = None,
    delimiter: str | None = None,
    yes: options.Yes = False,
) -> None:
    """The verb ``tokens``."""
    from ctdhub.core.keys.linkage import filling_secret
    from ctdhub.sensitive.ingest.isolated import read_isolated
    from ctdhub.sensitive.ingest.options import ReadOptions
    from ctdhub.sensitive.linkage.pprl.columns import plan, propose
    from ctdhub.sensitive.linkage.pprl.derive import AgeAt, Tokeniser, check_ages
    from ctdhub.sensitive.linkage.pprl.tokenise import check_new, tokenise
    from ctdhub.sensitive.mapping.mapping_file import named_mapping

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
        age = AgeAt(age_at, dates.value) if age_at else None
        if age:
            check_ages(raw, what, age)
    show_plan(what, age_at)
    if not yes and not typer.confirm(_("Is this right, and may the remaining columns be sent?")):
        console.print(_("Nothing was written."))
        raise typer.Exit(1)
    with bar() as progress:
        made = tokenise(
            raw,
            what,
            Tokeniser(secret.secret, release, filling_secret(key)),
            out,
            age,
            progress,
        )
    for note in raw.notes:
        console.print(escape(said(note)))
    _show_made(made)
    console.print(
        _(
            "Wrote {file}. You may send this file to the hub. Never send the key to "
            "anybody, the hub least of all."
        ).format(file=escape(str(out)))
    )


def check_release(release: str) -> None:
    """Refuse what is no version of a release."""
    from ctdhub.release.manifest import VERSION_PATTERN

    if not re.fullmatch(VERSION_PATTERN, release):
        raise error("release")


def names(text: str) -> list[str]:
    """Names of columns between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def roles_of(text: str) -> dict[Role, str]:
    """Roles out of ``given=…,family=…``."""
    from ctdhub.sensitive.linkage.pprl.columns import ROLES

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
    from ctdhub.sensitive.linkage.pprl.derive import AGE
    from ctdhub.sensitive.mapping.identifiers import TOKEN_COLUMN, TOKENS_COLUMN

    fates = {
        "token": _("converted to tokens, then removed"),
        "strip": _("is removed"),
        "code": _("becomes a keyed code"),
        "stay": _("is sent as it is"),
    }
    table = Table(
        _("column"),
        _("what happens"),
        _("why"),
        title=_("What will be sent, and what will be removed"),
    )
    for column in what.columns:
        name = printable(column.name) + (f" ({column.role})" if column.role else "")
        table.add_row(escape(name), fates[column.fate], escape(said(column.reason)))
    if age_at:
        table.add_row(AGE, _("is added"), _("Calculated from the birth date, which is removed."))
    for name in (TOKEN_COLUMN, TOKENS_COLUMN):
        table.add_row(name, _("is added"), _("Keyed tokens; without the key they say nothing."))
    console.print(table)


def _show_made(made: Made) -> None:

    table = Table(show_header=False)
    table.add_row(_("rows read and written"), number(made.rows))
    for kind, count in made.tokens.items():
        table.add_row(
            _("tokens {letter}: {keys}").format(letter=kind, keys=kind_words()[kind]), number(count)
        )
    table.add_row(_("rows without the one token that represents a person"),
                  number(made.without_token))  # fmt: skip
    table.add_row(_("rows that say too little for any token"), number(made.without_any))
    table.add_row(_("birth dates that cannot be read for certain"), number(made.births_unread))
    for label, rows in age_rows(made.without_age):
        table.add_row(label, rows)
    console.print(table)


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
