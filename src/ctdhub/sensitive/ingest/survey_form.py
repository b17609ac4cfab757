"""An XLSForm, read for what it says of the columns of an export: questions, labels, lists.

Standard: https://xlsform.org, sheets ``survey`` and ``choices``; ``label`` or ``label::language``;
types ``select_one LIST``, ``select_multiple LIST``, ``begin group``, ``begin_repeat``; a third word
``or_other`` adds a choice ``other`` and a column ``question_other`` with free text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ctdhub.core.tables import fold

SEPARATORS = ("/", ".", "-", ":")
"""Between groups, questions and choices in the headers of exports; KoboToolbox lets one choose."""

OTHER = "other"


@dataclass(frozen=True)
class FormChoice:
    """A choice of a list: its name, and its label in each language of the form."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class AskedQuestion:
    """A question of a form.

    Attributes:
        name: its name.
        labels: its label in each language of the form, empty where there is none.
        kind: ``one``, ``many`` or the type of the form.
        choices: of a question of kind one or many.
        groups: names and labels of the groups around it, outermost first; repeats among them.
        repeat: name of the innermost repeat that it is in, empty outside.
    """

    name: str
    labels: tuple[str, ...]
    kind: str
    choices: tuple[FormChoice, ...] = ()
    groups: tuple[FormChoice, ...] = ()
    repeat: str = ""


@dataclass(frozen=True)
class FormColumn:
    """What a column of an export holds: a question, or one choice of it."""

    question: AskedQuestion
    choice: FormChoice | None = None


@dataclass(frozen=True)
class SurveyForm:
    """A form as far as it explains an export."""

    questions: tuple[AskedQuestion, ...]
    _columns: dict[str, FormColumn] = field(repr=False, default_factory=dict)

    def column(self, header: str, child: str = "") -> FormColumn | None:
        """What a column holds by its header; None where the form does not say.

        Args:
            header: as the export has it: name or label, with or without groups.
            child: name of the child table that it is in, which its header then begins with.
        """
        short = header.removeprefix(f"{child}.") if child else header
        return self._columns.get(fold(short))


def form_of(
    survey: Iterable[dict[str, str]], choices: Iterable[dict[str, str]] = ()
) -> SurveyForm | None:
    """The form that the rows of its two sheets make, by column; None without a question."""
    questions = tuple(_questions(survey, _lists(choices)))
    return SurveyForm(questions, _indexed(questions)) if questions else None


def _lists(rows: Iterable[dict[str, str]]) -> dict[str, list[FormChoice]]:
    lists: dict[str, list[FormChoice]] = {}
    for row in rows:
        listed = row.get("list_name", row.get("list name", ""))
        name = row.get("name", row.get("value", ""))
        if listed and name:
            lists.setdefault(listed, []).append(FormChoice(name, _labels(row)))
    return lists


def _labels(row: dict[str, str]) -> tuple[str, ...]:
    """Labels in the order of the form's languages; the empty text where one lacks."""
    return tuple(text for name, text in row.items() if re.fullmatch(r"label(::?.+)?", name))


def _questions(
    rows: Iterable[dict[str, str]], lists: dict[str, list[FormChoice]]
) -> Iterator[AskedQuestion]:
    groups: list[tuple[FormChoice, bool]] = []
    for row in rows:
        kind, _blank, rest = row.get("type", "").partition(" ")
        said = fold(f"{kind} {rest}").replace("_", " ")
        if said.startswith(("begin group", "begin repeat")):
            place = FormChoice(row.get("name", ""), _labels(row))
            groups.append((place, said.startswith("begin repeat")))
        elif said.startswith(("end group", "end repeat")):
            groups = groups[:-1]
        elif row.get("name"):
            yield _question(row, said, rest, lists, groups)


def _question(
    row: dict[str, str],
    said: str,
    rest: str,
    lists: dict[str, list[FormChoice]],
    groups: list[tuple[FormChoice, bool]],
) -> AskedQuestion:
    around = tuple(place for place, _repeat in groups)
    repeat = next((place.name for place, is_repeat in reversed(groups) if is_repeat), "")
    kinds = {"select one": "one", "select multiple": "many"}
    kind = next((short for long, short in kinds.items() if said.startswith(f"{long} ")), said)
    choices: tuple[FormChoice, ...] = ()
    if kind in ("one", "many"):
        words = re.sub(r"^(one|multiple)\s+", "", rest).split()  # "select one LIST"
        choices = tuple(lists.get(words[0], ())) if words else ()
        if "or_other" in words[1:] and all(choice.name != OTHER for choice in choices):
            choices = (*choices, FormChoice(OTHER, ("Other",)))
    return AskedQuestion(row["name"], _labels(row), kind, choices, around, repeat)


def _indexed(questions: Iterable[AskedQuestion]) -> dict[str, FormColumn]:
    """Every header under which an export may have a question or choice; none for two of them."""
    index: dict[str, FormColumn] = {}
    twice: set[str] = set()
    for question in questions:
        for header, column in _headers(question):
            known = index.setdefault(fold(header), column)
            if known != column:
                twice.add(fold(header))
    return {header: column for header, column in index.items() if header not in twice}


def _headers(question: AskedQuestion) -> Iterator[tuple[str, FormColumn]]:
    own = (question.name, *question.labels)
    for mark in SEPARATORS:
        for way, said in enumerate(own):
            paths = {said}
            for at in range(len(question.groups)):
                above = [_group_text(group, way) for group in question.groups[at:]]
                paths.add(mark.join([*above, said]))
            for path in sorted(paths):
                yield path, FormColumn(question)
                for choice in question.choices if question.kind == "many" else ():
                    for text in (choice.name, *choice.labels):
                        for before in {mark, "/"}:  # ODK Central: group-question/choice
                            yield f"{path}{before}{text}", FormColumn(question, choice)


def _group_text(group: FormChoice, way: int) -> str:
    """The name of a group, or its label in the language of a question's label."""
    labels = (group.name, *group.labels)
    return labels[way] if way < len(labels) else group.name
