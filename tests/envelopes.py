"""Signed statements as a reader of the documentation opens and closes them, without ctdhub."""

from __future__ import annotations

import base64
import json
from typing import Any


def statement(envelope: dict[str, Any]) -> dict[str, Any]:
    """What an envelope holds."""
    found: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return found


def put(envelope: dict[str, Any], content: object, **spelling: Any) -> None:
    """Put other content into an envelope, in the one spelling that is signed, or in another."""
    spelt = {"sort_keys": True, "separators": (",", ":")} | spelling
    envelope["payload"] = base64.b64encode(json.dumps(content, **spelt).encode()).decode()


def signed_bytes(envelope: dict[str, Any]) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    return b" ".join(
        [b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload]
    )
