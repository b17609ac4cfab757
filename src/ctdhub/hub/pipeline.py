"""The pipeline as a text: contributions in, a protected, approved release and its site out."""

from contextlib import ExitStack
from dataclasses import dataclass, field

from ctdhub.core.files import put_back
from ctdhub.core.i18n import Text
from ctdhub.dp.policy import Policy
from ctdhub.dp.quote import Pay
from ctdhub.hub import engine as engine_of
from ctdhub.hub import preflight
from ctdhub.hub.deliveries import refuse_unclear
from ctdhub.hub.engine import Engine
from ctdhub.hub.folder import Detail, Hub, noted, policy
from ctdhub.hub.preflight import Done, Stage, forecast
from ctdhub.hub.stages import alarms, candidate, harmonise, link, protect, publish, site
from ctdhub.hub.steps import Progress, Step, sweep, walk

STAGES = ("harmonise", "alarms", "link", "protect", "candidate", "release", "site")


def build(
    hub: Hub,
    *,
    until: str = "site",
    progress: Progress | None = None,
    dry: bool = False,
    version: str = "",
    note: str = "",
    pay: Pay | None = None,
    accept_alarms: bool = False,
) -> list[Done]:
    """Bring a hub up to date, one build at a time, as far as two people have approved.

    Args:
        hub: the hub folder.
        until: last stage to run, one of :data:`STAGES`; "link" spends no privacy budget.
        progress: told (step, fraction of all steps done).
        dry: only say what would run and why, and what it would cost.
        version, note: of the candidate that this build makes, where the steward wants his own; a
            note that no bundle would carry is refused.
        pay: told what a charge would cost before it is made, and may refuse it; without it nothing
            is charged.  A practice hub, whose people are fictitious, spends unasked.
        accept_alarms: charge although alarms about the data are open.

    Raises:
        MappingError: an alarm that stops a build is open; its rule is the alarm's name.
        WouldCharge: going on would spend privacy budget that ``pay`` does not allow.
        HubError: the first fault met; finished steps stay, the last release is untouched.
    """
    hub, note = Hub(hub.root.resolve()), note.strip()  # workers are at home elsewhere
    with ExitStack() as stack:
        stack.enter_context(hub.lock())
        engine = stack.enter_context(engine_of.engine(hub))
        done_by = noted(hub, "build", until=until, version=version)
        happened: dict[str, Detail] = {} if dry else stack.enter_context(done_by)
        preflight.check(hub, version, note, pays=STAGES.index(until) >= STAGES.index("protect"))
        put_back(hub.site)
        sweep([*walk(hub.work), *hub.root.iterdir()])
        allowed = alarms.may_pay(hub, pay, accept_alarms, happened)
        rules = policy(hub)
        run = _Build(hub, rules, engine, progress, version, note, allowed)
        stages = run.stages[: STAGES.index(until) + 1]
        if dry:
            price = protect.Protection(hub, rules, engine).price
            return forecast(stages, price, rules.epsilon)
        done: list[Done] = []
        total = len(hub.contributions()) + len(STAGES) - 1

        def tell(step: str | Text, beside: int) -> None:
            if progress:
                progress(step, (len(done) + beside) / total)

        for _name, make in stages:
            if (steps := make()) is None:  # the candidate waits for approval
                break
            outcomes = [Done.of(step) for step in steps]
            engine.refresh(steps, tell)
            done += outcomes
        return done


@dataclass
class _Build:
    """One build: what each stage hands to the next."""

    hub: Hub
    rules: Policy
    engine: Engine
    progress: Progress | None
    version: str
    note: str
    pay: Pay | None
    _harmonised: list[Step] = field(default_factory=list)

    @property
    def stages(self) -> list[Stage]:
        """Steps that need nothing of each other, together; each needs those before."""
        hub, rules, asked = self.hub, self.rules, (self.version, self.progress, self.pay)
        return [
            ("harmonise", self._harmonise),
            ("alarms", lambda: [alarms.ring_alarms(hub, self._harmonised)]),
            ("link", self._link),
            ("protect", lambda: [protect.Protection(hub, rules, self.engine, *asked).step()]),
            ("candidate", lambda: [candidate.write_candidate(hub, rules, self.version, self.note)]),
            ("release", self._release),
            ("site", lambda: [site.build_site(hub, self.progress)]),
        ]

    def _harmonise(self) -> list[Step]:
        files, years = self.hub.contributions(), self.rules.years
        for agreement in self.hub.agreements():
            own = [one.date for one in files if one.contributor == agreement.id]
            refuse_unclear(self.hub, agreement, own)
        self._harmonised = [harmonise.harmonise_file(self.hub, one, years) for one in files]
        return self._harmonised

    def _link(self) -> list[Step]:
        steps = alarms.passed(self.hub, self._harmonised)
        return [link.link_people(self.hub, self.rules, steps, self.engine)]

    def _release(self) -> list[Step] | None:
        return [step] if (step := publish.publish_release(self.hub)) else None
