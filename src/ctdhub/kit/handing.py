"""What leaves, the bundle made of it, and the contributor's own numbers."""

from __future__ import annotations

import csv
import io
import json
import secrets
from dataclasses import dataclass, replace
from typing import Any

from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text, _
from ctdhub.core.tabular import FILE_ROW
from ctdhub.desk.registry import page
from ctdhub.desk.screens.carrier import asked, carrier_of
from ctdhub.desk.screens.words import cell
from ctdhub.kit.own_numbers import own_numbers
from ctdhub.kit.state import Kit, KitFile
from ctdhub.sensitive.bundle.card import SignedCard
from ctdhub.sensitive.bundle.leaving import WhatLeaves, codes_print, leaving
from ctdhub.sensitive.bundle.manifest import DATA, MAPPING, REPORT, SUFFIX
from ctdhub.sensitive.bundle.open import key_print, parse_bundle
from ctdhub.sensitive.bundle.write import Packed, pack_bundle, write_bundle
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.mapping.mapping_file import parse_mapping

SAMPLE = 10
"""Rows of the preview, drawn anew each time."""


@dataclass(frozen=True)
class Finished:
    """A bundle that is not encrypted yet, and what was decided about each column."""

    leaving: WhatLeaves
    packed: Packed


def leaving_page(request: Any, thing: KitFile) -> HttpResponse:
    """Everything that would leave, read out of the finished archive."""
    signed = request.kit.card()
    values: dict[str, Any] = {
        "title": Text("What is sent"),
        "thing": thing,
        "signed": signed,
        "compared": request.kit.state().compared,
        "cell": cell,
        "met": None,
        "finished": None,
        "missing": [],
        "place": {},
    }
    if signed is None:
        return render(request, "kit/leaving.html", values)
    carrier = carrier_of(request, thing)
    try:
        asked(carrier, "open")
        whole = asked(carrier, "columns")
        values["missing"] = whole["missing"]
        values["place"] = {one["column"]: at for at, one in enumerate(whole["columns"])}
        done = finished(request.kit, thing, signed, asked(carrier, "text")["text"])
        if request.method == "POST":
            return _make(request, thing, carrier, done)
    except HubError as met:
        return render(request, "kit/leaving.html", values | {"met": met}, status=422)
    opened = parse_bundle(done.packed.archive)
    rows = list(csv.reader(io.StringIO(opened.cases.decode(), newline="")))
    header, body = rows[0], rows[1:]
    values |= {
        "finished": done,
        "manifest": opened.manifest,
        "report": json.loads(opened.report),
        "header": [_("Row") if name == FILE_ROW else name for name in header],
        "sample": secrets.SystemRandom().sample(body, min(SAMPLE, len(body))),
        "bytes": len(done.packed.archive),
        "inside": (DATA, MAPPING, REPORT),
        "own_print": key_print(opened.manifest.signer),
    }
    return render(request, "kit/leaving.html", values)


def finished(kit: Kit, thing: KitFile, signed: SignedCard, text: str) -> Finished:
    """The archive of a file: equal bytes each time, until something is decided otherwise.

    Raises:
        HubError: something is to be decided first, or the file cannot be read.
    """
    mapping = parse_mapping(text, "mapping.yaml")
    raw = replace(read_isolated(kit.path(thing), mapping.read), file=thing.name)
    card, secret, state = signed.card, kit.secret(), kit.state()
    found = leaving(raw, mapping, text, card.contributor, card.years, secret, kit.root)
    packed = pack_bundle(
        card,
        found.cases,
        found.mapping,
        found.report,
        kit.key(),
        delivery=state.deliveries + 1,
        replaces=thing.digest,
        codes=codes_print(secret),
    )
    return Finished(found, packed)


def _make(request: Any, thing: KitFile, carrier: Any, done: Finished) -> HttpResponse:
    """Write the bundle, if it is the one that was shown."""
    kit: Kit = request.kit
    if not kit.state().compared:
        raise error("kit-card-first")
    if request.POST.get("digest") != done.packed.manifest.digest:
        raise error("kit-changed")
    asked(carrier, "keep")
    made = done.packed.manifest
    name = f"{made.contributor}-{made.delivery}{SUFFIX}"
    write_bundle(done.packed, kit.root / "bundles" / name)
    with kit.changing() as state:
        state.deliveries = made.delivery
        state.files = [
            replace(one, delivery=made.delivery, digest=made.digest, bundle=name)
            if one.id == thing.id
            else one
            for one in state.files
        ]
    return HttpResponseRedirect(reverse("bundle", kwargs={"id": thing.pk}))


def bundle(request: Any, thing: KitFile) -> HttpResponse:
    """The bundle is made: where it is, and how it gets to the hub."""
    path = request.kit.root / "bundles" / thing.bundle
    if not thing.bundle or not path.is_file():
        return HttpResponseRedirect(reverse("leaving", kwargs={"id": thing.pk}))
    own = request.kit.key().public
    signed = request.kit.card()
    values = {
        "title": Text("The bundle is ready"),
        "thing": thing,
        "folder": str(path.parent),
        "name": thing.bundle,
        "bytes": path.stat().st_size,
        "own": own,
        "own_print": key_print(own),
        "known": bool(signed and own in signed.card.senders),
        "signed": signed,
    }
    return render(request, "kit/bundle.html", values)


def bundle_file(request: Any, thing: KitFile) -> HttpResponse:
    """The bundle itself, to be saved."""
    path = request.kit.root / "bundles" / thing.bundle
    if not thing.bundle or not path.is_file():
        raise Http404
    return FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=thing.bundle,
        content_type="application/octet-stream",
    )


def dashboard(request: Any, thing: KitFile) -> HttpResponse:
    """The contributor's own numbers: exact, private, of this file alone."""
    carrier = carrier_of(request, thing)
    values: dict[str, Any] = {"title": Text("Your own numbers"), "thing": thing, "cell": cell}
    try:
        asked(carrier, "open")
        text = asked(carrier, "text")["text"]
        found = own_numbers(request.kit, thing, text)
    except HubError as met:
        shown = values | {"met": met, "found": None}
        return render(request, "kit/dashboard.html", shown, status=422)
    return render(request, "kit/dashboard.html", values | {"met": None, "found": found})


PAGES = [
    page(
        "deliveries/<id>/leaving/",
        leaving_page,
        action="delivery.send",
        of="Delivery",
        name="leaving",
        methods=("GET", "POST"),
    ),
    page("deliveries/<id>/bundle/", bundle, action="delivery.send", of="Delivery"),
    page("deliveries/<id>/bundle/file/", bundle_file, action="delivery.send", of="Delivery"),
    page(
        "deliveries/<id>/numbers/", dashboard, action="report.read", of="Delivery", name="dashboard"
    ),
]
