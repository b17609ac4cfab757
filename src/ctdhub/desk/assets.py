"""Styles and scripts, each at an address with its hash, so that browsers keep them for ever.

Own files are those of ``desk/static`` and ``desk/screens/static``; the tokens of colour and size
are those of all pages of ctdhub.
"""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from importlib import resources
from pathlib import Path

import allauth.mfa
import django_htmx
from django.http import Http404, HttpRequest, HttpResponse

_HERE = Path(__file__).parent


@cache
def files() -> dict[str, Path]:
    """Files by name."""
    scripts = Path(allauth.mfa.__file__).parent / "static" / "mfa" / "js"
    htmx = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
    found = {
        "colours.css": Path(str(resources.files("ctdhub.document") / "data" / "colours.css")),
        "htmx.js": htmx,
        "webauthn-json.js": scripts / "webauthn-json.js",
        "webauthn.js": scripts / "webauthn.js",
    }
    for folder in (_HERE / "static", _HERE / "screens" / "static"):
        found |= {path.name: path for path in folder.glob("*.*")}
    return found


@cache
def _content(name: str) -> tuple[bytes, str]:
    content = files()[name].read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file.

    Raises:
        KeyError: there is none with this name.
    """
    from django.urls import reverse

    return str(reverse("asset", kwargs={"mark": _content(name)[1], "name": name}))


def serve(request: HttpRequest, mark: str, name: str) -> HttpResponse:
    """A file, if this is the hash that it has."""
    if name not in files() or _content(name)[1] != mark:
        raise Http404
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = HttpResponse(_content(name)[0], content_type=f"{kind}; charset=utf-8")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
