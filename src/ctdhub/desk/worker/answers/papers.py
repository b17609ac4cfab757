"""Papers: a draft from settings and agreements, and the bytes of one that was signed."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from ctdhub.build.hub import Hub
from ctdhub.build.papers import paper_facts
from ctdhub.core.error_catalogue import error
from ctdhub.core.keys import age
from ctdhub.desk.worker.answers.page import today
from ctdhub.document.as_json import to_json
from ctdhub.report.papers.make import PAPERS, paper


def draft(hub: Hub, kind: str, contributor: str) -> dict[str, Any]:
    """A draft in the reader's language, and how many points a person must still decide.

    Args:
        kind: of :data:`ctdhub.report.papers.make.PAPERS`.
        contributor: whose agreement; "" for the other papers.

    Raises:
        DocumentError: the hub has no such contributor.
    """
    known = next((one for one in PAPERS if one == kind), None)
    if known is None:
        raise error("desk-ask", name="paper_draft")
    document, open_ = paper(known, paper_facts(hub), today(), contributor)
    return {"document": to_json(document), "given": {"open": len(open_)}}


def file(hub: Hub, key: str, whose: str) -> dict[str, Any]:
    """A signed paper, opened; it is on the disk in clear for as long as that takes.

    Args:
        key: of its row, 32 hexadecimal digits.
        whose: id of the organisation that the row must be of, "" for a paper of the hub.

    Raises:
        HubError: there is no such paper of theirs (rule "no-paper"), or it was changed.
    """
    from ctdhub.desk.config import current
    from ctdhub.desk.models.hub import Paper
    from ctdhub.desk.uploads.drawer import PaperDrawer
    from ctdhub.desk.worker.identities import PAPERS as IDENTITY
    from ctdhub.desk.worker.identities import identity_folder
    from ctdhub.desk.worker.retention import CLEAR

    desk = current()
    try:
        row = Paper.objects.filter(id=UUID(hex=key)).first()
    except ValueError:
        row = None
    if row is None or (row.organisation_id or "") != whose:
        raise error("no-paper")
    place = PaperDrawer(desk.inbox).place(row.id.hex)
    if not place.is_file():
        raise error("no-paper")
    folder = hub.work / "desk"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=CLEAR, dir=folder) as private:
        clear = Path(private) / "paper"
        with place.open("rb") as sealed:
            age.decrypt(sealed, clear, [identity_folder(desk.hub) / IDENTITY])
        content = clear.read_bytes()
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise error("no-paper/changed")
    return {"given": {"content": base64.b64encode(content).decode("ascii")}}
