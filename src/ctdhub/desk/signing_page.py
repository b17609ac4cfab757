"""The signing page where a desk is tried out on this computer alone.

Elsewhere a proxy serves the three files of ``desk/sign`` from a folder that only root writes, so
that whoever has taken over the web process cannot change what approvers read before they sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ctdhub.desk.config import DeskConfig

FOLDER = Path(__file__).parent / "sign"
_KINDS = {"index.html": "text/html", "sign.js": "text/javascript", "sign.css": "text/css"}

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def headers(desk: DeskConfig) -> dict[str, str]:
    """The headers that go with each of the files, here and behind a proxy."""
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; "
            f"connect-src {desk.origin}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        ),
        "Permissions-Policy": (
            "publickey-credentials-get=(self), publickey-credentials-create=(self)"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }


def with_signing_page(desk_application: Application, desk: DeskConfig) -> Application:
    """The application, and the three files where the signing page's host is asked for."""

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ.get("HTTP_HOST", "").partition(":")[0] != desk.sign_host:
            return desk_application(environ, start)
        name = environ.get("PATH_INFO", "").removeprefix("/") or "index.html"
        if name not in _KINDS or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start("404 Not Found", [("Content-Length", "0")])
            return [b""]
        content = (FOLDER / name).read_bytes()
        told = {**headers(desk), "Content-Type": f"{_KINDS[name]}; charset=utf-8"}
        start("200 OK", [*told.items(), ("Content-Length", str(len(content)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]

    return answer
