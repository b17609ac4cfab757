"""The verb ``link``: whoever lawfully holds several contributors' identifiers links by them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.key import open_linkage_key
from ctdhub.cli.link_review import show_review
from ctdhub.cli.output import bar, console
from ctdhub.cli.tokens import age_rows, check_release, names, roles_of, show_plan
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.format import listed, number, share
from ctdhub.core.i18n import _, said
from ctdhub.sensitive.linkage.settings import LinkageSettings

if TYPE_CHECKING:
    from ctdhub.build.steps import Progress as Report
    from ctdhub.sensitive.ingest.options import ReadOptions
    from ctdhub.sensitive.linkage.identified.link_files import Held


def register(app: typer.Typer) -> None:
    """Add the verb ``link``."""

    @app.command(help=about("link"))
    def link(
        files: Annotated[list[Path], typer.Argument(help=_("One table of each contributor."))],
        key: Annotated[Path, typer.Option(help=_("The file of the linkage key."))],
        release: Annotated[
            str, typer.Option(help=_("The release that the tokens are for, for example 2026.1."))
        ],
        out: Annotated[
            Path,
            typer.Option(
                help=_("A new folder; only what is in its folder `leaves` may be sent to the hub.")
            ),
        ],
        earlier: Annotated[
            Path | None,
            typer.Option(
                help=_(
                    "Folder of the previous round: people who had a token for this release keep it."
                )
            ),
        ] = None,
        columns: Annotated[
            list[str] | None,
            typer.Option(
                help=_(
                    "Columns that say who somebody is: given=…,family=…,birth=…,place=…,sex=…, "
                    "case=… for the number of a case, name=… for whole names. Without it the "
                    "names of columns decide."
                )
            ),
        ] = None,
        mapping: Annotated[
            list[str] | None, typer.Option(help=options.token_mapping_help())
        ] = None,
        keep: Annotated[list[str] | None, typer.Option(help=options.token_keep_help())] = None,
        strip: Annotated[list[str] | None, typer.Option(help=options.token_strip_help())] = None,
        age_at: Annotated[
            list[str] | None,
            typer.Option(help=_("Add the age in years on the day in this column.")),
        ] = None,
        dates: Annotated[
            options.Order, options.dates(_("The order of day and month, for ages."))
        ] = options.Order.dmy,
        sheet: Annotated[list[str] | None, options.sheet()] = None,
        header_row: Annotated[list[str] | None, options.header_row(least=None)] = None,
        cut: Annotated[
            float, typer.Option(min=0.5, max=1.0, help=_("Minimum probability of a link."))
        ] = LinkageSettings().cut,
        review: Annotated[
            int,
            typer.Option(
                min=0,
                help=_(
                    "Write a workbook with names for a clerical review: doubtful pairs, "
                    "and a random sample of this many pairs."
                ),
            ),
        ] = 0,
        decisions: Annotated[
            Path | None,
            typer.Option(help=_("The workbook of the review; its decisions overrule the model.")),
        ] = None,
        review_by: Annotated[
            list[str] | None,
            typer.Option(
                help=_(
                    "The column to group reviewed pairs by; without it, the script of the names."
                )
            ),
        ] = None,
        review_errors: Annotated[
            float,
            typer.Option(min=0.0, max=0.5, help=_("Maximum share of decisions that are wrong.")),
        ] = 0.05,
        yes: Annotated[bool, typer.Option("--yes", help=_("Write without asking."))] = False,
    ) -> None:
        from ctdhub.core.keys.linkage import filling_secret
        from ctdhub.sensitive.linkage.identified.backend import check_installed
        from ctdhub.sensitive.linkage.identified.clerical_review import (
            BOOK_FILE,
            ReviewAsked,
            check_groups,
        )
        from ctdhub.sensitive.linkage.identified.features import more_columns
        from ctdhub.sensitive.linkage.identified.link_files import (
            LEAVES,
            check_earlier,
            check_files,
            link_files,
        )
        from ctdhub.sensitive.linkage.identified.report import REVIEW_FILE
        from ctdhub.sensitive.linkage.pprl.derive import Tokeniser

        check_installed()
        check_release(release)
        check_files([file.name for file in files], out)
        if review and decisions:
            raise error("review-book/both", file=decisions)
        for path in (key, out, *files, *filter(None, (earlier, decisions))):
            _not_in_a_hub(path)
        tokeniser = Tokeniser(open_linkage_key(key).secret, release, filling_secret(key))
        if earlier:
            check_earlier(earlier, tokeniser)
        stated = {"columns": columns, "mapping": mapping, "keep": keep, "strip": strip,
                  "age-at": age_at, "sheet": sheet, "header-row": header_row,
                  "review-by": review_by}  # fmt: skip
        of_file = _by_file(files, stated)
        with bar() as progress:
            held = [_held(file, of_file[file.name], dates, progress) for file in files]
        by = [of_file[file.name]["review-by"] for file in files]
        asked = ReviewAsked(review, decisions, by, review_errors)
        check_groups(asked, [file.raw for file in held])
        for file in held:
            console.print(escape(file.raw.file), style="bold")
            show_plan(file.plan, file.age.column if file.age else "")
            for note in file.raw.notes:
                console.print(escape(said(note)))
        if more := more_columns([file.plan for file in held]):
            console.print(
                _("Compared as well: {columns}.").format(columns=escape(listed(list(more))))
            )
        if not yes and not typer.confirm(
            _("Is this right, and may the remaining columns be sent?")
        ):
            console.print(_("Nothing was written."))
            raise typer.Exit(1)
        settings = LinkageSettings(cut=cut)
        with bar() as progress:
            summary = link_files(held, tokeniser, out, settings, earlier, progress, asked)
        _show(summary)
        if decisions:
            show_review(summary["review"])
        if review:
            console.print(
                _(
                    "{book} contains names and the pairs for clerical review. Do not pass "
                    "it to anyone who may not see names. Link again with --decisions once "
                    "it is filled in; then delete it."
                ).format(book=escape(str(out / BOOK_FILE)))
            )
        console.print(
            _(
                "Wrote {leaves}. You may send this folder to the hub. Never send anything "
                "else in {folder}, or the key, to anybody, the hub least of all. The pairs "
                "for clerical review are in {review}."
            ).format(
                leaves=escape(str(out / LEAVES)),
                folder=escape(str(out)),
                review=escape(str(out / REVIEW_FILE)),
            )
        )


def _held(file: Path, said: dict[str, str], dates: options.Order, progress: Report) -> Held:
    """One file as read, with what happens to its columns; all are read before one is shown."""
    from ctdhub.sensitive.ingest.isolated import read_isolated
    from ctdhub.sensitive.ingest.options import ReadOptions
    from ctdhub.sensitive.linkage.identified.link_files import Held
    from ctdhub.sensitive.linkage.pprl.ages import AgeAt, check_ages
    from ctdhub.sensitive.linkage.pprl.columns import plan, propose
    from ctdhub.sensitive.mapping.mapping_file import named_mapping

    progress(_("Reading the file"), 0.0)
    rules = named_mapping(said["mapping"]) if said["mapping"] else None
    base = rules.read if rules else ReadOptions()
    raw = read_isolated(file, _reading(base, said["sheet"], said["header-row"]))
    roles = roles_of(said["columns"]) if said["columns"] else propose(raw)
    what = plan(raw, roles, names(said["keep"]), names(said["strip"]), rules)
    age = AgeAt(said["age-at"], dates.value) if said["age-at"] else None
    if age:
        check_ages(raw, what, age)
    return Held(raw, what, age)


def _not_in_a_hub(path: Path) -> None:
    if any((folder / "hub.yaml").exists() for folder in path.resolve().parents):
        raise error("link-at-hub", file=path)


def _by_file(
    files: Sequence[Path], options: dict[str, list[str] | None]
) -> dict[str, dict[str, str]]:
    """Each option's text for each file: ``FILE:text`` is for one file, other text for all."""
    found = {file.name: dict.fromkeys(options, "") for file in files}
    for option, texts in options.items():
        general: set[str] = set()
        for text in sorted(texts or (), key=lambda t: t.partition(":")[0] in found):
            file, colon, own = text.partition(":")
            said = (file, own) if colon and file in found else ("", text)
            if said[0] in general:
                raise error("option", option=option)
            general.add(said[0])
            for name in [said[0]] if said[0] else found:
                found[name][option] = said[1]
    return found


def _reading(base: ReadOptions, sheet: str, header_row: str) -> ReadOptions:
    if header_row and not (header_row.isdecimal() and int(header_row)):
        raise error("option/header-row")
    return options.reading(base, sheet or None, int(header_row) if header_row else None, None)


def _show(summary: dict[str, Any]) -> None:
    table = Table(title=_("Not to be published"), show_header=False)
    for label, value in (
        (_("persons, each file by itself"), number(summary["persons"])),
        (_("persons once linked"), number(summary["clusters"])),
        (_("links"), number(summary["links"])),
        (_("links that are expected to be wrong"), number(round(summary["expected_false_links"]))),
        (_("links that are expected to be missing"), _missing(summary)),
        (_("pairs to review"), number(summary["to_review"])),
    ):  # fmt: skip
        table.add_row(label, value)
    console.print(table)
    for file, copy in summary["files"].items():
        if rows := age_rows(copy["without_age"]):
            ages = Table(title=escape(file), show_header=False)
            for label, count in rows:
                ages.add_row(label, count)
            console.print(ages)
    overlap = Table(_("known to"), _("persons once linked"))
    for known in summary["overlap"]:
        overlap.add_row(escape(listed(known["files"])), number(known["persons"]))
    console.print(overlap)
    bands = Table(_("probability from"), _("pairs"))
    for low, pairs in summary["bands"].items():
        bands.add_row(share(float(low), fine=True), number(pairs))
    console.print(bands)
    if not summary["learnt"]:
        console.print(
            _(
                "Too few pairs agree on names and birth to learn from: the match weights "
                "were taken from fictitious people, and how many links are missing is "
                "unknown. Check the pairs for clerical review."
            )
        )
    elif summary["expected_missed_links"] is None:
        console.print(
            _(
                "Nothing in these files distinguishes links from chance: how many links are "
                "missing is unknown."
            )
        )


def _missing(summary: dict[str, Any]) -> str:
    """Links expected to be missing, and their share of all."""
    missed = summary["expected_missed_links"]
    if missed is None:
        return _("unknown")
    every = summary["links"] - summary["expected_false_links"] + missed
    return f"{number(round(missed))} ({share(missed / every if every else 0.0, fine=True)})"
