"""Files of a round: one line of JSON that says what it is, then its numbers if it has any."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from ctdhub.core.atomic import write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text
from ctdhub.dp.secagg.messages import KINDS, Message, Round, SumRequest, Terms, canonical

FORMAT = "count 2"
"""Of the rounds in which contributors add the noise; before it the hub did."""
ENDING = ".count"
_LONGEST_LINE = 32_000_000
_LARGEST = 300_000_000
"""More than 60 million cells take (``domains.MAX_CELLS``)."""

M = TypeVar("M", bound=Message)


def named(folder: Path, kind: str, contributor: str = "") -> Path:
    """Where a file of a round lies in a folder.

    >>> named(Path("x"), "masked", "refuge").name
    'masked-refuge.count'
    """
    return folder / ((f"{kind}-{contributor}" if contributor else kind) + ENDING)


def write(path: Path, message: Message, body: bytes = b"", mode: int = 0o644) -> Path:
    """Write a file; it is there whole or not at all.

    Raises:
        CountError: there is one already; nothing is ever overwritten.
    """
    check_free(path)
    head = {"ctdhub": FORMAT, "kind": message.kind, **message.header()}
    head["sha256"] = _check(head, body)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, canonical(head) + b"\n" + body, mode)
    return path


def check_free(path: Path) -> None:
    """Refuse to write a file that is there.

    Raises:
        CountError: it is.
    """
    if path.exists():
        raise error("count-exists", file=path)


def read(path: Path, kind: type[M]) -> tuple[M, bytes]:
    """The message of a file and its body.

    Raises:
        CountError: there is no such file, it was altered, or is something else.
    """
    found, body = read_any(path)
    if not isinstance(found, kind):
        raise error("count-kind", file=path, kind=found.kind)
    return found, body


def read_any(path: Path) -> tuple[Message, bytes]:
    """The message of a file of any kind; see :func:`read`."""
    if not path.is_file():
        raise error("count-missing", file=path, wait=_waits_for(path))
    with path.open("rb") as file:
        line, body = file.readline(_LONGEST_LINE), file.read(_LARGEST)
    try:
        head = json.loads(line)
        version = head.pop("ctdhub")
        if version != FORMAT and re.fullmatch(r"count \d+", version):
            raise error("count-file/version", file=path)
        if version != FORMAT:
            raise ValueError("another format")
        kind, given = head.pop("kind"), head.pop("sha256")
        model = KINDS[kind]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise error("count-file", file=path) from None
    try:
        if _check({"ctdhub": FORMAT, "kind": kind, **head}, body) != given:
            raise ValueError("altered")
        return model.model_validate(head), body
    except (ValueError, TypeError, ValidationError):
        raise altered(path) from None


def altered(path: Path) -> HubError:
    """The error of a file that is not what was sent."""
    return error("count-altered", file=path)


def of_round(path: Path, kind: type[M], round_: Round, contributor: str = "") -> tuple[M, bytes]:
    """Read a file that must belong to a round, and come from a contributor if one is named.

    Raises:
        CountError: see :func:`read`; it is of another round or from somebody else.
    """
    found, body = read(path, kind)
    if getattr(found, "round", None) != round_.hash:
        raise error("count-round", file=path)
    if getattr(found, "contributor", "") != contributor:
        raise error("count-contributor", file=path)
    return found, body


def read_terms(exchange: Path) -> Terms:
    """The plan in a folder; see :func:`read`."""
    return read(named(exchange, "plan"), Terms)[0]


def read_round(exchange: Path) -> Round:
    """The round in a folder; see :func:`read`."""
    return read(named(exchange, "round"), Round)[0]


def read_request(exchange: Path, round_: Round) -> SumRequest:
    """The request in a folder; see :func:`of_round`."""
    return of_round(named(exchange, "request"), SumRequest, round_)[0]


def _check(head: dict[str, object], body: bytes) -> str:
    digest = hashlib.sha256(canonical(head))
    digest.update(b"\n")
    digest.update(body)
    return digest.hexdigest()


def _waits_for(path: Path) -> Text:
    """What to do where a file is missing, by what the file is."""
    kind, _dash, name = path.name.removesuffix(ENDING).partition("-")
    by = {
        "plan": Text("The hub makes it with `ctdhub count new` and sends it to every contributor."),
        "round": Text(
            "The hub makes it with `ctdhub count start` and sends it to every contributor."
        ),
        "request": Text("The hub makes it with `ctdhub count close` and sends it to everybody."),
        "joined": Text(
            "{contributor} makes it with `ctdhub count join` and sends it to the hub.",
            contributor=name,
        ),
        "masked": Text(
            "{contributor} makes it with `ctdhub count mask` and sends it to the hub.",
            contributor=name,
        ),
        "revealed": Text(
            "{contributor} makes it with `ctdhub count reveal` and sends it to the hub.",
            contributor=name,
        ),
    }
    return by.get(kind, Text("Check the name of the file."))
