"""Verbs for a contributor's file and its mapping: suggest, harmonise, mapping."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctdhub.cli import options
from ctdhub.cli.output import bar, errors, say, show_exactly, show_table
from ctdhub.core.errors import UnreadableFile, error
from ctdhub.core.format import listed
from ctdhub.core.format import number as numeral
from ctdhub.core.i18n import _, ngettext, said

if TYPE_CHECKING:
    import pyarrow.csv
    import pyarrow.parquet

    from ctdhub.sensitive.mapping.mapping import Mapping
    from ctdhub.sensitive.mapping.run import Harmonised


# --------------------------------------------------------------------------------------------------
# Verbs for a contributor: suggest, harmonise.

LINEAGE = "lineage.csv"


def suggest(
    file: Annotated[Path, typer.Argument(help=options.table_help())],
    out: Path | None = None,
    sheet: str | None = None,
    header_row: Annotated[int | None, typer.Option(min=1)] = None,
    delimiter: str | None = None,
    dates: options.Order | None = None,
    form: Path | None = None,
    rows: str | None = None,
    names: Path | None = None,
    encoding: str | None = None,
) -> None:
    """The verb ``suggest``."""
    from ctdhub.sensitive.ingest.options import ReadOptions
    from ctdhub.sensitive.ingest.shape.trees import read_names
    from ctdhub.sensitive.ingest.workbook import read_form
    from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest, suggest

    options.require_new(out)
    stated = options.reading(ReadOptions(), sheet, header_row, delimiter, rows, encoding)
    with errors.status(_("Reading the file")), _sheets_listed(file):
        asked = read_form(form) if form else None
        choice = stated if stated.model_fields_set else None
        called = read_names(names) if names else None
        raw, reading = read_to_suggest(file, choice, asked, called)
        options.refuse_unused(raw, sheet, header_row, delimiter, rows, encoding)
        draft = suggest(raw, reading, dates, asked)
    if out is None:
        show_exactly(draft.yaml)
    else:
        with out.open("x", encoding="utf-8") as written:
            written.write(draft.yaml)
        say(_("Wrote {file}: read every line of it."), file=out)
    if draft.builtin:
        text = _("A built-in mapping reads this file: --mapping {name}")
        say(text, to=errors, name=draft.builtin)


def harmonise(
    file: Annotated[Path, typer.Argument(help=options.table_help())],
    mapping: options.Needed,
    contributor: str = "contributor",
    out: Path | None = None,
    key: Path | None = None,
    sheet: str | None = None,
    header_row: Annotated[int | None, typer.Option(min=1)] = None,
    delimiter: str | None = None,
    dates: options.Order | None = None,
) -> None:
    """The verb ``harmonise``."""
    from ctdhub.schema.model import YEARS
    from ctdhub.sensitive.ingest.isolated import read_isolated
    from ctdhub.sensitive.mapping.mapping_file import named_mapping
    from ctdhub.sensitive.mapping.run import harmonise

    if out is not None:
        options.require_private(out)
        options.require_own(out, LINEAGE)
    rules = named_mapping(mapping)
    if dates is not None:
        ordered = rules.dates.model_copy(update={"order": dates})
        rules = rules.model_copy(update={"dates": ordered})
    secret = key.read_bytes() if key else secrets.token_bytes(32)
    if len(secret) < 16:
        raise error("key-length", file=key)
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        reading = options.reading(rules.read, sheet, header_row, delimiter)
        raw = read_isolated(file, reading)
        options.refuse_unused(raw, sheet, header_row, delimiter)
        progress(_("Applying the mapping"), 0.5)
        done = harmonise(raw, rules, contributor, YEARS, secret)
    for note in raw.notes:
        say(said(note))
    _show(done)
    if rules.key_columns() is None and rules.rows != "person":
        text = _(
            "Here each row counts as a person. A hub asks what a row is: write rows in the "
            "mapping, and a person key where rows are reports or calls."
        )
        say(text)
    _look(done, contributor, rules)
    if out is not None:
        _write(done, out)
        say(_("Wrote {folder}."), folder=out)
    if done.conservation.rejected:
        raise typer.Exit(1)


_COLUMNS = 6
"""Column names of a sheet that are shown."""


@contextmanager
def _sheets_listed(file: Path) -> Iterator[None]:
    """Where a sheet must be chosen, the sheets are shown to whoever holds the file."""
    try:
        yield
    except UnreadableFile as fault:
        if fault.name == "sheets/several":
            from ctdhub.sensitive.ingest.layout import sheets

            rows = []
            for sheet in sheets(file):
                shown = listed([*sheet.header[:_COLUMNS], *["…"] * (len(sheet.header) > _COLUMNS)])
                rows.append((sheet.name, numeral(sheet.rows), shown))
            show_table("", (_("sheet"), _("rows"), _("columns")), rows, fold=False)
        raise


def _show(done: Harmonised) -> None:
    """The account of all rows, the faults by rule, the lineage."""
    account = done.conservation
    people, shared = people_in(done)
    counts = {
        _("read"): account.rows_read,
        _("records"): account.records,
        _("rejected"): account.rejected,
        **{_("excluded by {rule}").format(rule=r): n for r, n in account.excluded.items()},
        _("people"): people,
        **({_("keys that contradict"): shared} if shared else {}),
    }
    rows = [(words, numeral(n)) for words, n in counts.items()]
    title = _("Every row read is accounted for")
    show_table(title, (_("rows"), _("number")), rows, fold=False)
    if done.rejects.num_rows:
        from ctdhub.sensitive.ingest.rejects import reason_of

        counted = done.rejects.group_by(["column", "rule", "fields"]).aggregate([([], "count_all")])
        worst = sorted(counted.to_pylist(), key=lambda row: -int(row["count_all"]))[:20]
        faults = [
            (r["column"] or "", r["rule"], numeral(r["count_all"]), said(reason_of(r["fields"])))
            for r in worst
        ]
        head = (_("column"), _("rule"), _("errors"), _("reason"))
        show_table(_("Errors"), head, faults, fold=False)
    lineage = []
    for entry in done.lineage:
        note = said(entry.note) if entry.note else ""
        origin = ", ".join(entry.sources)
        lineage.append((entry.column, origin, said(entry.rule), numeral(entry.mapped), note))
    heads = (_("variable"), _("from"), _("rule"), _("recorded"), _("lost"))
    show_table("", heads, lineage)


def people_in(done: Harmonised) -> tuple[int, int]:
    """How many people a file is about, and how many of their keys have rows that contradict."""
    import pyarrow.compute as pc

    from ctdhub.sensitive.linkage.deliveries import shared_in_one
    from ctdhub.sensitive.linkage.people import persons_of

    people = pc.count_distinct(persons_of(done.records)).as_py()
    return people, shared_in_one(done.records, done.births).num_rows


def _look(done: Harmonised, contributor: str, rules: Mapping) -> None:
    """Unknown texts, and the alarms that ring for this file by itself."""
    from datetime import UTC, datetime

    from ctdhub.cli.hub import show_alarms, show_unknown
    from ctdhub.sensitive.alarms.checks import AlarmLimits, ReadDelivery, ring

    show_unknown(done.texts.unknown)
    account, today = done.conservation, datetime.now(UTC).date().isoformat()
    file = ReadDelivery(
        contributor, today, rules, (done.texts,), done.records, account.rows_read, account.rejected
    )
    show_alarms(ring([file], AlarmLimits()))


def _write(done: Harmonised, out: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    from ctdhub.core.files import write_whole

    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    pyarrow.parquet.write_table(done.records, out / "records.parquet")
    pyarrow.parquet.write_table(done.perpetrators, out / "perpetrators.parquet")
    (out / "tokens.parquet").unlink(missing_ok=True)  # of an earlier run
    if done.tokens.num_rows:
        pyarrow.parquet.write_table(done.tokens, out / "tokens.parquet")
    pyarrow.csv.write_csv(done.rejects, out / "rejects.csv")
    write_whole(out / "unknown-texts.csv", done.texts.as_csv().encode())
    pyarrow.csv.write_csv(lineage_table(done), out / LINEAGE)


def lineage_table(done: Harmonised) -> pyarrow.Table:
    """The lineage as a table of texts and counts."""
    import pyarrow

    return pyarrow.Table.from_pylist(
        [
            {
                "column": entry.column,
                "sources": "; ".join(entry.sources),
                "rule": said(entry.rule),
                "lossy": entry.lossy,
                "note": said(entry.note) if entry.note else None,
                "mapped": entry.mapped,
                "empty": entry.empty,
                "ignored": entry.ignored,
            }
            for entry in done.lineage
        ]
    )


# --------------------------------------------------------------------------------------------------
# The verbs ``mapping history`` and ``mapping undo``: who changed a mapping, and taking it back.


def mapping_history(folder: Path, contributor: str) -> None:
    """The verb ``ctdhub mapping history``."""
    history = _answer(folder, contributor, "history")
    if not history["commits"]:
        say(_("No change of this mapping was kept yet."))
    for commit in history["commits"]:
        say(_line(commit))
        for operation in commit["operations"]:
            say(f"  {_operation(operation)}")


def mapping_undo(
    folder: Path,
    contributor: str,
    number: int,
    operation: list[int] | None = None,
    later: str | None = None,
    why: str = "",
) -> None:
    """The verb ``ctdhub mapping undo``."""
    wanted: dict[str, Any] = {"commit": number, "later": later}
    if operation:
        wanted["n"] = operation
    before = _answer(folder, contributor, "history")
    start = next((c["from"] for c in before["commits"] if c["number"] == number), "")
    done = _answer(folder, contributor, "undo_kept", day=start or None, **wanted)
    if "later" in done:
        say(_("Later changes concern the same text or rule; nothing was undone:"))
        for one in done["later"]:
            say(f"  {one['commit']}.{one['n']} {_operation(one)}")
        raise typer.Exit(1)
    answer = _answer(folder, contributor, "keep", day=start or None, why=why, **{"from": start})
    if "kept" not in answer:
        _answer(folder, contributor, "discard", day=start or None)
        raise error("alarm-mapping", file=folder / "mappings" / contributor)
    path = answer["kept"]["path"]
    text = ngettext(
        "Undone: {n} part. {path} was written.",
        "Undone: {n} parts. {path} was written.",
        len(done["done"]),
    )
    say(text, n=numeral(len(done["done"])), path=path)


def _answer(
    folder: Path, contributor: str, ask: str, day: str | None = None, **more: Any
) -> dict[str, Any]:
    from ctdhub.core.errors import from_json
    from ctdhub.sensitive.workbench import ask as workbench

    request = {
        "ask": ask,
        "folder": str(folder.absolute()),
        "contributor": contributor,
        "who": "command-line",
        "day": day or datetime.now(UTC).date().isoformat(),
        **more,
    }
    answer = workbench.ask(request)
    if "error" in answer:
        raise from_json(answer["error"])
    return answer


def _line(commit: dict[str, Any]) -> str:
    """A commit in one line."""
    start = commit["from"] or _("from the first delivery on")
    text = _("{number}. {time}, {who}: mapping {start}").format(
        number=commit["number"], time=commit["time"], who=commit["who"], start=start
    )
    if commit["undoes"]:
        numbers = ", ".join(map(str, commit["undoes"]))
        text += " · " + _("takes back {numbers}").format(numbers=numbers)
    return f"{text} · {commit['why']}" if commit["why"] else text


def _operation(operation: dict[str, Any]) -> str:
    """An operation in one line: its number, its key, its value before and now."""
    from ctdhub.sensitive.mapping.edits import label_of, value_of

    before, now = operation.get("before"), value_of(operation)
    return f"{operation['n']} {label_of(operation)}: {_short(before)} → {_short(now)}"


def _short(value: Any) -> str:
    from ctdhub.core.errors import printable
    from ctdhub.sensitive.mapping.mapping_file import flow

    return printable(flow(value), 60)


# --------------------------------------------------------------------------------------------------
# The verb group ``mapping``: what texts mean, decided in a workbook; what was changed, undone.


def mapping_export(
    mapping: Path, out: options.NeededPath, file: Path | None = None, lang: str = ""
) -> None:
    """The verb ``ctdhub mapping export``."""
    from ctdhub.sensitive.mapping.mapping_file import parse_mapping, text_of
    from ctdhub.sensitive.workbench.decision_book import write_book
    from ctdhub.sensitive.workbench.facets import opened, questions, unread

    options.require_new(out)
    options.require_private(out)
    options.require_suffix(out, ".xlsx")
    text = text_of(mapping)
    rules = parse_mapping(text, mapping.name)
    with errors.status(_("Reading the file")):
        content = opened(file, rules.read) if file else None
        asked = [*questions(rules, content)]
        open_ = unread(rules, content) if content else {}
    with options.speaking(lang):
        write_book(out, asked, text, file is not None, open_)
    n = sum(len(one.unknown()) for one in asked)
    say(_("Wrote {file}."), file=out)
    text = ngettext(
        "{n} text is unknown to the mapping.", "{n} texts are unknown to the mapping.", n
    )
    say(text, n=numeral(n))


def mapping_import(mapping: Path, decisions: options.NeededPath, out: options.NeededPath) -> None:
    """The verb ``ctdhub mapping import``."""
    from ctdhub.sensitive.mapping.mapping_file import parse_mapping, text_of
    from ctdhub.sensitive.workbench.decision_book import decided_yaml, read_book

    options.require_new(out)
    text = text_of(mapping)
    changes = read_book(decisions, parse_mapping(text, mapping.name), text)
    after = decided_yaml(text, mapping.name, changes)
    with out.open("x", encoding="utf-8", newline="") as written:
        written.write(after)
    text = ngettext(
        "{n} decision was written into the mapping.",
        "{n} decisions were written into the mapping.",
        len(changes),
    )
    say(text, n=numeral(len(changes)))
    for one in changes:
        if one.before:
            text = _("Read differently so far: sheet {sheet}, row {row}: {before} → {now}")
            say(
                text,
                sheet=one.name,
                row=one.row,
                before="; ".join(one.before),
                now="; ".join(one.answer),
            )
    say(_("Wrote {file}: compare it with the old one."), file=out)
