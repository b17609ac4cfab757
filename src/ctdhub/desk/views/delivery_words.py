"""Words about deliveries: states, reasons to return one, what the check found."""

from __future__ import annotations

from typing import Any

from ctdhub.core.errors import from_json
from ctdhub.core.i18n import Text, joined
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.rendering import moment

REASONS = ("format", "columns", "values", "identifiers", "duplicate", "incomplete", "wrong-file")
"""Codes of the list from which a returned delivery has at least one."""


def reason(code: str) -> Text:
    """A reason to return a delivery, as the contributor reads it.

    Raises:
        KeyError: the list has no such reason.
    """
    return {
        "format": Text("The file cannot be read as a table: rows or columns are not in order."),
        "columns": Text("Columns are missing, or a column has another meaning than before."),
        "values": Text("Cells hold values that are not understood, or that contradict each other."),
        "identifiers": Text("The file holds names or other direct identifiers. Remove them."),
        "duplicate": Text("The file holds the same records as one that you sent before."),
        "incomplete": Text("Records or periods are missing that the agreement says will be sent."),
        "wrong-file": Text("This seems to be another file than the one that was meant."),
    }[code]


def state_name(state: str) -> Text:
    """A state in one or two words."""
    return {
        "receiving": Text("Being sent"),
        "received": Text("Received"),
        "checked": Text("Checked"),
        "refused": Text("Cannot be read"),
        "returned": Text("Returned"),
        "replaced": Text("Replaced"),
        "accepted": Text("Accepted"),
        "withdrawn": Text("Withdrawn"),
    }[state]


def state_tone(state: str) -> str:
    """The tone of a state's tag."""
    return {
        "accepted": "good",
        "refused": "bad",
        "returned": "bad",
        "receiving": "wait",
        "received": "wait",
        "checked": "wait",
    }.get(state, "quiet")


def state_sentence(state: str) -> Text:
    """What a state means for whoever sent the file, and what comes next."""
    return {
        "receiving": Text("The file has not arrived completely. Send it again to go on."),
        "received": Text(
            "The file has arrived. It is checked in a moment; you may close the page."
        ),
        "checked": Text("The check is done. The hub looks at it and accepts or returns it."),
        "refused": Text("The file cannot be read. Correct it and send it again."),
        "returned": Text("The hub returned the file. Read the reasons, then send a correction."),
        "replaced": Text("You sent a correction. The bytes of this file were deleted."),
        "accepted": Text("The hub accepted the file. It counts in a coming release."),
        "withdrawn": Text("The delivery was ended. Its bytes were deleted."),
    }[state]


def came(delivery: Delivery) -> tuple[Text, str]:
    """When a file came: a label and a time, of one that the command line put in its finding."""
    if delivery.account_id is None:
        return Text("Found in the hub folder"), moment(delivery.created)
    return Text("Received"), moment(delivery.created)


def kind_name(kind: str) -> Text:
    """What kind of file a delivery is."""
    if kind == "ctdbundle":
        return Text("bundle of the kit")
    if kind in ("xlsx", "xlsm", "ods"):
        return Text("spreadsheet ({ending})", ending=kind)
    return Text("table ({ending})", ending=kind or "?")


def finding_text(text: dict[str, Any]) -> Text:
    """What a finding says: a Text, or an error with what to do."""
    if "error" in text:
        met = from_json(text["error"])
        return joined([met.fault, met.remedy], " ")
    return Text.from_json(text)


def counts(summary: dict[str, Any]) -> list[tuple[Text, int]]:
    """What the check counted, in the order in which it is shown."""
    names = {
        "rows": Text("Rows read"),
        "records": Text("Rows that became case records"),
        "rejected": Text("Rows that were rejected"),
        "excluded": Text("Rows that rules of the mapping leave out"),
    }
    return [(name, summary[key]) for key, name in names.items() if key in summary]
