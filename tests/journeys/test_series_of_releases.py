"""A hub whose contributors may not be shown: who joins, who leaves, and what they are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctdhub.core.errors import PolicyError
from ctdhub.hub import withdrawals
from ctdhub.hub.engine import Engine
from ctdhub.hub.folder import Hub, policy, variables
from ctdhub.hub.stages import protect
from ctdhub.hub.stages.differencing import check_series, disclosures_of
from ctdhub.release.manifest import MANIFEST, Manifest
from ctdhub.sensitive.consent.register import Withdrawal
from tests.journeys.small_hub import join, new_hub, send
from tests.unit.invented_release import protected_answer

Run = Callable[..., tuple[int, str, str]]
ALL = [2010, 2014]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """Of a fictitious release, whose facts do not matter."""
    return Manifest.describe(protected_answer([]), "2026.1", datetime(2026, 1, 1, tzinfo=UTC), {})


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A hub in which two contributors are not shown and one is."""
    hub = new_hub(tmp_path / "hub")
    said: dict[str, Any] = yaml.safe_load(hub.policy_file.read_text("utf-8"))
    said |= {"years": ALL, "columns": ["year_of_registration", "gender", "source_type"]}
    hub.policy_file.write_text(yaml.safe_dump(said), "utf-8")
    for contributor in "abs":
        comes(hub, contributor)
    hub.person_key()
    return hub


def comes(hub: Hub, contributor: str, **agreement: object) -> None:
    """A contributor sends a file; it is hidden unless it is the one that is shown."""
    join(hub, contributor, **{"show_counts": contributor == "s"} | agreement)
    send(hub, contributor, "2026-01-15", "1,2012,F,25,1,NGA")


def leaves(hub: Hub, contributor: str) -> None:
    withdrawals.withdraw(hub, [Withdrawal("withdrawal", "contributor", contributor)])


def released(hub: Hub, manifest: Manifest, version: str) -> None:
    """Today's contributors are in a release, all of whose figures are fictitious."""
    facts = hub.facts(policy(hub).years)
    names = ("", "year_of_registration", "source_type")
    made = manifest.model_copy(
        update={"version": version, "facts": facts, "sigma": dict.fromkeys(names, 5.0)}
    )
    place = hub.releases / version
    place.mkdir(parents=True)
    (place / MANIFEST).write_text(made.model_dump_json(), "utf-8")


def refused(hub: Hub) -> tuple[str, str] | None:
    """By which rule a release is refused, and for whom."""
    rules = policy(hub)
    try:
        check_series(hub, rules, variables(hub, rules))
    except PolicyError as met:
        return met.name, Path(met.file or "").stem
    return None


def test_they_join_in_pairs_and_leave_alone(hub: Hub, manifest: Manifest) -> None:
    assert refused(hub) is None
    released(hub, manifest, "2026.1")
    comes(hub, "c")
    assert refused(hub) == ("sources-series", "c")
    comes(hub, "c", show_counts=True)
    assert refused(hub) is None, "it agreed"
    comes(hub, "c")
    comes(hub, "d", years=[2013, 2014])
    assert refused(hub) == ("sources-series", "c"), "alone in three of the years"
    comes(hub, "d", kind="hotline")
    assert refused(hub) == ("sources-series", "c"), "alone in its kind"
    comes(hub, "d")
    assert refused(hub) is None
    assert disclosures_of(hub) == ()
    released(hub, manifest, "2026.2")
    leaves(hub, "d")
    assert refused(hub) is None, "nobody is held back"
    found = disclosures_of(hub)
    assert [(t.id, t.release, t.years) for t in found] == [
        (id_, "2026.2", (2010, 2011, 2012, 2013, 2014)) for id_ in "cd"
    ]
    half = (manifest.people.high - manifest.people.low) / 2
    assert half < found[0].people <= 1.5 * half + 1
    released(hub, manifest, "2026.3")
    assert disclosures_of(hub) == (), "it is told now"
    assert [t.id for t in disclosures_of(hub, hub.releases / "2026.3")] == ["c", "d"]
    withdrawals.take_back(hub, "d", None, None, "mistake")
    assert refused(hub) == ("sources-series", "d"), "it comes again, alone"


def test_it_is_refused_before_anything_is_charged(
    hub: Hub, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    released(hub, manifest, "2026.1")
    comes(hub, "c")
    monkeypatch.setattr(protect, "check_paid", lambda hub: None)  # the release is fictitious
    with pytest.raises(PolicyError) as met:
        protect.Protection(hub, policy(hub), Engine()).answer()
    assert met.value.name == "sources-series"
    assert not list(hub.ledger.glob("*.jsonl")), "no line of a charge"


def test_a_new_id_is_no_new_contributor(hub: Hub, manifest: Manifest) -> None:
    released(hub, manifest, "2026.1")
    (hub.root / "contributors" / "b.yaml").rename(hub.root / "contributors" / "new.yaml")
    (hub.root / "contributions" / "b").rename(hub.root / "contributions" / "new")
    join(hub, "new", show_counts=False, name="Another name")
    assert refused(hub) == ("sources-series", "new")
    join(hub, "new", show_counts=False, name="b")
    assert refused(hub) is None, "it kept its name"
    join(hub, "new", show_counts=False, name="Another name", formerly=["b"])
    assert refused(hub) is None
    assert disclosures_of(hub) == ()


def test_steward_and_contributor_are_shown_it(hub: Hub, manifest: Manifest, ctdhub: Run) -> None:
    comes(hub, "c")
    released(hub, manifest, "2026.1")
    _code, out, _err = ctdhub("withdraw", hub.root, "--contributor", "c", "--all", "--yes")
    words = " ".join(out.split())
    assert "how many people c sent, to within about" in words
    assert "in each of the years 2010–2014" in words
    assert "Show this to each contributor" in words
