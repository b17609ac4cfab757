"""The verb ``audit``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.cli.verbs import about
from ctdhub.core.datafiles import as_json
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import _
from ctdhub.dp.audit.canary import MOST

if TYPE_CHECKING:
    from ctdhub.build.hub import Hub
    from ctdhub.dp.audit.card import AuditCard
    from ctdhub.dp.audit.suite import Kind
    from ctdhub.dp.person_rows import PersonRows
    from ctdhub.dp.policy import Policy

ABOVE = 1
"""Exit code where an attack proved more than is promised."""


def register(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""

    @app.command(help=about("audit"))
    def audit(
        folder: Annotated[Path, typer.Argument(help=_("The hub folder."))] = Path(),
        canaries: Annotated[
            int,
            typer.Option(
                min=1, max=MOST, help=_("Number of canaries: fictitious people put into the data.")
            ),
        ] = 1000,
        kind: Annotated[
            str,
            typer.Option(
                help=_(
                    "Which attack: `all`, `canary`, `worlds` "
                    "(neighbouring datasets) or `inference`."
                )
            ),
        ] = "all",
        as_json: Annotated[
            bool, typer.Option("--json", help=_("Print the card as JSON, for programs."))
        ] = False,
        out: Annotated[
            Path | None,
            typer.Option(
                help=_("Write the card here too: JSON if the name ends in .json, else Markdown.")
            ),
        ] = None,
        publish: Annotated[
            bool,
            typer.Option(
                "--publish", help=_("Make findings that may be published; costs privacy budget.")
            ),
        ] = False,
    ) -> None:
        from ctdhub.build.hub import Hub

        hub = Hub(folder)
        kinds = _kinds(kind)
        inner = hub.work / "audit"
        if out and not publish and not out.resolve().is_relative_to(inner.resolve()):
            raise error("internal", file=out)
        options.require_new(out)
        found = _audited(hub, kinds, canaries, publish)
        _keep(found, inner)
        if out:
            _write(out, _as_file(found, out))
        if as_json:
            console.print_json(data=found.json())
        else:
            console.print(escape(found.text()), highlight=False)
            console.print(_("Written to {folder}.").format(folder=escape(str(inner))))
        if found.state == "above":
            raise typer.Exit(ABOVE)


def _kinds(kind: str) -> tuple[Kind, ...]:
    from ctdhub.dp.audit.suite import KINDS

    chosen = tuple(k for k in KINDS if kind in (k, "all"))
    if not chosen:
        raise error("usage/one-of", name="--kind", stages=", ".join(("all", *KINDS)))
    return chosen


def _audited(hub: Hub, kinds: tuple[Kind, ...], canaries: int, publish: bool) -> AuditCard:
    import pyarrow.parquet as pq

    from ctdhub.build.filenames import PEOPLE
    from ctdhub.build.rules import policy, variables
    from ctdhub.dp.audit.card import card
    from ctdhub.dp.audit.suite import run
    from ctdhub.dp.person_rows import person_rows

    rules, path = policy(hub), hub.work / "people" / PEOPLE
    if not path.exists():
        raise error("no-people", file=path)
    people = pq.read_table(path)
    of, schema = person_rows(rules, hub.facts(rules.years)), variables(hub, rules)
    charge = None
    if publish:
        with hub.lock():  # no build may pay between what is left and the charge
            charge = _paid(hub, rules, kinds, of)
    with bar() as progress:
        return card(run(people, rules, kinds, canaries, charge, progress, schema, of))


def _paid(hub: Hub, rules: Policy, kinds: tuple[Kind, ...], of: PersonRows) -> str:
    from ctdhub.build.paid import budget_split, check_paid, ledger
    from ctdhub.dp.accounting import epsilon_of
    from ctdhub.dp.audit.suite import pay, price
    from ctdhub.dp.ledger.charge import taking_part

    check_paid(hub)
    if rho := price(rules, kinds, of):  # findings are published, so the reserve is not theirs
        budget_split(hub, rules).check_room(rho, epsilon_of(rho, rules.delta))
    return pay(ledger(hub), rules, kinds, taking_part(hub.facts(rules.years)), of)


def _keep(found: AuditCard, folder: Path) -> None:
    """Both forms of the card, for the hub's own eyes."""
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S")
    for suffix in (".md", ".json"):
        path = folder / f"{stamp}{suffix}"
        _write(path, _as_file(found, path))


def _as_file(found: AuditCard, path: Path) -> str:
    if path.suffix == ".json":
        return as_json(found.json())
    return found.markdown()


def _write(path: Path, text: str) -> None:
    from ctdhub.core.atomic import write_whole

    write_whole(path, text.encode())
