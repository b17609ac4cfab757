"""Sending files to a desk in tests, as a browser does."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from tests.desk.desks import OURS, Desk

TUS = {"Tus-Resumable": "1.0.0"}
PART = "application/offset+octet-stream"


def practice_file(desk: Desk, organisation: str = OURS) -> Path:
    """A file that the practice hub has of an organisation."""
    return sorted((desk.hub / "contributions" / organisation).glob("*/*"))[0]


def metadata(**values: str) -> str:
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in values.items())


def begun(client: Any, content: bytes, kind: str = "xlsx", **more: str) -> Any:
    """The answer to the first request of an upload."""
    told = {"kind": kind, "sha256": hashlib.sha256(content).hexdigest()} | more
    return client.post(
        "/deliveries/uploads/",
        headers=TUS | {"Upload-Length": str(len(content)), "Upload-Metadata": metadata(**told)},
    )


def part(client: Any, address: str, offset: int, body: bytes) -> Any:
    return client.patch(
        address, body, content_type=PART, headers=TUS | {"Upload-Offset": str(offset)}
    )


def sent(client: Any, content: bytes, kind: str = "xlsx", size: int = 2**20, **more: str) -> str:
    """Send a file by the protocol; gives the key of its delivery."""
    answer = begun(client, content, kind, **more)
    assert answer.status_code == 201, answer.content
    address = answer["Location"]
    for offset in range(0, len(content), size):
        answer = part(client, address, offset, content[offset : offset + size])
        assert answer.status_code == 204, (answer.status_code, answer.content)
    return str(address.split("/")[2])


def rows(name: str) -> Any:
    """The rows of a table."""
    from django.apps import apps

    return apps.get_model("desk", name).objects


def rounds() -> list[str]:
    """The rounds of a worker, once."""
    from ctdhub.desk.worker.serve import make_rounds

    return make_rounds()


def work() -> list[str]:
    """Do what waits, as a child of the worker would; gives what each job ended with."""
    from ctdhub.desk.worker.child import do

    done = []
    while job := rows("Job").filter(state="waiting").order_by("created").first():
        rows("Job").filter(id=job.id).update(state="running", attempts=1)
        do(job)
        job.refresh_from_db()
        done.append(f"{job.what} {job.state}")
        if job.state == "waiting":
            break
    return done


def without_tokens(page: bytes) -> bytes:
    """A page without tokens of forms and keys of addresses, which differ between two answers."""
    return re.sub(rb"[A-Za-z0-9]{64}|\b[0-9a-f]{32}\b", b"", page)
