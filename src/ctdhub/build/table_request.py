"""A table on request: whether a release holds it, what it would cost, and its place in the policy.

Belongs here: a table that somebody asks for becomes a table of the next release, which is paid from
the ledger with noise of its own and is approved and published as any release is.
Does not belong here: who asks and who decides (``desk``).

No row of a file is read: what is said of a request follows from the settings of the hub and from
published releases alone, so that neither an answer, nor a refusal, nor its time can tell of a case.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from pydantic import ValidationError

from ctdhub.build.agreement_file import with_settings
from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.rehearsal import of_hub
from ctdhub.build.rules import policy, variables
from ctdhub.core.atomic import write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.dp.plan import Columns
from ctdhub.dp.policy import Policy
from ctdhub.dp.table_price import TablePrice, table_price
from ctdhub.release.bundle import latest_standing
from ctdhub.release.manifest import MANIFEST, Manifest
from ctdhub.schema.model import Variable, load_schema

MOST_COLUMNS = 4
MOST_CELLS = 2**22
"""As many as the largest tables of a release have, twice."""


@dataclass(frozen=True)
class RequestPrice:
    """What a requested table costs the next release.

    Attributes:
        price: None where the policy measures it already, and nothing changes.
        epsilon, budget: of one release and of all, by the policy.
        level: of the intervals, in 0..1.
        added: variables that the policy does not release yet.
        policy: SHA-256 of the policy by which this holds.
    """

    price: TablePrice | None
    epsilon: float
    budget: float
    level: float
    added: Columns
    policy: str


def requestable() -> tuple[Variable, ...]:
    """Variables that a table may be asked of: all public ones of people, in the schema's order."""
    return tuple(v for v in load_schema().table("people") if v.public)


def held_by(hub: Hub, columns: Sequence[str]) -> str:
    """The newest release that stands, if it holds the table or a finer one; else "".

    Raises:
        ReleaseError: its manifest is damaged.
    """
    folder = latest_standing(hub.releases)
    if folder is None:
        return ""
    path = folder / MANIFEST
    try:
        measured = Manifest.model_validate_json(path.read_bytes()).drawn
    except (OSError, ValidationError):
        raise error("manifest", file=path) from None
    wanted = set(columns)
    return folder.name if any(wanted <= set(table.split("*")) for table in measured) else ""


def price_of(hub: Hub, columns: Sequence[str]) -> RequestPrice:
    """What the table would cost the next release; nothing is charged and no row is read.

    Raises:
        PolicyError: the columns are no table (rule "table-request"), it is too large, or the policy
            gives such tables no part of the budget.
    """
    rules = policy(hub)
    after, added = _with_table(hub, rules, columns)
    kept = RequestPrice(None, rules.epsilon, rules.budget.epsilon, rules.level, added, _hash(hub))
    if after == rules:
        return kept
    old, new = of_hub(hub), of_hub(hub, after)
    elsewhere = new.perpetrators + (new.sources.share if new.sources else 0.0)
    table = new.plan.ordered(tuple(columns))
    if math.prod(new.plan.shape(table)) > MOST_CELLS:
        raise error("table-request/large", n=MOST_CELLS)
    if not after.weights.groups and new.plan.tables[table] == "groups":
        raise error("table-request/weight", file=hub.policy_file)
    price = table_price(old.plan, new.plan, table, rules.epsilon, rules.delta, elsewhere)
    return RequestPrice(price, kept.epsilon, kept.budget, kept.level, added, kept.policy)


def take_up(hub: Hub, columns: Sequence[str], base: str) -> None:
    """Write the table into the policy, so that the next release holds it; the rest stays.

    Args:
        hub: the hub.
        columns: of the table.
        base: SHA-256 of the policy by which its price was seen.

    Raises:
        PolicyError: the policy changed since (rule "table-request/changed"), or as
            :func:`price_of`.
        HubFolderError: a build is at work.
    """
    with hub.lock(), noted(hub, "table", columns=", ".join(columns)):
        rules = policy(hub)
        after, _added = _with_table(hub, rules, columns)
        if after == rules:
            return  # it was taken up before a kill, or is measured anyway
        if _hash(hub) != base:
            raise error("table-request/changed", file=hub.policy_file)
        changed = {
            name: [list(one) if isinstance(one, tuple) else one for one in getattr(after, name)]
            for name in ("columns", "also", "groups")
            if getattr(after, name) != getattr(rules, name)
        }
        path = hub.policy_file
        try:
            text = with_settings(path.read_bytes().decode("utf-8"), changed)
        except ValueError:
            raise error("table-request/by-hand", file=path) from None
        write_whole(path, text.encode(), path.stat().st_mode & 0o777)


def _with_table(hub: Hub, rules: Policy, columns: Sequence[str]) -> tuple[Policy, Columns]:
    """The policy with the table, and the variables that it then releases and did not before."""
    known = {v.name for v in requestable()}
    wrong = [name for name in columns if name not in known]
    if wrong or not 1 <= len(set(columns)) == len(columns) <= MOST_COLUMNS:
        raise error("table-request", n=MOST_COLUMNS, names=printable(", ".join(wrong)) or "–")
    held = rules.domains(variables(hub, rules))
    added = tuple(name for name in columns if name not in held)
    changed: dict[str, object] = {}
    if added:
        name = "also" if rules.columns == "all" else "columns"
        changed[name] = tuple(dict.fromkeys(chain(getattr(rules, name), added)))
    after = Policy.model_validate({**rules.model_dump(), **changed})
    plan = of_hub(hub, after).plan
    if len(columns) > 2 and plan.ordered(tuple(columns)) not in plan.tables:
        groups = (*rules.groups, plan.ordered(tuple(columns)))
        after = Policy.model_validate({**after.model_dump(), "groups": groups})
    return after, added


def _hash(hub: Hub) -> str:
    return hashlib.sha256(hub.policy_file.read_bytes()).hexdigest()
