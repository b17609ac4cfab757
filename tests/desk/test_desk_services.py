"""Units and containers of ``examples/desk``, and what a process needs whose user is another one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctdhub.core.errors import HubError
from ctdhub.desk.config import DeskConfig
from ctdhub.desk.processes import PROCESSES, run_all
from ctdhub.desk.uploads.inbox import Inbox
from ctdhub.hub.folder import Hub
from ctdhub.hub.stages.link import refuse_linkage_keys
from tests.desk.desks import Desk, connected

FOLDER = Path(__file__).parents[2] / "examples" / "desk"
WEB_SIDE = {"web", "mail"}
"""Processes that never open case data."""


def unit(name: str) -> dict[str, str]:
    lines = (FOLDER / f"ctdhub-desk-{name}.service").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")


def test_each_process_has_its_unit_and_its_user() -> None:
    named = {path.name for path in FOLDER.glob("*.service")}
    assert named == {f"ctdhub-desk-{name}.service" for name in PROCESSES}
    for name in PROCESSES:
        said = unit(name)
        assert said["ExecStart"] == f"/opt/ctdhub/bin/ctdhub desk serve /srv/hub --only {name}"
        assert said["User"] == ("ctdhub-web" if name in WEB_SIDE else "ctdhub-work")
        assert said["PrivateNetwork"] == ("no" if name in WEB_SIDE else "yes")
        hidden = said["InaccessiblePaths"].split()
        wanted = ("contributions", "work", "keys", "withdrawals") if name in WEB_SIDE else (
            "desk/keys",
        )  # fmt: skip
        assert hidden == [f"-/srv/hub/{path}" for path in wanted], "a new hub lacks some of them"
        assert "LoadCredential" not in said, "the worker makes and destroys identities"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for path in FOLDER.glob("*.service"):
        there = path.read_text("utf-8").replace(
            "/opt/ctdhub/bin/ctdhub", shutil.which("true") or ""
        )
        (tmp_path / path.name).write_text(there, "utf-8")
    command = ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert [line for line in found.stderr.splitlines() if "ctdhub-desk" in line] == []


def test_each_process_has_its_container() -> None:
    said = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
    services = said["services"]
    image = (FOLDER / "Dockerfile").read_text("utf-8")
    assert 'ENTRYPOINT ["ctdhub"]' in image
    runs = {
        name: one["command"]
        for name, one in services.items()
        if one.get("image") == "localhost/ctdhub"
    }
    assert all(words[:-1] == ["desk", "serve", "/hub", "--only"] for words in runs.values())
    assert sorted(words[-1] for words in runs.values()) == sorted(PROCESSES)
    for name, one in services.items():
        for volume in one.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source[0] in "$." or source in said["volumes"], (name, volume)
        networks = one.get("networks", ())
        assert set(networks) <= set(said["networks"])
        if name in runs:
            process = runs[name][-1]
            assert one["read_only"] is True
            user, _, group = one["user"].partition(":")
            assert f"--uid {user} --gid {group}" in image
            assert user == ("701" if process in WEB_SIDE else "702")
            assert process in WEB_SIDE or one["network_mode"] == "none"
            assert ("DATABASE_URL_WORK" in one["environment"]) == (process != "web")


def test_the_proxy_serves_the_signing_page_with_its_headers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctdhub.desk.web import headers

    text = (FOLDER / "Caddyfile").read_text("utf-8").partition("sign.{$DESK_HOST} {")[2]
    served = dict(re.findall(r'^\t\t([A-Z][\w-]+) "(.*)"$', text, re.M))
    ours = {
        k: v.replace(desk.config.origin, "https://{$DESK_HOST}")
        for k, v in headers(desk.config).items()
    }
    assert {name: served.get(name) for name in ours} == ours


def test_a_worker_starts_without_the_keys_of_the_web_process(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctdhub.desk import web

    own = desk.config.session_key()
    assert own == desk.config.secret("session") == desk.config.session_key()

    def refused(*_given: Any, **_named: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)
    assert desk.config.session_key() not in (own, desk.config.session_key())
    with pytest.raises(PermissionError):
        web.application()


def test_a_build_does_not_look_into_the_keys_of_the_web_process(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are another user's: a worker that looks for keys of linkage in them cannot build."""
    desk.config.secret("session")
    look = Path.iterdir

    def refused(folder: Path) -> Iterator[Path]:
        if folder == desk.config.folder / "keys":
            raise PermissionError(13, "Permission denied")
        return look(folder)

    monkeypatch.setattr(Path, "iterdir", refused)
    refuse_linkage_keys(Hub(desk.hub))


def test_the_web_process_uses_up_the_room_that_the_worker_keeps(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        inbox = Inbox(tmp_path / "inbox")
        inbox.reserve("ours", 1000)
    finally:
        os.umask(before)
    assert (inbox.folder / ".room" / "ours").stat().st_mode & 0o777 == 0o660
    assert (inbox.folder / ".room").stat().st_mode & 0o777 == 0o770


def test_without_the_owner_older_tables_are_refused_and_nobody_is_invited(
    desk_on_postgres: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    from ctdhub.desk.accounts.invitations import first_administrator
    from ctdhub.desk.walls import OWNER, owns_tables, refuse_older_tables

    desk_on_postgres.accounts["administrator"].roles.all().delete()
    described = {**connection.settings_dict}
    monkeypatch.delenv(OWNER, raising=False)
    with connected({**described, "USER": "desk_web"}):
        assert not owns_tables()
        refuse_older_tables()
        with monkeypatch.context() as patch:
            patch.setattr(MigrationRecorder, "applied_migrations", lambda _self: {})
            with pytest.raises(HubError) as met:
                refuse_older_tables()
        assert met.value.name == "desk-database/tables"
        monkeypatch.setenv(OWNER, "postgresql://desk_owner@/desk")
        assert owns_tables()
    with connected({**described, "USER": "desk_owner"}):  # as the first start does
        assert len(first_administrator()) == 43


def test_a_desk_that_runs_ends_where_a_backup_is_put_into_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker ends by itself, and would be started again before sign-ins are ended; its web
    process would go on with the visits of the backup."""
    (tmp_path / "hub.yaml").write_text("name: a hub\n", "utf-8")
    desk, started, ended = DeskConfig(tmp_path), [], []

    class Child:
        """Of a worker that ends since its folder was replaced."""

        def __init__(self, command: list[str], **_given: Any) -> None:
            started.append(command[2:])
            self.returncode = 2
            desk.folder.mkdir(exist_ok=True)
            desk.restoring.write_text("sqlite", "ascii")

        def poll(self) -> int:
            return self.returncode

        def wait(self, _timeout: float) -> int:
            assert ended
            return self.returncode

    monkeypatch.setattr("ctdhub.desk.processes.subprocess.Popen", Child)
    monkeypatch.setattr("ctdhub.desk.processes.signal.signal", lambda *_given: None)
    monkeypatch.setattr("ctdhub.desk.processes._signal", lambda *given: ended.append(given))
    with pytest.raises(HubError) as met:
        run_all(desk, ("files", "build"))
    assert met.value.rule == "restore-unfinished"
    assert started == [["ctdhub.desk.processes", "files"], ["ctdhub.desk.processes", "build"]]
