"""Sending a file: the page, a plain form for those without script, and the addresses of tus."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, RawPostDataException
from django.shortcuts import render
from django.urls import reverse

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text, _
from ctdhub.desk.config import current
from ctdhub.desk.models import Delivery, Organisation
from ctdhub.desk.registry import BOTH, page
from ctdhub.desk.trail import record
from ctdhub.desk.uploads import tus
from ctdhub.desk.uploads.inbox import KINDS
from ctdhub.desk.uploads.store import DeliveryStore, add, begin, finish, sent_so_far, status_of
from ctdhub.desk.uploads.tus import TusAnswer

PART_BYTES = 2**20
FORM_BYTES = 7 * 2**20
"""What the plain form takes: it is held in memory, and never on a disk as it is."""


def send(request: Any) -> HttpResponse:
    """The page to send a file from; with POST the plain form."""
    problem: HubError | None = None
    missing = False
    if request.method == "POST":
        file = request.FILES.get("file")
        missing = file is None
        if file is not None:
            try:
                made = _taken(request, file)
                return HttpResponseRedirect(reverse("delivery", kwargs={"id": made.id}))
            except HubError as met:
                problem = met
    replaces = request.POST.get("replaces") or request.GET.get("replaces", "")
    values = {
        "title": Text("Send a correction") if replaces else Text("Send a file"),
        "organisations": []
        if request.who.organisation
        else list(Organisation.objects.filter(lost=False).order_by("name")),
        "replaces": replaces if len(replaces) == 32 and replaces.isalnum() else "",
        "endings": ",".join(f".{kind}" for kind in KINDS),
        "part_bytes": PART_BYTES,
        "form_mib": FORM_BYTES // 2**20,
        "limits": current().file.limits,
        "file_mib": current().file.limits.file_bytes // 2**20,
        "sent": sent_so_far(request.who.organisation) if request.who.organisation else None,
        "problem": problem,
        "problems": [("file", problem.what if problem else _("Choose a file."))]
        if problem or missing
        else [],
    }
    status = status_of(problem) if problem else 422 if missing else 200
    return render(request, "desk/send.html", values, status=status)


def uploads(request: Any) -> HttpResponse:
    """Where an upload is begun."""
    return _answer(request, DeliveryStore(request.who), "")


def upload(request: Any, thing: Delivery) -> HttpResponse:
    """An upload: how far it is, its next part, its end."""
    return _answer(request, DeliveryStore(request.who, thing), thing.id.hex)


def _answer(request: Any, store: DeliveryStore, key: str) -> HttpResponse:
    longest = current().file.limits.file_bytes
    try:
        size = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        size = 0
    if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return _as_http(TusAnswer(413, {"Tus-Resumable": tus.VERSION}))
    try:
        body = request.body if request.method in ("PATCH", "POST") and key else b""
    except RawPostDataException:  # a form, which was read as one
        return _as_http(TusAnswer(415, {"Tus-Resumable": tus.VERSION}))
    headers = dict(request.headers)
    if request.method != "POST":  # no token was asked for what only reads
        headers.pop("X-Http-Method-Override", None)
    try:
        return _as_http(tus.answer(request.method, headers, body, key, store, longest))
    except HubError as met:
        status = 503 if met.rule == "inbox-closed" else status_of(met)
        return _as_http(TusAnswer(status, {"Tus-Resumable": tus.VERSION}, met))


def _as_http(found: TusAnswer) -> HttpResponse:
    """The answer with its headers; a refusal says why, in the reader's language."""
    said = f"{found.reason.what} {found.reason.fix}" if isinstance(found.reason, HubError) else ""
    response = HttpResponse(said, status=found.status, content_type="text/plain; charset=utf-8")
    for name, value in found.headers.items():
        response[name] = value
    return response


def _taken(request: Any, file: Any) -> Delivery:
    """A file of the plain form, part by part as an upload would bring it."""
    organisation = request.who.organisation or request.POST.get("organisation", "")
    made = begin(
        request.who, organisation, str(file.name), file.size, "", request.POST.get("replaces", "")
    )
    record(request.who, "delivery.begun", made)
    offset = 0
    for part in file.chunks(PART_BYTES):
        moved = add(request.who, made, offset, part)
        if moved is None:
            raise RuntimeError("nobody else knows this delivery yet")
        offset = moved
    if not offset:
        finish(request.who, made)
    return made


_TUS = ("OPTIONS", "HEAD", "PATCH", "POST", "DELETE")

PAGES = [
    page("deliveries/send/", send, "delivery.send", BOTH, recorded=False, atomic=False),
    page("deliveries/uploads/", uploads, "delivery.send", ("OPTIONS", "POST"), recorded=False),
    page(
        "deliveries/<Delivery>/upload/",
        upload,
        "delivery.upload",
        _TUS,
        recorded=False,
        atomic=False,
    ),
]
