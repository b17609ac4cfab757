"""The verb ``tokens``: a contributor makes a file that may leave."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.key import open_linkage_key
from ctdhub.cli.output import bar, console
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.format import number
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from ctdhub.sensitive.linkage.pprl.ages import Lack
    from ctdhub.sensitive.linkage.pprl.columns import Role, TokenPlan
    from ctdhub.sensitive.linkage.pprl.tokenise import Made


def register(app: typer.Typer) -> None:
    """Add the verb ``tokens``."""

    @app.command(help=about("tokens"))
    def tokens(
        file: Annotated[Path, typer.Argument(help=options.table_help())],
        key: Annotated[Path, typer.Option(help=_("The file of the linkage key."))],
        release: Annotated[
            str, typer.Option(help=_("The release that the tokens are for, for example 2026.1."))
        ],
        out: Annotated[
            Path, typer.Option(help=_("Output file (.csv or .parquet), to send to the hub."))
        ],
        columns: Annotated[
            str,
            typer.Option(
                help=_(
                    "Columns that say who somebody is: given=…,family=…,birth=…,place=…,sex=…, "
                    "case=… for the number of a case, name=… for whole names. Without it the "
                    "names of columns decide."
                )
            ),
        ] = "",
        mapping: Annotated[str, typer.Option(help=options.token_mapping_help())] = "",
        keep: Annotated[str, typer.Option(help=options.token_keep_help())] = "",
        strip: Annotated[str, typer.Option(help=options.token_strip_help())] = "",
        age_at: Annotated[
            str, typer.Option(help=_("Add the age in years on the day in this column."))
        ] = "",
        dates: Annotated[
            options.Order, options.dates(_("The order of day and month, for ages."))
        ] = options.Order.dmy,
        sheet: Annotated[str | None, options.sheet()] = None,
        header_row: Annotated[int | None, options.header_row()] = None,
        delimiter: Annotated[str | None, options.delimiter()] = None,
        yes: Annotated[bool, typer.Option("--yes", help=_("Write without asking."))] = False,
    ) -> None:
        from ctdhub.core.keys.linkage import filling_secret
        from ctdhub.sensitive.ingest.isolated import read_isolated
        from ctdhub.sensitive.ingest.options import ReadOptions
        from ctdhub.sensitive.linkage.pprl.ages import AgeAt, check_ages
        from ctdhub.sensitive.linkage.pprl.columns import plan, propose
        from ctdhub.sensitive.linkage.pprl.derive import Tokeniser
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
        if not yes and not typer.confirm(
            _("Is this right, and may the remaining columns be sent?")
        ):
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
    from ctdhub.sensitive.linkage.pprl.ages import AGE
    from ctdhub.sensitive.mapping.tokens import TOKEN_COLUMN, TOKENS_COLUMN

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
    from ctdhub.cli.kind_words import kind_words

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
