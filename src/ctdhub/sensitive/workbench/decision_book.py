"""Decisions on texts as a workbook that goes to the contributor and comes back into the mapping."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ctdhub.core.errors import FileError, error
from ctdhub.core.files import write_whole
from ctdhub.core.format import listed
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, _, current, language
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.schema.labels import label
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.mapping.edits import NOT_RECORDED, OTHER_KIND, STAYS
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.workbench import facets
from ctdhub.sensitive.workbench.drafts import DraftFold, digest
from ctdhub.sensitive.workbench.facets import Answer, Facets, Sheet, suggestions

# --------------------------------------------------------------------------------------------------
# Decisions on texts as a workbook that goes to the contributor and comes back.
#
# One sheet for each column (or each variable that the column fills), a row for each text: what the
# mapping makes of it today, what is proposed, and an empty cell for the decision.  Words are in one
# language; each choice begins with its code, so a workbook is read back whatever its language.  Row
# 2 is hidden and says which column of a sheet is which, so that columns may be moved and rows
# sorted.

INDEX, CHOICES = "ctdhub", "choices"
"""Sheets that are no questions: the first lists the others, the hidden one holds the choices."""

_KEYS = ("text", "rows", "today", "proposal", "decision", "remark")
_INDEX_KEYS = ("sheet", "place", "column", "variable", "texts", "undecided", "mapping")
_MARK, _BETWEEN = " · ", ";"
_TITLE, _KEY_ROW, _HEAD = 1, 2, 3
_MOST = 5_000
"""Texts on one sheet; what is left comes with the next workbook."""
_GREY, _YELLOW = PatternFill("solid", fgColor="FFE8E8E8"), PatternFill("solid", fgColor="FFFFF2CC")
_WIDTHS = (44, 10, 34, 34, 44, 30)


@dataclass(frozen=True)
class Decided:
    """A decision that came back.

    Attributes:
        sheet: the sheet of the mapping that it is about.
        name, row: the sheet and the row of the workbook.
        text: the text.
        answer: tokens.
        before: what the mapping made of the text so far; empty where it was unknown.
    """

    sheet: Sheet
    name: str
    row: int
    text: str
    answer: Answer
    before: Answer = ()


def write_book(
    path: Path,
    asked: Sequence[Facets],
    mapping_text: str,
    counted: bool,
    unread: dict[str, list[str]] | None = None,
) -> None:
    """Write the questions as a workbook, in the language in force; only its owner may read it.

    Args:
        path: a new ``.xlsx`` file.
        asked: see ``facets.questions``.
        mapping_text: the YAML that they are about, so that another is told apart later.
        counted: whether they were asked about a file, whose rows were counted.
        unread: columns that no rule reads with what each may mean: the first lines of the list.
    """
    book = Workbook()
    index = book.active
    index.title = INDEX
    choices = book.create_sheet(CHOICES)
    choices.sheet_state = "hidden"
    lists: dict[tuple[str, ...], str] = {}
    rows: list[Sequence[str | int]] = [
        ("", "", column, _unread(variables), "", "", "")
        for column, variables in (unread or {}).items()
    ]
    for number, one in enumerate(asked, 1):
        sheet, texts = one.of, one.values
        name = _sheet_name(number, sheet)
        wanted = tuple(map(_chooser(sheet), sheet.tokens()))
        if wanted not in lists:
            lists[wanted] = _put_list(choices, len(lists) + 1, wanted)
        _fill(book.create_sheet(name), one, lists[wanted], counted)
        open_ = len(one.unknown())
        rows.append((name, sheet.name, _of(sheet), _titled(sheet), len(texts), open_, ""))
    _fill_index(index, rows, digest(mapping_text))
    content = io.BytesIO()
    book.save(content)
    write_whole(path, content.getvalue())


def read_book(path: Path, mapping: Mapping, mapping_text: str) -> list[Decided]:
    """The decisions of a workbook that say something else than the mapping does today.

    Args:
        path: the workbook as it came back.
        mapping, mapping_text: what it is about, and its YAML.

    Raises:
        FileError: it is no such workbook, it is about another mapping or an older state of this
            one, or a decision is none; names sheet and row.
    """
    _heads_of_index, *listed = _read(path, INDEX)
    about = next((row["mapping"] for _n, row in listed if row.get("mapping")), None)
    if about is None:
        raise error("mapping-book", file=path)
    if about != digest(mapping_text):
        raise error("mapping-book/older", file=path)
    by_key = {sheet.name: sheet for sheet in facets.askable(mapping)}
    decisions: list[Decided] = []
    for _number, row in listed:
        if (name := row.get("sheet")) is not None:
            sheet = by_key.get(row.get("place") or "")
            if sheet is None:
                raise error("mapping-book", file=path)
            decisions += _decided(path, name, sheet, mapping)
    return decisions


def _decided(path: Path, name: str, sheet: Sheet, mapping: Mapping) -> list[Decided]:
    """The decisions of a sheet that differ from what the mapping says."""
    decisions: dict[str, Decided] = {}
    (_number, heads), *rows = _read(path, name)
    if not _are_heads(heads):
        raise error("mapping-book", file=path)
    for number, row in rows:
        text, said = row.get("text"), row.get("decision")
        if said is None:
            continue
        answer = _answer(sheet, said)
        if text is None or answer is None:
            raise error("mapping-book/decision", file=path, column=name, row=number)
        one = Decided(sheet, name, number, text, answer)
        if decisions.setdefault(fold(text), one).answer != answer:
            raise error("mapping-book/twice", file=path, column=name, row=number)
    today = facets.meanings(mapping, sheet, [one.text for one in decisions.values()])
    return [
        replace(one, before=said)
        for one, said in zip(decisions.values(), today, strict=True)
        if set(one.answer) != set(said)
    ]


def _are_heads(row: dict[str, str | None]) -> bool:
    """Whether people read above each column of a sheet what its hidden key calls it."""
    known: dict[str, set[str]] = {key: set() for key in _KEYS}
    for code in LANGUAGES:
        with language(code):
            for key, head in zip(_KEYS, _heads(), strict=True):
                known[key].add(fold(head))
    return all(fold(head or "") in known.get(key, ()) for key, head in row.items())


def _answer(sheet: Sheet, said: str) -> Answer | None:
    """The tokens that a cell names, by code or by label; None where one is none of the sheet's."""
    known = facets.spellings_of(sheet)
    tokens = []
    for part in said.split(_BETWEEN):
        if trim(part):
            token = known.get(fold(part.split(_MARK.strip())[0])) or known.get(fold(part))
            if token is None:
                return None
            tokens.append(token)
    words = {NOT_RECORDED, OTHER_KIND, STAYS}
    if not tokens or (len(tokens) > 1 and (not sheet.flags or words & set(tokens))):
        return None
    return tuple(dict.fromkeys(tokens))


def _chooser(sheet: Sheet) -> Callable[[str], str]:
    return lambda token: f"{token}{_MARK}{facets.choice_words(sheet, token)}"


def _of(sheet: Sheet) -> str:
    return ", ".join(sheet.columns)


def _unread(variables: Sequence[str]) -> str:
    labels = listed([label(name, current()) for name in variables])
    if not variables:
        return _("no rule reads it: what does it mean?")
    return _("no rule reads it; perhaps: {variables}").format(variables=labels)


def _titled(sheet: Sheet) -> str:
    return ", ".join(label(name, current()) for name in sheet.rules)


def _sheet_name(number: int, sheet: Sheet) -> str:
    """A name that a workbook takes: 31 characters, none of ``[]:*?/\\`` and no apostrophe."""
    safe = re.sub(r"[^\w -]", "_", _of(sheet))
    return f"{number} {safe}"[:31]


def _put_list(sheet: Worksheet, column: int, texts: Sequence[str]) -> str:
    """Write a list of choices; gives where it stands."""
    for row, text in enumerate(texts, 1):
        sheet.cell(row, column, text)
    letter = get_column_letter(column)
    return f"'{CHOICES}'!${letter}$1:${letter}${len(texts)}"


def _heads() -> tuple[str, ...]:
    """What people read above the columns of :data:`_KEYS`."""
    return (
        _("text in your file"),
        _("rows"),
        _("is read today as"),
        _("proposal"),
        _("your decision"),
        _("remark"),
    )


def _fill(target: Worksheet, facet: Facets, choices: str, counted: bool) -> None:
    """One sheet of questions."""
    sheet, show, likely = facet.of, _chooser(facet.of), suggestions(facet)
    asked = [one for one in facet.values if not ILLEGAL_CHARACTERS_RE.search(one.text)][:_MOST]
    title = _("Column {column}: {variables}").format(column=_of(sheet), variables=_titled(sheet))
    if len(asked) < len(facet.values):
        title = _("{title} (the first {n} texts)").format(title=title, n=_MOST)
    _head(target, title, _KEYS, _heads(), _WIDTHS)
    for number, one in enumerate(asked, _HEAD + 1):
        today, guess = facet.today[fold(one.text)], likely.get(one.text)
        sure = guess and (guess.sure or guess.codes != (NOT_RECORDED,))
        proposal = f"{_BETWEEN} ".join(map(show, guess.codes)) if guess and sure else ""
        said = f"{_BETWEEN} ".join(map(show, today)) or _("unknown")
        cells = (one.text, one.rows if counted else None, said, proposal, None, None)
        for column, value in enumerate(cells, 1):
            cell = _put(target, number, column, value)
            if not today:
                cell.fill = _YELLOW
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    last = _HEAD + max(len(asked), 1)
    place = _KEYS.index("decision") + 1
    letter = get_column_letter(place)
    rule = DataValidation("list", formula1=f"={choices}", allow_blank=True)
    rule.errorStyle = "warning" if sheet.flags else "stop"
    rule.error = _("Choose from the list; several yes/no variables with a semicolon between them.")
    target.add_data_validation(rule)
    rule.add(f"{letter}{_HEAD + 1}:{letter}{last}")
    target.auto_filter.ref = f"A{_HEAD}:{get_column_letter(len(_KEYS))}{last}"


def _fill_index(target: Worksheet, rows: Sequence[Sequence[str | int]], digest: str) -> None:
    """What the workbook is, and its sheets."""
    heads = (
        _("sheet"), "", _("column"), _("variable"), _("texts"), _("unknown"), "",
    )  # fmt: skip
    title = _(
        "Please say what each text of your file means: choose under “your decision”, on every "
        "sheet, at least in the yellow rows. Leave a cell empty where today's reading is right. "
        "Add no formulas. Send the file back by the way that you send case files: it holds texts "
        "of your records."
    )
    _head(target, title, _INDEX_KEYS, heads, (30, 4, 34, 44, 10, 10, 4))
    target.merge_cells(f"A1:{get_column_letter(len(_INDEX_KEYS))}1")
    target.row_dimensions[_TITLE].height = 75
    for number, row in enumerate([*rows, ("", "", "", "", "", "", digest)], _HEAD + 1):
        for column, value in enumerate(row, 1):
            if value != "":
                _put(target, number, column, value)
    for key in ("place", "mapping"):
        letter = get_column_letter(_INDEX_KEYS.index(key) + 1)
        target.column_dimensions[letter].hidden = True


def _put(target: Worksheet, row: int, column: int, value: str | int | None) -> Cell:
    """Write a cell; a text is text, and no formula or number."""
    cell = target.cell(row, column)
    cell.value = value
    if isinstance(value, str):
        cell.data_type, cell.number_format = "s", "@"
    return cell


def _head(
    target: Worksheet, title: str, keys: Sequence[str], heads: Sequence[str], widths: Sequence[int]
) -> None:
    target.sheet_view.rightToLeft = current() in RIGHT_TO_LEFT
    target.cell(_TITLE, 1, title).font = Font(bold=True)
    target.cell(_TITLE, 1).alignment = Alignment(wrap_text=True, vertical="top")
    for column, (key, head, width) in enumerate(zip(keys, heads, widths, strict=True), 1):
        target.cell(_KEY_ROW, column, key)
        cell = target.cell(_HEAD, column, head or key)
        cell.font, cell.fill = Font(bold=True), _GREY
        target.column_dimensions[get_column_letter(column)].width = width
    target.row_dimensions[_KEY_ROW].hidden = True
    target.freeze_panes = target.cell(_HEAD + 1, 1)


def _read(path: Path, sheet: str) -> list[tuple[int, dict[str, str | None]]]:
    """Rows of a sheet by the keys of the hidden row: the heads, and those below them."""
    options = ReadOptions(sheet=sheet, header_row=_KEY_ROW, kobo=False)
    try:
        raw = read_isolated(path, options)
    except FileError as met:
        if met.rule in ("formula", "no-sheet", "sheet"):
            raise
        raise error("mapping-book", file=path) from met
    rows = [(int(row.pop(ROW)), row) for row in raw.table.to_pylist()]
    if raw.rejects.num_rows or not rows or rows[0][0] != _HEAD:
        raise error("mapping-book", file=path)
    return rows


# --------------------------------------------------------------------------------------------------
# Decisions put into the YAML of a mapping, as the operations that a click on each would be.


def decided_yaml(text: str, file: str, decided: Sequence[Decided]) -> str:
    """The YAML of a mapping after decisions, checked by reading it again.

    Args:
        text: the YAML before.
        file: its name, for messages.
        decided: what came back.

    Raises:
        MappingError: the YAML has faults; a rule would search for nothing any more; or a decision
            cannot be written down by itself, and then it names sheet and row.
    """
    mapping = parse_mapping(text, file)
    operations = [
        {"op": "map", "sheet": one.sheet.name, "text": one.text, "codes": [*one.answer]}
        for one in decided
    ]
    draft = DraftFold(text, None, file=file).with_operations(operations)
    after = draft.mapping()
    by_key = {sheet.name: sheet for sheet in facets.askable(after)}
    for sheet in facets.askable(mapping):
        for name in sheet.rules.keys() - (by_key[sheet.name].rules if sheet.name in by_key else {}):
            raise error("mapping-book/nothing-left", name=name, places=sheet.name)
    for one in decided:
        (answer,) = facets.meanings(after, by_key[one.sheet.name], [one.text])
        if set(answer) != set(one.answer):
            raise error("mapping-book/by-hand", file=file, column=one.name, row=one.row)
    return draft.text()
