"""The verb ``trends``: a series by year and whether its change is in the world or in the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.output import bar
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import _
from ctdhub.report.decomposition_files import FORMS

if TYPE_CHECKING:
    from ctdhub.release.open import Release


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(help=about("trends"))
    def trends(
        source: Annotated[Path, options.source()] = Path(),
        of: Annotated[
            str,
            typer.Option(
                help=_(
                    "Who to count, for example gender=female, exploitation_sexual or "
                    "citizenship=Europe. Default: everyone."
                )
            ),
        ] = "",
        first: Annotated[
            int | None,
            typer.Option("--from", help=_("The earlier year; the year before by default.")),
        ] = None,
        last: Annotated[
            int | None,
            typer.Option("--to", help=_("The later year; the last whole year by default.")),
        ] = None,
        lang: Annotated[str, options.lang()] = "",
        form: Annotated[str, options.form(FORMS)] = "text",
        out: Annotated[Path | None, options.out()] = None,
    ) -> None:
        from ctdhub.schema.country_names import resolve
        from ctdhub.stats.answers import Answers
        from ctdhub.stats.decomposition.report import report
        from ctdhub.stats.decomposition.subject import find_question

        write = FORMS[options.one_of(form, FORMS, "--format")]
        options.require_new(out)
        with options.speaking(lang), bar() as progress:
            progress(_("Opening the release"), 0.1)
            release = options.opened(source)
            answers = Answers(release)
            question = find_question(of, answers, lambda text: resolve(text).alpha3)
            years = _years(release, first, last)
            progress(_("Splitting the change"), 0.6)
            found = report(answers, question, years)
            if found is None:
                raise error("not-by-year")
        with options.speaking(lang):
            options.deliver(write(found, release), out)


def _years(release: Release, first: int | None, last: int | None) -> tuple[int, int] | None:
    """The years to compare, None for the default.

    Raises:
        QuestionError: the release does not cover them, or they are in the wrong order.
    """
    from ctdhub.stats.decomposition.panel import last_whole_year

    if first is None and last is None:
        return None
    later = last_whole_year(release) if last is None else last
    earlier = later - 1 if first is None else first
    start, end = release.years
    if not start <= earlier < later <= end:
        raise error("years/compared", first=start, last=end)
    return earlier, later
