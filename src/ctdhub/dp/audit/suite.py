"""All audits of a hub's people at its policy, and what publishing their findings costs.

Each audit runs the engine on real people without a charge, so its findings are internal.  To
publish them costs what they could tell about a person:

* canary, noisy tables: nothing.  What is guessed from is the noisy table minus the exact one, that
  is canaries and noise: it holds nothing of anybody.  It is a run of its own for that reason, since
  the noise of an answer that is known would give the people away.
* canary, release: one answer.  For publication the guesser does not know everybody else, so that
  its guesses are post-processing of the answer.
* inference: one answer, and the noise in six counts (``membership.protected``).
* worlds: nothing, as for publication the people are fictitious; on real people each of its many
  answers would have to be paid for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import pyarrow as pa

from ctdhub.core.i18n import Text
from ctdhub.dp import kernels, noise
from ctdhub.dp.accounting import epsilon_of, rho_of
from ctdhub.dp.audit import canary, two_worlds
from ctdhub.dp.audit import membership as inference
from ctdhub.dp.audit.canary import CanaryAudit
from ctdhub.dp.audit.membership import InferenceAudit
from ctdhub.dp.audit.two_worlds import WorldsAudit
from ctdhub.dp.audit.views import Setting, chosen
from ctdhub.dp.count import Codes, encode
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.charge import Charge
from ctdhub.dp.ledger.purposes import written
from ctdhub.dp.person_rows import ONE, PersonRows
from ctdhub.dp.plan import Columns, joined_reach, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.schema.model import Schema, load_schema

Kind = Literal["canary", "worlds", "inference"]
KINDS: tuple[Kind, ...] = get_args(Kind)

RISK = 0.05
"""Chance of each lower bound to be above the true epsilon."""

WORLD_EPSILON = 1.0
"""The two worlds are compared at this epsilon if the policy's is greater: so few runs could not
prove that a greater one is broken, and the engine is the same."""

WORLD_PEOPLE, WORLD_COLUMNS, WORLD_RUNS, TABLE_RUNS = 3000, 6, 20, 300
"""The two worlds are many runs, so each is of few people and columns."""

Tell = Callable[[Text, float], None]


@dataclass(frozen=True)
class Findings:
    """What the audits found; None where one was not asked for.

    Attributes:
        epsilon, delta: the guarantee that the policy claims for one release.
        world_epsilon: the guarantee that was claimed where two worlds were compared.
        released, tables: by those who see the release, and the noisy tables.
        charge: the ledger entry that paid for publication; "" where publication costs nothing;
            None where nothing may be published.
    """

    epsilon: float
    delta: float
    world_epsilon: float
    canary_released: CanaryAudit | None = None
    canary_tables: CanaryAudit | None = None
    worlds_released: WorldsAudit | None = None
    worlds_tables: WorldsAudit | None = None
    inference: InferenceAudit | None = None
    charge: str | None = None


def price(policy: Policy, kinds: Collection[Kind], of: PersonRows = ONE) -> float:
    """What publishing the findings costs, in rho; see the module's first words."""
    answer = rho_of(policy.epsilon, policy.delta)
    guessed = joined_reach(policy.linking.people, of.bound)
    return answer * ("canary" in kinds) + (answer + inference.cost(guessed)) * (
        "inference" in kinds
    )


def pay(
    ledger: Ledger,
    policy: Policy,
    kinds: Collection[Kind],
    contributors: Iterable[str] | None = None,
    of: PersonRows = ONE,
) -> str:
    """Charge the price before any audit runs; gives the id of the charge, "" where it is nothing.

    A repeat is a new question: an audit draws its canaries and its fold anew.

    Raises:
        Overspend: the budget does not reach.
        LedgerTampered: the ledger was changed.
    """
    rho = price(policy, kinds, of)
    if not rho:
        return ""
    kernels.require_sweep()
    with ledger.exclusive():
        entry: Charge = ledger.charge(
            ledger.question(secrets.token_bytes(32)),
            rho,
            epsilon_of(rho, policy.delta),
            policy.delta,
            written("audit", kinds=", ".join(k for k in KINDS if k in kinds)),
            budget=policy.budget.epsilon,
            kind="evaluation",
            contributors=contributors,
        )
    return entry.id


def run(
    people: pa.Table,
    policy: Policy,
    kinds: Collection[Kind] = KINDS,
    canaries: int = 1000,
    charge: str | None = None,
    tell: Tell = lambda message, share: None,
    schema: Schema | None = None,
    of: PersonRows = ONE,
) -> Findings:
    """Audit the engine on a hub's people.

    Args:
        people: as in :func:`ctdhub.dp.engine.protect`.
        charge: see :class:`Findings`; given, the findings are such as :func:`pay` pays for.
        schema: the variables that there are for this hub; all that are shipped where None.
        of: the rows that one person may have, which noise is for.

    Raises:
        PolicyError: as in :func:`ctdhub.dp.engine.protect`.
    """
    schema, public = schema or load_schema(), charge is not None
    policy = policy.model_copy(update={"imputations": 0})  # sets are made of the same noisy tables
    whole = Setting(plan_of(policy, schema, of), policy.epsilon, policy.delta)
    few = _narrow(policy, schema, of)
    found = Findings(policy.epsilon, policy.delta, few.epsilon, charge=charge)
    everybody = encode(people, whole.plan.domains)
    if "canary" in kinds:
        planted = canary.canaries(whole.plan, canaries)
        see, knows = whole.published, not public
        tell(Text("canaries: the release"), 0.0)
        released = canary.audit(whole, everybody, planted, see, RISK, knows_others=knows)
        tell(Text("canaries: the noisy tables"), 0.2)
        tables = canary.audit(whole, everybody, planted, whole.measured, RISK)
        found = replace(found, canary_released=released, canary_tables=tables)
    if "worlds" in kinds:
        crowd, message = _crowd(people, few, public), Text("neighbouring datasets")
        told = two_worlds.attack_releases(
            few, crowd, RISK, WORLD_RUNS, lambda share: tell(message, 0.3 + 0.4 * share)
        )
        inner = two_worlds.attack_tables(few, crowd, RISK, TABLE_RUNS)
        found = replace(found, worlds_released=told, worlds_tables=inner)
    if "inference" in kinds:
        secret, words = _secret(tuple(whole.plan.domains), schema), Text("attribute inference")
        exact = inference.audit(
            whole, everybody, secret, lambda share: tell(words, 0.8 + 0.2 * share)
        )
        found = replace(found, inference=inference.protected(exact) if public else exact)
    return found


def _crowd(people: pa.Table, few: Setting, public: bool) -> Codes:
    """Fictitious people for publication, else some of the hub's own."""
    if public:
        return two_worlds.blank(few.plan, WORLD_PEOPLE)
    own = encode(people, few.plan.domains)
    return chosen(own, noise.permutation(own.people)[:WORLD_PEOPLE])


def _narrow(policy: Policy, schema: Schema, of: PersonRows) -> Setting:
    """Few columns of the policy, core ones first, at most one of countries."""
    names = sorted(policy.domains(schema), key=lambda n: not schema.variable(n).core)
    countries = [n for n in names if schema.variable(n).kind == "country"]
    columns = [n for n in names if n not in countries[1:]][:WORLD_COLUMNS]
    plan = plan_of(policy.model_copy(update={"columns": tuple(columns)}), schema, of)
    return Setting(plan, min(policy.epsilon, WORLD_EPSILON), policy.delta)


def _secret(columns: Columns, schema: Schema) -> Columns:
    """Columns worth guessing: what happened to a person; all where there is none of these."""
    told = (n for n in columns if schema.variable(n).kind in ("flag", "status"))
    return tuple(n for n in told if not schema.variable(n).any_of) or columns
