"""What the kit remembers, in the one folder that it writes."""

import json
import os
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from ctdhub.core.errors import error
from ctdhub.core.files import sweep, write_new, write_whole
from ctdhub.core.keys.signing import SigningKey, make_key, read_key
from ctdhub.schema.model import YEARS
from ctdhub.sensitive.bundle.leaving import SECRET_BYTES
from ctdhub.sensitive.bundle.pack import SignedCard, read_card
from ctdhub.sensitive.workbench.ask import ask

# --------------------------------------------------------------------------------------------------
# What the kit remembers, as one file of JSON beside the files that it is about.
#
# Every act writes it whole, so that the kit may end at any time.

OWN = "own"
"""Id of the one contributor and the one person of a kit, in names of files."""


@dataclass(frozen=True)
class KitFile:
    """A file that was dropped.

    Attributes:
        id: 32 hexadecimal digits: its place and its address.
        name: as its owner calls it; shown, and never a path.
        ending: of the copy.
        day: on which it came (ISO 8601, UTC).
        sha256: of its bytes.
        delivery: number of the bundle that was made of it, 0 before.
        digest: of that bundle's manifest.
        bundle: name of the bundle's file.
    """

    id: str
    name: str
    ending: str
    day: str
    sha256: str
    delivery: int = 0
    digest: str = ""
    bundle: str = ""

    @property
    def pk(self) -> UUID:
        """Its key, as addresses have it."""
        return UUID(hex=self.id)


@dataclass
class KitState:
    """What the kit remembers between two requests."""

    language: str = ""
    compared: bool = False
    deliveries: int = 0
    files: list[KitFile] = field(default_factory=list)


@dataclass(frozen=True)
class Kit:
    """The kit's folder."""

    root: Path

    def state(self) -> KitState:
        """What is remembered."""
        try:
            values = json.loads((self.root / "state.json").read_text("utf-8"))
        except FileNotFoundError:
            return KitState()
        files = [KitFile(**one) for one in values.pop("files")]
        return KitState(**values, files=files)

    @contextmanager
    def changing(self) -> Iterator[KitState]:
        """What is remembered, to be changed and written down."""
        state = self.state()
        yield state
        sweep(self.root, "state.json")
        text = json.dumps(asdict(state), ensure_ascii=False, indent=1)
        write_whole(self.root / "state.json", text.encode())

    def file(self, key: str) -> KitFile | None:
        """A file by its id, None where there is none."""
        return next((one for one in self.state().files if one.id == key), None)

    def path(self, file: KitFile) -> Path:
        """The kit's copy of a file."""
        return self.root / "files" / f"{file.id}{file.ending}"

    @property
    def card_file(self) -> Path:
        """Where the hub's card is."""
        return self.root / "hub.ctdhub-card"

    def card(self) -> SignedCard | None:
        """The hub's card, None before there is one."""
        return read_card(self.card_file) if self.card_file.exists() else None

    def years(self) -> tuple[int, int]:
        """First and last year of the public bounds."""
        card = self.card()
        return card.card.years if card else YEARS

    def key(self) -> SigningKey:
        """The contributor's own key, made at first need."""
        path = self.root / "own.pem"
        return read_key(path) if path.exists() else make_key(path)

    def secret(self) -> bytes:
        """The secret of the codes of cases, made at first need."""
        path = self.root / "codes.key"
        if not path.exists():
            write_new(path, secrets.token_bytes(SECRET_BYTES))
        return path.read_bytes()


# --------------------------------------------------------------------------------------------------
# The one folder that the kit writes: where it is, who may read it, and where it must not be.

VARIABLE = "CTDHUB_KIT"
"""Environment variable by which the process of the kit is told its folder."""

_SYNCED = re.compile(
    r"(onedrive|dropbox|googledrive-|icloud~).*|(google drive|googledrive|my drive|mon drive"
    r"|mi unidad|icloud|icloud drive|iclouddrive|mobile documents|cloudstorage|nextcloud|owncloud"
    r"|box|box sync|pcloud|pclouddrive|megasync|mega|syncthing|seafile|tresorit|sync|yandex\.disk"
    r"|creative cloud files)(( - | \().*)?",
    re.DOTALL,
)
"""Folded names of folders that programs copy to other computers."""

_MARKS = (
    ".dropbox",
    ".dropbox.cache",
    ".sync",
    ".stfolder",
    ".owncloudsync.log",
    ".nextcloudsync.log",
)
"""What such programs leave in the folder that they copy."""


def default_folder(
    system: str = sys.platform, env: Mapping[str, str] = os.environ, home: Path | None = None
) -> Path:
    """Where the kit keeps its files on a system.

    >>> default_folder("linux", {}, Path("/home/a")).as_posix()
    '/home/a/.local/share/ctdhub'
    >>> default_folder("darwin", {}, Path("/Users/a")).as_posix()
    '/Users/a/Library/Application Support/ctdhub'
    """
    home = home or Path.home()
    if system == "win32":
        return Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local") / "ctdhub"
    if system == "darwin":
        return home / "Library" / "Application Support" / "ctdhub"
    return Path(env.get("XDG_DATA_HOME") or home / ".local" / "share") / "ctdhub"


def synced_by(path: PurePath, marks: tuple[str, ...] = ()) -> str:
    """The name in a path that a program copies to other computers, "" where there is none known.

    >>> synced_by(PurePath("/home/a/OneDrive - Refuge/kit"))
    'OneDrive - Refuge'
    """
    for part in path.parts:
        if _SYNCED.fullmatch(part.casefold()):
            return part
    return marks[0] if marks else ""


def prepare(folder: Path) -> Path:
    """Make the folder, for its owner alone, and refuse one that is copied elsewhere.

    Returns:
        Its real place: what a link leads to.

    Raises:
        HubFolderError: a program copies it to other computers (rule "kit-synced"), or it is
            something else (rule "kit-folder").
    """
    real = folder.expanduser().resolve()
    for place in (real, *real.parents):
        marks = tuple(m for m in _MARKS if (place / m).exists())
        if named := synced_by(place, marks):
            raise error("kit-synced", file=real, name=named)
    if real.exists() and (not real.is_dir() or (any(real.iterdir()) and not _is_kit(real))):
        raise error("kit-folder", file=real)
    real.mkdir(parents=True, exist_ok=True, mode=0o700)
    real.chmod(0o700)
    for name in ("files", "bundles", "mappings"):
        (real / name).mkdir(exist_ok=True, mode=0o700)
    return real


def _is_kit(folder: Path) -> bool:
    return (folder / "files").is_dir() and (folder / "mappings").is_dir()


# --------------------------------------------------------------------------------------------------
# Asks the workbench by a plain call, about files in the kit's own folder.


@dataclass(frozen=True)
class PlainCarrier:
    """Carries requests about one file of the kit.

    Attributes:
        kit: the folder.
        file: the file.
    """

    kit: Kit
    file: KitFile

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """See ``ctdhub.desk.screens.Carrier``."""
        first, last = self.kit.years()
        fixed = {
            "folder": str(self.kit.root),
            "contributor": OWN,
            "who": OWN,
            "day": self.file.day,
            "file": str(self.kit.path(self.file)),
            "years": [first, last],
            "own_draft": self.file.id,
        }
        answer: dict[str, Any] = ask({**request, **fixed})
        return answer


def carrier(request: Any, thing: KitFile) -> PlainCarrier:
    """The carrier of the kit; see ``ctdhub.desk.screens``."""
    return PlainCarrier(request.kit, thing)
