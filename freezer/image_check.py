"""Take a file to a published release in the image, with PostgreSQL beside it.

Run by `make image-check`, as root, on Debian with buildah, postgresql and chromium.  Each service
of `examples/desk/compose.yaml` that uses the image is a process as that file says: command, user,
environment, mounts, a root that cannot be written, no right of root's, no network where there is to
be none.  PostgreSQL is Debian's, in the place of the service of this name.  Neither compose nor the
proxy is run: the browser reaches the web process itself, as `localhost`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import yaml
from image import NAME, ROOM, ROOT, buildah
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.conftest import ENGINE, QUIET, loads
from tests.browser.test_desk_approval import Person, keys_are
from tests.desk import postgres
from tests.desk.desks import reachable

COMPOSE = ROOT / "examples" / "desk" / "compose.yaml"
VERSION, PATIENCE = "2090.1", 900
"""The release that is made; seconds until a step must have been done."""
WEB, WORK, GROUP = 701, 702, 700


def step(words: str) -> None:
    """Tell what was seen."""
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


# --------------------------------------------------------------------------------------------------
# The image as the root of processes.


@contextmanager
def unpacked(place: Path, archive: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The root of a container of the image, and what the image says of its processes."""
    tool = buildah(place)
    words = [*tool, "from", "--quiet", *ROOM, f"docker-archive:{archive}"]
    container = output(words)
    try:
        config = json.loads(output([*tool, "inspect", container]))["OCIv1"]["config"]
        yield Path(output([*tool, "mount", container])), config
    finally:
        output([*tool, "rm", container])


def output(words: list[Any], **more: Any) -> str:
    """What a command writes."""
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, **more)
    return done.stdout.strip()


def with_values(text: str, values: Mapping[str, str]) -> str:
    """A text of the compose file with its variables.

    >>> with_values("${HUB:?}:/hub:ro ${NONE:-}", {"HUB": "/srv/hub"})
    '/srv/hub:/hub:ro '
    """

    def value(met: re.Match[str]) -> str:
        name, kind, otherwise = met.groups()
        return values[name] if kind == "?" else values.get(name, otherwise)

    return re.sub(r"\$\{(\w+):([?-])(.*?)\}", value, text)


@dataclass
class Image:
    """What runs: a root, and the settings of the image."""

    root: Path
    config: dict[str, Any]

    def words(self, service: dict[str, Any], values: Mapping[str, str]) -> list[str]:
        """The command of a service, inside the image."""
        lines = ["set -e", 'mount --bind "$1" "$1"', 'mount -t proc proc "$1/proc"',
                 'mount --bind /dev "$1/dev"']  # fmt: skip
        for volume in service.get("volumes", ()):
            source, target, *modes = with_values(volume, values).split(":")
            inside = self.root / target[1:]
            inside.mkdir(parents=True, exist_ok=True)
            lines.append(shlex.join(["mount", "--bind", values.get(source, source), str(inside)]))
            if modes == ["ro"]:
                lines.append(shlex.join(["mount", "-o", "remount,bind,ro", str(inside)]))
        for target in service.get("tmpfs", ()):
            lines.append(shlex.join(["mount", "-t", "tmpfs", "tmpfs", f"{self.root}{target}"]))
        if service.get("read_only"):
            lines.append('mount -o remount,bind,ro "$1"')
        apart = ["unshare", "--mount"]
        if service.get("network_mode") == "none":
            apart.append("--net")
            lines.append("ip link set lo up")
        user, group = service["user"].split(":")
        lines.append(
            f'exec chroot "$@" setpriv --reuid {user} --regid {group} --clear-groups '
            "--no-new-privs --bounding-set=-all --inh-caps=-all "
            + shlex.join([*self.config["Entrypoint"], *service["command"]])
        )
        return [*apart, "sh", "-c", "\n".join(lines), "service", str(self.root)]

    def environment(self, service: dict[str, Any], values: Mapping[str, str]) -> dict[str, str]:
        """The environment of a service: the image's, the home of its user, and its own."""
        own, user = service.get("environment", {}), service["user"].partition(":")[0]
        users = [one.split(":") for one in (self.root / "etc/passwd").read_text("utf-8").split()]
        home = {"HOME": next((one[5] for one in users if one[2:3] == [user]), "/")}
        return (
            home
            | dict(one.split("=", 1) for one in self.config["Env"])
            | {name: with_values(text, values) for name, text in own.items()}
        )

    def run(self, service: dict[str, Any], values: Mapping[str, str]) -> str:
        """What the command of a service writes, once it has ended well."""
        return output(self.words(service, values), env=self.environment(service, values))

    def start(self, service: dict[str, Any], values: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a service."""
        return subprocess.Popen(self.words(service, values), env=self.environment(service, values))


# --------------------------------------------------------------------------------------------------
# A practice hub in it, and PostgreSQL beside it.


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """PostgreSQL with the three users of the guide; gives their passwords and where it answers."""
    passwords = {
        f"{one.upper()}_PASSWORD": secrets.token_hex(16) for one in ("owner", "web", "work")
    }
    with postgres.server() as place:
        postgres.new_database(place, "desk")
        with psycopg.connect(
            host=str(place), user="postgres", dbname="desk", autocommit=True
        ) as line:
            for name, password in passwords.items():
                user = f"desk_{name.partition('_')[0].lower()}"
                line.execute(f"ALTER ROLE {user} PASSWORD '{password}'")
            (place / "data" / "pg_hba.conf").write_text(
                "local all postgres trust\nlocal all all scram-sha-256\n", "ascii"
            )
            line.execute("SELECT pg_reload_conf()")
        place.chmod(0o755)
        yield passwords | {"postgres-socket": str(place)}


def practice(image: Image, services: dict[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """A practice hub with its desk, made inside, each folder as the guide says; gives the links."""
    hub, inbox = Path(values["HUB"]), Path(values["INBOX"])
    worker = services["worker-build"]
    owner = {"DATABASE_URL_OWNER": services["web"]["environment"]["DATABASE_URL_OWNER"]}
    maker = worker | {"environment": worker["environment"] | owner}
    for folder in (hub.parent, inbox, Path(values["STATE"])):
        folder.mkdir()
        os.chown(folder, WORK, GROUP)
    above = {"volumes": [f"{hub.parent}:/srv", "${STATE:?}:/state"]}  # it is made beside its place
    image.run(maker | above | {"command": ["demo", "/srv/hub", "--people", "1000"]}, values)
    image.run(maker | {"command": ["adopt", "/hub"]}, values)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    (hub / "desk.toml").write_text(f"port = {port}\ninvented = true\n", "ascii")
    written = image.run(maker | {"command": ["desk", "--demo", "/hub", "--no-serve"]}, values)
    links = re.findall(r"Demo ([a-z ]+):\s+(http://\S+)", written)
    output(["chown", "-R", f"{WEB}:{GROUP}", hub / "desk"])
    for folder, mode in ((hub, 0o750), (hub / "desk", 0o2770), (inbox, 0o2770)):
        folder.chmod(mode)
    return dict(links)


def wait_for(address: str) -> None:
    """Wait until the web process answers and finds its database."""
    until = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), urlopen(f"{address}/health/ready") as answer:  # noqa: S310 - ours
            if answer.status == 200:
                return
        if time.monotonic() > until:
            sys.exit(f"{address} does not answer")
        time.sleep(1)


# --------------------------------------------------------------------------------------------------
# What people do in their browsers.


class Visitor(Person):
    """Somebody who follows a link of the demo, at a computer of their own, with a device."""

    def __init__(self, browser: Browser, link: str) -> None:
        self.context = browser.new_context(locale="en")
        self.sit_down(link.partition("/demo/")[0])
        self.page.goto(link)
        loads(self.page, lambda: self.page.click("text=Continue as"))

    def click(self, way: str, what: str) -> None:
        """Go to a page and click what loads another one."""
        self.page.goto(f"{self.address}{way}")
        self.again(what)

    def again(self, what: str) -> None:
        """Click what loads another page."""
        found = self.page.locator("main").get_by_role("button", name=what, exact=True)
        found = found.or_(self.page.locator("main").get_by_role("link", name=what, exact=True))
        loads(self.page, found.first.click)

    def wait(self, way: str, seen: Callable[[Page], bool]) -> None:
        """Look at a page again and again until something is seen there."""
        until = time.monotonic() + PATIENCE
        while True:
            self.page.goto(f"{self.address}{way}")
            if seen(self.page):
                return
            if time.monotonic() > until:
                sys.exit(f"{way} stayed so:\n{self.page.inner_text('main')}")
            time.sleep(2)


def has(what: str, words: str = "") -> Callable[[Page], bool]:
    """Whether a page has an element with these words, which are a pattern."""
    pattern = re.compile(words, re.DOTALL | re.IGNORECASE)
    return lambda page: page.locator(f"main {what}").filter(has_text=pattern).count() > 0


def journey(browser: Browser, links: dict[str, str], hub: Path) -> None:
    """From a file to a published release: by clicks, and one line each of what was seen."""
    roles = ("contributor", "data officer", "steward", "privacy officer")
    people = {role: Visitor(browser, links[role]) for role in roles}
    sender, officer, steward, privacy = people.values()
    step(f"signed in: {', '.join(people)}")
    for person in (steward, privacy):
        person.enrol()
        person.page.goto(f"{person.address}/approvals/keys/")
    keys_are(hub, *(one.page.inner_text("main td code") for one in (steward, privacy)))
    step("two passkeys made; their lines are in hub.yaml")

    file = sorted(sorted((hub / "contributions").iterdir())[-1].glob("*/*"))[0]
    sender.page.goto(f"{sender.address}/deliveries/send/")
    sender.page.set_input_files("#file", file)
    sender.page.click("#go")
    sender.page.wait_for_url(re.compile(r"/deliveries/[0-9a-f-]{32,36}/"))
    delivery = sender.page.url.removeprefix(sender.address)
    step(f"uploaded: a {file.suffix} of {file.stat().st_size} bytes")
    officer.wait(delivery, has("a.button", "^accept$"))
    officer.click(delivery, "Accept")
    officer.again("Accept")
    sender.wait(delivery, has(".tag", "^accepted$"))
    step("checked and accepted")

    steward.wait("/look/", has("button", "read the files"))
    steward.again("Read the files")
    steward.page.goto(f"{steward.address}/releases/new/")
    steward.page.fill("#version", VERSION)
    steward.again("Save the plan")
    plan = steward.page.url.removeprefix(steward.address)
    steward.page.fill("#people", "500")
    steward.again("Rehearse")
    steward.click(plan, "Find the price")
    privacy.wait(plan, has("button", "yes, spend epsilon"))
    loads(privacy.page, lambda: privacy.page.click("text=Yes, spend epsilon"))
    step("planned, rehearsed, priced, and the privacy officer said yes")
    steward.click(plan, "Build")
    steward.wait(plan, has("p", "the candidate is in the hub"))
    step("built")
    for person in (steward, privacy):
        person.wait(f"/approvals/{VERSION}/", has("#looked"))
        person.ask(VERSION)
        assert person.press() == "good"
        step("approved by a passkey")
    steward.wait("/releases/", has("li", f"what {VERSION} changes.*published"))
    until = time.monotonic() + PATIENCE
    index = hub / "site" / "en" / "index.html"
    while VERSION not in index.read_text("utf-8"):
        assert time.monotonic() < until, "the site does not show it"
        time.sleep(2)
    page = browser.new_page()
    page.goto(f"file://{index}")
    assert VERSION in page.inner_text("body")
    step(f"published; the site says {VERSION}: {page.title()}")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing is left behind
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("archive", type=Path, nargs="?", default=ROOT / "dist/image/ctdhub.tar")
    archive = asked.parse_args().archive.absolute()
    services = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    own = {name: one for name, one in services.items() if one.get("image") == NAME}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place.chmod(0o755)
        image = Image(*stack.enter_context(unpacked(place / "store", archive)))
        first = {"user": image.config["User"], "network_mode": "none"}
        image.run(first | {"command": ["demo", "/tmp/hub", "--people", "1000"]}, {})  # noqa: S108 - in the image
        step(f"ctdhub demo: ended well, as {first['user']} and without a network")
        folders = {"HUB": place / "srv/hub", "INBOX": place / "inbox", "STATE": place / "state"}
        values = stack.enter_context(database()) | {k: str(v) for k, v in folders.items()}
        links = practice(image, own, values)
        step(f"a practice hub and its desk on PostgreSQL; links: {len(links)}")
        for name, service in own.items():
            running = image.start(service, values)
            stack.callback(running.wait, 60)
            stack.callback(running.terminate)
            step(f"{name}: {' '.join(service['command'])}, as {service['user']}")
        reachable(folders["HUB"] / "desk" / "answers.sock")
        wait_for(links["steward"].partition("/demo/")[0])
        tool = stack.enter_context(sync_playwright())
        browser = tool.chromium.launch(executable_path=ENGINE, args=list(QUIET))
        stack.callback(browser.close)
        journey(browser, links, Path(values["HUB"]))
        reader = {**own["worker-build"], "environment": {"CTDHUB_STATE": "/state"}}
        for words in (["verify", f"/hub/releases/{VERSION}"], ["desk", "verify", "/hub"]):
            print(image.run(reader | {"command": words}, values))
        step("ctdhub verify, ctdhub desk verify: whole")


if __name__ == "__main__":
    main()
