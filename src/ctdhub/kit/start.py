"""First pages of the kit: the hub's card, a field to drop a file on, the files so far, the end."""

import io
import secrets
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from ctdhub.core.errors import error, printable
from ctdhub.core.files import sweep, write_new, write_whole
from ctdhub.core.i18n import LANGUAGES, Text
from ctdhub.desk.registry import BOTH, POST, page
from ctdhub.desk.rendering import show_page
from ctdhub.kit.state import OWN, KitFile
from ctdhub.sensitive.bundle.pack import KEY_SUFFIX, key_file, key_print, parse_card

_LAST_FILES = 10
"""Last files that the first page lists."""

_ENDING = 12
"""Characters of a file's ending that are kept; the rest of its name is only shown."""


def home(request: Any) -> HttpResponse:
    """What is there and what comes next."""
    state, title = request.kit.state(), Text("From your file to a bundle")
    files = list(reversed(state.files))[:_LAST_FILES]
    values = {"card": request.kit.card(), "compared": state.compared, "files": files}
    return show_page(request, "kit/home.html", title, printable=printable, **values)


def card(request: Any) -> HttpResponse:
    """The hub's card: what it says, and the fingerprint to compare."""
    if request.method == "POST" and request.FILES.get("card"):
        return _take_card(request)
    if request.method == "POST" and request.POST.get("act") == "compared":
        with request.kit.changing() as state:
            state.compared = True
        return redirect("home")
    signed = request.kit.card()
    if signed is None:
        return redirect("home")
    own = request.kit.key().public
    return show_page(
        request,
        "kit/card.html",
        Text("The hub’s card"),
        signed=signed,
        card=signed.card,
        own_print=key_print(own),
        known=own in signed.card.senders,
        compared=request.kit.state().compared,
    )


def _take_card(request: Any) -> HttpResponse:
    upload = request.FILES["card"]
    try:
        content = upload.place.read_bytes()
    finally:
        upload.place.unlink(missing_ok=True)
    signed = parse_card(content, printable(upload.name or ""))
    write_whole(request.kit.card_file, content)
    mapping = request.kit.root / "mappings" / f"{OWN}.yaml"
    if signed.card.mapping and not mapping.exists() and not mapping.with_suffix("").exists():
        write_new(mapping, signed.card.mapping.encode())
    with request.kit.changing() as state:
        state.compared = False
    return redirect("card")


def own_key(request: Any) -> HttpResponse:
    """The file of the contributor's key, to be handed in at the hub's desk."""
    signed = request.kit.card()
    if signed is None:
        return redirect("home")
    content = io.BytesIO(key_file(signed.card, request.kit.key()))
    name = f"{signed.card.contributor}{KEY_SUFFIX}"
    return FileResponse(content, as_attachment=True, filename=name)


def drop(request: Any) -> HttpResponse:
    """Take a file into the kit's folder; the original stays where it is and is never changed."""
    upload = request.FILES.get("file")
    if upload is None or not upload.size:
        if upload is not None:
            upload.place.unlink(missing_ok=True)
        raise error("kit-no-file")
    ending = "".join(c for c in PurePath(upload.name).suffix.lower() if c.isalnum() or c == ".")
    file = KitFile(
        secrets.token_hex(16),
        printable(upload.name, 200),
        ending[:_ENDING],
        datetime.now(UTC).date().isoformat(),
        upload.sha256,
    )
    upload.place.replace(request.kit.path(file))
    sweep(request.kit.root / "files")
    with request.kit.changing() as state:
        state.files.append(file)
    return redirect("columns", id=file.pk)


def forget(request: Any, thing: KitFile) -> HttpResponse:
    """Delete the kit's copy of a file; the mapping and the bundle stay."""
    request.kit.path(thing).unlink(missing_ok=True)
    for report in (request.kit.root / "reports").glob(f"{thing.id}.*"):
        report.unlink(missing_ok=True)
    with request.kit.changing() as state:
        state.files = [one for one in state.files if one.id != thing.id]
    return redirect("home")


def choose_language(request: Any) -> HttpResponse:
    """Speak another language from now on."""
    chosen = request.POST.get("language", "")
    if chosen in LANGUAGES:
        with request.kit.changing() as state:
            state.language = chosen
    there = request.POST.get("next", "")
    home_page = reverse("home")
    return redirect(there if there.startswith(home_page) else home_page)


def end(request: HttpRequest) -> HttpResponse:
    """End the kit."""
    answer = show_page(request, "kit/ended.html", Text("The kit has ended"))
    settings.KIT_OVER.set()
    return answer


PAGES = [
    page("", home, "home.read"),
    page("card/", card, "home.read", BOTH),
    page("card/key/", own_key, "home.read"),
    page("drop/", drop, "delivery.send", POST),
    page("deliveries/<Delivery>/forget/", forget, "delivery.withdraw", POST),
    page("language/", choose_language, "door.open", POST, name="language"),
    page("end/", end, "home.read", POST),
]
