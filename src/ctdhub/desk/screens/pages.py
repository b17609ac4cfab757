"""The screens of one file: each asks the workbench and fills a template.

A column is its place in the file, since no address may hold a name out of somebody's file.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from ctdhub.core.i18n import Text
from ctdhub.desk.allowed import allowed
from ctdhub.desk.registry import page
from ctdhub.desk.screens.acts import Outcome, act, needed, small_number
from ctdhub.desk.screens.carrier import Carrier, asked, carrier_of
from ctdhub.desk.screens.words import (
    ACTIONS,
    REASONS,
    SPECIAL,
    STATES,
    cell,
    named,
    operation,
    reason_said,
)

PAGE = 100
"""Texts, or problems, on one page."""

BOTH = ("GET", "POST")


def columns(request: HttpRequest, thing: Any) -> HttpResponse:
    """What each column of the file means, what is to be decided, and what stops."""
    carrier = carrier_of(request, thing)
    sheet = {"sheet": request.POST["sheet"]} if request.POST.get("sheet") else {}
    opened = asked(carrier, "open", **sheet)
    if "choose" in opened:
        return _shown(request, thing, "sheets", Text("Which sheet holds the records?"), **opened)
    outcome = act(carrier, request.POST) if request.method == "POST" else Outcome()
    found = asked(carrier, "columns")
    names = [one["column"] for one in found["columns"]]
    return _shown(
        request,
        thing,
        "columns",
        Text("Columns of your file"),
        outcome,
        file=opened["file"],
        found=found,
        place={name: at for at, name in enumerate(names)},
        sure=_sure(carrier),
    )


def column(request: HttpRequest, thing: Any, at: int) -> HttpResponse:
    """The texts of one column, and what each of them means."""
    carrier = carrier_of(request, thing)
    asked(carrier, "open")
    names = [one["column"] for one in asked(carrier, "columns")["columns"]]
    if at >= len(names):
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    shown = {
        "column": names[at],
        "show": _one_of(given.get("show"), ("all", "unknown", "decided")),
        "sort": _one_of(given.get("sort"), ("rows", "text", "decision")),
        "start": small_number(given.get("start")) or 0,
        "limit": PAGE,
        **_sheet(carrier, names[at], request),
        **({"find": request.POST["find"]} if request.POST.get("find") else {}),
    }
    outcome = Outcome()
    if request.method == "POST" and request.POST.get("act") != "find":
        outcome = act(carrier, request.POST, given.get("sheet") or None)
        shown |= _sheet(carrier, names[at], request)
    found = asked(carrier, "column", **shown)
    whole = asked(carrier, "columns")
    return _shown(
        request,
        thing,
        "column",
        Text("Column {name}", name=cell(names[at], 60)),
        outcome,
        found=found,
        shown=shown,
        at=at,
        next=names.index(whole["next"]) if whole["next"] in names else None,
        counts=whole,
        history=asked(carrier, "history")["operations"],
        of_cluster=_clusters(found),
        part=next((n for n, s in enumerate(found["sheets"]) if s["sheet"] == found["sheet"]), None),
        labels={choice["code"]: named(choice["label"]) for choice in found["choices"]},
    )


def _sheet(carrier: Carrier, name: str, request: HttpRequest) -> dict[str, str]:
    """The sheet that is asked for: a form names it, an address has its number alone."""
    if request.method == "POST":
        return {"sheet": request.POST["sheet"]} if request.POST.get("sheet") else {}
    wanted = small_number(request.GET.get("sheet"))
    if wanted is None:
        return {}
    there = asked(carrier, "column", column=name, limit=1)["sheets"]
    return {"sheet": there[wanted]["sheet"]} if wanted < len(there) else {}


def history(request: HttpRequest, thing: Any) -> HttpResponse:
    """What was changed, by whom, and how to take any of it back."""
    carrier = carrier_of(request, thing)
    asked(carrier, "open")
    outcome = act(carrier, request.POST) if request.method == "POST" else Outcome()
    found = asked(carrier, "history")
    return _shown(request, thing, "history", Text("History of the mapping"), outcome, found=found)


def text(request: HttpRequest, thing: Any) -> HttpResponse:
    """The mapping as text, always equal to the clicks."""
    carrier = carrier_of(request, thing)
    asked(carrier, "open")
    outcome = act(carrier, request.POST) if request.method == "POST" else Outcome()
    found = asked(carrier, "text")
    typed = request.POST.get("text") if outcome.met else None
    return _shown(
        request, thing, "text", Text("Mapping as text"), outcome, found=found, typed=typed
    )


def problems(request: HttpRequest, thing: Any) -> HttpResponse:
    """Rows that do not become records, by cell, and what the hub would ask."""
    carrier = carrier_of(request, thing)
    asked(carrier, "open")
    outcome = act(carrier, request.POST) if request.method == "POST" else Outcome()
    start = small_number(request.GET.get("start")) or 0
    found = asked(carrier, "problems", start=start, limit=PAGE // 2)
    names = [one["column"] for one in asked(carrier, "columns")["columns"]]
    return _shown(
        request,
        thing,
        "problems",
        Text("Problems by cell"),
        outcome,
        found=found,
        alarms=asked(carrier, "alarms")["alarms"],
        place={name: at for at, name in enumerate(names)},
        start=start,
    )


def identifiers(request: HttpRequest, thing: Any) -> HttpResponse:
    """Columns that may identify a person, and what becomes of each."""
    carrier = carrier_of(request, thing)
    asked(carrier, "open")
    outcome = act(carrier, request.POST) if request.method == "POST" else Outcome()
    found = asked(carrier, "identifiers")
    title = Text("Columns that may identify a person")
    return _shown(request, thing, "identifiers", title, outcome, found=found)


def next_to_decide(request: HttpRequest, thing: Any) -> HttpResponse:
    """The column that is to be decided next, else the list of them."""
    carrier = carrier_of(request, thing)
    asked(carrier, "open")
    found = asked(carrier, "columns")
    names = [one["column"] for one in found["columns"]]
    if found["next"] in names:
        given = {"id": thing.pk, "at": names.index(found["next"])}
        return HttpResponseRedirect(reverse("column", kwargs=given))
    return HttpResponseRedirect(reverse("columns", kwargs={"id": thing.pk}))


def _shown(
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
        "named": named,
        "operation": operation,
        "states": STATES,
        "special": SPECIAL,
        "actions": ACTIONS,
        "reasons": REASONS,
        "reason_said": reason_said,
        "when": datetime.fromisoformat,
        "json": lambda value: json.dumps(value, ensure_ascii=False),
    }
    values |= {
        "edits": bool(allowed(request.who, "mapping.edit", thing)),
        "keeps": bool(allowed(request.who, "mapping.keep", thing)),
    }
    status = 422 if outcome.met or outcome.conflicts else 200
    return render(
        request,
        f"screens/{name}.html",
        {
            "title": title,
            "thing": thing,
            "outcome": outcome,
            "screen": name,
            **helpers,
            **values,
        },
        status=status,
    )


def _sure(carrier: Carrier) -> int:
    """Suggestions that are sure and that nobody has decided."""
    found = asked(carrier, "suggested")["suggested"]
    return sum(1 for one in found if one["sure"])


def _clusters(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Clusters of like spellings, with what a click on each sends."""
    sheet = found["sheet"]
    made = []
    for one in found["clusters"]:
        suggested = one.get("suggested")
        codes = suggested["codes"] if suggested else []
        texts = [t["text"] if isinstance(t, dict) else t for t in one["texts"]]
        operations = [{"op": "map", "sheet": sheet, "text": t, "codes": codes} for t in texts]
        made.append({**one, "texts": texts, "codes": codes, "operations": operations})
    return made


def _one_of(given: str | None, known: tuple[str, ...]) -> str:
    return given if given in known else known[0]


_SCREENS = (
    ("columns/", columns, ""),
    ("columns/<int:at>/", column, ""),
    ("history/", history, ""),
    ("text/", text, "mapping_text"),
    ("problems/", problems, ""),
    ("identifiers/", identifiers, ""),
)

PAGES = [
    *(
        page(
            f"deliveries/<id>/{end}",
            view,
            action="mapping.read",
            of="Delivery",
            name=name,
            methods=BOTH,
            posted=needed,
            atomic=False,
        )
        for end, view, name in _SCREENS
    ),
    page(
        "deliveries/<id>/next/", next_to_decide, action="mapping.read", of="Delivery", atomic=False
    ),
]
"""Pages wait for the workbench, which reads the same database: no transaction is held meanwhile."""
