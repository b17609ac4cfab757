"""The verb group ``mapping``: what texts mean, decided in a workbook; what was changed, undone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ctdhub.cli import options
from ctdhub.cli.mapping_history import add_history
from ctdhub.cli.output import console, errors
from ctdhub.cli.verbs import about
from ctdhub.core.i18n import _, ngettext

MappingFile = Annotated[Path, typer.Argument(help=_("The mapping, a YAML file."))]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    verbs = typer.Typer(help=about("mapping"), no_args_is_help=True)
    app.add_typer(verbs, name="mapping")
    add_history(verbs)

    @verbs.command(
        help=_(
            """Write a workbook that asks what the texts of a file mean.

One sheet a column, one row a text: how many rows have it, how it is read today, a proposal, and \
a cell for the decision with a list to choose from. It contains texts of case files: only you may \
read it, and you may send it to its contributor only.

Example: ctdhub mapping export our-ngo.yaml --file cases.xlsx --out questions.xlsx"""
        )
    )
    def export(
        mapping: MappingFile,
        out: Annotated[Path, typer.Option(help=_("A new .xlsx file."))],
        file: Annotated[
            Path | None,
            typer.Option(help=_("The contributor's file, whose texts need a decision.")),
        ] = None,
        lang: Annotated[str, options.lang()] = "",
    ) -> None:
        from ctdhub.sensitive.ingest.isolated import read_isolated
        from ctdhub.sensitive.mapping.decision_book import write_book
        from ctdhub.sensitive.mapping.decisions import sheets
        from ctdhub.sensitive.mapping.mapping_file import load_mapping

        options.require_new(out)
        options.require_private(out)
        options.require_suffix(out, ".xlsx")
        rules = load_mapping(mapping)
        with errors.status(_("Reading the file")):
            table = None if file is None else read_isolated(file, rules.read).table
            asked = sheets(rules, table)
        with options.speaking(lang):
            write_book(out, asked, mapping.read_text("utf-8-sig"))
        n = sum(not q.today for sheet in asked for q in sheet.questions)
        console.print(_("Wrote {file}.").format(file=escape(str(out))))
        console.print(
            ngettext(
                "{n} text is unknown to the mapping.", "{n} texts are unknown to the mapping.", n
            ).format(n=n)
        )

    @verbs.command(
        name="import",
        help=_(
            "Put the decisions of a workbook into a mapping.\n\nThe new mapping is a file of its "
            "own and keeps the comments of the old one; every decision is checked by running it. "
            "Where one cannot be written down by itself, nothing is written and the sheet and row "
            "are named.\n\nExample: ctdhub mapping import our-ngo.yaml --decisions questions.xlsx "
            "--out our-ngo.new.yaml"
        ),
    )
    def import_(
        mapping: MappingFile,
        decisions: Annotated[Path, typer.Option(help=_("The workbook that was sent back."))],
        out: Annotated[Path, typer.Option(help=_("A new YAML file."))],
    ) -> None:
        from ctdhub.sensitive.mapping.decided_yaml import decided_yaml
        from ctdhub.sensitive.mapping.decision_book import read_book
        from ctdhub.sensitive.mapping.mapping_file import load_mapping

        options.require_new(out)
        rules, text = load_mapping(mapping), mapping.read_text("utf-8-sig")
        found = read_book(decisions, rules, text)
        after = decided_yaml(text, mapping.name, found)
        with out.open("x", encoding="utf-8") as written:
            written.write(after)
        console.print(
            ngettext(
                "{n} decision was written into the mapping.",
                "{n} decisions were written into the mapping.",
                len(found),
            ).format(n=len(found))
        )
        for one in found:
            if one.before:
                console.print(
                    _("Read differently so far: sheet {sheet}, row {row}: {before} → {now}").format(
                        sheet=escape(one.name),
                        row=one.row,
                        before="; ".join(one.before),
                        now="; ".join(one.answer),
                    )
                )
        console.print(_("Wrote {file}: compare it with the old one.").format(file=escape(str(out))))
