"""Write a bundle: sign what is in it, put it into an archive, encrypt that to the hub."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctdhub.core.atomic import made_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.keys.age import encrypt
from ctdhub.core.keys.signing import SigningKey
from ctdhub.sensitive.bundle.archive import pack
from ctdhub.sensitive.bundle.card import HubCard, canonical
from ctdhub.sensitive.bundle.manifest import (
    DATA,
    MANIFEST,
    MAPPING,
    REPORT,
    SIGNATURE,
    BundledFile,
    BundleManifest,
)


@dataclass(frozen=True)
class Packed:
    """A bundle before it is encrypted.  Sensitive.

    Attributes:
        manifest: what was signed.
        archive: the finished tar: the bytes that will be encrypted, and nothing else.
    """

    manifest: BundleManifest
    archive: bytes


def pack_bundle(
    card: HubCard,
    cases: bytes,
    mapping: str,
    report: Mapping[str, Any],
    key: SigningKey,
    *,
    delivery: int = 1,
    replaces: str = "",
    codes: str = "",
) -> Packed:
    """The signed archive of a bundle: equal bytes from equal input (RFC 8032 signs so).

    Args:
        card: of the hub that it is for.
        cases, mapping: see :class:`ctdhub.sensitive.bundle.leaving.WhatLeaves`.
        report: the contributor's own account: counts of its rows.
        key: the contributor's.
        delivery, replaces, codes: see :class:`BundleManifest`.
    """
    files = {DATA: cases, MAPPING: mapping.encode(), REPORT: canonical(dict(report))}
    manifest = BundleManifest(
        hub=card.hub,
        recipients=tuple(sorted(card.recipients)),
        contributor=card.contributor,
        delivery=delivery,
        replaces=replaces,
        schema_version=card.schema_version,
        codes=codes,
        files=tuple(BundledFile.of(name, files[name]) for name in sorted(files)),
        signer=key.public,
    )
    signed = manifest.message()
    head = {MANIFEST: signed, SIGNATURE: key.sign(signed).encode()}
    return Packed(manifest, pack(head | files))


def write_bundle(packed: Packed, out: Path) -> None:
    """Encrypt a packed bundle into a new file, for its owner alone.

    Raises:
        FileError: the file exists (rule "bundle-exists"), or a recipient is damaged.
        HubError: the extra is not installed (rule "needs-desk").
    """
    if out.exists():
        raise error("bundle-exists", file=out)
    with made_whole(out) as fresh:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            encrypt(io.BytesIO(packed.archive), file, packed.manifest.recipients)
            file.flush()
            os.fsync(file.fileno())
