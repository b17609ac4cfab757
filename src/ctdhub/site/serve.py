"""Serve a site on this machine only, to look at it; apart, for it is a process of its own."""

import errno
import gzip
import io
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ctdhub.core.errors import error

ADDRESS = "127.0.0.1"
_TEXTS = ("json", "xml", "yaml", "javascript")


class _Handler(SimpleHTTPRequestHandler):
    """Files below one folder: no listings, no dot files, no links that lead out, no chatter."""

    extensions_map = {  # noqa: RUF012  (the base class's own attribute)
        **SimpleHTTPRequestHandler.extensions_map,
        ".parquet": "application/vnd.apache.parquet",
        ".jsonld": "application/ld+json",
        ".md": "text/markdown; charset=utf-8",
        ".csv": "text/csv; charset=utf-8",
        ".html": "text/html; charset=utf-8",
    }

    def send_head(self) -> Any:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in (ADDRESS, "localhost"):  # another name for this machine (DNS rebinding)
            self.send_error(HTTPStatus.FORBIDDEN)
            return None
        root = Path(self.directory).resolve()
        asked = Path(self.translate_path(self.path))
        hidden = any(
            part.startswith(".") for part in asked.parts[len(Path(self.directory).parts) :]
        )
        if hidden or not asked.resolve().is_relative_to(root):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return self._packed(asked) or super().send_head()

    def _packed(self, asked: Path) -> Any:
        """The answer as gzip, where the reader takes it and the file is text; else None."""
        file = asked / "index.html" if asked.is_dir() and self.path.endswith("/") else asked
        kind = self.guess_type(str(file))
        text = kind.startswith("text/") or kind.partition(";")[0].endswith(_TEXTS)
        takes = re.search(
            r"\bgzip\b(?!\s*;\s*q=0(?:\.0+)?\s*(?:,|$))", self.headers.get("Accept-Encoding", "")
        )
        if not text or not takes or not file.is_file():
            return None
        data = gzip.compress(file.read_bytes(), compresslevel=5, mtime=0)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return io.BytesIO(data)

    def list_directory(self, path: Any) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what a reader looked at is nobody's business."""


def serve(site: Path, port: int = 8000, ready: Callable[[str], None] | None = None) -> None:
    """Serve ``site`` on 127.0.0.1 until interrupted.

    Args:
        site: a folder with index.html.
        port: 0 takes a free one.
        ready: told the address once the server listens.

    Raises:
        HubError: the folder holds no site, or the port is taken or not allowed.
    """
    if not (site / "index.html").is_file():
        raise error("no-site", file=site)
    try:
        server = ThreadingHTTPServer((ADDRESS, port), partial(_Handler, directory=str(site)))
    except OSError as cause:
        if cause.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise error("port", port=port, other=max(port, 1024) + 1) from None
    with server:
        try:
            if ready:
                ready(f"http://{ADDRESS}:{server.server_address[1]}/")
            server.serve_forever()
        except KeyboardInterrupt:
            return
