"""The screens that kit and desk share: columns, one column, history, text, problems, identifiers.

A screen asks the workbench through a carrier and shows Texts and counts; texts of cells pass
through to the reader's page and are kept nowhere.  No ``sensitive`` and no accounts here.
Not here: who may open a screen (the gate of desk or kit), what an edit does (``workbench``).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string

from ctdhub.core.errors import HubError, from_json, printable
from ctdhub.core.i18n import Numeral, Text, current, field_from_json, joined, many, said
from ctdhub.desk.allowed import allowed
from ctdhub.desk.registry import BOTH, page
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema

# --------------------------------------------------------------------------------------------------
# How a screen asks the workbench: a plain call in the kit, the channel in the desk.


class Carrier(Protocol):
    """Carries requests about one delivery, on behalf of one person."""

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request; see ``ctdhub.sensitive.workbench.ask`` for both."""


def reply(carrier: Carrier, ask: str, **more: Any) -> dict[str, Any]:
    """The answer to a request.

    Raises:
        HubError: what the workbench says is wrong.
    """
    answer = carrier.ask({"ask": ask, **more})
    if "error" in answer:
        raise from_json(answer["error"])
    return answer


def carrier_of(request: Any, thing: Any) -> Carrier:
    """The carrier for a delivery: ``CTDHUB_CARRIER`` in the settings makes it of both."""
    carrier: Carrier = import_string(settings.CTDHUB_CARRIER)(request, thing)
    return carrier


# --------------------------------------------------------------------------------------------------
# What screens say: changes, states and operations as Texts, and cells as safe text.

LONGEST_CELL = 120
"""Characters of a cell that a screen shows."""

SPECIAL = {
    "not-recorded": Text("means: not recorded"),
    "other-kind": Text("another kind, not in this list"),
    "stays-unknown": Text("stays unknown"),
}
"""Decisions on a text that are no code."""

REASONS = {
    "no-consent": Text("no consent"),
    "note-row": Text("totals and notes among the rows"),
    "not-a-victim": Text("not a victim"),
    "left-out": Text("another reason"),
}
"""Names of the exclusions that a screen makes."""


def wording(value: Any) -> str:
    """A Name, a Text or a plain text of the workbench in the reader's language."""
    return said(Text("{x}", x=field_from_json(value))) if value is not None else ""


def cell(text: Any, most: int = LONGEST_CELL) -> str:
    """The text of a cell without control characters and not too long."""
    return printable(str(text), most)


def changed(change: Mapping[str, Any]) -> Text:
    """What an edit changes, in a sentence or two."""
    rows = change["rows"]
    parts: list[Any] = [
        many("{n} row is read differently.", "{n} rows are read differently.", rows)
        if rows
        else Text("No row is read differently.")
    ]
    before, after = change["rejected"]
    if before != after:
        parts.append(
            Text(
                "Rejected: {after}, before {before}.", after=Numeral(after), before=Numeral(before)
            )
        )
    else:
        parts.append(Text("Rejected: {after}.", after=Numeral(after)))
    before, after = change["records"]
    if before != after:
        parts.append(
            Text("Records: {after}, before {before}.", after=Numeral(after), before=Numeral(before))
        )
    return joined(parts, " ")


def variable_said(name: str) -> str:
    """A variable's label in the reader's language; a name that the schema lacks as it is."""
    plain = name.rpartition(".")[2]
    return label(plain, current()) if load_schema().has(plain) else cell(name, 60)


def codes_said(sheet: str, codes: Iterable[str]) -> str:
    """What codes of a sheet mean in the reader's language.

    Args:
        sheet: as operations name it; of a list, the codes are variables.
    """
    names = [part for part in sheet.split(".") if part and not part.isdecimal()]
    known = bool(names) and load_schema().has(names[-1])
    words = (
        said(SPECIAL[code])
        if code in SPECIAL
        else variable_said(code)
        if sheet.startswith("list:")
        else code_label(names[-1], code, current())
        if known
        else cell(code, 60)
        for code in codes
    )
    return ", ".join(words) or "–"


# --------------------------------------------------------------------------------------------------
# What a form of a screen asks for, and what came of it: one place for every screen.
#
# Each button carries the operations that the workbench proposed, as JSON; a form of chosen texts
# makes them itself.  Nothing is read of an address.


def needed(posted: Any) -> str:
    """The action of ``desk.allowed`` that a form of a screen asks for.

    Args:
        posted: the form, a ``QueryDict``.
    """
    kind = posted.get("act", "")
    if posted.get("operations") or (posted.get("sheet") and not kind):
        return "mapping.edit"
    if kind == "keep":
        return "mapping.keep"
    return "mapping.read" if kind in ("", "find") else "mapping.edit"


@dataclass(frozen=True)
class Outcome:
    """What came of a form.

    Attributes:
        said: what is told to the reader, None where nothing is.
        met: what was wrong; then nothing was changed.
        later: operations that an undo would touch too, to be decided about.
        again: what the form asked for, to be sent once more, where ``later`` has any.
        conflicts: what somebody else decided otherwise meanwhile; it is not in the draft any more.
        chosen: texts that stay chosen.
        open: columns that are still to be decided; then nothing was kept.
    """

    said: Text | None = None
    met: HubError | None = None
    later: tuple[Mapping[str, Any], ...] = ()
    again: tuple[tuple[str, str], ...] = ()
    conflicts: tuple[Mapping[str, Any], ...] = ()
    chosen: frozenset[str] = field(default_factory=frozenset)
    open: int = 0


def act(carrier: Carrier, posted: Any, sheet: str | None = None) -> Outcome:
    """Do what a form asks for.

    Args:
        posted: the form, a ``QueryDict``.
        sheet: that the chosen texts are of.
    """
    try:
        return _act(carrier, posted, sheet)
    except HubError as met:
        return Outcome(met=met, chosen=frozenset(posted.getlist("texts")))


def _act(carrier: Carrier, posted: Any, sheet: str | None) -> Outcome:
    kind = posted.get("act", "")
    if operations := posted.get("operations", ""):
        return _do(carrier, _operations(operations))
    if kind in ("map", "try"):
        return _map(carrier, posted, sheet, only_try=kind == "try")
    if kind in ("answer", "answer_all"):
        return _answer(carrier, posted, rest=kind == "answer_all")
    if kind == "leave_out":
        return _leave_out(carrier, posted)
    if kind in ("undo", "redo", "undo_kept"):
        return _undo(carrier, posted, kind)
    if kind == "discard":
        reply(carrier, "discard")
        return Outcome(Text("All changes since the last mapping were dropped."))
    if kind == "write":
        text = posted.get("text", "").replace("\r\n", "\n")
        return _outcome(reply(carrier, "write", text=text))
    if kind == "keep":
        return _keep(carrier, posted)
    return Outcome()


def _do(carrier: Carrier, operations: list[Any]) -> Outcome:
    return _outcome(reply(carrier, "do", operations=operations))


def _map(carrier: Carrier, posted: Any, sheet: str | None, *, only_try: bool) -> Outcome:
    texts = posted.getlist("texts")
    codes = [code for entry in posted.getlist("codes") for code in entry.split()]
    if not texts:
        return Outcome(Text("Choose at least one text first."))
    if not codes and "nothing" not in posted:
        return Outcome(Text("Choose what the texts mean."), chosen=frozenset(texts))
    operations = [{"op": "map", "sheet": sheet, "text": text, "codes": codes} for text in texts]
    if only_try:
        change = reply(carrier, "try", operations=operations)["change"]
        return Outcome(changed(change), chosen=frozenset(texts))
    return _do(carrier, operations)


def _answer(carrier: Carrier, posted: Any, *, rest: bool) -> Outcome:
    """What was chosen for columns, for texts and for the file, all at once.

    A choice is operations as JSON, or the name of a variable.

    Args:
        rest: whether columns of which nothing was chosen are left out.
    """
    operations: list[Any] = []
    fields = map(posted.getlist, ("column", "is", "rest"))
    for column, chosen, leave in zip(*fields, strict=False):
        choice = chosen or (leave if rest else "")
        operations += _operations(choice) if choice[:1] in "[" else _read(carrier, column, choice)
    fields = map(posted.getlist, ("of", "texts", "codes"))
    for sheet, text, codes in zip(*fields, strict=False):
        if codes:
            operations.append({"op": "map", "sheet": sheet, "text": text, "codes": codes.split()})
    if not operations:
        return Outcome(Text("Nothing was chosen."))
    return _do(carrier, _together(operations))


def _read(carrier: Carrier, column: str, variable: str) -> list[Any]:
    """The operations that read a column as a variable."""
    every = reply(carrier, "column", column=column)["readings"]
    return next((r["operations"] for r in every if r["operations"][0]["variable"] == variable), [])


def _together(operations: list[Any]) -> list[Any]:
    """The same, with one operation for each variable that several columns are read as."""
    made: dict[Any, Any] = {}
    for n, one in enumerate(one for one in operations if isinstance(one, dict)):
        key = str(one.get("variable")) if one.get("op") == "rule" else n
        if first := made.get(key):
            rules = (first.get("rule"), one.get("rule"))
            there, more = (rule if isinstance(rule, list) else [rule] for rule in rules)
            one = {**one, "rule": [*there, *(rule for rule in more if rule not in there)]}
        made[key] = one
    return [*made.values()]


def _leave_out(carrier: Carrier, posted: Any) -> Outcome:
    """A rule that excludes the rows with the chosen texts, under the name of its reason."""
    texts, name = posted.getlist("texts"), posted.get("reason", "")
    if not texts or name not in REASONS:
        return Outcome(Text("Choose at least one text first."))
    rule = {"when": {posted.get("column", ""): texts}}
    return _do(carrier, [{"op": "exclude", "name": name, "rule": rule}])


def _undo(carrier: Carrier, posted: Any, kind: str) -> Outcome:
    numbers = [n for text in posted.getlist("n") if (n := small_number(text)) is not None]
    more = {"later": posted["later"]} if posted.get("later") in ("undo", "stay") else {}
    if kind == "undo_kept":
        answer = reply(carrier, kind, commit=small_number(posted.get("commit")) or 0, **more)
    else:
        answer = reply(carrier, kind, n=numbers, **more)
    if answer.get("later"):
        names = ("act", "commit", "n")
        again = [(name, value) for name in names for value in posted.getlist(name)]
        return Outcome(later=tuple(answer["later"]), again=tuple(again))
    return _outcome(answer)


def _keep(carrier: Carrier, posted: Any) -> Outcome:
    counts = reply(carrier, "columns")["counts"]
    if (open_ := counts["decide"] + counts["stops"]) and "open" not in posted:
        return Outcome(open=open_)
    answer = reply(carrier, "keep", why=posted.get("why", "")[:500])
    if answer.get("conflicts"):
        return Outcome(conflicts=tuple(answer["conflicts"]))
    return Outcome(Text("The mapping is kept."))


def _outcome(answer: Mapping[str, Any]) -> Outcome:
    done = answer.get("done") or answer.get("undone") or ()
    change = answer.get("change")
    if change is None:
        return Outcome(many("{n} change.", "{n} changes.", len(done)))
    return Outcome(changed(change))


def small_number(text: str | None) -> int | None:
    """A number of a form or an address, of up to nine digits; None where it is none."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else None


def _operations(text: str) -> list[Any]:
    try:
        operations = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return operations if isinstance(operations, list) else []


# --------------------------------------------------------------------------------------------------
# The screens of one file: each asks the workbench and fills a template.
#
# A column is its place in the file, since no address may hold a name out of somebody's file.

PAGE = 100
"""Texts, or problems, on one page."""


def columns(request: HttpRequest, thing: Any) -> HttpResponse:
    """What each column of the file means, what is to be decided, and what stops."""
    carrier, met = carrier_of(request, thing), None
    stated: dict[str, Any] = {"sheet": request.POST["sheet"]} if request.POST.get("sheet") else {}
    if header := small_number(request.POST.get("header")):
        stated["header"] = header
    try:
        opened = reply(carrier, "open", **stated)
    except HubError as refused:
        if "header" not in stated:
            raise
        met = Outcome(met=refused)
        opened = reply(carrier, "open", **{k: v for k, v in stated.items() if k != "header"})
    if "choose" in opened:
        return _page(request, thing, "sheets", Text("Which sheet holds the records?"), **opened)
    if "header" in opened:
        title = Text("Which row holds the names of the columns?")
        return _page(request, thing, "header", title, met, **opened)
    sheet = request.POST.get("of")
    outcome = act(carrier, request.POST, sheet) if request.method == "POST" else Outcome()
    overview = reply(carrier, "columns")
    names = [one["column"] for one in overview["columns"]]
    return _page(
        request,
        thing,
        "columns",
        Text("Columns of your file"),
        outcome,
        file=opened["file"],
        found=overview,
        place={name: at for at, name in enumerate(names)},
        alarms=reply(carrier, "alarms")["alarms"] if overview["next"] is None else [],
        variables={v.name: label(v.name, current()) for v in load_schema().records},
    )


def column(request: HttpRequest, thing: Any, at: int) -> HttpResponse:
    """The texts of one column, and what each of them means."""
    carrier = carrier_of(request, thing)
    reply(carrier, "open")
    names = [one["column"] for one in reply(carrier, "columns")["columns"]]
    if at >= len(names):
        raise Http404
    fields = request.POST if request.method == "POST" else request.GET
    shown = {
        "column": names[at],
        "show": _one_of(fields.get("show"), ("all", "unknown", "decided")),
        "sort": _one_of(fields.get("sort"), ("rows", "text", "decision")),
        "start": small_number(fields.get("start")) or 0,
        "limit": PAGE,
        **_sheet(carrier, names[at], request),
        **({"find": request.POST["find"]} if request.POST.get("find") else {}),
    }
    outcome = Outcome()
    if request.method == "POST" and request.POST.get("act") != "find":
        outcome = act(carrier, request.POST, fields.get("sheet") or None)
        shown |= _sheet(carrier, names[at], request)
    facet = reply(carrier, "column", **shown)
    whole = reply(carrier, "columns")
    return _page(
        request,
        thing,
        "column",
        Text("Column {name}", name=cell(names[at], 60)),
        outcome,
        found=facet,
        shown=shown,
        at=at,
        next=names.index(whole["next"]) if whole["next"] in names else None,
        counts=whole,
        history=reply(carrier, "history")["operations"],
        part=next((n for n, s in enumerate(facet["sheets"]) if s["sheet"] == facet["sheet"]), None),
        labels={choice["code"]: wording(choice["label"]) for choice in facet["choices"]},
    )


def _sheet(carrier: Carrier, name: str, request: HttpRequest) -> dict[str, str]:
    """The sheet that is asked for: a form names it, an address has its number alone."""
    if request.method == "POST":
        return {"sheet": request.POST["sheet"]} if request.POST.get("sheet") else {}
    wanted = small_number(request.GET.get("sheet"))
    if wanted is None:
        return {}
    there = reply(carrier, "column", column=name, limit=1)["sheets"]
    return {"sheet": there[wanted]["sheet"]} if wanted < len(there) else {}


def _simple(name: str, title: Text) -> Any:
    """A screen that is one answer of the workbench, after what its form asked for."""

    def view(request: HttpRequest, thing: Any) -> HttpResponse:
        carrier = carrier_of(request, thing)
        reply(carrier, "open")
        outcome = act(carrier, request.POST) if request.method == "POST" else Outcome()
        typed = request.POST.get("text") if outcome.met else None
        answer = reply(carrier, name)
        return _page(request, thing, name, title, outcome, found=answer, typed=typed)

    return view


def problems(request: HttpRequest, thing: Any) -> HttpResponse:
    """Rows that do not become records, by cell, and what the hub would ask."""
    carrier = carrier_of(request, thing)
    reply(carrier, "open")
    outcome = act(carrier, request.POST) if request.method == "POST" else Outcome()
    start = small_number(request.GET.get("start")) or 0
    answer = reply(carrier, "problems", start=start, limit=PAGE // 2)
    names = [one["column"] for one in reply(carrier, "columns")["columns"]]
    return _page(
        request,
        thing,
        "problems",
        Text("Problems by cell"),
        outcome,
        found=answer,
        alarms=reply(carrier, "alarms")["alarms"],
        place={name: at for at, name in enumerate(names)},
        start=start,
    )


def _page(
    request: Any,
    thing: Any,
    name: str,
    title: Text,
    outcome: Outcome | None = None,
    **values: Any,
) -> HttpResponse:
    outcome = outcome or Outcome()
    helpers = {
        "cell": cell,
        "named": wording,
        "codes_said": codes_said,
        "variable_said": variable_said,
        "special": SPECIAL,
        "reasons": REASONS,
        "when": datetime.fromisoformat,
        "json": lambda value: json.dumps(value, ensure_ascii=False),
    }
    values |= {
        "title": title,
        "thing": thing,
        "outcome": outcome,
        "screen": name,
        "edits": bool(allowed(request.who, "mapping.edit", thing)),
        "keeps": bool(allowed(request.who, "mapping.keep", thing)),
    }
    status = 422 if outcome.met or outcome.conflicts or outcome.open else 200
    return render(request, f"screens/{name}.html", helpers | values, status=status)


def _one_of(choice: str | None, known: tuple[str, ...]) -> str:
    return choice if choice in known else known[0]


_SCREENS = (
    ("columns/", columns, "columns"),
    ("columns/<int:at>/", column, "column"),
    ("history/", _simple("history", Text("History of the mapping")), "history"),
    ("text/", _simple("text", Text("Mapping as text")), "mapping_text"),
    ("problems/", problems, "problems"),
    (
        "identifiers/",
        _simple("identifiers", Text("Columns that may identify a person")),
        "identifiers",
    ),
)

PAGES = [
    *(
        page(
            f"deliveries/<Delivery>/{end}",
            view,
            "mapping.read",
            BOTH,
            name,
            posted=needed,
            atomic=False,
        )
        for end, view, name in _SCREENS
    ),
]
"""Pages wait for the workbench, which reads the same database: no transaction is held meanwhile."""
