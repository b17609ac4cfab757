"""Sending a file: rows and parts, how much may be sent, the page and the addresses of tus."""

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Sum
from django.http import HttpResponse, RawPostDataException
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import Text, _
from ctdhub.core.tables import endings
from ctdhub.desk.allowed import Who, allowed
from ctdhub.desk.config import DeskLimits, current
from ctdhub.desk.jobs import enqueue
from ctdhub.desk.models import Delivery, DeliveryPart, Organisation
from ctdhub.desk.registry import BOTH, page
from ctdhub.desk.trail import record
from ctdhub.desk.uploads import tus
from ctdhub.desk.uploads.inbox import BUNDLE, KINDS, Inbox, kind_of
from ctdhub.desk.uploads.tus import TusAnswer, TusUpload
from ctdhub.desk.walls import rows

# --------------------------------------------------------------------------------------------------
# How much an organisation may send: answers that depend on what it sent itself, and on no other.
#
# The room on the disk is kept for each organisation beforehand, so that no refusal tells how much
# others sent.


@dataclass(frozen=True)
class SentSoFar:
    """What an organisation sent.

    Attributes:
        open_uploads: begun, neither finished nor ended.
        open_bytes: that those still have to bring.
        day_bytes: of all deliveries of the last 24 hours, whatever became of them.
        room: bytes that the disk keeps for it; None where nothing is kept.
    """

    open_uploads: int = 0
    open_bytes: int = 0
    day_bytes: int = 0
    room: int | None = None


def refusal(size: int, sent: SentSoFar, limits: DeskLimits) -> tuple[int, HubError] | None:
    """Why a file cannot be taken now: a status of HTTP and what to say; None if it can.

    >>> refusal(10, SentSoFar(), DeskLimits())
    """
    if size > limits.file_bytes:
        return 413, error("upload-size", limit=_mib(limits.file_bytes))
    if sent.open_uploads >= limits.open_uploads:
        return 429, error("upload-open", limit=limits.open_uploads, hours=limits.hours_to_finish)
    if sent.day_bytes + size > limits.day_bytes:
        return 429, error("upload-day", limit=_mib(limits.day_bytes))
    if sent.room is not None and sent.open_bytes + size > sent.room:
        return 429, error("upload-room")
    return None


def _mib(size: int) -> int:
    return size // 2**20


# --------------------------------------------------------------------------------------------------
# Uploads as rows and parts: the store of the tus protocol, and of the plain form.

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[0-9a-f]{32}")


def begin(
    who: Who, organisation: str, kind: str, size: int, sha256: str = "", replaces: str = ""
) -> Delivery:
    """A delivery that is being received, if the organisation may send so much now.

    Args:
        organisation: whose file it is; a contributor's own.
        replaces: key of the returned delivery that this one corrects, or "".

    Raises:
        HubError: it may not (rules "upload-kind", "upload-size", "upload-open", "upload-day",
            "upload-room"); ``status_of`` gives that of HTTP.
    """
    with transaction.atomic():
        _one_at_a_time(organisation)
        theirs = Organisation.objects.filter(id=organisation, lost=False).first()
        known = kind_of(kind)
        before = _returned(replaces, organisation)
        if theirs is None or not allowed(who, "delivery.send", theirs):
            raise _refused(403, error("upload-whose"))
        if known is None or (sha256 and not _SHA256.fullmatch(sha256)):
            raise _refused(400, error("upload-kind", names=endings(f".{BUNDLE}")))
        if replaces and before is None:
            raise _refused(400, error("upload-replaces"))
        if fault := refusal(size, sent_so_far(organisation), current().file.limits):
            raise _refused(*fault)
        made: Delivery = Delivery.objects.create(
            organisation=theirs,
            account_id=UUID(who.account),
            kind=known,
            sha256=sha256,
            bytes=size,
            replaces=before,
        )
        return made


def add(who: Who, delivery: Delivery, offset: int, body: bytes) -> int | None:
    """Keep a part: encrypted and on the disk first, then its row; gives the new offset.

    The last part's row and the state "received" are one transaction: whoever resumes after a kill
    and hears that all bytes are there has nothing more to send.  None where the delivery has
    another offset by now, or is no longer being received.
    """
    inbox, key = Inbox(current().inbox), delivery.id.hex
    try:
        part = inbox.keep(key, offset, body)
    except OSError as met:
        if met.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _refused(507, error("upload-full")) from None
    try:
        with transaction.atomic():
            matches = Delivery.objects.select_for_update().filter(id=delivery.id, state="receiving")
            if matches.first() is None or offset_of(delivery) != offset:
                raise IntegrityError
            DeliveryPart.objects.create(
                delivery=delivery,
                organisation_id=delivery.organisation_id,
                offset=offset,
                bytes=len(body),
                sha256=part.sha256,
            )
            if offset + len(body) == delivery.bytes:
                finish(who, delivery)
    except IntegrityError:
        inbox.drop(key, part)
        return None
    inbox.use(str(delivery.organisation_id), len(body))
    return offset + len(body)


def finish(who: Who, delivery: Delivery) -> None:
    """All bytes are there: received, and to be checked by the worker."""
    with transaction.atomic():
        done = Delivery.objects.filter(id=delivery.id, state="receiving").update(
            state="received", changed=timezone.now()
        )
        if done and delivery.replaces_id:
            Delivery.objects.filter(
                id=delivery.replaces_id, state__in=("returned", "refused")
            ).update(state="replaced", changed=timezone.now())
            enqueue("destroy", "files", who, delivery.replaces)
        if done:
            enqueue("check", "files", who, delivery)
            record(who, "delivery.received", delivery)


def withdraw(delivery: Delivery) -> bool:
    """End a delivery that is not accepted; its bytes are destroyed.

    Returns:
        False where it is accepted, ended or replaced by now.
    """
    with transaction.atomic():
        ended = Delivery.objects.filter(
            id=delivery.id, state__in=("receiving", "received", "checked", "refused", "returned")
        ).update(state="withdrawn", changed=timezone.now())
        if ended:
            DeliveryPart.objects.filter(delivery=delivery).delete()
            key = delivery.id.hex
            transaction.on_commit(lambda: Inbox(current().inbox).destroy(key))
    return bool(ended)


def offset_of(delivery: Delivery) -> int:
    """Bytes of a delivery that are kept."""
    return int(DeliveryPart.objects.filter(delivery=delivery).aggregate(n=Sum("bytes"))["n"] or 0)


def expires(delivery: Delivery) -> Any:
    """When an upload that is not finished is deleted."""
    return delivery.created + timedelta(hours=current().file.limits.hours_to_finish)


def sent_so_far(organisation: str) -> SentSoFar:
    """What an organisation sent, from its own rows alone."""
    own, now = Delivery.objects.filter(organisation=organisation), timezone.now()
    since = now - timedelta(hours=current().file.limits.hours_to_finish)
    opened = own.filter(state="receiving", created__gt=since)
    open_ = opened.aggregate(n=Count("id"), bytes=Sum("bytes"))
    brought = DeliveryPart.objects.filter(delivery__in=opened).aggregate(n=Sum("bytes"))["n"] or 0
    day = own.filter(created__gt=now - timedelta(days=1), account__isnull=False)
    return SentSoFar(
        open_uploads=open_["n"],
        open_bytes=(open_["bytes"] or 0) - brought,
        day_bytes=day.aggregate(n=Sum("bytes"))["n"] or 0,
        room=Inbox(current().inbox).room(organisation),
    )


class DeliveryStore:
    """The store of the tus protocol for one account.

    Args:
        who: whoever asks.
        delivery: the upload that the address is about, which they may see; None to begin one.
    """

    def __init__(self, who: Who, delivery: Delivery | None = None) -> None:
        self.who, self.delivery = who, delivery

    def create(self, length: int, metadata: Mapping[str, str]) -> tuple[str, TusUpload]:
        """A new upload; of its file's name the ending is kept."""
        organisation = self.who.organisation or metadata.get("organisation", "")
        kind = metadata.get("kind") or metadata.get("filename", "")
        fixed = {key: metadata.get(key, "") for key in ("sha256", "replaces")}
        made = begin(self.who, organisation, kind, length, **fixed)
        record(self.who, "delivery.begun", made)
        if not length:
            finish(self.who, made)
        return reverse("upload", kwargs={"id": made.id}), self._upload(made)

    def find(self, key: str) -> TusUpload | None:
        """The upload of the address, unless its time is over."""
        delivery = self.delivery
        if delivery is None or delivery.state == "withdrawn":
            return None
        if delivery.state == "receiving" and expires(delivery) <= timezone.now():
            return None
        return self._upload(delivery)

    def append(self, key: str, offset: int, body: bytes) -> int | None:
        """Keep a part; the last one hands the file to the worker."""
        assert self.delivery is not None
        return add(self.who, self.delivery, offset, body)

    def end(self, key: str) -> bool:
        """Delete an upload that is not finished."""
        assert self.delivery is not None
        return self.delivery.state == "receiving" and withdraw(self.delivery)

    @staticmethod
    def _upload(delivery: Delivery) -> TusUpload:
        receiving = delivery.state == "receiving"
        kept = {"kind": delivery.kind} | ({"sha256": delivery.sha256} if delivery.sha256 else {})
        return TusUpload(
            offset_of(delivery) if receiving else delivery.bytes,
            delivery.bytes,
            expires(delivery) if receiving else None,
            kept,
        )


def status_of(met: HubError) -> int:
    """The status of HTTP that goes with a refusal of :func:`begin`."""
    return int(getattr(met, "status", 400))


def _refused(status: int, met: HubError) -> HubError:
    met.status = status  # type: ignore[attr-defined]
    return met


def _returned(key: str, organisation: str) -> Delivery | None:
    if not _KEY.fullmatch(key):
        return None
    own = Delivery.objects.filter(id=UUID(key), organisation=organisation)
    delivery: Delivery | None = own.filter(state__in=("returned", "refused")).first()
    return delivery


def _one_at_a_time(organisation: str) -> None:
    """Let two requests of one organisation count one after the other; SQLite has one writer."""
    if connection.vendor == "postgresql":
        rows("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", f"desk:{organisation}")


PART_BYTES = 2**20
FORM_BYTES = 7 * 2**20
"""What the plain form takes: it is held in memory, and never on a disk as it is."""


def send(request: Any) -> HttpResponse:
    """The page to send a file from; with POST the plain form."""
    problem: HubError | None = None
    missing = False
    if request.method == "POST":
        file = request.FILES.get("file")
        missing = file is None
        if file is not None:
            try:
                made = _taken(request, file)
                return redirect("delivery", id=made.id)
            except HubError as met:
                problem = met
    replaces = request.POST.get("replaces") or request.GET.get("replaces", "")
    values = {
        "title": Text("Send a correction") if replaces else Text("Send a file"),
        "organisations": []
        if request.who.organisation
        else list(Organisation.objects.filter(lost=False).order_by("name")),
        "replaces": replaces if len(replaces) == 32 and replaces.isalnum() else "",
        "endings": ",".join(f".{kind}" for kind in KINDS),
        "part_bytes": PART_BYTES,
        "form_mib": FORM_BYTES // 2**20,
        "limits": current().file.limits,
        "file_mib": current().file.limits.file_bytes // 2**20,
        "sent": sent_so_far(request.who.organisation) if request.who.organisation else None,
        "problem": problem,
        "problems": [("file", problem.what if problem else _("Choose a file."))]
        if problem or missing
        else [],
    }
    status = status_of(problem) if problem else 422 if missing else 200
    return render(request, "desk/send.html", values, status=status)


def uploads(request: Any) -> HttpResponse:
    """Where an upload is begun."""
    return _answer(request, DeliveryStore(request.who), "")


def upload(request: Any, thing: Delivery) -> HttpResponse:
    """An upload: how far it is, its next part, its end."""
    return _answer(request, DeliveryStore(request.who, thing), thing.id.hex)


def _answer(request: Any, store: DeliveryStore, key: str) -> HttpResponse:
    longest = current().file.limits.file_bytes
    try:
        size = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        size = 0
    if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return _as_http(tus.reply(413))
    try:
        body = request.body if request.method in ("PATCH", "POST") and key else b""
    except RawPostDataException:  # a form, which was read as one
        return _as_http(tus.reply(415))
    headers = dict(request.headers)
    if request.method != "POST":  # no token was asked for what only reads
        headers.pop("X-Http-Method-Override", None)
    try:
        return _as_http(tus.answer(request.method, headers, body, key, store, longest))
    except HubError as met:
        status = 503 if met.rule == "inbox-closed" else status_of(met)
        return _as_http(tus.reply(status), f"{met.what} {met.fix}")


def _as_http(answer: TusAnswer, why: str = "") -> HttpResponse:
    """The answer with its headers; a refusal says why, in the reader's language."""
    kind = "text/plain; charset=utf-8"
    return HttpResponse(why, status=answer.status, content_type=kind, headers=answer.headers)


def _taken(request: Any, file: Any) -> Delivery:
    """A file of the plain form, part by part as an upload would bring it."""
    organisation = request.who.organisation or request.POST.get("organisation", "")
    made = begin(
        request.who, organisation, str(file.name), file.size, "", request.POST.get("replaces", "")
    )
    record(request.who, "delivery.begun", made)
    offset = 0
    for part in file.chunks(PART_BYTES):
        moved = add(request.who, made, offset, part)
        if moved is None:
            raise RuntimeError("nobody else knows this delivery yet")
        offset = moved
    if not offset:
        finish(request.who, made)
    return made


_TUS = ("OPTIONS", "HEAD", "PATCH", "POST", "DELETE")

PAGES = [
    page("deliveries/send/", send, "delivery.send", BOTH, recorded=False, atomic=False),
    page("deliveries/uploads/", uploads, "delivery.send", ("OPTIONS", "POST"), recorded=False),
    page(
        "deliveries/<Delivery>/upload/",
        upload,
        "delivery.upload",
        _TUS,
        recorded=False,
        atomic=False,
    ),
]
