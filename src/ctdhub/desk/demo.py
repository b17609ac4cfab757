"""The demo: a practice hub with an account of each role, opened by links that work once.

Links take the place of a second factor, so they exist for fictitious data only.  Where they lead is
a page with a button: nobody is signed in by what a mail program or a browser fetches ahead.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctdhub.core import files
from ctdhub.core.errors import error
from ctdhub.core.i18n import yaml_values
from ctdhub.desk.allowed import CONTRIBUTOR, HUB_ROLES, ROLES
from ctdhub.desk.config import FILE, DeskConfig

LINKS = "demo-links.json"
OTHER = "other-contributor"


@dataclass(frozen=True)
class DemoAccount:
    """An account of the demo: its role, the organisation of a contributor, and its link."""

    role: str
    organisation: str
    name: str
    link: str


def settings_of(hub: Path) -> None:
    """Let a practice hub have a desk that says on every page that its data are fictitious.

    Raises:
        HubFolderError: the hub is none (rule "demo-hub").
    """

    said = yaml_values((hub / "hub.yaml").read_text("utf-8"))
    if not isinstance(said, dict) or said.get("invented") is not True:
        raise error("demo-hub", file=hub)
    if not (hub / FILE).exists():
        files.write_whole(hub / FILE, b'host = "localhost"\ninvented = true\n')


def accounts(desk: DeskConfig) -> list[DemoAccount]:
    """An account of each role, and of a second contributor, each with a fresh link.

    Accounts are made where there are none; links that were printed before no longer work.

    Raises:
        HubFolderError: the hub is no practice hub (rule "demo-hub").
    """
    from ctdhub.desk.models import Organisation

    if not desk.file.invented:
        raise error("demo-hub", file=desk.hub)
    theirs = sorted(Organisation.objects.values_list("id", flat=True))[-2:]
    wanted = [(role, theirs[-1] if role == CONTRIBUTOR else "") for role in ROLES]
    if len(theirs) > 1:
        wanted.insert(1, (OTHER, theirs[0]))
    links: dict[str, str] = {}
    entries = []
    for role, organisation in wanted:
        account = _account(role, organisation)
        token = secrets.token_urlsafe(24)
        links[hashlib.sha256(token.encode()).hexdigest()] = account.id.hex
        address = f"{desk.origin}/demo/{token}/"
        entries.append(DemoAccount(role, organisation, account.name, address))
    files.write_whole(desk.folder / LINKS, json.dumps(links).encode("ascii"))
    return entries


def account_of(desk: DeskConfig, token: str, *, use: bool) -> str:
    """The key of the account that a link is for; "" where there is none or it was used.

    Args:
        use: the link works no more.
    """
    file = desk.folder / LINKS
    if not desk.file.invented or not file.exists():
        return ""
    links: dict[str, str] = json.loads(file.read_text("ascii"))
    key = hashlib.sha256(token.encode()).hexdigest()
    account = links.get(key, "")
    if use and account:
        del links[key]
        files.write_whole(file, json.dumps(links).encode("ascii"))
    return account


def _account(role: str, organisation: str) -> Any:
    from allauth.account.models import EmailAddress
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from ctdhub.desk.models import DeskAccount, RoleHeld

    email = f"{role.replace('_', '-')}@example.org"
    account = DeskAccount.objects.filter(email=email).first()
    if account is None:
        account = DeskAccount.objects.create_user(
            email, f"Demo {role.replace('_', ' ').replace('-', ' ')}"
        )
        account.first_visit = False
        account.save()
        EmailAddress.objects.create(user=account, email=email, verified=True, primary=True)
        TOTP.activate(account, generate_totp_secret())
        kind = role if role in HUB_ROLES else CONTRIBUTOR
        RoleHeld.objects.create(account=account, role=kind, organisation_id=organisation or None)
    return account
