"""A desk for tests: a small practice hub, accounts of each role, a client that signs in."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ctdhub.desk import channel, config

ROLES = ("contributor", "data_officer", "steward", "privacy_officer", "administrator", "auditor")
OURS, THEIRS = "rivage-refuge", "beacon-hotline"
"""The organisation of the account "contributor", and that of the account "other"."""
PATIENCE = 180.0
"""Seconds until a process that was started must answer, however busy the machine is."""


def set_up(hub: Path) -> None:
    """Let Django begin, once in a process; the desk of each test is set by :func:`opened`."""
    os.environ.setdefault("CTDHUB_DESK", str(hub))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ctdhub.desk.settings")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright runs a loop in this thread
    import django

    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["localhost"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@contextmanager
def connected(settings: dict[str, Any], kept: dict[str, Any] | None = None) -> Iterator[None]:
    """Work with another database, or as another of its users, inside the block.

    Args:
        kept: where the connection is kept for the next time; closed at the end if None.
    """
    from django.db import connections

    before, described = connections["default"], connections.databases["default"]
    connections.databases["default"] = connections.configure_settings({"default": settings})[
        "default"
    ]
    found = (kept or {}).get("connection") or connections.create_connection("default")
    connections["default"] = found
    if kept is not None:
        kept["connection"] = found
    try:
        yield
    finally:
        connections["default"], connections.databases["default"] = before, described
        if kept is None:
            found.close()


@contextmanager
def web(hub: Path, settings: str, url: str = "") -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The web process of a desk for as long as this lasts, and its port.

    Args:
        settings: more lines of ``desk.toml``.
        url: of its database; on SQLite without one.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (hub / "desk.toml").write_text(f"port = {port}\n{settings}\n", "utf-8")
    given = {**os.environ, "CTDHUB_DESK": str(hub), "DATABASE_URL": url}
    run = (
        "import sys; from ctdhub.desk.config import current; "
        "from ctdhub.desk.processes import run_all; sys.exit(run_all(current(), ('web',)))"
    )
    web = subprocess.Popen([sys.executable, "-c", run], env=given)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert web.poll() is None, "the web process ended"
            assert time.monotonic() < until, "the web process does not answer"
            time.sleep(0.1)
        yield web, port
    finally:
        web.terminate()
        web.wait()


@contextmanager
def answering(hub: Path, settings: str) -> Iterator[int]:
    """The web process of a desk on SQLite for as long as this lasts; gives its port."""
    with web(hub, settings) as (_web, port):
        yield port


def reachable(socket_at: Path) -> None:
    """Wait until a process or thread answers at a socket: its file is there before it listens."""
    until = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.connect(str(socket_at))
            return
        assert time.monotonic() < until, f"nobody answers at {socket_at}"
        time.sleep(0.01)


@dataclass
class Desk:
    """A desk on a hub folder of its own, with its database.

    Attributes:
        hub: the folder.
        as_web: enters the user of the database that the web process is; on SQLite nothing changes.
        address: where it answers, of the fixture ``live_desk``.
        accounts: by role, and "other": a contributor of another organisation.
    """

    hub: Path
    as_web: Callable[[], Any]
    postgres: bool = False
    address: str = ""
    accounts: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> config.DeskConfig:
        """Its settings."""
        return config.current()

    def client_of(self, role: str = "", **more: Any) -> Any:
        """A test client that is signed in as the account of a role; "" is a visitor."""
        from django.test import Client

        desk = self

        class WebClient(Client):
            """Each request is answered as the web process would: with its user of the database."""

            def request(self, **given: Any) -> Any:
                with desk.as_web():
                    return super().request(**given)

        client = WebClient(SERVER_NAME="localhost", **more)
        if role:
            client.force_login(
                self.accounts[role],
                backend="allauth.account.auth_backends.AuthenticationBackend",
            )
        return client

    def asking(self, role: str) -> Any:
        """The account of a role in a visit that is open, as the web process asks for it."""
        client = self.client_of(role)
        client.get("/account/")  # the list of visits has it from its first page on
        visit = client.cookies["__Host-session"].value
        return replace(self.accounts[role].who(), visit=visit)

    def sign_in(self, context: Any, role: str) -> None:
        """Let a browser's context be signed in as the account of a role."""
        value = self.client_of(role).cookies["__Host-session"].value
        cookie = {"name": "__Host-session", "value": value, "url": "https://localhost"}
        context.add_cookies([{**cookie, "secure": True, "httpOnly": True, "sameSite": "Strict"}])


def people(desk: Desk) -> None:
    """The organisations of the hub as rows, and an account of each role with a second factor."""
    import yaml
    from allauth.account.models import EmailAddress
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from ctdhub.desk.models import DeskAccount, Organisation, RoleHeld

    for file in sorted((desk.hub / "contributors").glob("*.yaml")):
        name = yaml.safe_load(file.read_text("utf-8")).get("name", file.stem)
        Organisation.objects.get_or_create(id=file.stem, defaults={"name": str(name)})
    for role in (*ROLES, "other"):
        email = f"{role.replace('_', '-')}@example.org"
        account = DeskAccount.objects.create_user(email, f"Practice {role}", "a long password")
        account.first_visit = False
        account.save()
        EmailAddress.objects.create(user=account, email=email, verified=True, primary=True)
        TOTP.activate(account, generate_totp_secret())
        held = "contributor" if role == "other" else role
        theirs = {"contributor": OURS, "other": THEIRS}.get(role)
        RoleHeld.objects.create(account=account, role=held, organisation_id=theirs)
        desk.accounts[role] = account


@contextmanager
def opened(hub: Path, settings: dict[str, Any] | None = None) -> Iterator[None]:
    """Serve the desk of this folder inside the block, on SQLite unless settings are given."""
    from django.conf import settings as django_settings

    before = config.current()
    config.use(config.DeskConfig(hub))
    signed_by = django_settings.SECRET_KEY
    # that of the process is its first desk's: a web process of this folder would refuse its visits
    django_settings.SECRET_KEY = config.current().session_key()
    try:
        with connected(settings or config.current().database(url="")):
            yield
    finally:
        # 128 MB for each organisation, which a run of all tests need not keep to its end
        shutil.rmtree(config.current().inbox / ".room", ignore_errors=True)
        channel.use(None)  # as a process begins, whatever answered this desk
        django_settings.SECRET_KEY = signed_by
        config.use(before)


def copy_of(template: Path, place: Path) -> Path:
    """A copy of a hub folder with its desk."""
    shutil.copytree(template, place, symlinks=True)
    return place
