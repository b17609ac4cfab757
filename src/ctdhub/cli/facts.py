"""The verb ``facts``: sentences and number cards of a release.

Belongs here: arguments, where the sheet goes.  Does not belong here: facts (``insight``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ctdhub.cli import console
from ctdhub.cli.portal import release_folder
from ctdhub.errors import QuestionError
from ctdhub.harmonise.country_names import resolve
from ctdhub.i18n import LANGUAGES, _, current, language
from ctdhub.insight import Answers, place_facts
from ctdhub.insight.factsheet import FORMS, headline_sheet, place_sheet
from ctdhub.release import Release, open_release
from ctdhub.schema.place import find_place

T = TypeVar("T")
_LANGS, _FORMATS = ", ".join(LANGUAGES), ", ".join(FORMS)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(
        help=_(
            "State the facts of a release, or of a region in it: sentences with their intervals."
            "\n\nExample: ctdhub facts my-hub --region Europe --years 2002-2018 --lang fr"
        )
    )
    def facts(
        source: Annotated[
            Path, typer.Argument(help=_("A hub (its last release) or the folder of a release."))
        ] = Path(),
        region: Annotated[
            str | None,
            typer.Option(
                help=_(
                    "A region of the UN M49 list by name or code, EU, Council of Europe, a "
                    "country, or several countries with commas."
                )
            ),
        ] = None,
        name: Annotated[str, typer.Option(help=_("What to call a list of countries."))] = "",
        years: Annotated[
            str, typer.Option(help=_("One year, or the first and the last: 2002-2018."))
        ] = "",
        lang: Annotated[
            str,
            typer.Option(help=_("Language, one of: {names}.").format(names=_LANGS)),
        ] = "",
        form: Annotated[
            str, typer.Option("--format", help=_("One of: {names}.").format(names=_FORMATS))
        ] = "text",
        out: Annotated[
            Path | None, typer.Option(help=_("Write into this file instead of printing."))
        ] = None,
    ) -> None:
        write = chosen_form(form, FORMS)
        check_language(lang)
        with language(lang or current()):
            release = open_release(release_folder(source))
            span = parse_years(years, release) if years else None
            answers = Answers(release)
            if region is None:
                sheet = headline_sheet(answers, span)
            else:
                place = find_place(region, lambda text: resolve(text).alpha3, name)
                sheet = place_sheet(place_facts(answers, place, span), release)
            text = write(sheet)
        deliver(text, out)


def chosen_form(form: str, forms: Mapping[str, T]) -> T:
    """The writer of a format.

    Raises:
        QuestionError: there is no such format.
    """
    if form not in forms:
        raise QuestionError(
            _("There is no such format."),
            _("Give --format one of: {names}.").format(names=", ".join(forms)),
            rule="no-such-format",
        )
    return forms[form]


def check_language(lang: str) -> None:
    """Refuse a language that is not offered; "" is the user's own.

    Raises:
        QuestionError: it is not offered.
    """
    if lang and lang not in LANGUAGES:
        raise QuestionError(
            _("The facts are not offered in that language."),
            _("Give --lang one of: {names}.").format(names=_LANGS),
            rule="no-such-language",
        )


def parse_years(text: str, release: Release) -> tuple[int, int]:
    """The first and the last year that a text names.

    Raises:
        QuestionError: it names no years, or years that the release does not cover.
    """
    first, last = release.years
    fix = _("Give years from {first} to {last}, for example --years {first}-{last}.").format(
        first=first, last=last
    )
    found = re.fullmatch(r"\s*(\d{4})\s*(?:[-–]\s*(\d{4})\s*)?", text)
    if found is None:
        raise QuestionError(_("These are no years."), fix, rule="years")
    asked = int(found[1]), int(found[2] or found[1])
    if asked[0] > asked[1]:
        raise QuestionError(_("The first year is later than the last."), fix, rule="years")
    if asked[0] < first or asked[1] > last:
        raise QuestionError(_("The release does not cover these years."), fix, rule="years")
    return asked


def deliver(text: str, out: Path | None) -> None:
    """Print a document as it is, or write it into a file."""
    if out is None:
        console.out(text, end="", highlight=False)
        return
    out.write_text(text, "utf-8")
    console.print(_("Wrote {file}").format(file=out), markup=False, soft_wrap=True)
