"""The verb ``form``: a form that asks for the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.i18n import LANGUAGES, _

FORMS = ("xlsform",)


def register(app: typer.Typer) -> None:
    """Add the verb ``form``."""

    @app.command(name="form", help=about("form"))
    def form_verb(
        out: Annotated[Path, typer.Option(help=_("A new file whose name ends in .xlsx."))],
        to: Annotated[
            str, typer.Option(help=_("What to write: {names}.").format(names=", ".join(FORMS)))
        ] = FORMS[0],
        langs: Annotated[
            str,
            typer.Option(
                help=_(
                    "Languages of the form with commas between them, the first is its default; "
                    "known are: {names}."
                ).format(names=", ".join(LANGUAGES))
            ),
        ] = ",".join(LANGUAGES),
    ) -> None:
        from ctdhub.schema.xlsform import write

        options.one_of(to, FORMS, "--to")
        chosen = [lang.strip() for lang in langs.split(",") if lang.strip()] or [""]
        for lang in chosen:
            options.one_of(lang, LANGUAGES, "--langs")
        options.require_suffix(out, ".xlsx")
        options.require_new(out)
        write(out, list(dict.fromkeys(chosen)))
        options.tell_written(out)
        console.print(_("Read its answers with --mapping {name}.").format(name="ctdhub-form"))
