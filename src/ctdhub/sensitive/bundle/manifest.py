"""What a bundle holds, to the byte: the part that the contributor signs."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from ctdhub.core.frozen import FrozenModel
from ctdhub.sensitive.bundle.card import canonical

SUFFIX = ".ctdbundle"
MANIFEST, SIGNATURE, MAPPING, REPORT = (
    "manifest.json",
    "manifest.sig",
    "mapping.yaml",
    "report.json",
)
DATA = "data/cases.csv"
"""The one name of the file of cases: names that people give to files may name persons."""

_HASH = r"^[0-9a-f]{64}$"


class BundledFile(FrozenModel):
    """A file of a bundle: its name in it, its SHA-256 and its size in bytes."""

    name: Literal["data/cases.csv", "mapping.yaml", "report.json"]
    sha256: str = Field(pattern=_HASH)
    size: int = Field(ge=0)

    @classmethod
    def of(cls, name: str, content: bytes) -> BundledFile:
        """The entry of a file."""
        return cls.model_validate(
            {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        )


class BundleManifest(FrozenModel):
    """What the contributor signs.

    Attributes:
        kind: the form of the bundle.
        hub: name of the hub that it is for.
        recipients: age recipients that it was encrypted to, sorted; whoever opens it and passes it
            on to others cannot change them.
        contributor: id of the contributor.
        delivery: number of the delivery, counted by the contributor from 1.
        replaces: digest of the manifest of the bundle that this one takes the place of, or "".
        schema_version: version of the hub's schema that the mapping was made for.
        codes: fingerprint of the secret by which case numbers were made codes, "" without one;
            another one than before means that the people of both deliveries cannot be joined.
        files: the files, sorted by name.
        signer: public key of the contributor.
    """

    kind: Literal["ctdhub-bundle-1"] = "ctdhub-bundle-1"
    hub: str = Field(min_length=1, max_length=200)
    recipients: tuple[str, ...] = Field(min_length=1, max_length=20)
    contributor: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    delivery: int = Field(ge=1, le=10**6)
    replaces: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    schema_version: str = Field(max_length=20)
    codes: str = Field(default="", max_length=40)
    files: tuple[BundledFile, ...] = Field(min_length=3, max_length=3)
    signer: str

    def message(self) -> bytes:
        """The bytes that are signed, which are those of ``manifest.json``."""
        return canonical(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        """SHA-256 of :meth:`message`: what a bundle is called by."""
        return hashlib.sha256(self.message()).hexdigest()
