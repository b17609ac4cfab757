"""Open a bundle: decrypt it, and refuse by name whatever is not exactly what a contributor signed.

Nothing of a bundle gets a name of its own before every check has passed.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.keys.age import decrypt
from ctdhub.core.keys.signing import is_signed
from ctdhub.sensitive.bundle.archive import unpack
from ctdhub.sensitive.bundle.manifest import (
    DATA,
    MANIFEST,
    MAPPING,
    REPORT,
    SIGNATURE,
    BundledFile,
    BundleManifest,
)

MOST_BYTES = 2**29
"""Size of a bundle that is opened, encrypted or not."""


@dataclass(frozen=True)
class OpenedBundle:
    """What a contributor signed, in memory.  Sensitive.

    Attributes:
        manifest: what it signed.
        cases: the file of cases, CSV in UTF-8.
        mapping: YAML that reads it.
        report: JSON of the contributor's own account.
    """

    manifest: BundleManifest
    cases: bytes
    mapping: bytes
    report: bytes


def open_bundle(path: Path, identities: Sequence[Path], private: Path) -> OpenedBundle:
    """Decrypt a bundle and check all that needs no knowledge of the hub.

    Args:
        identities: files of the hub's age identities.
        private: a folder on a disk where case data may be, in which the archive is for a moment.

    Raises:
        FileError: it is damaged, cut, for other identities (rule "age-unreadable"), too large, no
            bundle (rule "bundle-form"), or not what was signed (rule "bundle-signature").
    """
    if path.stat().st_size > MOST_BYTES:
        raise _too_large(path)
    with tempfile.TemporaryDirectory(dir=private, prefix=".opening-") as folder:
        archive = Path(folder) / "archive"
        with path.open("rb") as sealed:
            decrypt(sealed, archive, identities)
        if archive.stat().st_size > MOST_BYTES:
            raise _too_large(path)
        content = archive.read_bytes()
    return parse_bundle(content, path.name)


def parse_bundle(content: bytes, file: str = "") -> OpenedBundle:
    """The bundle in a decrypted archive; raises as :func:`open_bundle`."""
    files = unpack(content, file)
    try:
        manifest = BundleManifest.model_validate_json(files[MANIFEST])
    except (ValidationError, RecursionError):
        raise error("bundle-form", file=file) from None
    if manifest.message() != files[MANIFEST]:  # another spelling than the one that is signed
        raise error("bundle-form", file=file)
    signature = files[SIGNATURE].decode("ascii", "replace")
    if not is_signed(manifest.message(), signature, manifest.signer):
        raise error("bundle-signature", file=file)
    inside = (DATA, MAPPING, REPORT)
    if manifest.files != tuple(BundledFile.of(name, files[name]) for name in sorted(inside)):
        raise error("bundle-signature", file=file)
    return OpenedBundle(manifest, *(files[name] for name in inside))


def check_bundle(
    bundle: OpenedBundle,
    hub: str,
    recipients: Collection[str],
    senders: Collection[str],
    file: str = "",
) -> None:
    """Check that a bundle is for this hub, and from the contributor that it names.

    Args:
        hub: name of the hub.
        recipients: those on the hub's cards; of each other recipient somebody else holds the key.
        senders: public keys that the agreement with ``bundle.manifest.contributor`` names.

    Raises:
        FileError: it is for others too (rule "bundle-other-hub"), or signed with another key (rule
            "bundle-signer").
    """
    made = bundle.manifest
    if made.hub != hub or not set(made.recipients) <= set(recipients):
        raise error("bundle-other-hub", file=file)
    if made.signer not in senders:
        raise error(
            "bundle-signer",
            file=file,
            id=made.contributor,
            key=made.signer,
            fingerprint=key_print(made.signer),
        )


def key_print(public: str) -> str:
    """Fingerprint of a public key: 8 times 4 hexadecimal digits of SHA-256.

    >>> key_print("ed25519:AAAA")[:9]
    '6590 2467'
    """
    code = hashlib.sha256(b"ctdhub key\0" + public.encode()).hexdigest()[:32]
    return " ".join(code[i : i + 4] for i in range(0, 32, 4))


def _too_large(path: Path) -> HubError:
    return error("bundle-size", file=path, limit=MOST_BYTES // 2**20)
