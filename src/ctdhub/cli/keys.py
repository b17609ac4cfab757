"""The verb group ``key``: keys to approve with, to link with, to receive with."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Literal

import typer

from ctdhub.cli import options
from ctdhub.cli.output import say, show_exactly
from ctdhub.core.errors import FileError, error
from ctdhub.core.i18n import _
from ctdhub.core.keys import age, linkage
from ctdhub.core.keys import envelope as envelopes
from ctdhub.core.keys.secret_files import write_new
from ctdhub.core.keys.signing import is_encrypted, make_key, read_key

# --------------------------------------------------------------------------------------------------
# The verb group ``key``: keys to approve with, and the key that contributors link with.


For = Literal["approval", "linkage", "receiving", "people", "inbox"]
"""What a key is for."""


def key_new(
    out: options.NeededPath,
    purpose: Annotated[For, typer.Option("--for")] = "approval",
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key new``."""
    if passphrase and purpose == "inbox":  # the worker starts with nobody there to type one
        command = "ctdhub key new"
        raise error("usage/apart", name="--passphrase", names="--for inbox", command=command)
    if purpose == "linkage":
        _write_linkage(out, linkage.new_key(), passphrase)
        return
    secret = _new_passphrase(passphrase)
    if purpose == "people":
        write_new(out, secrets.token_bytes(32))
    elif purpose == "receiving":
        show_exactly(envelopes.make_pair(out, secret))
    elif purpose == "inbox":
        show_exactly(age.make_identity(out))
    else:
        show_exactly(make_key(out, secret).public)


def key_show(file: Path) -> None:
    """The verb ``ctdhub key show``."""
    if linkage.is_linkage_key(file):
        _show_linkage(open_linkage_key(file))
        return
    if envelopes.is_envelope(file):
        raise error("key-unreadable/envelope", file=file)
    secret = ask_passphrase() if is_encrypted(file) else ""
    try:
        show_exactly(envelopes.public_half(file, secret))
    except FileError:
        show_exactly(read_key(file, secret).public)


def key_wrap(key: Path, to: options.Needed, out: options.NeededPath) -> None:
    """The verb ``ctdhub key wrap``."""
    held = open_linkage_key(key)
    envelopes.wrap(held, to, out)
    _show_linkage(held)


def key_unwrap(
    envelope: Path,
    own: Annotated[Path, typer.Option("--with")],
    out: options.NeededPath,
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key unwrap``."""
    key = envelopes.unwrap(envelope, own, ask_passphrase() if is_encrypted(own) else "")
    _write_linkage(out, key, passphrase)


def key_split(
    key: Path,
    need: Annotated[int, typer.Option()],
    shares: Annotated[int, typer.Option()],
    out: options.NeededPath,
) -> None:
    """The verb ``ctdhub key split``."""
    held = open_linkage_key(key)
    for path in linkage.split_files(held, need, shares, out):
        show_exactly(str(path))
    _show_linkage(held)


def key_join(
    shares: list[Path],
    out: options.NeededPath,
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key join``."""
    _write_linkage(out, linkage.join_files(shares), passphrase)


def key_rotate(
    key: Path,
    out: options.NeededPath,
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key rotate``."""
    _write_linkage(out, open_linkage_key(key).rotated(), passphrase)


def open_linkage_key(file: Path) -> linkage.LinkageKey:
    """Read the linkage key, asking for its passphrase where it has one."""
    return linkage.read_linkage_key(file, ask_passphrase() if linkage.is_locked(file) else "")


def ask_passphrase() -> str:
    """Ask for the passphrase of a file."""
    return str(typer.prompt(_("Passphrase"), hide_input=True))


def _new_passphrase(wanted: bool) -> str:
    if not wanted:
        return ""
    return str(typer.prompt(_("Passphrase"), hide_input=True, confirmation_prompt=True))


def _write_linkage(out: Path, key: linkage.LinkageKey, passphrase: bool) -> None:
    linkage.write_linkage_key(out, key, _new_passphrase(passphrase))
    _show_linkage(key)


def _show_linkage(key: linkage.LinkageKey) -> None:
    text = _("Linkage key, generation {n}, fingerprint {print}")
    say(text, n=key.generation, print=key.fingerprint)
