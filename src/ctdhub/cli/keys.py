"""The verb group ``key``: keys to approve with, to link with, to receive with."""

from __future__ import annotations

import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ctdhub.cli.output import console, show_exactly
from ctdhub.core.errors import FileError, error
from ctdhub.core.i18n import _

if TYPE_CHECKING:
    from ctdhub.core.keys.linkage import LinkageKey


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
    show_exactly(public)


def _show_linkage(key: LinkageKey) -> None:
    console.print(
        _("Linkage key, generation {n}, fingerprint {print}").format(
            n=key.generation, print=key.fingerprint
        ),
        highlight=False,
    )
