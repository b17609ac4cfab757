"""Where the files of a site come from: a folder, or a web server.

Neither follows a way out: a link in a folder, or a redirection to another server.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError

SLOWEST = 30.0
"""Seconds that a server may stay silent."""
LONGEST = 600.0
"""Seconds that one file may take."""
_CHUNK = 2**16


class Source(Protocol):
    """Files of a site by path from its root."""

    def read(self, path: str, most: int) -> bytes:
        """The file's bytes.

        Raises:
            SiteError: there is no such file, or it has more than ``most`` bytes.
        """


@dataclass(frozen=True)
class Folder:
    """A site in a folder, for example an offline copy."""

    root: Path

    def read(self, path: str, most: int) -> bytes:
        root = self.root.resolve()
        file = (root / path).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise _missing(path)
        with file.open("rb") as handle:
            found = handle.read(most + 1)
        return _small(found, most, path)


class Web:
    """A site on a server.

    Args:
        url: of the root of the site, http or https.

    Raises:
        SiteError: the address is of another kind, or holds a password, a query or a part.
    """

    def __init__(self, url: str) -> None:
        self._origin = _origin(url)
        self._url = url.rstrip("/") + "/"
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _SameServer(self._origin),
        ):
            self._opener.add_handler(handler)

    def read(self, path: str, most: int) -> bytes:
        request = urllib.request.Request(self._url + path, headers={"User-Agent": "ctdhub"})  # noqa: S310
        found, end = b"", time.monotonic() + LONGEST
        try:
            with self._opener.open(request, timeout=SLOWEST) as answer:
                while len(found) <= most and (part := answer.read1(_CHUNK)):
                    found += part
                    if time.monotonic() > end:
                        raise TimeoutError
        except urllib.error.HTTPError as cause:
            if cause.code == 404:
                raise _missing(path) from None
            raise error("http", file=path, code=cause.code) from None
        except (urllib.error.URLError, HTTPException, OSError):
            raise error("connection", file=path) from None
        return _small(found, most, path)


class _SameServer(urllib.request.HTTPRedirectHandler):
    """Redirections stay on the server, or change its http to https."""

    def __init__(self, origin: tuple[str, str]) -> None:
        self._origin = origin

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        to = _origin(newurl)
        if to != self._origin and to != ("https", self._origin[1]):
            raise error("redirect")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _origin(url: str) -> tuple[str, str]:
    """Scheme, and host with port, of an address that is fit to be asked."""
    try:
        parts = urlsplit(url)
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
        if parts.scheme in ("http", "https") and parts.hostname and plain:
            return parts.scheme, parts.netloc.lower()
    except ValueError:
        pass
    raise error("site-address")


def _small(found: bytes, most: int, path: str) -> bytes:
    if len(found) > most:
        raise error("size", file=path, n=most)
    return found


def _missing(path: str) -> HubError:
    return error("no-file/site", file=path)
