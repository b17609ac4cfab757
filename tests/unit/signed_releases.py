"""Releases that two people of a hub sign, with keys of any kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from invented_release import protected_answer
from soft_passkeys import SoftPasskey

from ctdhub.core.keys.signing import SigningKey
from ctdhub.release.approvals import (
    ROLES,
    Approval,
    Approvals,
    Approvers,
    LedgerHead,
    Mark,
    Role,
    Statement,
)
from ctdhub.release.bundle import write_release
from ctdhub.release.errata import Erratum, Notice, NoticeStatement, Signed, as_data, as_markdown
from ctdhub.release.open import digest, examine

Signer = Callable[[bytes], Mark]
DATE = "2026-11-27T00:00:00Z"


def signer(key: SigningKey | SoftPasskey) -> Signer:
    if isinstance(key, SoftPasskey):
        return key.sign
    return lambda message: Mark.of(message, key)


class Hub:
    """Two people and the releases that they sign."""

    def __init__(self, folder: Path, *keys: SigningKey | SoftPasskey, **rules: Any) -> None:
        self.folder, self.signers = folder, dict(zip(ROLES, map(signer, keys), strict=True))
        public = dict(zip(ROLES, (key.public for key in keys), strict=True))
        defaults = {"former": (), "devices": "any", "rs256": False}
        self.approvers = Approvers.model_construct(**public, **defaults | rules)

    def release(self, version: str = "2026.1", **more: Any) -> Path:
        """A release with both approvals."""
        answer = protected_answer(facts={"hub": "Invented hub", "invented": True})
        self.folder.mkdir(parents=True, exist_ok=True)
        write_release(answer, self.folder, version, "Invented.")
        self.approve(self.folder / version, **more)
        return self.folder / version

    def approve(self, folder: Path, **more: Any) -> None:
        manifest, _faults = examine(folder)
        assert manifest is not None
        given = Approvals()
        for role in ROLES:
            about = Statement.about(
                manifest, digest(folder), role, LedgerHead(hash="1" * 64), DATE, changes="c" * 64
            )
            told = {"approvers": self.approvers} | more | more.get(role, {})
            about = about.model_copy(update={k: v for k, v in told.items() if k not in ROLES})
            given = given.having(Approval(statement=about, **self.mark(role, about.message())))
        (folder / "APPROVALS.json").unlink(missing_ok=True)
        given.write(folder)

    def mark(self, role: Role, message: bytes) -> dict[str, Any]:
        return self.signers[role](message).model_dump()

    def notices(self, folder: Path, *sorts: str, **more: Any) -> None:
        """Notices as copies of a release have them."""
        errata = []
        for number, sort in enumerate(sorts, 1):
            notice = Notice(
                hub="Invented hub", version=folder.name, digest=digest(folder), number=number,
                sort=sort, date="2026-11-28", note={"en": "Ages are wrong.", "ar": "خطأ."},
                practice=True,
            ).model_copy(update=more)  # fmt: skip
            made = Erratum(notice=notice)
            signed = []
            for role in ROLES:
                about: NoticeStatement = made.statement(role, DATE)
                signed.append(Signed(statement=about, **self.mark(role, about.message())))
            errata.append(Erratum(notice=notice, signatures=tuple(signed)))
        (folder / "ERRATA.json").write_text(as_data(folder.name, errata), "utf-8")
        (folder / "ERRATA.md").write_text(as_markdown(folder.name, errata), "utf-8")
