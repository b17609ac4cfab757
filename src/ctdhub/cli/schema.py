"""Verb of the schema: codebook.  The verb ``crosswalk`` has its own module.

Belongs here: arguments and what is printed.  Does not belong here: content (``schema.emit``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ctdhub.cli import console
from ctdhub.errors import HubError
from ctdhub.i18n import LANGUAGES, _
from ctdhub.schema import emit

_FORMATS = ", ".join(emit.FORMATS)
_LANGS = ", ".join(LANGUAGES)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(
        help=_("Write the codebook: what each variable and code means, in every language."),
        epilog=_("Examples: `ctdhub codebook`, `ctdhub codebook --format csv --out docs`"),
    )
    def codebook(
        form: Annotated[
            str, typer.Option("--format", help=_("One of: {names}.").format(names=_FORMATS))
        ] = "html",
        lang: Annotated[
            str, typer.Option(help=_("Only this language, one of: {names}.").format(names=_LANGS))
        ] = "",
        out: Annotated[
            Path, typer.Option(help=_("Folder to write into; it is made if it is not there."))
        ] = Path("codebook"),
    ) -> None:
        chosen = next((known for known in emit.FORMATS if known == form), None)
        if chosen is None:
            raise HubError(
                _("There is no such format of the codebook."),
                _("Give --format one of: {names}.").format(names=_FORMATS),
                rule="codebook-format",
            )
        if lang and lang not in LANGUAGES:
            raise HubError(
                _("The codebook is not offered in that language."),
                _("Give --lang one of: {names}.").format(names=_LANGS),
                rule="codebook-language",
            )
        for path in emit.write_codebook(out, chosen, (lang,) if lang else LANGUAGES):
            console.print(_("Wrote {file}").format(file=escape(str(path))), soft_wrap=True)
