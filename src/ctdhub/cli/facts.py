"""The verb ``facts``: sentences and number cards of a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import _
from ctdhub.report.facts import FORMS

if TYPE_CHECKING:
    from ctdhub.release.open import Release


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(help=about("facts"))
    def facts(
        source: Annotated[Path, options.source()] = Path(),
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
        press: Annotated[
            bool,
            typer.Option(
                "--press",
                help=_(
                    "One paragraph for a press release (“more than 9,700”, “about two in three”), "
                    "and the number card behind each clause."
                ),
            ),
        ] = False,
        lang: Annotated[str, options.lang()] = "",
        form: Annotated[str, options.form(FORMS)] = "text",
        out: Annotated[Path | None, options.out()] = None,
    ) -> None:
        from ctdhub.report.facts import headline_sheet, place_sheet
        from ctdhub.report.press import press_sheet
        from ctdhub.schema.country_names import resolve
        from ctdhub.schema.places import find_place
        from ctdhub.stats.answers import Answers
        from ctdhub.stats.headline import place_facts

        write = FORMS[options.one_of(form, FORMS, "--format")]
        options.require_new(out)
        if name and region is None:
            raise error("usage/name-without-region")
        with options.speaking(lang):
            release = options.opened(source)
            span = parse_years(years, release) if years else None
            answers = Answers(release)
            place = None
            if region is not None:
                place = find_place(region, lambda text: resolve(text).alpha3, name)
            if press:
                sheet = press_sheet(answers, place, span)
            elif place is None:
                sheet = headline_sheet(answers, span)
            else:
                sheet = place_sheet(place_facts(answers, place, span), release)
            text = write(sheet)
            options.deliver(text, out)


def parse_years(text: str, release: Release) -> tuple[int, int]:
    """The first and the last year that a text names.

    Raises:
        QuestionError: it names no years, or years that the release does not cover.
    """
    first, last = release.years
    asked = options.years_of(text)
    if asked is None:
        raise error("years", first=first, last=last)
    if asked[0] > asked[1]:
        raise error("years/order", first=first, last=last)
    if asked[0] < first or asked[1] > last:
        raise error("years/uncovered", first=first, last=last)
    return asked
