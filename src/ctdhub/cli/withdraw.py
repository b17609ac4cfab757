"""The verb ``withdraw``: a person, or a contributor, may no longer be in the data; and the
register.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ctdhub.cli import options
from ctdhub.cli.approve import show_disclosures
from ctdhub.cli.output import bar, say, show_document, show_exactly, show_table
from ctdhub.core.errors import error
from ctdhub.core.format import listed, number
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from ctdhub.hub.find_person import AffectedRecords, NumberedCase
    from ctdhub.hub.folder import Hub
    from ctdhub.sensitive.consent.register import Scope


# --------------------------------------------------------------------------------------------------
# What the verb ``withdraw`` shows: whom a withdrawal leaves out, and the register.


def show_affected(effect: AffectedRecords) -> None:
    """Whom this leaves out, in numbers that are for the steward alone."""
    from ctdhub.hub.withdrawals import NOT_SEARCHED

    rows = [(_("withdrawals to write down"), number(effect.numbers))]
    if effect.already:
        rows.append((_("in force already"), number(effect.already)))
    if effect.unknown:
        rows.append((_("that no record carries yet"), number(len(effect.unknown))))
    rows.append((_("people whom the hub has records of"), number(effect.people)))
    for name, records in effect.records.items():
        rows.append((_("records of {id} left out").format(id=name), number(records)))
    show_table(_("For the steward: not to be published"), ("", ""), rows, fold=False)
    if effect.unsearched:
        say(said(NOT_SEARCHED.holding(names=listed(effect.unsearched))))


def show_elsewhere(hub: Hub, contributor: str) -> None:
    """How many people of others the withdrawals of a contributor take out; nothing if none."""
    from ctdhub.desk.worker.answers import ledgers

    answer = ledgers.elsewhere(hub, contributor)
    if answer["given"]["quarters"]:
        _print(answer)


def _print(answer: dict[str, Any], *lines: str) -> None:
    """A page of the hub, after lines that it has not."""
    from ctdhub.document.document import from_json

    for line in lines:
        say(line)
    show_document(from_json(answer["document"]))


def choose_rows(case: NumberedCase) -> list[int]:
    """Ask which rows of a case are hers; gives their places from 0, none where no row is."""
    from ctdhub.desk.worker.answers.ledgers import case_row

    rows = [
        (str(place), *case_row(row), _("withdrawn") if row.withdrawn else "")
        for place, row in enumerate(case.rows, 1)
    ]
    text = _("The number at place {place} is shared: it has rows of several people.")
    say(text, place=case.place)
    head = ("", _("delivery"), _("row"), _("year"), _("gender"), _("age"), "")
    show_table(_("For the steward: not to be published"), head, rows)
    question = _(
        "Which rows are about the person who withdraws? Write their numbers, such as 1, 3; 0 if "
        "none is."
    )
    while (places := _places(typer.prompt(question), len(case.rows))) is None:
        text = _("Write numbers from 1 to {n} with commas between them, or 0.")
        say(text, n=number(len(case.rows)))
    return places


def _places(text: str, rows: int) -> list[int] | None:
    """Places from 0; None where the text says something else."""
    words = text.replace("،", ",").split(",")
    if not all(word.strip().isdecimal() for word in words):
        return None
    numbers = sorted({int(word) for word in words})
    if numbers == [0]:
        return []
    return [n - 1 for n in numbers] if numbers[0] > 0 and numbers[-1] <= rows else None


def show_register(hub: Hub, *, as_json: bool) -> None:
    """Reports and all lines: when, by whom, how far, why; nothing by which a person is found."""
    from ctdhub.desk.worker.answers import ledgers
    from ctdhub.hub import withdrawals

    if not as_json:
        answer = ledgers.withdrawals(hub)
        waiting = [one for one in answer["given"]["told"] if not one["ended"]]
        _print(answer, *(f"{one['sent']} {one['name']}: {one['words']}" for one in waiting))
        return
    entries, force = withdrawals.register(hub)
    active = {e.number for e in force.entries}
    carried = withdrawals.recorded_numbers(hub)
    matches = {e.number: carried.get((e.contributor, e.because or e.mark)) for e in force.entries}
    keep = ("number", "time", "kind", "scope", "contributor", "reason")
    rows = [
        {k: v for k, v in asdict(e).items() if k in keep}
        | {"in_force": e.number in active, "found": matches.get(e.number)}
        for e in entries
    ]
    show_exactly(json.dumps(rows, indent=1))


# --------------------------------------------------------------------------------------------------
# The verb ``withdraw``: a person, or a contributor, may no longer be in the data.

_OF_A_PERSON = ("--by", "--file", "--only-here", "--ahead", "--everybody")
_ACTS = ("--all", "--undo", "--renewed", "--delete-raw", "--decide")
_APART = {
    "--list": (*_OF_A_PERSON, *_ACTS, "--contributor", "--pass", "--reason"),
    "--pass": (*_OF_A_PERSON, *_ACTS, "--reason"),
    "--all": _OF_A_PERSON,
    "--decide": (
        "--by", "--file", "--ahead", "--everybody", "--all", "--undo", "--renewed", "--delete-raw",
        "--reason",
    ),
    "--renewed": (*_OF_A_PERSON, "--all", "--undo", "--delete-raw", "--reason"),
    "--delete-raw": (*_OF_A_PERSON, "--undo"),
    "--undo": ("--only-here", "--ahead", "--everybody"),
}  # fmt: skip
"""Options, and those that do not go with them."""


By = Literal["case", "token"]
"""What a person is told by."""
Why = Literal["asked", "consent", "agreement", "mistake", "other"]
"""Reasons; a closed list, so that nothing about a person can be written."""


def withdraw(
    folder: options.Folder = Path(),
    contributor: str = "",
    by: By | None = None,
    file: Path | None = None,
    whole: Annotated[bool, typer.Option("--all")] = False,
    only_here: Annotated[bool, typer.Option("--only-here")] = False,
    undo: Annotated[bool, typer.Option("--undo")] = False,
    reason: Why | None = None,
    everybody: Annotated[bool, typer.Option("--everybody")] = False,
    ahead: Annotated[bool, typer.Option("--ahead")] = False,
    renewed: Annotated[bool, typer.Option("--renewed")] = False,
    delete_raw: Annotated[bool, typer.Option("--delete-raw")] = False,
    decide: Annotated[bool, typer.Option("--decide")] = False,
    passing: Annotated[str, typer.Option("--pass")] = "",
    show: Annotated[bool, typer.Option("--list")] = False,
    as_json: options.AsJson = False,
    yes: options.Yes = False,
) -> None:
    """The verb ``withdraw``."""
    from ctdhub.hub import withdrawals as withdraw_stage

    hub = options.hub(folder)
    _check_options(
        {
            "--list": show, "--contributor": contributor, "--by": by, "--file": file,
            "--only-here": only_here, "--ahead": ahead, "--everybody": everybody,
            "--all": whole, "--undo": undo,
            "--decide": decide, "--pass": passing, "--reason": reason,
            "--renewed": renewed, "--delete-raw": delete_raw, "--json": as_json,
            "--yes": yes or str(file) != "-",
        }
    )  # fmt: skip
    if show:
        show_register(hub, as_json=as_json)
        return
    why: Why = reason or ("agreement" if whole else "asked")
    if decide:
        _decide(hub, contributor, only_here=only_here, yes=yes)
    elif passing:
        withdraw_stage.pass_over(hub, contributor, passing)
        say(_("Written down."))
    elif renewed:
        withdraw_stage.tell_renewed(hub, contributor)
        say(_("Written down."))
    elif undo:
        texts = None if whole else _numbers(_text(file), file)
        _ask(_("Take this back: from the next build on the records are used again?"), yes=yes)
        n = withdraw_stage.take_back(hub, contributor, texts, by, why)
        say(_("Withdrawals undone: {n}."), n=number(n))
        _next(hub)
    elif whole or delete_raw:
        if whole:
            _whole(hub, contributor, why, yes=yes)
        if delete_raw:
            question = _("Delete all raw files of {id} in this hub for good?")
            _ask(question.format(id=contributor), yes=yes)
            n = withdraw_stage.delete_raw(hub, contributor)
            say(_("Raw files deleted: {n}. Copies elsewhere are yours to delete."), n=number(n))
        show_disclosures(hub)
        _next(hub)
    else:
        scope: Scope = "records" if only_here else "person"
        _people(hub, contributor, file, (scope, why, by), ahead, everybody, yes=yes)


def _people(
    hub: Hub,
    contributor: str,
    file: Path | None,
    what: tuple[Scope, Why, By | None],
    ahead: bool,
    everybody: bool,
    *,
    yes: bool,
) -> None:
    """Report people of a contributor, answer what is asked about them, and carry it out."""
    from ctdhub.hub import withdrawals
    from ctdhub.sensitive.bundle.leaving import is_withdrawal

    text, before = _text(file), withdrawals.reports(hub)
    if is_withdrawal(text.encode()):
        key = withdrawals.submit_file(hub, contributor, text.encode())
    else:
        scope, why, kind = what
        key = withdrawals.submit(
            hub, contributor, scope, why, _numbers(text, file), kind,
            ahead=ahead, everybody=everybody,
        )  # fmt: skip
    try:
        while True:  # what is delivered meanwhile may have to be asked about
            effect = _answered(hub, contributor, key, ahead, yes=yes)
            show_affected(effect)
            if effect.entries:
                _ask(_("Write this down?"), yes=yes)
            with bar() as progress:
                done = withdrawals.carry_out(hub, key, progress)
            if done.ended:
                break
    except BaseException:
        if key not in before and not withdrawals.report_of(hub, key).wants_file:
            withdrawals.take_back_report(hub, key, contributor)
        raise
    if effect.entries:
        say(_("Withdrawals written down: {n}."), n=number(effect.numbers))
    carried = withdrawals.recorded_numbers(hub) if done.missed else {}
    if any(carried.get((e.contributor, e.because or e.mark)) is False for e in effect.entries):
        say(said(withdrawals.NOTHING_FOUND))
    if effect.records.get(contributor):
        _raw(contributor)
    show_elsewhere(hub, contributor)
    _next(hub)


def _answered(hub: Hub, contributor: str, key: str, ahead: bool, *, yes: bool) -> AffectedRecords:
    """Whom a report finds, once the steward has said what must be asked about it.

    Raises:
        WithdrawalError: it may not be asked, a number is unknown, or a signed file must come first.
    """
    from ctdhub.hub import withdrawals

    with bar() as progress:
        report, effect = withdrawals.look_for(hub, key, progress)
    unsaid = [case for case in report.asked if case.chosen is None]
    if report.wants_file:
        raise error("withdrawal-codes", id=contributor)
    if report.unknown and not (report.ahead or ahead):
        raise error("unknown-number", places=", ".join(map(str, report.unknown)))
    if unsaid and yes:
        raise error("shared-case", places=", ".join(str(case.place) for case in unsaid))
    if report.open:
        chosen = {case.place: choose_rows(case) for case in report.asked}
        withdrawals.answer(hub, key, contributor, report.digest, chosen, "ahead" if ahead else "")
        with bar() as progress:
            report, effect = withdrawals.look_for(hub, key, progress)
    if effect is None:
        raise error("told-changed")
    return effect


_COMMAND = "ctdhub withdraw"


def _check_options(values: dict[str, object]) -> None:
    """Refuse options that do not go together, and what is missing."""
    for option, others in _APART.items():
        if values[option] and (beside := [other for other in others if values[other]]):
            raise error("usage/apart", name=option, names=", ".join(beside), command=_COMMAND)
    if values["--json"] and not values["--list"]:
        raise error("usage/with-list", name="--json", other="--list", command=_COMMAND)
    for option in ("--contributor", "--yes"):
        if not values[option] and not values["--list"]:
            raise error("usage/missing", name=option, command=_COMMAND)


def _ask(question: str, *, yes: bool) -> None:
    options.require_yes(question, _("Nothing was changed."), yes=yes)


def _text(file: Path | None) -> str:
    """What a file holds, or what was typed; numbers are never on the command line.

    Raises:
        WithdrawalError: it is no text.
    """
    if file is None:
        return str(typer.prompt(_("Number of the case, or token")))
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise error("no-number/none", file=file) from None


def _numbers(text: str, file: Path | None) -> list[str]:
    """Numbers, one a line.

    Raises:
        WithdrawalError: there is none, or a line is no number.
    """
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not lines or "\0" in text:
        raise error("no-number/none", file=file)
    return lines


def _whole(hub: Hub, contributor: str, why: Why, *, yes: bool) -> None:
    """A contributor withdraws."""
    from ctdhub.hub import withdrawals as withdraw_stage
    from ctdhub.hub.folder import policy

    hub.agreement(contributor)
    _ask(_("Leave out all records of {id} from the next build on?").format(id=contributor), yes=yes)
    before = contributor in hub.withdrawn().contributors
    key = withdraw_stage.submit(hub, contributor, "contributor", why)
    withdraw_stage.carry_out(hub, key, lambda _step, _share: None)
    text = _("{id} is withdrawn; its files are no longer read.")
    say(_("{id} had withdrawn already.") if before else text, id=contributor)
    say(_("Agreement and mapping stay; releases that were published keep its name."))
    if contributor in policy(hub).sources.lists:
        say(_("policy.yaml names it under sources, lists: take it out, else the next build stops."))


def _decide(hub: Hub, contributor: str, *, only_here: bool, yes: bool) -> None:
    """What becomes of withdrawals above the limit."""
    from ctdhub.hub.withdrawals import decide

    show_elsewhere(hub, contributor)
    question = (
        _("Leave out its own records alone, and keep these people at other contributors?")
        if only_here
        else _("Let these withdrawals take out the people of other contributors as well?")
    )
    _ask(question, yes=yes)
    decide(hub, contributor, only_here=only_here)
    say(_("Written down."))
    _next(hub)


def _raw(contributor: str) -> None:
    text = _(
        "The person's row is still in contributions/{id}/, exactly as received. Ask "
        "{id} for a file without it, put that file there, and delete the old one."
    )
    say(text, id=contributor)


def _next(hub: Hub) -> None:
    """What has to happen now."""
    from ctdhub.hub import withdrawals as withdraw_stage

    if old := withdraw_stage.outdated(hub):
        text = _("Made before, and may not be published any more: candidates {versions}.")
        say(text, versions=listed(old))
    say(_("Next: `ctdhub build {hub}`."), hub=hub.root)
