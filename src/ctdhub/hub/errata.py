"""Write and sign notices about a published version; a practice hub signs its own.

A notice lies in ``errata/<version>/<n>.json`` from the first moment and is in force with its second
signature: each signature replaces the file whole, so a crash leaves it with one or with both.
"""

import shutil
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ctdhub.core.errors import error, printable
from ctdhub.core.files import made_whole
from ctdhub.core.i18n import Several
from ctdhub.core.keys.signing import SigningKey, read_key
from ctdhub.hub.approvers import approvers, refuse_unsigned
from ctdhub.hub.folder import Hub, noted, timestamp
from ctdhub.hub.stages.publish import may_approve_itself
from ctdhub.release import errata
from ctdhub.release.approvals import ROLE_NAMES, ROLES, Mark, Role
from ctdhub.release.bundle import versions
from ctdhub.release.manifest import MANIFEST
from ctdhub.release.open import Release, digest, open_release, verify


def published(hub: Hub, version: str) -> Release:
    """The release that a notice is to be about.

    Raises:
        ReleaseError: the hub has not published it, it was damaged, or a notice about it is false.
    """
    known, waits = versions(hub.releases), hub.candidates.glob(f"*/{MANIFEST}")
    if version not in known and version in {manifest.parent.name for manifest in waits}:
        names, shown = Several(known), printable(version)
        raise error("no-release/correct-candidate", file=hub.candidates, version=shown, names=names)
    return open_release(_folder(hub, version), hub.settings.approvers)


def _folder(hub: Hub, version: str) -> Path:
    """The folder of a published version; raises as :func:`reissue` where it is none."""
    known = versions(hub.releases)
    if version not in known:
        names, shown = Several(known), printable(version)
        raise error("no-release/reissue", file=hub.releases, version=shown, names=names)
    return hub.releases / version


def notices_of(hub: Hub, version: str) -> errata.Errata:
    """The notices about a published version, in force or waiting."""
    folder = hub.releases / version
    return errata.errata_of(folder, digest(folder), hub.settings.approvers)


def draft(
    hub: Hub,
    version: str,
    note: Mapping[str, str],
    *,
    withdraw: bool = False,
    concerns: Collection[str] = (),
    charts: Collection[str] = (),
) -> errata.Erratum:
    """A notice about a published version, not written yet.

    Args:
        note: what readers must know, by language.
        withdraw: whether the numbers must not be used any more.
        concerns: names of columns, of measured tables or of charts.
        charts: names of the charts that the site has of this version.

    Raises:
        ReleaseError: no such version is published, the note is empty or too long, something of
            that name is not part of the release, the same was said before or the version was
            withdrawn before, or a notice about it waits.
    """
    release = published(hub, version)
    plain = {code: errata.cleaned(text) for code, text in note.items()}
    if not plain or not all(0 < len(text) <= errata.LONGEST_NOTE for text in plain.values()):
        raise error("erratum-note", most=errata.LONGEST_NOTE)
    sigma = release.protected.guarantee.sigma
    columns = {name for key in sigma for name in key.split("*")}
    keys = {frozenset(key.split("*")): key for key in sigma if key}
    about = tuple(dict.fromkeys(keys.get(frozenset(name.split("*")), name) for name in concerns))
    for name in about:
        if name not in {*columns, *keys.values(), *charts} or not name:
            raise error("erratum-concerns", version=version, name=printable(name))
    before = notices_of(hub, version)
    sort: errata.Sort = "withdrawn" if withdraw else "correction"
    _refuse_waiting(hub, version, before)
    for old in (erratum.notice for erratum in before.notices):
        if (old.sort, old.note, set(old.concerns)) == (sort, plain, set(about)):
            raise error("erratum-said", version=version, n=old.number)
    if withdraw and errata.status(before.notices) == "withdrawn":
        raise error("erratum-withdrawn", version=version)
    return errata.Erratum(
        notice=errata.Notice(
            hub=release.facts.hub,
            version=version,
            digest=digest(release.path),
            number=before.next_number,
            sort=sort,
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            note=plain,
            concerns=about,
            practice=release.facts.invented,
        )
    )


def waiting(hub: Hub, version: str) -> errata.Erratum:
    """The notice about a published version that lacks a signature.

    Raises:
        ReleaseError: there is none, or no such version is published.
    """
    published(hub, version)
    erratum = notices_of(hub, version).waiting
    if erratum is None:
        raise error("erratum-none", file=hub.root / errata.ERRATA, version=version)
    return erratum


def begin(hub: Hub, erratum: errata.Erratum) -> errata.Erratum:
    """Write a drafted notice; a practice hub signs it in both roles.

    Raises:
        ReleaseError: another notice was written meanwhile.
        PolicyError: hub.yaml names nobody who could sign.
    """
    notice = erratum.notice
    line = noted(hub, "correct", version=notice.version, number=notice.number, sort=notice.sort)
    with hub.lock(), line:
        refuse_unsigned(hub)
        before = notices_of(hub, notice.version)
        _refuse_waiting(hub, notice.version, before)
        if before.next_number != notice.number:
            raise error("erratum-signer", file=hub.root / errata.ERRATA)
        if may_approve_itself(hub):
            for role in ROLES:
                erratum = erratum.signed(role, timestamp(), read_key(hub.practice_key(role)))
        erratum.write(hub.root)
    return erratum


def sign(hub: Hub, seen: errata.Erratum, role: Role, key: SigningKey) -> errata.Erratum:
    """Sign a notice that waits; with the second signature it is in force.

    Args:
        seen: the notice as it was shown to whoever signs.

    Raises:
        ReleaseError: the key is not the role's in hub.yaml, the role has signed, or the notice is
            not what was shown.
        PolicyError: hub.yaml names no approvers.
    """
    statement = seen.statement(role, timestamp())
    mark = Mark.of(statement.message(), key)
    return accept(hub, errata.Signed(statement=statement, **mark.model_dump()))


def to_sign(hub: Hub, version: str, role: Role) -> errata.NoticeStatement:
    """What a role would sign now of the notice that waits.

    Raises:
        ReleaseError: as :func:`waiting`; or the role has signed it.
    """
    now = waiting(hub, version)
    if role not in now.missing:
        raise error("erratum-signer", file=hub.root / errata.ERRATA)
    return now.statement(role, timestamp())


def accept(hub: Hub, signed: errata.Signed) -> errata.Erratum:
    """Write a signature under the notice that waits; raises as :func:`sign`."""
    said, keys = signed.statement, approvers(hub)
    role, version, message = said.role, said.version, said.message()
    if signed.key not in keys.keys(role):
        raise error("approver-key", file="hub.yaml", role=ROLE_NAMES[role])
    if (fault := signed.fault(message, keys.rules(said.practice), role)) is not None:
        raise error("approval/refused", file=role, fault=fault)
    refuse_unsigned(hub)
    with hub.lock(), noted(hub, "approve", version=version, role=role, correction=said.number):
        now = waiting(hub, version)
        if role not in now.missing or now.statement(role, said.signed) != said:
            raise error("erratum-signer", file=hub.root / errata.ERRATA)
        made = errata.Erratum(notice=now.notice, signatures=(*now.signatures, signed))
        made.write(hub.root)
    return made


def _refuse_waiting(hub: Hub, version: str, before: errata.Errata) -> None:
    if before.waiting is not None:
        number = before.waiting.notice.number
        file = hub.root / errata.ERRATA / version / f"{number}.json"
        raise error("erratum-waits", file=file, version=version, n=number)


# --------------------------------------------------------------------------------------------------
# A published version is handed on again: the same files, byte for byte.
#
# Nothing is drawn and nothing is charged, and no case data are opened: whether a version is handed
# on again is decided without a look at what was received since, so that nobody can conclude from it
# whether anything changed.  A new version is another thing: it is always drawn anew.


def reissue(hub: Hub, version: str, out: Path) -> int:
    """Copy the files of a release, approvals among them, to a folder; they can be read only.

    Notices about the release are written next to them.

    Args:
        hub: of whose folder only ``hub.yaml``, ``releases/`` and ``errata/`` are read.
        version: of the release.
        out: a folder that is not there yet, or an empty one; it is there whole or not at all.

    Returns:
        The number of files.

    Raises:
        ReleaseError: there is no such release, or it was damaged or tampered with.
        HubFolderError: ``out`` is there and not empty.
    """
    release = _folder(hub, version)
    problems = verify(release, hub.settings.approvers)
    if problems:
        kind, text, part, n = problems[0].kind, problems[0].text, problems[0].file, len(problems)
        raise error(
            "release-damaged", file=release, version=version, rule=kind, first=text, part=part, n=n
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise error("new-folder", file=out)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        out.rmdir()
    with made_whole(out.absolute()) as fresh:
        shutil.copytree(release, fresh)
        fresh.chmod(0o755)
        notices = errata.errata_of(release, digest(release), hub.settings.approvers).notices
        if notices:
            (fresh / errata.ERRATA_JSON).write_text(errata.as_data(version, notices), "utf-8")
            (fresh / errata.ERRATA_MD).write_text(errata.as_markdown(version, notices), "utf-8")
    return sum(1 for _ in out.iterdir())
