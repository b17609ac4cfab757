"""Verbs of the schema: codebook, form, crosswalk, convert."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pyarrow.parquet as pq
import typer
from pyarrow import ArrowException

from ctdhub.cli import options
from ctdhub.cli.output import console, errors, say, show_table
from ctdhub.core.errors import error
from ctdhub.core.format import number
from ctdhub.core.i18n import LANGUAGES, _
from ctdhub.schema import crosswalk as crossings
from ctdhub.schema import emit
from ctdhub.schema.model import load_schema

if TYPE_CHECKING:
    from ctdhub.sensitive.mapping.export import LossNote

# --------------------------------------------------------------------------------------------------
# Verb of the schema: codebook.  The verb ``crosswalk`` has its own module.


def codebook(
    form: Annotated[str, options.form(emit.FORMATS)] = "html",
    lang: str = "",
    out: Path = Path("codebook"),
) -> None:
    """The verb ``codebook``."""
    options.one_of(form, emit.FORMATS, "--format")
    chosen = next(known for known in emit.FORMATS if known == form)
    spoken = (options.one_of(lang, LANGUAGES, "--lang"),) if lang else LANGUAGES
    for path in emit.write_codebook(out, chosen, spoken):
        options.tell_written(path)


# --------------------------------------------------------------------------------------------------
# The verb ``form``: a form that asks for the schema.

FORMS = ("xlsform",)


def form(
    out: options.NeededPath,
    to: Annotated[
        str, typer.Option(help=_("What to write: {names}.").format(names=", ".join(FORMS)))
    ] = FORMS[0],
    langs: str = ",".join(LANGUAGES),
) -> None:
    """The verb ``form``."""
    from ctdhub.schema.form import write

    options.one_of(to, FORMS, "--to")
    chosen = [lang.strip() for lang in langs.split(",") if lang.strip()] or [""]
    for lang in chosen:
        options.one_of(lang, LANGUAGES, "--langs")
    options.require_suffix(out, ".xlsx")
    options.require_new(out)
    write(out, list(dict.fromkeys(chosen)))
    options.tell_written(out)
    say(_("Read its answers with --mapping {name}."), name="ctdhub-form")


# --------------------------------------------------------------------------------------------------
# Verbs for formats: how two of them meet, records written in another one.


def crosswalk(
    source: Annotated[str | None, typer.Argument(metavar="FROM")] = None,
    target: Annotated[str, typer.Argument(metavar="TO")] = "hub",
    lossy: Annotated[bool, typer.Option("--lossy")] = False,
    as_json: options.AsJson = False,
) -> None:
    """The verb ``crosswalk``."""
    if source is None:
        if lossy or as_json:
            raise error("usage/goes-with", name="--lossy" if lossy else "--json", other="FROM")
        _show_names()
        return
    pairs = [
        c for c in crossings.crosswalk(source, target) if not lossy or c.state in ("lossy", "none")
    ]
    if as_json:
        console.print_json(json.dumps([_translated(c) for c in pairs]))
    else:
        _show_crossings(pairs, source, target)


def convert(
    records: Path, to: options.Needed, out: options.NeededPath, perpetrators: Path | None = None
) -> None:
    """The verb ``convert``."""
    from ctdhub.sensitive.mapping.export import write_format

    options.require_new(out)
    children = _read(perpetrators) if perpetrators else None
    rows = _read(records)
    if not {v.name for v in load_schema().table("records")} & set(rows.column_names):
        raise error("no-records", file=records)
    with errors.status(_("Writing the file")):
        losses = write_format(rows, to, out, children)
    options.tell_written(out)
    if losses:
        _show_losses(losses)
    else:
        say(_("Nothing was lost."))


def _read(path: Path) -> pq.Table:
    try:
        with path.open("rb") as file:
            return pq.read_table(file)
    except (OSError, ArrowException) as cause:
        raise error("parquet", file=path) from cause


def _show_names() -> None:
    rows = []
    for name in crossings.NAMES:
        walk = crossings.load_crosswalk(name)
        count = sum(1 for _name in crossings.covered(walk, load_schema()))
        rows.append((name, walk.title, number(len(walk.written())), number(count)))
    head = (_("format"), _("what it is"), _("columns"), _("variables of the hub"))
    show_table("", head, rows, fold=False)


def _translated(crossing: crossings.Crossing) -> dict[str, object]:
    return asdict(crossing) | {"notes": [_(note) for note in crossing.notes]}


def _show_crossings(pairs: list[crossings.Crossing], source: str, target: str) -> None:
    """One line per pair of columns and state; values that share a line are listed in it."""
    lines: dict[tuple[object, ...], list[crossings.Crossing]] = {}
    for c in pairs:
        line = (c.source, c.target, c.variable if c.source else None, c.state, c.notes)
        lines.setdefault(line, []).append(c)
    states = {
        "exact": _("exact"),
        "aligned": _("aligned, not certified"),
        "lossy": _("lossy"),
        "derived": _("derived"),
        "none": _("no counterpart"),
    }
    rows = []
    for group in lines.values():
        c = group[0]
        theirs = dict.fromkeys(x.source_value or x.code for x in group if x.source)
        ours = dict.fromkeys(_("not recorded") if x.code == "" else x.target_value for x in group)
        cells = (c.source or "–", _few(theirs), c.target or "–", _few(ours), states[c.state])
        rows.append((*cells, " ".join(_(note) for note in c.notes)))
    head = (source, _("value"), target, _("value"), _("match type"), _("what is lost"))
    show_table("", head, rows)


def _few(texts: dict[str | None, None], most: int = 3) -> str:
    shown = [text for text in texts if text]
    return ", ".join(shown[:most]) + (f" … {shown[-1]}" if len(shown) > most else "")


def _show_losses(losses: tuple[LossNote, ...]) -> None:
    rows = [(x.variable, x.code or "", x.column or "–", str(x.cells), _(x.note)) for x in losses]
    head = (_("variable"), _("value"), _("column"), _("cells"), _("what is lost"))
    show_table("", head, rows, fold=False)
