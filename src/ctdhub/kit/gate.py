"""The gate of the kit, and files that are dropped on it."""

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

from ctdhub.core.errors import HubError
from ctdhub.core.files import WRITING
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, RIGHT_TO_LEFT, _, current, language, preferred
from ctdhub.desk.allowed import Owner, allowed
from ctdhub.desk.errors import error_page
from ctdhub.desk.registry import DeskPage
from ctdhub.kit.state import Kit

# --------------------------------------------------------------------------------------------------
# The gate of the kit: the guard before it has let this browser in, and everything here is its own.
#
# It gives each request the kit's folder, the language and the file that an address is about.

Answer = Callable[[Any], HttpResponse]


def gate(page: DeskPage, request: Any, parts: dict[str, Any]) -> HttpResponse:
    """Find the file that a page is about, and let the view answer."""
    if request.method not in page.methods:
        return HttpResponseNotAllowed(page.methods)
    if not allowed(request.who, page.action):
        raise Http404
    if not page.of:
        return page.view(request, **parts)
    thing = request.kit.file(parts.pop("id").hex)
    if thing is None:
        raise Http404
    return page.view(request, thing, **parts)


class KitRequests:
    """The language that was chosen, else that of the system; and whose request it is."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: Any) -> HttpResponse:
        """Answer in a language."""
        request.kit = Kit(settings.KIT_FOLDER)
        request.who = Owner()
        chosen = request.kit.state().language
        with language(chosen if chosen in LANGUAGES else preferred(), page=True):
            response = self.answer(request)
            response["Content-Language"] = current()
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page of an error of the product."""
        return error_page(request, 409, exception) if isinstance(exception, HubError) else None


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """What every template of the kit has."""
    card = request.kit.card()
    return {
        "base": "kit/base.html",
        "who": Owner(),
        "lang": current(),
        "direction": "rtl" if current() in RIGHT_TO_LEFT else "ltr",
        "languages": [(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        "hub_name": card.card.hub if card else _("Kit"),
        "invented": bool(card and card.card.invented),
        "csrf": "",
        "further": [
            ("leaving", _("What is sent")),
            ("tokens", _("Tokens")),
            ("dashboard", _("Your numbers")),
            ("owed", _("Reports due")),
        ],
        "here": request.get_full_path(),
        "menu": [],
        "messages": [],
    }


# --------------------------------------------------------------------------------------------------
# A file that is dropped goes straight into the kit's folder, and nowhere else on the disk.


class DroppedFile(UploadedFile):
    """A file on its way: already in the folder, under a name that only a killed run leaves behind.

    Attributes:
        place: where it is.
        sha256: of its bytes.
    """

    def __init__(self, place: Path, name: str, size: int, sha256: str) -> None:
        super().__init__(None, name, None, size, None, None)
        self.place, self.sha256 = place, sha256


class IntoTheFolder(FileUploadHandler):
    """Django's handler of files: each part is written as it comes."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins."""
        super().new_file(*args, **kwargs)
        folder: Path = settings.KIT_FOLDER / "files"
        self._place = folder / f"{WRITING}{secrets.token_hex(8)}"
        handle = os.open(self._place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._out = os.fdopen(handle, "wb")
        self._hash = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """A part of it."""
        self._out.write(raw_data)
        self._hash.update(raw_data)

    def file_complete(self, file_size: int) -> DroppedFile:
        """It is whole."""
        self._out.flush()
        os.fsync(self._out.fileno())
        self._out.close()
        return DroppedFile(self._place, self.file_name or "", file_size, self._hash.hexdigest())

    def upload_interrupted(self) -> None:
        """It broke off."""
        self._out.close()
        self._place.unlink(missing_ok=True)
