"""What a hub's settings decide about its releases, and which versions it has made."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from ctdhub.core.errors import error
from ctdhub.core.i18n import yaml_values
from ctdhub.dp.policy import Policy, load_policy, usual_promise
from ctdhub.hub.contributions import ANSWER, CANDIDATE, left_by
from ctdhub.hub.folder import Hub
from ctdhub.release.bundle import latest_release, next_version
from ctdhub.release.manifest import MANIFEST, VERSION_PATTERN, PublicFacts
from ctdhub.schema.model import Schema, Variable, load_schema

# --------------------------------------------------------------------------------------------------
# Which versions a hub has made: bundles by version, and those that the last build was about.


def candidate_version(hub: Hub) -> str | None:
    """The version that the last build made or found, published or not; None where it is gone."""
    return _version(hub, CANDIDATE, hub.candidates, hub.releases)


def released_version(hub: Hub) -> str | None:
    """The version that the last build released or found released, None where there is none."""
    return _version(hub, "release", hub.releases)


def _version(hub: Hub, step: str, *folders: Path) -> str | None:
    version = (left_by(hub.work / step, ANSWER) or {}).get("version")
    there = version and any((f / version / MANIFEST).is_file() for f in folders)
    return str(version) if there else None


def waiting_version(hub: Hub) -> str | None:
    """The newest candidate that no release has overtaken, None where there is none."""
    found, last = by_version(hub.candidates), latest_release(hub.releases)
    if found and (last is None or order(found[0]) > order(last)):
        return found[0].name
    return None


def by_version(folder: Path) -> list[Path]:
    """Bundles in a folder, the newest version first."""
    found = [m.parent for m in folder.glob(f"*/{MANIFEST}")]
    bundles = [f for f in found if re.fullmatch(VERSION_PATTERN, f.name)]
    return sorted(bundles, key=order, reverse=True)


def order(bundle: Path) -> list[int]:
    return [int(part) for part in bundle.name.split(".")]


# --------------------------------------------------------------------------------------------------
# What a hub's settings decide about its releases: the policy, and the variables there are.


def policy(hub: Hub) -> Policy:
    """The hub's policy, checked.

    Raises:
        PolicyError: see :func:`ctdhub.dp.policy.load_policy`; or epsilon or the budget is above
            the usual and no reason is written down.
    """
    names = [path.stem for path in (hub.root / "mappings").glob("*.yaml")]
    compared = len(names) > 1 and all(takes_tokens(hub, name) for name in names)
    rules = load_policy(hub.policy_file, tokens=takes_tokens(hub), compared=compared)
    if rules.unreasoned:
        epsilon, budget = usual_promise(rules.max_people)
        raise error("policy-reason", file=hub.policy_file, epsilon=epsilon, budget=budget)
    return rules


def public_facts(hub: Hub, rules: Policy, until: int) -> dict[str, Any]:
    """Public facts of the hub, why its promise is weaker than usual where it is, and what the
    organisations whose lists overlap say.

    Args:
        until: the year of the version, see :func:`year_of`: the last that can be covered.
    """
    reason, facts = rules.reason.strip(), hub.facts(rules.years)
    facts["years"] = list(PublicFacts.of(facts).covered(until))
    said = {"promise_reason": reason, "list_answers": rules.sources.answers}
    return facts | {name: fact for name, fact in said.items() if fact}


def year_of(hub: Hub, version: str) -> int:
    """The year of a version; of the one that a build would write where none is given.

    Raises:
        ReleaseError: that is no version.
    """
    if version and not re.fullmatch(VERSION_PATTERN, version):
        raise error("version")
    return int((version or waiting_version(hub) or next_version(hub.releases))[:4])


def takes_tokens(hub: Hub, contributor: str = "") -> bool:
    """Whether a mapping of the hub, or of one contributor, takes tokens, as far as it can be read.

    Args:
        contributor: its id; "" for any.
    """
    folder = hub.root / "mappings"
    paths = sorted(folder.rglob("*.yaml"))
    if contributor:
        paths = [hub.mapping(contributor), *sorted((folder / contributor).glob("*.yaml"))]
    for path in paths:
        try:
            if _names_tokens(path.read_text("utf-8")):
                return True
        except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
            continue  # whoever reads the mapping says what is wrong with it
    return False


@lru_cache(maxsize=64)
def _names_tokens(text: str) -> bool:
    """Whether the text of a mapping says so; it is kept, for a build asks several times."""
    said = yaml_values(text)
    return isinstance(said, dict) and bool(said.get("tokens"))


def variables(hub: Hub, rules: Policy) -> Schema:
    """The schema of the version that hub.yaml names, and what else the policy names.

    A variable that a later version of the software brings is in none of the hub's questions until
    one of the two files says so.
    """
    shipped = load_schema()
    named = rules.requested(shipped) if rules.columns == "all" else rules.columns
    return shipped.at(hub.settings.schema_version, also=named)


def left_out(hub: Hub, rules: Policy) -> tuple[Variable, ...]:
    """Variables that this software could release, and the hub does not because they came later."""
    if rules.columns != "all":
        return ()
    found = load_schema().later_than(hub.settings.schema_version)
    return tuple(v for v in found if v.name not in rules.requested(load_schema()))
