"""From people to a protected answer, paid for in the ledger."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from ctdhub.border import Protected
from ctdhub.build.closure import software
from ctdhub.build.engine import Engine
from ctdhub.build.filenames import ANSWER, OVERLAP, PEOPLE, PERPETRATORS
from ctdhub.build.hub import Hub
from ctdhub.build.paid import check_paid, ledger
from ctdhub.build.rules import public_facts, variables
from ctdhub.build.stages.differencing import check_company, check_series
from ctdhub.build.steps import Input, Progress, Step, hash_file, hash_of, hash_path
from ctdhub.core.i18n import Text
from ctdhub.dp import answer_store
from ctdhub.dp.engine import protect
from ctdhub.dp.overlap import Overlap
from ctdhub.dp.policy import Policy
from ctdhub.dp.price import Cause, Pay, Price
from ctdhub.schema.model import PERSON


def answer(
    hub: Hub,
    rules: Policy,
    engine: Engine,
    progress: Progress | None = None,
    pay: Pay | None = None,
) -> Protected:
    """The protected answer of today's people and policy; a repeat costs nothing.

    Args:
        pay: told the price of what is no repeat, and may refuse it; None pays.
    """
    check_paid(hub)
    facts = public_facts(hub, rules)
    schema = variables(hub, rules)
    check_company(facts["contributors"], rules, schema)
    check_series(hub, rules, schema)
    people, perpetrators, overlap = _linked(hub)
    return protect(
        engine.rows(people),
        rules,
        ledger(hub),
        facts,
        progress,
        engine.rows(perpetrators, grouped_by=PERSON),
        Overlap.read(overlap),
        pay=pay,
        schema=schema,
    )


def price(hub: Hub, rules: Policy, engine: Engine) -> Price | None:
    """What :func:`answer` would cost now, None where it is a repeat; nothing is charged.

    Raises:
        Overspend: the budget does not reach.
    """
    try:
        answer(hub, rules, engine, pay=_tell)
    except _Told as told:
        return _explained(told.price, protect_people(hub, rules, engine))
    return None


class _Told(Exception):
    def __init__(self, price: Price) -> None:
        super().__init__()
        self.price = price


def _tell(price: Price) -> None:
    raise _Told(price)


_CAUSE_OF: dict[str, Cause] = {
    "people": "people",
    "policy": "settings",
    "contributors": "settings",
}


def _explained(price: Price, step: Step) -> Price:
    """A price with the changed inputs of the step as its reasons, where nothing better is known.

    The last answer may have been paid by software that kept no hashes of its request.
    """
    if price.because != ("unknown",):
        return price
    found = dict.fromkeys(_CAUSE_OF[n] for n in step.changed_inputs() if n in _CAUSE_OF)
    return replace(price, because=tuple(found) or price.because)


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
) -> Step:
    """People -> a protected answer, charged to the ledger; the answer lies in the ledger.

    Args:
        pay: see :func:`answer`.
    """
    output = hub.work / "protected"
    if not _kept(hub, output / ANSWER):
        shutil.rmtree(output, ignore_errors=True)  # the answer it points to is gone

    def told(price: Price) -> None:
        if pay:
            pay(_explained(price, step))

    def run(folder: Path) -> None:
        found = answer(hub, rules, engine, progress, told if pay else None)
        (folder / ANSWER).write_text(json.dumps({"charge": found.guarantee.charge}), "utf-8")

    step = Step(
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
    return step


def _kept(hub: Hub, said: Path) -> bool:
    try:
        charge = str(json.loads(said.read_text("utf-8"))["charge"])
    except FileNotFoundError:
        return False
    return answer_store.holds(ledger(hub), charge)
