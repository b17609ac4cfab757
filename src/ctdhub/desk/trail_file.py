"""The trail as a file: a log of JSON lines, each with the hash of the one before; apart, for it is
verified where there is neither the database nor Django.

A line that is changed, left out or put in breaks the chain; a file that was written anew from some
line on contradicts the heads that approvals and messages to the auditor carry.
"""

from pathlib import Path
from typing import Any

from ctdhub.core.errors import HubError, error
from ctdhub.core.files import read_chain


def read_trail(file: Path, *, torn: bool = False) -> tuple[dict[str, Any], ...]:
    """The lines of a trail, each checked against the one before; none where there is no file.

    Args:
        torn: whether a last line may be torn, as a kill leaves it to whoever writes on.

    Raises:
        LedgerTampered: a line is damaged, or the chain is broken at it (rule "trail").
        OSError: it cannot be read.
    """
    try:
        lines = read_chain(file)
    except HubError as met:
        raise error("trail", file=file, line=met.line) from None
    if not torn and file.exists() and not (b"\n" + file.read_bytes()).endswith(b"\n"):
        raise error("trail", file=file, line=len(lines) + 1)
    return lines
