"""Exports by labels of the form that ``ctdhub form`` writes, read as if they were exports by names.

Servers write headers and answers by name or by label of one language, as whoever exports chooses.
The form and its labels are the software's own, so what a label stands for is known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.core.tables import fold, trim
from ctdhub.schema import form
from ctdhub.schema.form import Question, questions
from ctdhub.sensitive.ingest.shape.children import list_cell

# --------------------------------------------------------------------------------------------------
# Cells that hold several labels with blanks between and inside them, taken apart by whole labels.
#
# An export by labels joins the choices of a question by one blank, and labels hold blanks
# themselves.  Only the list of all labels says where one ends; the longest that fits is taken
# first.


def apart(cell: str, labels: tuple[str, ...]) -> list[str] | None:
    """The labels of which a cell is made, None where it is not made of labels alone.

    >>> apart("Forced labour Sexual exploitation", ("Sexual exploitation", "Forced labour"))
    ['Forced labour', 'Sexual exploitation']
    >>> apart("Forced labour and more", ("Forced labour",)) is None
    True
    """
    text = fold(cell)
    known = sorted(((fold(label), label) for label in labels if fold(label)), key=_longest)
    if len(text) > sum(len(plain) + 1 for plain, _label in known):
        return None
    rest: dict[int, list[str]] = {len(text) + 1: []}
    for at in range(len(text) - 1, -1, -1):
        if at and text[at - 1] != " ":
            continue
        for plain, label in known:
            end = at + len(plain)
            if text.startswith(plain, at) and end + 1 in rest and text[end : end + 1] in ("", " "):
                rest[at] = [label, *rest[end + 1]]
                break
    return rest.get(0)


def _longest(label: tuple[str, str]) -> int:
    return -len(label[0])


def taken_apart(column: pa.ChunkedArray, labels: Sequence[str], mark: str) -> pa.ChunkedArray:
    """The column with each cell as a list of labels; a cell of anything else stays as it is."""
    choices = tuple(trim(label) for label in labels)

    def listed(text: str) -> str | None:
        answers = apart(text, choices)
        return list_cell(answers, mark) if answers else text

    return _each(column, listed)


def _each(column: pa.ChunkedArray, say: Callable[[str], str | None]) -> pa.ChunkedArray:
    """A column of what is said of each text; an empty cell stays empty."""
    texts = {text: None if text is None else say(text) for text in column.unique().to_pylist()}
    return pa.chunked_array([[texts[text] for text in column.to_pylist()]], pa.string())


@dataclass(frozen=True)
class OwnColumn:
    """What a header stands for: its name, and the name of each label that its cells may hold."""

    name: str
    labels: dict[str, str]
    several: bool = False


def by_names(
    names: Sequence[str], columns: Sequence[pa.ChunkedArray]
) -> tuple[list[str], list[pa.ChunkedArray]]:
    """Headers and answers by name where they are labels; anything else stays as it is."""
    known = [known_header(name) for name in names]
    headers = [own.name if own else name for own, name in zip(known, names, strict=True)]
    if len(set(headers)) < len(headers):
        return list(names), list(columns)
    cells = [
        _name_cells(column, own) if own and own.labels else column
        for own, column in zip(known, columns, strict=True)
    ]
    return headers, cells


def known_header(header: str) -> OwnColumn | None:
    """What a header stands for where it is a label of the form in some language."""
    return _headers().get(fold(header))


def repeat_titles() -> tuple[str, ...]:
    """What the repeat is called in each language: a server may name its sheet so."""
    titles = []
    for lang in LANGUAGES:
        with language(lang):
            titles.append(form.each_perpetrator())
    return tuple(titles)


def _name_cells(column: pa.ChunkedArray, own: OwnColumn) -> pa.ChunkedArray:
    def name_of(text: str) -> str:
        several = apart(text, tuple(own.labels)) if own.several else None
        joined = " ".join(own.labels[fold(label)] for label in several or ())
        return joined or own.labels.get(fold(text), text)

    return _each(column, name_of)


@cache
def _headers() -> dict[str, OwnColumn]:
    """Every header in a language of the form; one that means two questions is left out."""
    columns: dict[str, OwnColumn] = {}
    twice: set[str] = set()
    for lang in LANGUAGES:
        with language(lang):
            for question in questions():
                for header, own in _columns(question).items():
                    key = fold(header)
                    if columns.setdefault(key, own).name != own.name:
                        twice.add(key)
                    columns[key].labels.update(own.labels)
    return {header: own for header, own in columns.items() if header not in twice}


def _columns(question: Question) -> dict[str, OwnColumn]:
    """Headers of a question and of its choices in the language in force."""
    said = form.question_label(question)
    choices = form.choices()[question.choices] if question.choices else ()
    labels = {fold(form.choice_label(question, name)): name for name in choices}
    many = question.kind == "many"
    own = {said: OwnColumn(question.name, labels, many)}
    for name in choices if many else ():
        header = f"{said}/{form.choice_label(question, name)}"
        own[header] = OwnColumn(f"{question.name}/{name}", {})
    return own
