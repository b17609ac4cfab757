"""Files of a published site, from a folder or a web server, as tables."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

from ctdhub.core.errors import HubError, error, printable

# --------------------------------------------------------------------------------------------------
# Where the files of a site come from: a folder, or a web server.
#
# Neither follows a way out: a link in a folder, or a redirection to another server.

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


# --------------------------------------------------------------------------------------------------
# From the JSON of a site to tables.

LARGEST_JSON = 50 * 2**20
"""Bytes."""
NUMBERS = ("count", "low", "high", "state")
ONCE = ("once_low", "once_high")
_NOT_AS_DESCRIBED = (
    AttributeError,
    IndexError,
    KeyError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What Python and Arrow raise where a file has another shape; Arrow's own errors are among them."""


def read_json(source: Source, path: str) -> dict[str, Any]:
    """A JSON file of a site, which is an object.

    Raises:
        SiteError: it is missing, too large, or no such thing.
    """
    text = source.read(path, LARGEST_JSON)
    with damage():
        found = json.loads(text)
    if not isinstance(found, dict):
        raise damaged(path)
    return found


def damaged(path: str = "") -> HubError:
    """The error for a file that is not what it should be."""
    return error("damaged", file=path or None)


@contextmanager
def damage() -> Iterator[None]:
    """Turn what goes wrong in reading a file of the wrong shape into one error."""
    try:
        yield
    except _NOT_AS_DESCRIBED:
        raise damaged() from None


def columns(variables: tuple[str, ...]) -> dict[str, str]:
    """Columns of a table of counts and their types."""
    numbers = dict.fromkeys(("count", "low", "high"), "int64")
    return {**dict.fromkeys(variables, "string"), **numbers, "state": "string"}


def rows_of(rows: list[dict[str, Any]], kinds: Mapping[str, str]) -> Any:
    """Rows as a pyarrow Table with these columns.

    Raises:
        SiteError: a value is of another type.
    """
    import pyarrow as pa

    fields = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in kinds.items()])
    with damage():
        return pa.Table.from_pylist(rows, fields)


def facts_of(side: str, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts of one side of a place as rows."""

    def row(fact: str, code: str, card: Mapping[str, Any]) -> dict[str, Any]:
        unit = "share" if "share" in card else "people"
        value = card["share"] if unit == "share" else card["count"]
        numbers = {**{name: card[name] for name in NUMBERS[1:]}, "count": value}
        return {"side": side, "fact": fact, "code": code, "unit": unit, **numbers}

    return [
        row("people", "", found["people"]),
        row("women", "", found["women"]),
        *(row("exploitation", card["flag"], card) for card in found["exploitation"]),
        *(
            row("corridor", f"{card['citizenship']}|{card['country_of_exploitation']}", card)
            for card in found["corridors"]
        ),
    ]


def frame(table: Any, facts: Mapping[str, Any], *, arrow: bool) -> Any:
    """A DataFrame where pandas is installed and ``arrow`` is false; whole numbers stay whole.

    Args:
        table: a pyarrow Table.
        facts: kept beside the numbers, as ``attrs["ctdhub"]`` or as metadata of the schema.
    """
    if arrow or find_spec("pandas") is None:
        return table.replace_schema_metadata({"ctdhub": json.dumps(facts, ensure_ascii=False)})
    import pyarrow as pa

    whole = {pa.int64(): import_module("pandas").Int64Dtype()}
    made = table.to_pandas(types_mapper=whole.get)
    made.attrs["ctdhub"] = dict(facts)
    return made


# --------------------------------------------------------------------------------------------------
# What the root of a site tells of notices about its releases.

VERSION = r"\d{4}\.[1-9]\d{0,5}"
_LONGEST, _NAMED = 2000, 20


def notices_of(root: Mapping[str, Any], version: str) -> tuple[dict[str, Any], ...]:
    """The notices about a release, each with its ``text`` for those who read English.

    Args:
        root: ``api/latest.json`` of the site.

    Raises:
        SiteError: they have another shape.
    """
    with damage():
        return tuple(_notice(found) for found in root.get("errata", {}).get(version, ()))


def withdrawn_in(root: Mapping[str, Any]) -> frozenset[str]:
    """Versions that were withdrawn.

    Raises:
        SiteError: they are no list of versions.
    """
    with damage():
        return frozenset(str(version) for version in root.get("withdrawn", ()))


def versions_in(held: Mapping[str, Any]) -> str:
    """The versions that a site has, to name in an error; what is no version is left out."""
    names = [str(name) for name in held if re.fullmatch(VERSION, str(name))]
    return ", ".join(names[:_NAMED]) or "-"


def _notice(found: Mapping[str, Any]) -> dict[str, Any]:
    note = {str(code): printable(str(text), _LONGEST) for code, text in found["note"].items()}
    return {
        "number": int(found["number"]),
        "sort": printable(str(found["sort"])),
        "date": printable(str(found["date"])),
        "text": note.get("en") or next(iter(note.values()), ""),
        "note": note,
        "concerns": [printable(str(name)) for name in found["concerns"]],
    }
