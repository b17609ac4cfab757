"""The verb group ``key``: keys to approve with, and the key that contributors link with."""

from __future__ import annotations

import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import FileError
from ctdhub.core.i18n import _

if TYPE_CHECKING:
    from ctdhub.core.keys.linkage import LinkageKey


class For(StrEnum):
    """What a key is for, as Typer wants choices."""

    approval = "approval"
    linkage = "linkage"
    receiving = "receiving"
    people = "people"
    inbox = "inbox"


KeyFile = Annotated[Path, typer.Argument(help=_("The file of the linkage key."))]
Out = Annotated[Path, typer.Option(help=_("A new file for the key."))]
Passphrase = Annotated[
    bool, typer.Option("--passphrase", help=_("Ask for a passphrase that encrypts it."))
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    keys = typer.Typer(
        help=about("key"),
        no_args_is_help=True,
    )
    app.add_typer(keys, name="key")

    @keys.command(
        help=_(
            "Make a key. For approval: the private half goes into a file for you alone, the public "
            "half is printed for hub.yaml. For linkage: the secret that contributors share and the "
            "hub never has. For receiving: your own pair, so that others can send you that secret. "
            "For inbox: the identity, in the age format, that opens what contributors send to the "
            "hub."
            "\n\nExample: ctdhub key new --out steward.pem --passphrase"
            "\n\nExample: ctdhub key new --for linkage --out link.key"
        )
    )
    def new(
        out: Annotated[Path, typer.Option(help=_("A new file for the private key."))],
        purpose: Annotated[
            For, typer.Option("--for", help=_("What the key is for."))
        ] = For.approval,
        passphrase: Passphrase = False,
    ) -> None:
        from ctdhub.core.keys.age import make_identity
        from ctdhub.core.keys.envelope import make_pair
        from ctdhub.core.keys.files import write_new
        from ctdhub.core.keys.linkage import new_key, write_linkage_key
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

    @keys.command(
        help=_(
            """Print what may be shared of a key: the public half, or the fingerprint of a \
linkage key.

Two contributors who see the same fingerprint have the same key.

Example: ctdhub key show steward.pem"""
        )
    )
    def show(
        file: Annotated[Path, typer.Argument(help=_("The file of a key."))],
    ) -> None:
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

    @keys.command(
        name="wrap",
        help=_(
            """Put the linkage key into an envelope that one contributor alone can open.

The envelope may be sent by mail; compare the fingerprint by telephone.

Example: ctdhub key wrap link.key --to x25519:… --out for-our-ngo.key"""
        ),
    )
    def wrap_verb(
        key: KeyFile,
        to: Annotated[
            str, typer.Option(help=_("The other's public half, x25519:…, or a file that holds it."))
        ],
        out: Annotated[Path, typer.Option(help=_("A new file for the envelope."))],
    ) -> None:
        from ctdhub.core.keys.envelope import wrap

        held = open_linkage_key(key)
        wrap(held, to, out)
        _show_linkage(held)

    @keys.command(
        name="unwrap",
        help=_(
            "Open an envelope with your own private key."
            "\n\nExample: ctdhub key unwrap for-our-ngo.key --with own.pem --out link.key"
        ),
    )
    def unwrap_verb(
        envelope: Annotated[Path, typer.Argument(help=_("The file of the envelope."))],
        own: Annotated[Path, typer.Option("--with", help=_("The file of your private key."))],
        out: Out,
        passphrase: Passphrase = False,
    ) -> None:
        from ctdhub.core.keys.envelope import unwrap
        from ctdhub.core.keys.linkage import write_linkage_key
        from ctdhub.core.keys.signing import is_encrypted

        key = unwrap(envelope, own, ask_passphrase() if is_encrypted(own) else "")
        write_linkage_key(out, key, _new_passphrase(passphrase))
        _show_linkage(key)

    @keys.command(
        help=_(
            """Split the linkage key into shares: with the number that you need the key can be \
restored, with fewer nothing is revealed.

Example: ctdhub key split link.key --need 3 --shares 5 --out shares"""
        )
    )
    def split(
        key: KeyFile,
        need: Annotated[
            int, typer.Option(help=_("Number of shares that are needed to restore the key."))
        ],
        shares: Annotated[int, typer.Option(help=_("Number of shares to make."))],
        out: Annotated[Path, typer.Option(help=_("A folder for the files of the shares."))],
    ) -> None:
        from ctdhub.core.keys.linkage_shares import split_files

        held = open_linkage_key(key)
        for path in split_files(held, need, shares, out):
            console.print(escape(str(path)), soft_wrap=True, highlight=False)
        _show_linkage(held)

    @keys.command(
        help=_(
            "Restore the linkage key from its shares.\n\nExample: ctdhub key join "
            "share-1-of-5.key share-4-of-5.key share-5-of-5.key --out link.key"
        )
    )
    def join(
        shares: Annotated[list[Path], typer.Argument(help=_("Files of shares."))],
        out: Out,
        passphrase: Passphrase = False,
    ) -> None:
        from ctdhub.core.keys.linkage import write_linkage_key
        from ctdhub.core.keys.linkage_shares import join_files

        key = join_files(shares)
        write_linkage_key(out, key, _new_passphrase(passphrase))
        _show_linkage(key)

    @keys.command(
        help=_(
            "Derive the next linkage key from this one: everybody who holds it gets the same "
            "next key.\n\nThen delete the old one: somebody who steals the next key cannot "
            "derive the old one. If a key was stolen, make a new one instead.\n\nExample: "
            "ctdhub key rotate link.key --out link-2.key"
        )
    )
    def rotate(key: KeyFile, out: Out, passphrase: Passphrase = False) -> None:
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
