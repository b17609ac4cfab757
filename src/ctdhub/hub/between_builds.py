"""What is done between two builds: the next price, an alarm accepted, the site drawn again."""

from dataclasses import asdict, dataclass
from typing import Any

from ctdhub.core.errors import HubError, error, from_json
from ctdhub.core.files import put_back
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.quote import Price
from ctdhub.hub import engine as engine_of
from ctdhub.hub import pipeline
from ctdhub.hub.contributions import PEOPLE, mapping_file
from ctdhub.hub.folder import Hub, noted, policy
from ctdhub.hub.paid import budget_split
from ctdhub.hub.stages import protect, site
from ctdhub.hub.stages.alarms import open_alarms
from ctdhub.hub.steps import Progress, hash_file, hash_path
from ctdhub.sensitive.workbench.ask import ask

# --------------------------------------------------------------------------------------------------
# What the next release would cost, asked before anybody says yes to it; nothing is charged.


@dataclass(frozen=True)
class NextPrice(Price):
    """What a version would cost now; epsilon is 0 where an answer that was paid for is given.

    Sensitive: the reasons follow from exact counts.

    Attributes:
        version: that is planned.
        more: how many versions of this price fit into the budget after this one.
        alarms: open alarms; while there is any nothing is charged.
        people: key of the step that made people, by which the price is known to be old.
    """

    version: str
    more: int
    alarms: int
    people: str

    def as_json(self) -> dict[str, Any]:
        """As values that JSON knows."""
        return asdict(self)


def price_of(hub: Hub, version: str, progress: Progress | None = None) -> NextPrice:
    """Link people, which costs nothing, and ask for the price of a version.

    Raises:
        Overspend: the budget does not reach.
        HubError: a file cannot be read, an alarm stops the build, or another build is at work.
    """
    pipeline.build(hub, until="link", progress=progress)
    rules = policy(hub)
    with hub.lock(), engine_of.engine(hub) as engine:
        price = protect.Protection(hub, rules, engine, version).price()
    split = budget_split(hub, rules)
    more = split.more(rho_of(price.epsilon if price else rules.epsilon, rules.delta))
    return NextPrice(
        **vars(price or Price(0.0, rules.delta, split.left, {}, ())),
        version=version,
        more=max(0, more - 1),
        alarms=len(open_alarms(hub)),
        people=people_key(hub),
    )


def people_key(hub: Hub) -> str:
    """What tells one table of people from another; empty where there is none."""
    path = hub.work / "people" / PEOPLE
    return hash_path(path) if path.exists() else ""


# --------------------------------------------------------------------------------------------------
# The site alone, for a release that was published without a build: a yes, or a day that came.


def draw_site(hub: Hub) -> None:
    """Let the site show every published release; nothing is read of the files, and none charged.

    Raises:
        HubError: the hub is busy (rule "lock"), or what ``ctdhub site`` refuses.
    """
    hub = Hub(hub.root.resolve())

    with hub.lock(), engine_of.engine(hub) as engine, noted(hub, "build", until="site"):
        put_back(hub.site)
        engine.refresh([site.build_site(hub, None)], lambda *_unseen: None)


# --------------------------------------------------------------------------------------------------
# An alarm is accepted by name, for one delivery, in the mapping that reads it.
#
# The entry is a commit of the mapping's history as any other edit is.


def accept_alarm(
    hub: Hub, contributor: str, date: str, entry: str, reason: str, base: str, by: str
) -> None:
    """Write the entry.

    Args:
        hub: the hub.
        contributor, date: whose delivery.
        entry: the alarm, as ``Alarm.entry`` names it.
        reason: why it is right, for those who approve.
        base: SHA-256 of the mapping as whoever accepts saw it.
        by: who accepts.

    Raises:
        MappingError: somebody changed the mapping since; this person has other edits of it that
            are not kept; or the mapping knows no such alarm.
        HubFolderError: a build is at work.
    """
    path = mapping_file(hub, contributor, date)
    starts = "" if path == hub.mapping(contributor) else path.stem
    folder = str(hub.root.resolve())
    asked = {"folder": folder, "contributor": contributor, "who": by, "day": date, "file": None}
    with hub.lock(), noted(hub, "accept alarm", contributor=contributor, alarm=entry):
        if hash_file(path) != base:
            raise error("alarm-mapping", file=path)
        if _answer({**asked, "ask": "history"})["operations"]:
            raise error("alarm-mapping/draft", file=path)
        accepted = {"alarm": entry, "delivery": date, "reason": reason}
        operation = {"op": "accept", "entry": accepted, "on": True}
        try:
            _answer({**asked, "ask": "do", "operations": [operation]})
            kept = _answer({**asked, "ask": "keep", "why": reason, "from": starts})
            if "kept" not in kept:
                raise error("alarm-mapping", file=path)
        except HubError:
            ask({**asked, "ask": "discard"})
            raise


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    answer = ask(request)
    if "error" in answer:
        raise from_json(answer["error"])
    return answer
