"""The trail as a file: a log of JSON lines, each with the hash of the one before; apart, for it is
verified where there is neither the database nor Django.

A line that is changed, left out or put in breaks the chain; a file that was written anew from some
line on contradicts the heads that approvals and messages to the auditor carry.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ctdhub.core.errors import HubError, error
from ctdhub.core.files import is_torn, last_of_chain, read_chain


def read_trail(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of a trail, each checked against the one before; none where there is no file.

    Raises:
        LedgerTampered: a line is damaged, or the chain is broken at it (rule "trail").
        OSError: it cannot be read.
    """
    number = 0
    try:
        for line in read_chain(file):
            number = line["number"]
            yield line
    except HubError as met:
        raise error("trail", file=file, line=met.line) from None
    if is_torn(file):
        raise error("trail", file=file, line=number + 1)


def last_line(file: Path) -> dict[str, Any] | None:
    """The last whole line alone, for the writer; a kill may have left a torn one behind it.

    Raises:
        LedgerTampered: it does not hash to what it says (rule "trail").
    """
    try:
        return last_of_chain(file)
    except HubError as met:
        raise error("trail", file=file, line=met.line) from None
