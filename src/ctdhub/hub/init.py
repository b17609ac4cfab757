"""How a hub begins, and how one goes on that was copied, moved or put back."""

import json
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from pathlib import Path

import yaml

from ctdhub.core.errors import error
from ctdhub.core.i18n import LANGUAGES
from ctdhub.core.keys.signing import make_key
from ctdhub.dp.ledger import custody as ledgers
from ctdhub.dp.ledger.custody import Adopted, begin, new_population
from ctdhub.dp.policy import MAX_PEOPLE, default_policy
from ctdhub.hub.folder import Hub, noted
from ctdhub.hub.paid import check_known, check_paid
from ctdhub.hub.steps import Progress
from ctdhub.practice.write import CONTRIBUTION_DATE, write_practice
from ctdhub.release.approvals import ROLES
from ctdhub.report.helplines import FILE as HELPLINES
from ctdhub.schema.model import load_schema

# --------------------------------------------------------------------------------------------------
# How a hub begins: an empty one with settings to fill in, or a practice hub.

PEOPLE_IN_NEW_HUB = 60_000
"""Fictitious people in a practice hub, unless said otherwise."""

PRACTICE = "Practice hub (fictitious data)"
PRACTICE_NAMES = {
    "fr": "Plateforme d’exercice (données fictives)",
    "es": "Plataforma de práctica (datos ficticios)",
    "ar": "منصة تدريب (بيانات وهمية)",
}
"""The name of a practice hub, in English and by language."""

FOLDERS = (
    "contributors",
    "mappings",
    "contributions",
    "ledger",
    "candidates",
    "releases",
    "stories",
)

_PRACTICE_PEOPLE = 1_000_000
_PRACTICE_PROMISE = (
    ("epsilon: 1.0", "epsilon: 4.0"),
    ("budget: {epsilon: 3.0,", "budget: {epsilon: 12.0,"),
    (
        'reason: ""',
        "reason: The people are fictitious, so that nobody is at risk; readers learn from finer"
        " figures.",
    ),
)
"""What a practice hub has in place of the usual promise."""


def new_hub(
    folder: Path,
    name: str,
    *,
    invented: bool = False,
    max_people: int = MAX_PEOPLE,
    place: Path | None = None,
    names: Mapping[str, str] | None = None,
) -> Hub:
    """Make a hub folder with settings to fill in, and begin its ledger.

    Args:
        folder: new or empty.
        name: as readers see it.
        invented: whether it is a practice hub.
        max_people: a public bound of the people that it will ever hold; it decides epsilon and
            budget of the policy, see :func:`ctdhub.dp.policy.default_policy`.
        place: the folder that the hub will be moved to; it stays where it is, if None.
        names: its name by language, where it has others.

    Raises:
        HubFolderError: the folder exists and is not empty.
        LedgerError: there is no state folder.
    """
    _require_empty(folder)
    for room in FOLDERS:
        (folder / room).mkdir(parents=True, exist_ok=True)
    (folder / "contributions").chmod(0o700)
    settings = {
        "name": name,
        **({"names": dict(names)} if names else {}),
        "languages": list(LANGUAGES),
        "schema_version": load_schema().version,
        "invented": invented,
    }
    (folder / "policy.yaml").write_text(default_policy(max_people), "utf-8")
    (folder / HELPLINES).write_text(_shipped("helplines.yaml"), "utf-8")
    (folder / ".gitignore").write_text(_shipped("ignored.txt"), "utf-8")
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    (folder / "hub.yaml").write_text(text + _shipped("hub.yaml"), "utf-8")
    hub = Hub(folder)
    begin(hub.ledger, place or folder, new_population(name, "hub"), hub.ledger_key)
    return hub


def _shipped(name: str) -> str:
    """A text that a new hub begins with."""
    return (resources.files("ctdhub.hub") / "new_hub" / name).read_text("utf-8")


def practice_hub(folder: Path, people: int | None = None, progress: Progress | None = None) -> Hub:
    """Make a practice hub with fictitious contributions, or open the one that is there.

    Args:
        folder: a new or empty folder, or a practice hub.
        people: number of fictitious people, by default :data:`PEOPLE_IN_NEW_HUB` or as many as the
            hub has.
        progress: told (message, fraction done).

    Raises:
        HubFolderError: the folder holds something else, or a practice hub of another size.
    """
    if (folder / "hub.yaml").is_file():
        hub = Hub(folder)
        if not hub.settings.invented:
            raise error("practice-folder", file=folder)
        if people not in (None, _invented_people(hub)):
            raise error("practice-size", file=folder)
        return hub
    people = people or PEOPLE_IN_NEW_HUB
    _require_empty(folder)
    fresh = folder.with_name(f".new-{folder.name}-{secrets.token_hex(4)}")
    try:
        hub = new_hub(fresh, PRACTICE, invented=True, place=folder, names=PRACTICE_NAMES)
        _fill(hub, people, progress)
        _name_practice_approvers(hub)
        if folder.exists():
            folder.rmdir()
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Hub(folder)


def _name_practice_approvers(hub: Hub) -> None:
    """Make keys with which the practice hub approves its own releases."""
    (hub.root / "keys").mkdir(mode=0o700, exist_ok=True)
    keys = {role: make_key(hub.practice_key(role)).public for role in ROLES}
    with (hub.root / "hub.yaml").open("a", encoding="utf-8") as file:
        yaml.safe_dump({"approvers": keys}, file, sort_keys=False)


def _invented_people(hub: Hub) -> int | None:
    """How many people the practice hub was made with, None where its truth was taken away."""
    try:
        return int(json.loads((hub.root / "practice" / "truth.json").read_text("utf-8"))["people"])
    except (OSError, ValueError, KeyError):
        return None


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise error("new-folder", file=folder)


def _fill(hub: Hub, people: int, progress: Progress | None) -> None:
    """Move what the practice contributors sent, and their papers, to where a steward puts them.

    The policy names the lists whose people carry the same tokens, so that their overlap is known.
    """
    folder = hub.root / "practice"
    summary = write_practice(folder, people=people, progress=progress)
    for contributor, file in summary.files.items():
        target = hub.root / "contributions" / contributor / CONTRIBUTION_DATE / file.name
        target.parent.mkdir(parents=True)
        file.rename(target)
    for papers in ("mappings", "contributors"):
        (hub.root / papers).rmdir()
        (folder / papers).rename(hub.root / papers)
    lists = ", ".join(summary.truth["lists"]["with_tokens"])
    today = datetime.now(UTC).date().isoformat()
    helplines = _shipped("practice_helplines.yaml").format(today=today)
    (hub.root / HELPLINES).write_text(helplines, "utf-8")
    text = default_policy(_PRACTICE_PEOPLE)
    for usual, own in (("lists: []", f"lists: [{lists}]"), *_PRACTICE_PROMISE):
        text = text.replace(usual, own)
    hub.policy_file.write_text(text, "utf-8")
    events = resources.files("ctdhub.practice") / "events.yaml"
    (hub.root / events.name).write_bytes(events.read_bytes())
    for story in (resources.files("ctdhub.practice") / "stories").iterdir():
        (hub.stories / story.name).write_text(story.read_text("utf-8"), "utf-8")


# --------------------------------------------------------------------------------------------------
# A hub that was copied, moved or put back: its ledger goes on in this folder.


def adopt(hub: Hub) -> Adopted:
    """Let the hub charge in this folder, and no other; what this copy lacks counts as spent.

    Raises:
        LedgerTampered: a line was changed, the ledger or its key is gone, or the ledger does not
            know what its releases, approvals or withdrawals saw of it.
        LedgerError: there is no state folder; the system refuses.
        HubFolderError: a build is at work.
    """
    with hub.lock(), noted(hub, "adopt"):
        adoption = ledgers.adopt(hub.ledger, hub.root, hub.ledger_key, partial(check_known, hub))
        check_paid(hub)
        return adoption
