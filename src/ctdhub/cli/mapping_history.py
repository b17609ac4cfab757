"""The verbs ``mapping history`` and ``mapping undo``: who changed a mapping, and taking it back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from ctdhub.cli.output import console
from ctdhub.core.i18n import _, ngettext

Folder = Annotated[Path, typer.Argument(help=_("The hub folder, or the folder of a kit."))]
Contributor = Annotated[str, typer.Argument(help=_("Id of the contributor."))]


def add_history(verbs: typer.Typer) -> None:
    """Add the verbs of this module to the group."""

    @verbs.command(
        help=_(
            "List who changed a contributor's mapping, when and what.\n\nA mapping that was edited "
            "by hand is found by its hash and listed as a change from outside. Every line of the "
            "history names the hash of the line before it; a changed line is an error. The list "
            "contains texts of case files.\n\nExample: ctdhub mapping history my-hub our-ngo"
        )
    )
    def history(folder: Folder, contributor: Contributor) -> None:
        told = _asked(folder, contributor, "history")
        if not told["commits"]:
            console.print(_("No change of this mapping was kept yet."))
        for commit in told["commits"]:
            console.print(escape(_line(commit)))
            for operation in commit["operations"]:
                console.print("  " + escape(_operation(operation)))

    @verbs.command(
        help=_(
            "Take a kept change of a mapping back.\n\nLater changes stay; where one of them "
            "concerns the same text or rule, it is named and nothing is done unless you choose "
            "--later. The mapping that this makes is a change of its own in the "
            "history.\n\nExample: ctdhub mapping undo my-hub our-ngo 3 --operation 2"
        )
    )
    def undo(
        folder: Folder,
        contributor: Contributor,
        number: Annotated[int, typer.Argument(help=_("Number of the change in the history."))],
        operation: Annotated[
            list[int] | None,
            typer.Option(help=_("Only this part of the change; may be repeated.")),
        ] = None,
        later: Annotated[
            str | None,
            typer.Option(
                help=_(
                    "What happens to later changes of the same text or rule: “undo” takes them "
                    "back too, “stay” leaves them in the history and takes this one back alone."
                )
            ),
        ] = None,
        why: Annotated[str, typer.Option(help=_("The reason, for the history."))] = "",
    ) -> None:
        wanted: dict[str, Any] = {"commit": number, "later": later}
        if operation:
            wanted["n"] = operation
        before = _asked(folder, contributor, "history")
        start = next((c["from"] for c in before["commits"] if c["number"] == number), "")
        done = _asked(folder, contributor, "undo_kept", day=start or None, **wanted)
        if "later" in done:
            console.print(_("Later changes concern the same text or rule; nothing was undone:"))
            for one in done["later"]:
                console.print(f"  {one['commit']}.{one['n']} " + escape(_operation(one)))
            raise typer.Exit(1)
        told = _asked(folder, contributor, "keep", day=start or None, why=why, **{"from": start})
        path = told["kept"]["path"]
        console.print(
            ngettext(
                "Undone: {n} part. {path} was written.",
                "Undone: {n} parts. {path} was written.",
                len(done["done"]),
            ).format(n=len(done["done"]), path=escape(path))
        )


def _asked(
    folder: Path, contributor: str, ask: str, day: str | None = None, **more: Any
) -> dict[str, Any]:
    from ctdhub.core.error_catalogue import from_json
    from ctdhub.sensitive.workbench import ask as workbench

    request = {
        "ask": ask,
        "folder": str(folder.absolute()),
        "contributor": contributor,
        "who": "command-line",
        "day": day or datetime.now(UTC).date().isoformat(),
        **more,
    }
    answer = workbench.ask(request)
    if "error" in answer:
        raise from_json(answer["error"])
    return answer


def _line(commit: dict[str, Any]) -> str:
    """A commit in one line."""
    start = commit["from"] or _("from the first delivery on")
    text = _("{number}. {time}, {who}: mapping {start}").format(
        number=commit["number"], time=commit["time"], who=commit["who"], start=start
    )
    if commit["undoes"]:
        numbers = ", ".join(map(str, commit["undoes"]))
        text += " · " + _("takes back {numbers}").format(numbers=numbers)
    return f"{text} · {commit['why']}" if commit["why"] else text


def _operation(operation: dict[str, Any]) -> str:
    """An operation in one line: its number, its key, its value before and now."""
    from ctdhub.sensitive.workbench.operations import label_of, value_of

    before, now = operation.get("before"), value_of(operation)
    return f"{operation['n']} {label_of(operation)}: {_short(before)} → {_short(now)}"


def _short(value: Any) -> str:
    from ctdhub.core.errors import printable
    from ctdhub.sensitive.mapping.patched_yaml import flow

    return printable(flow(value), 60)
