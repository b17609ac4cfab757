"""From people to a protected answer, paid for in the ledger."""

import json
import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from ctdhub.border import Protected
from ctdhub.core.i18n import Text
from ctdhub.dp import answer_store
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.engine import charge
from ctdhub.dp.lists import Overlap
from ctdhub.dp.policy import Policy
from ctdhub.dp.price import Pay, Price
from ctdhub.dp.quote import Quote, quote_people
from ctdhub.hub.contributions import ANSWER, OVERLAP, PEOPLE, PERPETRATORS
from ctdhub.hub.engine import Engine
from ctdhub.hub.folder import Hub
from ctdhub.hub.paid import budget_split, check_paid, ledger, published
from ctdhub.hub.rules import public_facts, variables, year_of
from ctdhub.hub.stages.differencing import check_company, check_series
from ctdhub.hub.steps import Input, Progress, Step, hash_file, hash_of, hash_path, software
from ctdhub.release.bundle import free, latest_release
from ctdhub.release.manifest import MANIFEST
from ctdhub.schema.model import PERSON


def answer(
    hub: Hub,
    rules: Policy,
    engine: Engine,
    progress: Progress | None = None,
    pay: Pay | None = None,
    version: str = "",
) -> Protected:
    """The protected answer of today's people and policy; see ``dp.quote`` for what is not paid.

    Args:
        pay: told the price of what is to be charged, and may refuse it; None pays.
        version: that the answer is for, see :func:`is_new`.

    Raises:
        Overspend: the budget, or its reserve for drafts, does not reach.
        ReleaseError: the version is published, with another answer, or is no version.
    """
    found = _quote(hub, rules, engine, progress, version)
    if found.price:
        asked = _checked(hub, rules, found.price, version)
        if pay:
            pay(asked)
    return charge(found, progress, agreed=True)


def price(hub: Hub, rules: Policy, engine: Engine, version: str = "") -> Price | None:
    """What :func:`answer` would cost now, None where it is given again; nothing is charged.

    Args:
        version: that the answer is for, see :func:`is_new`.

    Raises:
        Overspend: the budget does not reach.
    """
    found = _quote(hub, rules, engine, None, version).price
    return found and _checked(hub, rules, found, version)


def _quote(
    hub: Hub, rules: Policy, engine: Engine, progress: Progress | None, version: str
) -> Quote:
    """What the answer about today's people costs.

    Years are covered until that of the version.  Where none is given and a year began since the
    last release, its answer is given again if nothing else has changed: a clock charges nothing.
    """
    until, last = year_of(hub, version), latest_release(hub.releases)
    if not version and last and (before := year_of(hub, last.name)) != until:
        found = _counted(hub, rules, engine, progress, version, before)
        if found.price is None:
            return found
        del found  # its tables are as large as those that follow
    return _counted(hub, rules, engine, progress, version, until)


def _counted(
    hub: Hub, rules: Policy, engine: Engine, progress: Progress | None, version: str, until: int
) -> Quote:
    check_paid(hub)
    schema, facts = variables(hub, rules), public_facts(hub, rules, until)
    check_company(facts["contributors"], rules, schema)
    check_series(hub, rules, schema)
    people, perpetrators, overlap = _linked(hub)
    if progress:
        progress(Text("counting"), 0.05)
    return quote_people(
        engine.rows(people),
        rules,
        ledger(hub),
        facts,
        engine.rows(perpetrators, grouped_by=PERSON),
        Overlap.read(overlap),
        schema=schema,
        given=published(hub) if is_new(hub, version) else (),
    )


def _checked(hub: Hub, rules: Policy, price: Price, version: str) -> Price:
    """A price, with what is left for one more version.

    Raises:
        Overspend: the budget, or its reserve for drafts, does not reach.
        ReleaseError: the version is published.
    """
    if version:
        free(hub.releases, version)
    split = budget_split(hub, rules)
    if price.epsilon:
        split.check(rho_of(price.epsilon, price.delta), price.epsilon)
    return replace(price, left=split.left)


def is_new(hub: Hub, version: str) -> bool:
    """Whether that version is yet to be published: a new version never has a published answer."""
    return bool(version) and not (hub.releases / version / MANIFEST).is_file()


def _linked(hub: Hub) -> tuple[Path, Path, Path]:
    """The tables of people and of their perpetrators, and the overlap of lists."""
    folder = hub.work / "people"
    return folder / PEOPLE, folder / PERPETRATORS, folder / OVERLAP


def protect_people(
    hub: Hub,
    rules: Policy,
    engine: Engine,
    progress: Progress | None = None,
    pay: Pay | None = None,
    version: str = "",
) -> Step:
    """People -> a protected answer, charged to the ledger; the answer lies in the ledger.

    Args:
        pay, version: see :func:`answer`.
    """
    output = hub.work / "protected"
    given = published(hub) if is_new(hub, version) else {}
    covered = public_facts(hub, rules, year_of(hub, version))["years"] if version else None
    if not _kept(hub, output / ANSWER, given, covered):
        shutil.rmtree(output, ignore_errors=True)  # its answer is gone, or is not to be given again

    def run(folder: Path) -> None:
        found = answer(hub, rules, engine, progress, pay, version)
        seen = {"charge": found.guarantee.charge, "years": found.facts["years"]}
        (folder / ANSWER).write_text(json.dumps(seen), "utf-8")

    return Step(
        name="protect",
        inputs={
            Input("people", Text("people")): hash_of([hash_path(path) for path in _linked(hub)]),
            Input("policy", Text("policy")): hash_file(hub.policy_file),
            Input("schema version", Text("schema version")): hub.settings.schema_version,
            Input("contributors", Text("contributors")): hash_of(
                hub.facts(rules.years)["contributors"]
            ),
        },
        output=output,
        run=run,
        software=software(__name__),
    )


def _kept(hub: Hub, said: Path, given: Collection[str], covered: list[int] | None) -> bool:
    """Whether the last answer is there, may be given again and, if asked, covers these years."""
    try:
        seen = json.loads(said.read_text("utf-8"))
    except FileNotFoundError:
        return False
    charge = str(seen["charge"])
    if covered is not None and seen.get("years") != covered:
        return False
    book = ledger(hub)
    paid = [entry for entry in book.entries() if entry.id == charge]
    return charge not in given and any(answer_store.holds(book, entry) for entry in paid)
