"""Verb of the schema: codebook.  The verb ``crosswalk`` has its own module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.verbs import about
from ctdhub.core.i18n import LANGUAGES, _
from ctdhub.schema import emit

_LANGS = ", ".join(LANGUAGES)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(
        help=about("codebook"),
        epilog=_("Examples: `ctdhub codebook`, `ctdhub codebook --format csv --out docs`"),
    )
    def codebook(
        form: Annotated[str, options.form(emit.FORMATS)] = "html",
        lang: Annotated[
            str, typer.Option(help=_("Only this language, one of: {names}.").format(names=_LANGS))
        ] = "",
        out: Annotated[
            Path,
            typer.Option(
                help=_("Folder to write into; it is made, or an earlier codebook in it renewed.")
            ),
        ] = Path("codebook"),
    ) -> None:
        options.one_of(form, emit.FORMATS, "--format")
        chosen = next(known for known in emit.FORMATS if known == form)
        spoken = (options.one_of(lang, LANGUAGES, "--lang"),) if lang else LANGUAGES
        for path in emit.write_codebook(out, chosen, spoken):
            options.tell_written(path)
