"""From a protected answer to a candidate, an approved release and its site."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ctdhub.border import Protected
from ctdhub.build.engine import Engine
from ctdhub.build.hub import Hub
from ctdhub.build.stages.approve import approve_practice, by_version, may_approve_itself, publish
from ctdhub.build.stages.edition import edition
from ctdhub.build.stages.protect import ANSWER, answer, ledger
from ctdhub.build.stages.records import code
from ctdhub.build.steps import Progress, Step, hash_file, hash_of
from ctdhub.build.withdrawn import CANDIDATE
from ctdhub.core.error_catalogue import error
from ctdhub.dp.policy import Policy
from ctdhub.release.approvals import Approvals
from ctdhub.release.bundle import latest_release, next_version
from ctdhub.release.bundle import write_release as write_bundle
from ctdhub.release.manifest import MANIFEST, SUMS
from ctdhub.release.open import open_release, open_releases
from ctdhub.release.readme import CHANGELOG, carries_note
from ctdhub.report.events.calendar import FILE as EVENTS
from ctdhub.report.helplines import FILE as HELPLINES
from ctdhub.site.accounts import AUDIT


def write_candidate(
    hub: Hub, rules: Policy, engine: Engine, version: str = "", notes: str = ""
) -> Step:
    """The protected answer -> a finished bundle in candidates/, unless one already holds it.

    Raises:
        ReleaseError: there are notes, and the bundle that holds the answer does not carry them.
    """
    facts, state = hub.facts(rules.years), hub.withdrawn().state
    output = hub.work / CANDIDATE
    held = _holding(hub, answer(hub, rules, engine), version) if notes else None
    if held is not None:
        _refuse_other_note(hub, held, notes)
    if candidate_version(hub) is None or (notes and held is None):
        shutil.rmtree(output, ignore_errors=True)  # no bundle is there, or a new one is wanted

    def run(folder: Path) -> None:
        found = answer(hub, rules, engine)
        bundle = _holding(hub, found, version)
        if bundle is None:
            name = version or next_version(hub.releases, candidates=hub.candidates)
            told = "\n".join(part for part in (notes, _left(hub, facts)) if part)
            bundle = write_bundle(found, hub.releases, name, told, candidates=hub.candidates)
        seen = {"version": bundle.name, "withdrawals": state}
        (folder / ANSWER).write_text(json.dumps(seen), "utf-8")

    return Step(
        name="candidate",
        inputs={
            "protected answer": hash_file(hub.work / "protected" / ANSWER),
            "hub.yaml and agreements": hash_of(facts),
            "withdrawals": state,
            "version": version,
        },
        output=output,
        run=run,
    )


def refuse_note(hub: Hub, version: str, notes: str) -> None:
    """Refuse notes on a version that is written already; to be asked before a build begins.

    Raises:
        ReleaseError: the version is there and does not carry the notes.
    """
    for place in (hub.releases, hub.candidates) if version and notes else ():
        if (place / version / MANIFEST).is_file():
            _refuse_other_note(hub, place / version, notes)


def _refuse_other_note(hub: Hub, bundle: Path, notes: str) -> None:
    if carries_note((bundle / CHANGELOG).read_text("utf-8"), notes):
        return
    given = next_version(hub.releases, candidates=hub.candidates)
    raise error("release-exists", file=bundle, version=bundle.name, next=given)


def _left(hub: Hub, facts: dict[str, Any]) -> str:
    """Which contributors of the last release are in this one no more, in English; else empty.

    Names of contributors are public.  Of people who withdrew nothing is said, not even whether
    there are any: a count of few people would tell of them.
    """
    last = latest_release(hub.releases)
    if last is None:
        return ""
    before = open_release(last).facts.contributors
    now = {contributor["id"] for contributor in facts["contributors"]}
    names = [c.name for c in before if c.id and c.id not in now]
    return f"No longer in the data: {', '.join(names)}." if names else ""


def _holding(hub: Hub, wanted: Protected, version: str) -> Path | None:
    """A candidate or the last release that holds this answer; only ``version`` if given."""
    last = latest_release(hub.releases)
    places = [*by_version(hub.candidates), *([last] if last else [])]
    if version:
        places = [f / version for f in (hub.candidates, hub.releases)]
    for place in places:
        if (place / MANIFEST).is_file():
            held = open_release(place).protected
            if held.guarantee == wanted.guarantee and _lasting(held) == _lasting(wanted):
                return place
    return None


def _lasting(answer: Protected) -> dict[str, Any]:
    """The facts of an answer without the helpline, which older releases hold and no page reads."""
    return {name: fact for name, fact in answer.facts.items() if name != "helpline"}


def publish_release(hub: Hub) -> Step | None:
    """The candidate -> a release, None while two people have not approved it."""
    version = candidate_version(hub) or ""
    output, waits = hub.work / "release", hub.candidates / version
    published = (hub.releases / version / MANIFEST).is_file()
    if not published and Approvals.read(waits).missing and not may_approve_itself(hub):
        return None
    if released_version(hub) is None:
        shutil.rmtree(output, ignore_errors=True)  # the release it points to is gone

    def run(folder: Path) -> None:
        if not published:
            if may_approve_itself(hub):
                approve_practice(hub, waits)
            publish(hub, waits)
        (folder / ANSWER).write_text(json.dumps({"version": version}), "utf-8")

    return Step(
        name="release",
        inputs={"candidate": hash_file((hub.releases / version if published else waits) / SUMS)},
        output=output,
        run=run,
    )


def candidate_version(hub: Hub) -> str | None:
    """The version that the last build made or found, published or not; None where it is gone."""
    return _version(hub, CANDIDATE, hub.candidates, hub.releases)


def released_version(hub: Hub) -> str | None:
    """The version that the last build released or found released, None where there is none."""
    return _version(hub, "release", hub.releases)


def _version(hub: Hub, step: str, *folders: Path) -> str | None:
    try:
        version = str(json.loads((hub.work / step / ANSWER).read_text("utf-8"))["version"])
    except FileNotFoundError:
        return None
    return version if any((f / version / MANIFEST).is_file() for f in folders) else None


def build_site(hub: Hub, progress: Progress | None) -> Step:
    """All releases -> the static site; the newest one leads."""
    released = {m.parent.name: hash_file(m) for m in sorted(hub.releases.glob(f"*/{MANIFEST}"))}
    told = [*hub.stories.glob("*.md"), *(hub.root / name for name in (EVENTS, AUDIT, HELPLINES))]

    def run(folder: Path) -> None:
        from ctdhub.site.build import build_site as make_site
        from ctdhub.site.build import refuse_smaller

        newest, *earlier = open_releases(hub.releases)
        refuse_smaller(hub.site, [release.version for release in (newest, *earlier)])
        make_site(newest, folder, progress, edition(hub), earlier)

    return Step(
        name="site",
        inputs={
            "release": hash_of(released),
            "address": hub.settings.site.url,
            "told": hash_of({f.name: hash_file(f) for f in told if f.is_file()}),
            "helpline": hash_of(hub.settings.helpline),
            "spent": hash_of([entry.hash for entry in ledger(hub).entries()]),
            "code": code("core", "schema", "document", "stats", "report", "site", "locale"),
        },
        output=hub.site,
        run=run,
    )
