"""The pipeline as a text: contributions in, a protected, approved release and its site out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ctdhub.build import engine as engine_stage
from ctdhub.build.engine import Engine
from ctdhub.build.hub import Hub
from ctdhub.build.stages import link_report, protect, publish, records
from ctdhub.build.steps import Progress, Step, sweep, walk
from ctdhub.core.i18n import _


@dataclass(frozen=True)
class Done:
    """What happened to one step: ``reason`` says why it ran, None that it was up to date."""

    step: str
    reason: str | None


STAGES = ("harmonise", "link", "protect", "candidate", "release", "site")


def build(
    hub: Hub,
    *,
    until: str = "site",
    progress: Progress | None = None,
    dry: bool = False,
    version: str = "",
    note: str = "",
) -> list[Done]:
    """Bring a hub up to date, one build at a time, as far as two people have approved.

    Args:
        hub: the hub folder.
        until: last stage to run, one of :data:`STAGES`; "link" spends no privacy budget.
        progress: told (step, fraction of all steps done).
        dry: only say what would run and why; steps behind a stale one count as stale.
        version, note: of the candidate that this build makes, where the steward wants his own; a
            note that no bundle would carry is refused.

    Raises:
        HubError: the first fault met; finished steps stay, the last release is untouched.
    """
    note = note.strip()
    hub = Hub(hub.root.resolve())  # workers of a cluster have a folder of their own
    with hub.lock(), engine_stage.engine(hub) as engine:
        link_report.refuse_linkage_keys(hub)
        publish.refuse_note(hub, version, note)
        sweep([*walk(hub.work), *hub.root.iterdir()])
        done: list[Done] = []
        total = len(hub.contributions()) + len(STAGES) - 1

        def tell(step: str, beside: int) -> None:
            if progress:
                progress(step, (len(done) + beside) / total)

        for steps in _steps(hub, engine, until, progress, version, note):
            found = [Done(step.name, step.reason()) for step in steps]
            if not dry:
                engine.refresh(steps, tell)
            done += found
            if dry and any(one.reason for one in found):
                rest = stages_after(found[0].step, until)
                return done + [Done(s, _("an earlier step will run")) for s in rest]
        return done


def _steps(
    hub: Hub, engine: Engine, until: str, progress: Progress | None, version: str, note: str
) -> Iterator[list[Step]]:
    """Steps that need nothing of each other, together; each needs the output of those before."""
    policy = records.policy(hub)
    harmonised = [records.harmonise_file(hub, c, policy) for c in hub.contributions()]
    yield harmonised
    later: list[Callable[[], Step | None]] = [
        lambda: records.link_people(hub, policy, harmonised, engine),
        lambda: protect.protect_people(hub, policy, engine, progress),
        lambda: publish.write_candidate(hub, policy, engine, version, note),
        lambda: publish.publish_release(hub),
        lambda: publish.build_site(hub, progress),
    ]
    for make in later[: STAGES.index(until)]:
        if (step := make()) is None:  # the candidate waits for approval
            return
        yield [step]


def stages_after(name: str, until: str) -> tuple[str, ...]:
    """Stages behind the one that a step belongs to, up to and with ``until``."""
    stage = name.split(" ")[0]
    return STAGES[STAGES.index(stage) + 1 : STAGES.index(until) + 1]
