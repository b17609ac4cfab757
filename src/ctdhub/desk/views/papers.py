"""Papers: drafts to take away, and the signed ones, kept encrypted and given out as files alone."""

from __future__ import annotations

import base64
import hashlib
from datetime import date
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Text, _, current
from ctdhub.desk.allowed import allowed, scope
from ctdhub.desk.asking import ask_hub
from ctdhub.desk.config import current as desk
from ctdhub.desk.models.hub import Paper
from ctdhub.desk.models.keys import random_key
from ctdhub.desk.models.people import Organisation
from ctdhub.desk.registry import page
from ctdhub.desk.trail import record
from ctdhub.desk.uploads.drawer import PaperDrawer
from ctdhub.desk.views.hub_page import organisation_of, wrong
from ctdhub.document.as_json import from_json
from ctdhub.document.html import write

KINDS = ("agreement", "dpia", "record", "notice")
MOST_BYTES = 5 * 2**20
_PDF = b"%PDF-"
_EMPTY = {"kind": "agreement", "organisation": "", "language": "en", "signed": ""}


def papers(request: Any) -> HttpResponse:
    """What may be drafted, and what was signed; with POST a signed paper to keep."""
    if request.method != "POST":
        return _page(request, {**_EMPTY, "language": current()}, [])
    shown = {name: str(request.POST.get(name, "")) for name in _EMPTY}
    content, row, problems = _checked(request, shown)
    if problems:
        return _page(request, shown, problems)
    try:
        with transaction.atomic():
            made = Paper.objects.create(**row, account_id=request.user.id)
            record(request.who, "paper.write", made.sha256)
            PaperDrawer(desk().inbox).keep(made.id.hex, content)
    except HubError as met:
        return wrong(request, met)
    return HttpResponseRedirect(reverse("papers"))


def paper_file(request: Any, thing: Paper) -> HttpResponse:
    """A signed paper as a file to save: no browser shows it here, whatever is in it."""
    whose = thing.organisation_id or ""
    try:
        found = ask_hub(request.who, "paper_file", key=thing.id.hex, id=whose)["given"]
    except HubError as met:
        return wrong(request, met)
    signed = f"-{thing.signed:%Y-%m-%d}" if thing.signed else ""
    name = f"{thing.kind}{f'-{whose}' if whose else ''}{signed}.pdf"
    return _attached(base64.b64decode(found["content"]), name, "application/octet-stream")


def remove_paper(request: Any, thing: Paper) -> HttpResponse:
    """A paper that was kept by mistake goes; the trail keeps its hash."""
    record(request.who, "paper.remove", thing.sha256)
    key = thing.id.hex
    thing.delete()
    transaction.on_commit(lambda: PaperDrawer(desk().inbox).remove(key))
    return HttpResponseRedirect(reverse("papers"))


def paper_draft(request: Any, kind: str) -> HttpResponse:
    """A draft in the reader's language, as a file that a word processor opens."""
    key = str(request.GET.get("organisation", ""))
    if kind not in KINDS or bool(key) != (kind == "agreement"):
        raise Http404
    if key:
        organisation_of(request, key, "paper.draft")
    try:
        found = ask_hub(request.who, "paper_draft", kind=kind, id=key)
    except HubError as met:
        return wrong(request, met)
    name = f"draft-{kind}{f'-{key}' if key else ''}.{current()}.html"
    return _attached(write(from_json(found["document"])).encode(), name, "text/html; charset=utf-8")


def kind_words() -> dict[str, str]:
    """Kinds of papers in words."""
    return {
        "agreement": _("Data-sharing agreement"),
        "dpia": _("Data protection impact assessment"),
        "record": _("Record of processing"),
        "notice": _("Notice to data subjects"),
    }


def _page(request: Any, shown: dict[str, str], problems: list[tuple[str, str]]) -> HttpResponse:
    kept = Paper.objects.filter(scope(request.who, "paper.read")).select_related("organisation")
    whole = not request.who.is_contributor
    values = {
        "title": Text("Papers"),
        "kept": list(kept[:500]),
        "kinds": kind_words(),
        "organisations": list(Organisation.objects.filter(lost=False).order_by("name"))
        if whole
        else [],
        "languages_of_paper": [(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        "native": NATIVE_NAMES,
        "shown": shown,
        "problems": problems,
        "most_mib": MOST_BYTES // 2**20,
    }
    return render(request, "desk/papers.html", values, status=422 if problems else 200)


def _checked(
    request: Any, shown: dict[str, str]
) -> tuple[bytes, dict[str, Any], list[tuple[str, str]]]:
    """The bytes, the row without its account, and what is wrong."""
    problems = []
    of_one = shown["kind"] == "agreement"
    theirs = Organisation.objects.filter(id=shown["organisation"], lost=False).first()
    if shown["kind"] not in KINDS or shown["language"] not in LANGUAGES:
        raise Http404
    if of_one and (theirs is None or not allowed(request.who, "paper.write", theirs)):
        problems.append(("organisation", _("Choose the organisation that signed the agreement.")))
    try:
        signed = date.fromisoformat(shown["signed"])
    except ValueError:
        signed = None
    if signed is None or signed > timezone.now().date():
        problems.append(("signed", _("Write the day on which it was signed, today at the latest.")))
    file = request.FILES.get("file")
    content = file.read(MOST_BYTES + 1) if file is not None else b""
    if not content:
        problems.append(("file", _("Choose a file.")))
    elif len(content) > MOST_BYTES:
        text = _("The file is larger than {n} MB.").format(n=MOST_BYTES // 2**20)
        problems.append(("file", text))
    elif not content.startswith(_PDF):
        problems.append(("file", _("The file is not a PDF.")))
    row = {
        "id": random_key(),
        "organisation": theirs if of_one else None,
        "kind": shown["kind"],
        "language": shown["language"],
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "signed": signed,
    }
    return content, row, problems


def _attached(content: bytes, name: str, kind: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


PAGES = [
    page("papers/", papers, action="paper.read", methods=("GET", "POST"), recorded=False,
         posted=lambda _post: "paper.write", menu=Text("Papers"), order=22),
    page("papers/draft/<slug:kind>/", paper_draft, action="paper.draft"),
    page("papers/<id>/", paper_file, action="paper.read", of="Paper"),
    page("papers/<id>/remove/", remove_paper, action="paper.remove", of="Paper",
         methods=("POST",), recorded=False),
]  # fmt: skip
