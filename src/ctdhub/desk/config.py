"""Settings of one desk: ``desk.toml`` in the hub folder, and where its own files are.

The database is SQLite in ``desk/`` unless ``DATABASE_URL`` names a PostgreSQL server.  Passwords
and keys are never in ``desk.toml``.
"""

import os
import secrets
import tomllib
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field, ValidationError, field_validator

from ctdhub.core.errors import error
from ctdhub.core.files import write_new
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import LANGUAGES, yaml_values
from ctdhub.core.i18n import current as language

FOLDER_VARIABLE = "CTDHUB_DESK"
"""Environment variable that tells a process of the desk which hub folder it serves."""

FILE = "desk.toml"
LOCAL = "localhost"


class DeskLimits(FrozenModel):
    """Bounds of what is taken in, of an organisation where nothing else is said.

    Attributes:
        file_bytes: of one file.
        open_uploads: begun and not finished.
        day_bytes: in 24 hours.
        hours_to_finish: after which an unfinished upload is deleted.
        days_returned: after which the bytes of a returned or refused delivery are deleted.
        kept_room: bytes that the disk keeps free for an organisation, so that no refusal tells how
            much others sent; 0 keeps none.
    """

    file_bytes: int = Field(default=64 * 2**20, gt=0)
    open_uploads: int = Field(default=5, gt=0)
    day_bytes: int = Field(default=512 * 2**20, gt=0)
    hours_to_finish: int = Field(default=24, gt=0)
    days_returned: int = Field(default=90, gt=0)
    kept_room: int = Field(default=128 * 2**20, ge=0)


class MailServer(FrozenModel):
    """The SMTP server that carries messages; its password is in ``DESK_MAIL_PASSWORD``."""

    host: str = ""
    port: int = Field(default=587, gt=0, lt=65536)
    user: str = ""
    sender: str = ""
    encryption: str = Field(default="starttls", pattern="^(starttls|tls|none)$")


class DeskFile(FrozenModel):
    """What ``desk.toml`` says.

    Attributes:
        host: the name under which browsers reach the desk; also the scope of its passkeys.
        more_hosts: other names that are answered, such as that of the container.
        port: on which the web process listens, on ``address``.
        address: of the interface on which it listens.
        web_processes: how many answer there; None is one for each core, at most two.
        proxies: number of trusted reverse proxies in front of it.
        inbox: folder of uploads as ciphertext, outside of the hub folder.
        recovery: age recipients that can open the inbox if the machine is lost; their identities
            are kept elsewhere.
        encrypted_volume: whether ``contributions`` and ``work`` are on an encrypted volume.
        known_passwords: a sorted file of SHA-1 in capital hexadecimal digits, one a line, of
            passwords that were stolen somewhere; none of them is taken.
        invented: the hub holds fictitious data; every page says so.
    """

    host: str = LOCAL
    more_hosts: tuple[str, ...] = ()
    port: int = Field(default=8765, ge=0, lt=65536)
    address: str = "127.0.0.1"
    web_processes: int | None = Field(default=None, ge=1, le=4)
    proxies: int = Field(default=0, ge=0, le=5)
    inbox: Path | None = None
    recovery: tuple[str, ...] = ()
    encrypted_volume: bool | None = None
    known_passwords: Path | None = None
    invented: bool = False
    limits: DeskLimits = DeskLimits()
    mail: MailServer = MailServer()

    @field_validator("host", "more_hosts")
    @classmethod
    def _names(cls, names: Any) -> Any:
        for name in (names,) if isinstance(names, str) else names:
            bare = name.replace("-", "").replace(".", "")
            if not (bare.isascii() and bare.isalnum()) or name != name.lower():
                raise ValueError("host")
        return names


class DeskConfig:
    """One desk.

    Args:
        hub: the hub folder.

    Raises:
        HubFolderError: the folder has no hub.yaml.
        PolicyError: ``desk.toml`` has faults (rule "desk-settings").
    """

    def __init__(self, hub: Path) -> None:
        if not (hub / "hub.yaml").is_file():
            raise error("hub-folder", file=hub)
        self.hub = hub.resolve()
        self.file = _read(self.hub / FILE)

    @property
    def folder(self) -> Path:
        """``desk/`` in the hub folder: database, keys of the web process, trail, locks."""
        return self.hub / "desk"

    @property
    def trail(self) -> Path:
        """The trail as a file, which ``ctdhub desk verify`` reads."""
        return self.folder / "trail.jsonl"

    @property
    def restoring(self) -> Path:
        """A file that is there until a restore is done; it names the kind of its database.

        No process of the desk serves before.
        """
        return self.folder / ".restoring"

    @property
    def inbox(self) -> Path:
        """Uploads as ciphertext, next to the hub folder, which the web process cannot write."""
        return self.file.inbox or self.hub.with_name(f"{self.hub.name}-inbox")

    @property
    def web_processes(self) -> int:
        """How many web processes answer."""
        return self.file.web_processes or min(2, os.cpu_count() or 1)

    @property
    def local(self) -> bool:
        """Reached on this computer only: no certificate, and addresses begin with ``http``."""
        return self.file.host == LOCAL

    @property
    def origin(self) -> str:
        """Scheme, host and port of the desk's addresses."""
        return f"http://{LOCAL}:{self.file.port}" if self.local else f"https://{self.file.host}"

    @property
    def sign_host(self) -> str:
        """The host of the signing page, which is the scope of approval passkeys."""
        return f"sign.{self.file.host}"

    @property
    def sign_origin(self) -> str:
        """Scheme, host and port of the signing page."""
        scheme, _, rest = self.origin.partition("://")
        return f"{scheme}://sign.{rest}"

    @cached_property
    def _of_hub(self) -> dict[str, Any]:
        """What hub.yaml says, unchecked."""
        settings = yaml_values((self.hub / "hub.yaml").read_text("utf-8"))
        return settings if isinstance(settings, dict) else {}

    @property
    def hub_name(self) -> str:
        """The name of the hub in the language in force, from hub.yaml."""
        names = self._of_hub.get("names")
        own = names.get(language()) if isinstance(names, dict) else None
        return str(own or self._of_hub.get("name") or self.hub.name)

    @property
    def site(self) -> str:
        """First page of the site, in the language in force where it has that; "" without any."""
        settings = self._of_hub.get("site")
        url = str(settings.get("url")) if isinstance(settings, dict) else ""
        spoken = language() in (self._of_hub.get("languages") or LANGUAGES)
        code = language() if spoken else LANGUAGES[0]
        return f"{url.rstrip('/')}/{code}/index.html" if url.startswith("https://") else ""

    def session_key(self) -> str:
        """What signs cookies and tokens of forms: ``secret("session")``.

        A process whose user may not read that file signs nothing, and gets a key that nobody has.
        """
        try:
            return self.secret("session")
        except PermissionError:
            return secrets.token_hex(32)

    def secret(self, name: str) -> str:
        """A secret of the web process, 256 bits as hexadecimal digits, made where there is none.

        It is a file for its owner alone, next to the database and not in it, so that a copy of
        the database opens nothing.
        """
        self._made()
        file = self.folder / "keys" / name
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if not file.exists():
            with suppress(FileExistsError):  # another process of the desk was first
                write_new(file, secrets.token_hex(32).encode("ascii"))
        return file.read_text("ascii").strip()

    def _made(self) -> None:
        """Have the folder, closed to others of the machine: the database holds keys of visits."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        mode = self.folder.stat().st_mode
        if mode & 0o007:
            self.folder.chmod(mode & 0o770)

    def database(self, url: str | None = None) -> dict[str, Any]:
        """Django's settings of the database.

        Args:
            url: ``postgresql://user:password@host:port/name``; a host that begins with ``/`` is
                given as ``?host=/run/postgresql``.  If None, ``DATABASE_URL``.

        Raises:
            PolicyError: the address is none of PostgreSQL (rule "desk-database").
        """
        url = os.environ.get("DATABASE_URL", "") if url is None else url
        if not url:
            self._made()
            return {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(self.folder / "desk.sqlite3"),
                "OPTIONS": {
                    "timeout": 20,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
                },
            }
        parts = urlsplit(url)
        name = unquote(parts.path.removeprefix("/"))
        if parts.scheme not in ("postgres", "postgresql") or not name:
            raise error("desk-database")
        host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host,
            "PORT": str(parts.port or parse_qs(parts.query).get("port", [""])[0]),
            "OPTIONS": {"pool": {"min_size": 1, "max_size": 10}},
        }


def _read(file: Path) -> DeskFile:
    if not file.exists():
        return DeskFile()
    try:
        return DeskFile.model_validate(tomllib.loads(file.read_text("utf-8")), strict=False)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise error("desk-settings", file=file) from None
    except ValidationError as cause:
        names = ", ".join(".".join(map(str, e["loc"])) for e in cause.errors())
        raise error("desk-settings/values", file=file, names=names) from None


_current: list[DeskConfig] = []


def current() -> DeskConfig:
    """The desk that this process serves: that of ``CTDHUB_DESK``, or the one in :func:`use`."""
    if not _current:
        _current.append(DeskConfig(Path(os.environ[FOLDER_VARIABLE])))
    return _current[0]


def use(config: DeskConfig) -> None:
    """Serve this desk from now on."""
    _current[:] = [config]
