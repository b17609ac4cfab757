"""Agreements: one is written, or some of its settings; what the papers of a hub are made of.

Belongs here: what the desk's worker writes to ``contributors/`` and ``hub.yaml``, and whether an
agreement is in force.  Does not belong here: what an agreement is (``folder``), who may change it
(``desk``).
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, timedelta
from typing import Any, Literal

import yaml

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import write_whole
from ctdhub.core.i18n import yaml_nodes, yaml_values
from ctdhub.hub import approvers, folder
from ctdhub.hub.paid import ledger
from ctdhub.hub.steps import hash_file
from ctdhub.release import approvals
from ctdhub.report.papers import Contributing, PaperFacts
from ctdhub.report.wording import attributes

Settings = Mapping[str, Any]
"""New values by setting; None takes a setting out, so that its default holds."""

Force = Literal["in_force", "ends_soon", "ended", "withdrawn"]
"""Whether the files of a contributor may be read today."""


def force_of(hub: folder.Hub, agreement: folder.Agreement, today: date) -> Force:
    """Whether an agreement is in force, by the same days as :meth:`Hub.check_terms`.

    Raises:
        WithdrawalError: the register of withdrawals was changed.
    """
    if agreement.id in hub.withdrawn().contributors:
        return "withdrawn"
    if agreement.ends is None or agreement.ends - today > timedelta(days=folder.SOON):
        return "in_force"
    return "ended" if agreement.ends < today else "ends_soon"


def hash_of_agreement(hub: folder.Hub, contributor: str) -> str:
    """SHA-256 of the file, hexadecimal: what a change of it names; empty where there is none."""
    path = hub.agreement_file(contributor)
    return hash_file(path) if path.is_file() else ""


def write_agreement(hub: folder.Hub, contributor: str, settings: Settings, base: str) -> None:
    """Write an agreement, a new one where ``base`` is empty; no other file is touched.

    Args:
        hub: the hub.
        contributor: its id, which is the file's name.
        settings: what changes; comments and all other settings stay as they were.
        base: SHA-256 of the file as whoever changes it saw it.

    Raises:
        PolicyError: a setting has faults, the file can only be changed by hand, or somebody else
            changed it since.
        HubFolderError: a build is at work.
    """
    path = hub.agreement_file(contributor)
    changed = {k: v.isoformat() if isinstance(v, date) else v for k, v in settings.items()}
    with (
        hub.lock(),
        folder.noted(hub, "agreement", contributor=contributor, settings=", ".join(changed)),
    ):
        if not re.fullmatch(folder.ID, contributor):
            raise error("agreement", file=path.parent, kinds=", ".join(folder.SOURCE_KINDS))
        if hash_of_agreement(hub, contributor) != base:
            raise error("agreement/changed", file=path, id=printable(contributor))
        before = path.read_bytes().decode("utf-8") if base else ""
        try:
            text = with_settings(before, changed if base else {"id": contributor, **changed})
        except ValueError:
            raise error("agreement/by-hand", file=path, id=contributor) from None
        agreed = folder.checked_settings(text, path, folder.Agreement)
        if agreed.id != contributor or agreed.kind not in folder.SOURCE_KINDS:
            raise error("agreement", file=path, kinds=", ".join(folder.SOURCE_KINDS))
        path.parent.mkdir(exist_ok=True)
        mode = path.stat().st_mode & 0o777 if base else 0o644
        write_whole(path, text.encode(), mode)


def write_hub_settings(hub: folder.Hub, settings: Settings, by_hand: HubError) -> None:
    """Write settings into hub.yaml, for whoever holds the lock of the hub.

    Raises:
        PolicyError: a setting has faults.
        HubError: ``by_hand``, where the file can only be changed by hand.
    """
    path = hub.root / "hub.yaml"
    try:
        text = with_settings(path.read_text("utf-8"), settings)
    except ValueError:
        raise by_hand from None
    folder.checked_settings(text, path, folder.HubSettings)
    write_whole(path, text.encode(), path.stat().st_mode & 0o777)


def name_first(hub: folder.Hub, first: approvals.Approvers) -> None:
    """Write the keys of the first two approvers into hub.yaml, which names none; may be done again.

    Raises:
        PolicyError: it names others, somebody signed a release already (rule "approvers"), or it
            can only be changed by hand.
        ReleaseError: see :func:`~ctdhub.hub.approvers.signed_keys`.
        HubFolderError: a build is at work.
    """
    path, keys = hub.root / "hub.yaml", first.model_dump(mode="json", exclude_defaults=True)
    prints = {r: ", ".join(map(approvals.fingerprint, first.keys(r))) for r in approvals.ROLES}
    with hub.lock():
        if hub.settings.approvers == first:
            return
        if not approvers.awaits_first(hub):
            raise error("approvers/named", file=path)
        with folder.noted(hub, "approvers", **prints):
            write_hub_settings(hub, {"approvers": keys}, error("approvers/by-hand", file=path))


def name_next(hub: folder.Hub, newest: Mapping[approvals.Role, approvals.Keys]) -> None:
    """Write new keys of a role into hub.yaml in place of the old ones, which become former ones.

    They count once the approver whose keys stay the same has signed the change; so nothing is
    written where nobody would have to sign, but for fictitious data.  What an old key signs from
    now on is not valid (``until``); a key that nobody signed for yet never becomes a former one.

    Args:
        newest: keys by role; a role whose keys stay need not be in it.

    Raises:
        PolicyError: no release of real data was signed (rule "approvers/named"), both roles would
            change, or hub.yaml can only be changed by hand.
        ReleaseError: see :func:`~ctdhub.hub.approvers.signed_keys`.
        HubFolderError: a build is at work.
    """
    path = hub.root / "hub.yaml"
    with hub.lock():
        now, known = approvers.approvers(hub), approvers.signed_keys(hub)
        if known is None and not hub.settings.invented:
            raise error("approvers/named", file=path)
        before = known.keys if known else now
        mine = now.model_copy(update={str(role): own for role, own in newest.items()})
        listed = {one.key for one in now.gone}
        gone = {k for r in approvals.ROLES for k in before.keys(r) if k not in mine.keys(r)}
        line = ledger(hub).entries()[-1].hash if known else None
        former = [
            approvals.FormerKey(key=key, until=line) if line else key
            for key in sorted(gone - listed)
        ]
        keys = mine.model_dump(exclude_defaults=True) | {"former": (*now.former, *former)}
        new = approvals.Approvers.model_validate(keys)
        if not approvals.who_stays(before, new):
            raise error("approvers/both", file=path)
        prints = {r: ", ".join(map(approvals.fingerprint, new.keys(r))) for r in approvals.ROLES}
        written = new.model_dump(mode="json", exclude_defaults=True)
        with folder.noted(hub, "approvers", **prints):
            write_hub_settings(hub, {"approvers": written}, error("approvers/by-hand", file=path))


def with_settings(text: str, settings: Settings) -> str:
    r"""The YAML of a settings file with other values; only the lines of these settings change.

    >>> with_settings("id: a\n# why\nends: 2026-01-01  # soon\nname: B\n", {"ends": "2027-01-01"})
    "id: a\n# why\nends: '2027-01-01'\nname: B\n"
    >>> with_settings("id: a\n", {"name": "B", "id": None})
    'name: B\n'

    Raises:
        ValueError: the text is written as a flow mapping, or another value would change.
    """
    values = yaml_values(text) or {}
    wanted = {k: v for k, v in {**values, **settings}.items() if v is not None}
    for name, value in settings.items():
        text = _with_setting(text, name, value)
    after = yaml_values(text) or {}
    if {k: str(v) for k, v in after.items()} != {k: str(v) for k, v in wanted.items()}:
        raise ValueError("another setting would change")
    return text


def _with_setting(text: str, name: str, value: Any) -> str:
    written = ""
    if value is not None:
        written = yaml.safe_dump(
            {name: value}, allow_unicode=True, sort_keys=False, width=1_000_000
        )
    node = yaml_nodes(text)
    if node is None:
        return f"{text}{written}"
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise ValueError("no block mapping")
    lines = text.splitlines(keepends=True)
    starts = [key.start_mark.line for key, _value in node.value]
    names = [str(key.value) for key, _value in node.value]
    if name not in names:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        return "".join([*lines, written])
    place = names.index(name)
    end = starts[place + 1] if place + 1 < len(starts) else len(lines)
    while end > starts[place] + 1 and (not (own := lines[end - 1].strip()) or own[0] == "#"):
        end -= 1  # comments before the next setting belong to that one
    return "".join([*lines[: starts[place]], written, *lines[end:]])


# --------------------------------------------------------------------------------------------------
# What the papers of a hub are made of, read from its folder; no contributed file is opened.


def paper_facts(hub: folder.Hub) -> PaperFacts:
    """A hub as its settings, policy and agreements describe it.

    Raises:
        PolicyError: one of these files is missing or wrong.
    """
    settings, rules = hub.settings, folder.policy(hub)
    return PaperFacts(
        hub=settings.name,
        contact=settings.contact or settings.homepage,
        invented=settings.invented,
        licence=settings.licence,
        columns=tuple(rules.domains(folder.variables(hub, rules))),
        epsilon=rules.epsilon,
        delta=rules.delta,
        budget=rules.budget.epsilon,
        reason=rules.reason,
        max_people=rules.max_people,
        approvers=settings.approvers is not None,
        contributors=tuple(_contributing(a, hub) for a in hub.agreements()),
    )


_AGREED = {one.name for one in fields(Contributing)} - {"tokens"}
"""What of an agreement stands in the papers."""


def _contributing(agreement: folder.Agreement, hub: folder.Hub) -> Contributing:
    tokens = folder.takes_tokens(hub, agreement.id)
    return Contributing(**attributes(agreement, *_AGREED), tokens=tokens)
