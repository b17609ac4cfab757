"""What the kit remembers, as one file of JSON beside the files that it is about.

Every act writes it whole, so that the kit may end at any time.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID

from ctdhub.core.atomic import sweep, write_new, write_whole
from ctdhub.core.keys.signing import SigningKey, make_key, read_key
from ctdhub.schema.model import YEARS
from ctdhub.sensitive.bundle.card import SignedCard, read_card
from ctdhub.sensitive.bundle.leaving import SECRET_BYTES

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
    last_digest: str = ""
    files: list[KitFile] = field(default_factory=list)


@dataclass(frozen=True)
class Kit:
    """The kit's folder."""

    root: Path

    def state(self) -> KitState:
        """What is remembered."""
        try:
            found = json.loads((self.root / "state.json").read_text("utf-8"))
        except FileNotFoundError:
            return KitState()
        files = [KitFile(**one) for one in found.pop("files")]
        return KitState(**found, files=files)

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
