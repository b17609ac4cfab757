"""What a build looks at before its first step, so that no fault is met once privacy is spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ctdhub.core.errors import HubError, Overspend
from ctdhub.core.i18n import Field, Numeral, Text, joined
from ctdhub.dp.quote import Price, why
from ctdhub.hub.folder import Hub
from ctdhub.hub.paid import check_paid
from ctdhub.hub.stages import candidate
from ctdhub.hub.stages.link import refuse_linkage_keys
from ctdhub.hub.stages.site import edition
from ctdhub.hub.steps import NEVER_RAN, Step
from ctdhub.release.open import leading, open_releases
from ctdhub.report.figures import listed_places
from ctdhub.report.helplines import Help
from ctdhub.stats.answers import Answers


def check(hub: Hub, version: str, note: str, *, pays: bool) -> None:
    """Refuse what no build may begin with.

    Args:
        version, note: of the release that is wanted, "" for none.
        pays: whether the build may come to what is paid for and published.

    Raises:
        HubError: something published was not paid for from this ledger, a linkage key lies in the
            hub, an agreement has ended, a file of a withdrawn delivery is still there, the version
            has another note, a reported withdrawal waits for an answer, or what a site would show
            has faults.
    """
    check_paid(hub)
    refuse_linkage_keys(hub)
    hub.check_terms()
    hub.refuse_withdrawn_files()
    if pays:
        check_shown(hub)
        hub.refuse_unanswered()
    candidate.refuse_note(hub, version, note)


def check_shown(hub: Hub) -> Help | None:
    """Read events, stories, helplines and address of a hub, all that its site shows.

    Returns:
        Where the hub sends people.

    Raises:
        HubError: one of them has faults.
    """
    from ctdhub.site.stories.page import check as check_story

    site = edition(hub)
    for story in site.stories:
        for telling in story.tellings.values():
            check_story(telling)
    return site.help


def countries_without(hub: Hub, help: Help) -> tuple[str, ...]:
    """Alpha-3 codes of countries with a page and no helpline; none before the first release.

    Raises:
        HubError: the newest release is damaged.
    """
    if not any(hub.releases.glob("*/manifest.json")):
        return ()
    newest, _others = leading(open_releases(hub.releases, hub.settings.approvers))
    countries = {line.country for line in help.lines}
    return tuple(sorted(listed_places(Answers(newest)) - countries))


# --------------------------------------------------------------------------------------------------
# What a build would do and why, before it does it, and what it may cost.

Stage = tuple[str, Callable[[], list[Step] | None]]
"""A stage by its name, and its steps; None where it waits for people."""

Pricing = Callable[[], Price | None]
"""What protecting today's people would cost, None where the last answer holds."""


ASIDE = "alarms"
"""The stage whose output none of those after it reads."""


@dataclass(frozen=True)
class Done:
    """What happened to one step, or would.

    Attributes:
        step: its name.
        reason: why it ran or would run; None where it is up to date.
        perhaps: it runs only where an earlier step turns out to change something for it.
        same: nothing but comments or layout changed, so that what follows stays as it is.
        remark: anything else that the reader should know, or None.
    """

    step: str
    reason: Text | None
    perhaps: bool = False
    same: bool = False
    remark: Text | None = None

    @classmethod
    def of(cls, step: Step) -> Done:
        """A step as it is before it runs."""
        reason, changes = step.reason(), step.changes()
        same = changes is not None and changes.same
        return cls(step.name, reason, same=same, remark=step.remark if reason else None)


def forecast(stages: Iterable[Stage], asked: Pricing, epsilon: float) -> list[Done]:
    """What a build would do: each step runs, may run, or is up to date.

    Args:
        stages: in their order.
        asked: see :data:`Pricing`; asked only where people are known, which charges nothing.
        epsilon: what one charge of this policy costs.

    Raises:
        HubError: the first fault met by a step that would run for certain.
    """
    done: list[Done] = []
    certain = True
    for name, make in stages:
        try:
            steps = make()
        except (FileNotFoundError, NotADirectoryError):
            outcomes = [Done(name, NEVER_RAN)]
        except HubError:
            if certain:
                raise
            outcomes = [_perhaps(name)]
        else:
            if steps is None and certain:
                return done
            outcomes = [Done.of(step) for step in steps or []] or [_perhaps(name)]
        if not certain:
            outcomes = [one if one.reason else _perhaps(one.step) for one in outcomes]
        if name == "protect":
            outcomes = [_priced(one, asked if certain else None, epsilon) for one in outcomes]
        done += outcomes
        same = name == ASIDE or all(one.reason is None or one.same for one in outcomes)
        certain = certain and same
    return done


def _perhaps(name: str) -> Done:
    return Done(name, Text("if the step before it changes its output"), True)


def _priced(one: Done, asked: Pricing | None, epsilon: float) -> Done:
    """A step of protection with what it costs."""
    if one.reason is None:
        return one
    return Done(one.step, joined([one.reason, _cost(asked, epsilon)], ". "), one.perhaps)


def _cost(asked: Pricing | None, epsilon: float) -> Field:
    if asked is None:
        return Text(
            "May cost epsilon {cost}, if people or what is recorded of them changed.",
            cost=Numeral(epsilon, 6),
        )
    try:
        price = asked()
    except Overspend as fault:
        return str(fault)
    if price is None:
        return Text("Costs nothing: the last answer holds, for people and settings are the same.")
    if not price.epsilon:
        return Text("Costs nothing: an answer that was paid for and cut off is finished.")
    return Text(
        "Costs epsilon {cost}; available: {left}. Reason: {why}.",
        cost=Numeral(price.epsilon, 6),
        left=Numeral(price.left, 4),
        why=why(price.because),
    )
