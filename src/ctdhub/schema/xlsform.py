"""The form of the schema as an XLSForm, which KoboToolbox and ODK read.

Standard: https://xlsform.org, sheets ``survey``, ``choices`` and ``settings``, one column of labels
for each language (``label::English (en)``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ctdhub.core.atomic import made_whole
from ctdhub.core.i18n import NATIVE_NAMES, language
from ctdhub.schema import form, form_words
from ctdhub.schema.form import Question, questions
from ctdhub.schema.model import load_schema

if TYPE_CHECKING:
    from openpyxl import Workbook

Row = dict[str, str]


def write(out: Path, langs: Sequence[str]) -> None:
    """Write the form into a new file.

    Args:
        out: an ``.xlsx`` file.
        langs: languages of its labels, the first one its default.

    Raises:
        OSError: the file cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for name, rows in sheets(langs).items():
        _put(book, name, rows)
    with made_whole(out) as part:
        book.save(part)


def sheets(langs: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of the three sheets, as column to text."""
    return {
        "survey": [row for asked in _blocks(langs) for row in asked],
        "choices": list(_choices(langs)),
        "settings": [
            {
                "form_title": _in(langs[0], form_words.title),
                "form_id": form.FORM_ID,
                "version": load_schema().version,
                "default_language": _named(langs[0]),
            }
        ],
    }


def _blocks(langs: Sequence[str]) -> Iterable[list[Row]]:
    asked = questions()
    yield [_question(q, langs) for q in asked if not q.repeat]
    if repeated := [_question(q, langs) for q in asked if q.repeat]:
        heading = _labels("label", langs, form_words.each_perpetrator)
        opening = {"type": "begin_repeat", "name": form.REPEAT, "relevant": _CONSENTED}
        yield [opening | heading, *repeated, {"type": "end_repeat"}]


_CONSENTED = f"${{{form.CONSENT}}} = '{form.YES}'"


def _question(asked: Question, langs: Sequence[str]) -> Row:
    kinds = {"one": f"select_one {asked.choices}", "many": f"select_multiple {asked.choices}"}
    row = {"type": kinds.get(asked.kind, asked.kind), "name": asked.name}
    row |= _labels("label", langs, partial(form_words.question, asked))
    row |= _labels("hint", langs, partial(form_words.hint, asked))
    if asked.name == form.CONSENT:
        row["required"] = "yes"
    elif not asked.repeat:
        unanswered = f" and ${{{asked.where}}} = ''" if asked.where else ""
        row["relevant"] = _CONSENTED + unanswered
    if asked.bounds:
        low, high = asked.bounds
        row["constraint"] = f". >= {low} and . <= {high}"
        row |= _labels("constraint_message", langs, partial(form_words.number_wanted, asked))
    if asked.kind == "many":
        alone = " or ".join(f"selected(., '{name}')" for name in (form.NONE, form.NOT_ASKED))
        row["constraint"] = f"not(({alone}) and count-selected(.) > 1)"
        row |= _labels("constraint_message", langs, form_words.one_alone)
    if asked.choices and len(form.choices()[asked.choices]) > _MANY:
        row["appearance"] = "minimal autocomplete"
    return row


_MANY = 30
"""Choices above which a list is searched by typing."""


def _choices(langs: Sequence[str]) -> Iterable[Row]:
    first = {q.choices: q for q in reversed(questions()) if q.choices}
    for name, listed in form.choices().items():
        for choice in listed:
            say = partial(form_words.choice, first[name], choice)
            yield {"list_name": name, "name": choice} | _labels("label", langs, say)


def _labels(column: str, langs: Sequence[str], say: Callable[[], str]) -> Row:
    said = {f"{column}::{_named(lang)}": _in(lang, say) for lang in langs}
    return said if any(said.values()) else {}


def _in(lang: str, say: Callable[[], str]) -> str:
    with language(lang):
        return say()


def _named(lang: str) -> str:
    return f"{NATIVE_NAMES[lang]} ({lang})"


def _put(book: Workbook, name: str, rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    sheet = book.create_sheet(name)
    sheet.append(columns)
    for row in rows:
        sheet.append([row.get(column) or None for column in columns])
