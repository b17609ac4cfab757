"""Reports that the contributor owes, filled from its own rows into a publisher's empty workbook.

Exact and private: what is written describes single people and stays in the kit's folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text
from ctdhub.desk.registry import page
from ctdhub.desk.screens.words import cell
from ctdhub.kit.state import Kit, KitFile
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.returns.fill import SheetAccount, fill
from ctdhub.sensitive.returns.return_mapping import load_return_mapping

RULES = "report.yaml"
_ENDINGS = (".xlsx", ".xlsm")


def owed_page(request: Any, thing: KitFile) -> HttpResponse:
    """Fill an empty workbook from a file, and say where each column comes from."""
    kit: Kit = request.kit
    values: dict[str, Any] = {
        "title": Text("Reports that you must send"), "thing": thing, "cell": cell, "met": None,
        "account": None, "unread": 0,
    }  # fmt: skip
    if request.method == "POST":
        try:
            values |= _fill(kit, thing, request.FILES)
        except HubError as met:
            values["met"] = met
    values["rules"] = (_folder(kit) / RULES).is_file()
    values["filled"] = _filled(kit, thing) is not None
    return render(request, "kit/owed.html", values, status=422 if values["met"] else 200)


def _fill(kit: Kit, thing: KitFile, given: Any) -> dict[str, Any]:
    book, rules = given.get("workbook"), given.get("rules")
    places = [one.place for one in (book, rules) if one is not None]
    try:
        if rules is not None and rules.size:
            load_return_mapping(rules.place)
            rules.place.replace(_folder(kit) / RULES)
        ending = Path(book.name or "").suffix.lower() if book is not None else ""
        if book is None or ending not in _ENDINGS or not (_folder(kit) / RULES).is_file():
            raise error("kit-no-report")
        empty = book.place.with_name(f"{book.place.name}{ending}")
        book.place.replace(empty)
        places.append(empty)
        told = _written(kit, thing, empty, ending)
    finally:
        for place in places:
            place.unlink(missing_ok=True)
    return told


def _written(kit: Kit, thing: KitFile, empty: Path, ending: str) -> dict[str, Any]:
    mapping = load_return_mapping(_folder(kit) / RULES)
    raw = read_isolated(kit.path(thing), mapping.read)
    for old in _ENDINGS:
        _out(kit, thing, old).unlink(missing_ok=True)
    told: list[SheetAccount] = fill(raw, mapping, empty, _out(kit, thing, ending))
    return {"account": told, "unread": raw.rejects.num_rows}


def owed_file(request: Any, thing: KitFile) -> FileResponse:
    """The filled workbook, to be saved."""
    path = _filled(request.kit, thing)
    if path is None:
        raise Http404
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=f"report{path.suffix}",
        content_type="application/octet-stream",
    )  # fmt: skip


def _folder(kit: Kit) -> Path:
    folder = kit.root / "reports"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def _out(kit: Kit, thing: KitFile, ending: str) -> Path:
    return _folder(kit) / f"{thing.id}{ending}"


def _filled(kit: Kit, thing: KitFile) -> Path | None:
    places = (_out(kit, thing, ending) for ending in _ENDINGS)
    return next((place for place in places if place.is_file()), None)


PAGES = [
    page(
        "deliveries/<id>/owed/", owed_page, action="report.read", of="Delivery", name="owed",
        methods=("GET", "POST"),
    ),
    page("deliveries/<id>/owed/file/", owed_file, action="report.read", of="Delivery"),
]  # fmt: skip
