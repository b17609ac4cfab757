"""Approval: what is approved, on whose keys; day, holds, publication; what the signing page sends.

Nothing is signed here: a link leads to the signing page, an address of its own.
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, RawPostDataException
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ValidationError

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Text, _
from ctdhub.core.i18n import current as language
from ctdhub.desk.allowed import PRIVACY_OFFICER, STEWARD, Who, allowed
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.config import current as desk
from ctdhub.desk.jobs import enqueue
from ctdhub.desk.middleware import POLICY
from ctdhub.desk.models import ApprovalDevice, SigningTicket, withdrawals_asked
from ctdhub.desk.registry import BOTH, POST, page
from ctdhub.desk.rendering import show_page
from ctdhub.desk.trail import record
from ctdhub.desk.views.hub_page import VERSION, begun, hexadecimal, hub_page
from ctdhub.desk.views.operation import jobs_of
from ctdhub.desk.walls import set_scope, set_token
from ctdhub.document.document import from_json
from ctdhub.release import approvals as signing
from ctdhub.release.changes import tells_of_withdrawals
from ctdhub.release.errata import LONGEST_NOTE, NoticeStatement, Signed, cleaned
from ctdhub.release.passkey import DeviceRules, Passkey

# --------------------------------------------------------------------------------------------------
# What goes to the signing page and what comes back from it, checked before it becomes a job.
#
# The web process checks signatures itself, since that needs no case data; the worker checks again.

GOOD_FOR = timedelta(minutes=10)
"""How long a device may take to be made; a statement has less, see ``release.approvals.FRESH``."""
LONGEST_ARRIVAL = 20_000
"""Bytes of what comes from the signing page."""


def _ticket(account: Any, role: signing.Role, what: str, version: str, statement: str) -> str:
    token = secrets.token_urlsafe(32)
    SigningTicket.objects.filter(account=account, until__lt=timezone.now()).delete()
    SigningTicket.objects.create(
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        account=account,
        role=role,
        what=what,
        version=version,
        statement=statement,
        until=timezone.now() + GOOD_FOR,
    )
    return token


def taken(token: str) -> tuple[SigningTicket, Who]:
    """The ticket of a token, used from now on, and who it was given to, as they are now.

    The database then shows what this account may see.

    Raises:
        ReleaseError: there is none, it was used, or it is too old; or its account is closed or
            does not hold the role any more.
    """
    digest = hashlib.sha256(token.encode()).hexdigest()
    set_token(digest)
    tickets = SigningTicket.objects.filter(token_sha256=digest)
    now = timezone.now()
    if not tickets.filter(used=None, until__gte=now).update(used=now):
        raise error("approval/ticket")
    ticket: SigningTicket = tickets.select_related("account").get()
    set_scope(Who(account=ticket.account_id.hex))
    who = ticket.account.who()
    set_scope(who)
    if not ticket.account.is_active or ticket.role not in who.roles:
        raise error("approval/role")
    return ticket, who


_SIGNED: dict[str, tuple[Any, Any, str, str]] = {
    "release": (signing.Statement, signing.Approval, "statement", "approvers"),
    "keys": (signing.KeyChange, signing.SignedChange, "change", "was"),
    "lift": (signing.Lift, signing.SignedLift, "lift", "approvers"),
    "notice": (NoticeStatement, Signed, "statement", ""),
}
"""By what a ticket is for: what is signed and what is made of it; where the one is in the other,
and where the keys are that count for it; a notice names none: own devices, and the worker looks."""


def signed(ticket: SigningTicket, fields: dict[str, Any], now: datetime) -> BaseModel:
    """An approval, a change of approvers, or what takes a hold back: signed, and checked.

    Args:
        fields: ``signature``, ``authenticator_data``, ``client_data``.

    Raises:
        ReleaseError: it does not hold for any key of the role, or is too old.
    """
    statement, whole, name, keys = _SIGNED[ticket.what]
    content = statement.model_validate_json(ticket.statement)
    signing.refuse_late(getattr(content, "signed", "") or content.date, now)
    if keys:
        signers = getattr(content, keys)
        mine, rules = signers.keys(ticket.role), signers.rules(content.practice)
    else:
        own = ApprovalDevice.objects.filter(account=ticket.account, role=ticket.role)
        mine = own.values_list("key", flat=True)
        rules = DeviceRules(rs256=True, practice=content.practice)
    mark = _mark(fields, content.message(), mine, rules, ticket.role)
    made: BaseModel = whole(**{name: content}, **mark.model_dump())
    return made


def _mark(
    fields: dict[str, Any], message: bytes, keys: Iterable[str], rules: DeviceRules, role: Any
) -> signing.Mark:
    fault = None
    parts: dict[str, Any] = {
        name: fields.get(name) for name in ("signature", "authenticator_data", "client_data")
    }
    for key in keys:
        try:
            mark = signing.Mark(key=key, **parts)
        except ValidationError:
            break
        if (met := mark.fault(message, rules, role)) is None:
            return mark
        fault = fault if key.startswith("ed25519:") else met
    if fault is None:
        raise error("approval/ticket")
    raise error("approval/refused", file=role, fault=fault)


def enrolled(ticket: SigningTicket, fields: dict[str, Any]) -> ApprovalDevice:
    """Write down a passkey that was made on the signing page; it counts nowhere yet.

    Raises:
        ReleaseError: it is none of an accepted kind for this host.
    """
    key, credential = str(fields.get("key", "")), str(fields.get("id", ""))
    passkey = Passkey.read(key)
    if passkey is None or passkey.host != desk().sign_host or not 0 < len(credential) <= 1400:
        raise error("approval/ticket")
    device: ApprovalDevice = ApprovalDevice.objects.create(
        account=ticket.account,
        role=ticket.role,
        key=key,
        credential=credential,
        copies=fields.get("copies") is True,
    )
    return device


# --------------------------------------------------------------------------------------------------
# Candidates, what can be done with one, and on whose keys.

_ABOVE = [(Text("Approvals"), "approvals")]


def approvals(request: HttpRequest) -> HttpResponse:
    """Candidates that wait."""
    return hub_page(request, "candidates", "desk/approvals.html")


def approval(request: Any, version: str) -> HttpResponse:
    """One candidate: everything that one looks at before approving, and what can be done."""
    return _page(request, _version(version))


def cards(request: Any, version: str) -> HttpResponse:
    """A page as readers will see it, beside that of the last release, and the way to the others."""
    facts = _card(request, version)
    names = [name for name, _title in facts["titles"]]
    later = names[names.index(facts["path"]) + 1 :] if names else []
    values = {"version": version, "given": facts, "next": later[0] if later else ""}
    title = Text("What readers will see in {version}", version=version)
    answer = show_page(request, "desk/cards.html", title, **values)
    answer["Content-Security-Policy"] = f"{POLICY}; frame-src 'self'"
    return answer


_STILL = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
"""Content-Security-Policy of a page that is not public yet: nothing of it runs, and of the styles
that it holds its own policy lets one through, by its hash."""


def card(request: Any, version: str) -> HttpResponse:
    """That page itself, for the frame."""
    answer = HttpResponse(_card(request, version)["html"])
    answer["Content-Security-Policy"], answer["X-Frame-Options"] = _STILL, "SAMEORIGIN"
    return answer


def _card(request: Any, version: str) -> dict[str, Any]:
    path = str(request.GET.get("card", ""))[:200]
    answer = ask_hub(request.who, "card", version=_version(version), path=path)
    return dict(answer["given"])


def waiting(who: Who) -> list[tuple[str, str, int | None]]:
    """For the home page: passkeys whose digits this role has to hear, candidates to approve."""
    tasks: list[tuple[str, str, int | None]] = []
    devices = ApprovalDevice.of_approvers() if allowed(who, "approver.hear") else ()
    unheard = [one.key for one, roles in devices if roles & who.roles]
    try:
        if unheard and set(unheard) - set(ask_hub(who, "approvers")["given"]["named"]):
            tasks = [(_("Write down the digits of a passkey"), reverse("approvers"), None)]
        if not allowed(who, "approval.give"):
            return tasks
        given = ask_hub(who, "candidates")["given"]
    except HubError:
        return tasks  # the page of the approvals says what is wrong
    kinds = (
        ("candidates", _("Approve {version}"), "approval"),
        ("notices", _("Sign the notice about {version}"), "notice"),
    )
    return tasks + [
        (label.format(version=one["version"]), reverse(name, args=[one["version"]]), None)
        for kind, label, name in kinds
        for one in given[kind]
        if who.roles.intersection(one["missing"])
    ]


def _page(request: Any, version: str, errors: list[tuple[str, str]] | None = None) -> HttpResponse:
    changes = ask_hub(request.who, "changes", version=version)
    values = {
        "version": version,
        "changes": from_json(changes["document"]),
        "asked": withdrawals_asked().count(),
        "jobs": jobs_of(request, version),
        "role": _role_or_none(request),
        "errors": errors or [],
        "typed": request.POST,
        "longest": signing.LONGEST_REASON,
    }
    answer = hub_page(request, "candidate", "desk/approval.html", _ABOVE, values, version=version)
    if errors:
        answer.status_code = 422
    return answer


def sign(request: Any, version: str) -> HttpResponse:
    """Make the statement and lead to the signing page."""
    version, role = _version(version), _role(request)
    if not request.POST.get("looked"):
        text = _("Look at the numbers and texts first, then say so.")
        return _page(request, version, [("looked", text)])
    day = request.POST.get("not_before", "")
    try:
        answer = ask_hub(request.who, "statement", version=version, role=role, not_before=day)
    except HubError as met:
        if met.rule == "not-before":
            text = _("Write the day as year, month and day, such as 2026-07-01.")
            return _page(request, version, [("not_before", text)])
        raise
    return _to_sign(request, "release", answer["given"], version)


def hold(request: Any, version: str) -> HttpResponse:
    """Hold a candidate back, or refuse it; nothing needs to be signed for that."""
    version, act = _version(version), request.POST.get("act", "")
    if act not in ("hold", "refuse"):
        raise Http404
    reason = request.POST.get("reason", "").strip()
    if not 0 < len(reason) <= signing.LONGEST_REASON:
        return _page(request, version, [("reason", _("Give a reason."))])
    fields = {"version": version, "role": _role(request), "act": act, "reason": reason}
    return begun(request, "hold", "files", version, **fields)


def lift(request: Any, version: str) -> HttpResponse:
    """Make what takes one's own hold back, and lead to the signing page."""
    answer = ask_hub(request.who, "lift", version=_version(version), role=_role(request))
    return _to_sign(request, "lift", answer["given"], version)


def notice(request: Any, version: str) -> HttpResponse:
    """What is said about a published version; with POST, what shall be said."""
    notes, problems = {}, []
    if request.method == "POST":
        given = {code: cleaned(request.POST.get(f"note-{code}", "")) for code in LANGUAGES}
        notes, withdrawn = {c: t for c, t in given.items() if t}, "withdrawn" in request.POST
        warned = any(map(tells_of_withdrawals, notes.values()))
        if notes and not warned:
            fields = {"note": notes, "withdrawn": withdrawn, "role": _role(request)}
            return begun(request, "correct", "build", version, version=_version(version), **fields)
        text = _("A note seems to say that people withdrew: readers must not learn that.")
        problems = [("note-en", text if warned else _("Write the note in one language at least."))]
    values = {
        "role": _role_or_none(request),
        "problems": problems,
        "languages_of_note": [(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        "notes": notes,
        "longest": LONGEST_NOTE,
    }
    above = [(Text("Releases"), "releases")]
    version = _version(version)
    return hub_page(request, "notice", "desk/notice.html", above, values, version=version)


def sign_notice(request: Any, version: str) -> HttpResponse:
    """Lead to the signing page with the notice that waits."""
    version, role = _version(version), _role(request)
    answer = ask_hub(request.who, "notice_to_sign", version=version, role=role)
    keys = answer["given"]["keys"]
    if not ApprovalDevice.objects.filter(account=request.user, key__in=keys).exists():
        raise error("approver-key", file="hub.yaml", role=signing.ROLE_NAMES[role])
    return _to_sign(request, "notice", answer["given"], version)


def publish(request: Any, version: str) -> HttpResponse:
    """Publish now what is due."""
    return begun(request, "publish", "build", _version(version))


def approvers(request: Any) -> HttpResponse:
    """Whose keys count, one's own devices, a change that waits to be signed, and who has still to
    hear the digits of which new passkey; with POST those that somebody heard.
    """
    problems = _write_down(request) if request.method == "POST" else []
    own = ApprovalDevice.objects.filter(account=request.user)
    values = {
        "role": _role_or_none(request),
        "devices": [(device, signing.fingerprint(device.key)) for device in own],
        "problems": problems,
        "lines": (lines := ApprovalDevice.of_approvers()),
        "complete": {one.role for one, unheard in lines if not unheard} == set(signing.ROLES),
    }
    above = _ABOVE if allowed(request.who, "approval.read") else ()
    return hub_page(request, "approvers", "desk/approvers.html", above, values)


def _write_down(request: Any) -> list[tuple[str, str]]:
    """Note of each device whose digits somebody wrote down that they heard it; what is wrong."""
    problems = []
    for device, unheard in ApprovalDevice.of_approvers():
        name, roles = f"digits-{device.id.hex}", unheard & request.who.roles
        if not (heard := hexadecimal(request.POST.get(name, ""))) or not roles:
            continue
        if heard == hexadecimal(signing.fingerprint(device.key)):
            row = ApprovalDevice.objects.select_for_update().get(id=device.id)
            row.witnesses.append(request.who.account)
            row.save(update_fields=["witnesses"])
        else:
            problems.append((name, _("These are not the digits of this passkey.")))
    return problems


def name_approvers(request: Any) -> HttpResponse:
    """Let the worker write passkeys that were heard into the hub."""
    return begun(request, "name_approvers", "files", "approvers")


def enrol(request: Any) -> HttpResponse:
    """Lead to the signing page, to make a passkey there."""
    answer = ask_hub(request.who, "approvers")["given"]
    if desk().sign_host.endswith(".localhost") and not answer["practice"]:
        raise error("approvers/localhost")
    role = _role(request)
    task = {"do": "enrol", "ticket": _ticket(request.user, role, "device", "", ""), "role": role}
    task |= {"hub": desk().hub_name, "rs256": answer["rs256"]}
    return _to_signing_page(request, task, "", reverse("approvers"))


def sign_change(request: Any) -> HttpResponse:
    """Make the statement of a change of approvers and lead to the signing page."""
    reason = request.POST.get("reason", "").strip() or "-"
    answer = ask_hub(request.who, "key_change", role=_role(request), reason=reason)
    return _to_sign(request, "keys", answer["given"])


@csrf_exempt
def arrival(request: Any) -> HttpResponse:
    """What the signing page sends: the one address that takes it, from that page alone."""
    if request.headers.get("Origin") != desk().sign_origin:
        return HttpResponse(status=403)
    answer = HttpResponse(status=204)
    try:
        _arrive(request)
    except HubError as met:
        answer = HttpResponse(met.rule, status=409, content_type="text/plain")
    except (ValueError, TypeError, KeyError, RecursionError, RawPostDataException):
        answer = HttpResponse(status=400)
    answer["Access-Control-Allow-Origin"] = desk().sign_origin
    answer["Vary"] = "Origin"
    return answer


_JOBS = {"release": "approve", "keys": "change_keys", "lift": "lift", "notice": "sign_notice"}
"""What becomes of what was signed."""


def _arrive(request: Any) -> None:
    if len(request.body) > LONGEST_ARRIVAL:
        raise ValueError
    fields, now = json.loads(request.body), timezone.now()
    ticket, who = taken(str(fields["ticket"]))
    request.who = who
    if ticket.what == "device":
        device = enrolled(ticket, fields)
        record(who, "approval.give", device)
        return
    text = signed(ticket, fields, now).model_dump_json(exclude_none=True)
    what, thing = _JOBS[ticket.what], ticket.version or "approvers"
    enqueue(what, "build", who, thing, {"signed": text, "arrived": now.isoformat()})
    record(who, "approval.give", thing)


def _to_sign(request: Any, what: str, answer: dict[str, Any], version: str = "") -> HttpResponse:
    """Lead to the signing page with a statement.

    Args:
        what: "release", "keys", "lift" or "notice".
        answer: ``statement`` (base64url) and ``keys`` (those that may sign), as the worker gave it.
        version: of the candidate.
    """
    text = base64.urlsafe_b64decode(answer["statement"] + "==").decode("ascii")
    token = _ticket(request.user, _role(request), what, version, text)
    devices = ApprovalDevice.objects.filter(account=request.user, key__in=answer["keys"])
    ids = list(devices.values_list("credential", flat=True))
    task = {"do": "sign", "ticket": token, "statement": answer["statement"], "ids": ids}
    above = "notice" if what == "notice" else "approval"
    back = reverse(above, kwargs={"version": version}) if version else reverse("approvers")
    return _to_signing_page(request, task, answer["digest"], back)


def _to_signing_page(request: Any, task: dict[str, Any], digest: str, back: str) -> HttpResponse:
    """A link to the signing page; what it is told is in the fragment, which no server is sent."""
    text = json.dumps({**task, "lang": language()}).encode()
    return show_page(
        request,
        "desk/to_sign.html",
        Text("Sign on the signing page"),
        way=f"{desk().sign_origin}/#{base64.urlsafe_b64encode(text).rstrip(b'=').decode()}",
        digits=re.sub("(.{4})(?=.)", r"\1 ", digest[:16]),
        host=desk().sign_host,
        back=back,
    )


def _version(version: str) -> str:
    if not VERSION.fullmatch(version):
        raise Http404
    return version


def _role(request: Any) -> signing.Role:
    """The approving role of the account; nobody holds both.

    Raises:
        Http404: it holds none.
    """
    if STEWARD in request.who.roles:
        return "steward"
    if PRIVACY_OFFICER in request.who.roles:
        return "privacy_officer"
    raise Http404


def _role_or_none(request: Any) -> signing.Role | None:
    return _role(request) if allowed(request.who, "approval.give") else None


PAGES = [
    page("approvals/", approvals, "approval.read", menu=Text("Approvals"), order=44),
    page("approvals/keys/", approvers, "approver.read", BOTH, posted=lambda _: "approver.hear"),
    page("approvals/keys/name/", name_approvers, "approver.name", POST),
    page("approvals/keys/new/", enrol, "approval.give", POST),
    page("approvals/keys/sign/", sign_change, "approval.give", POST),
    page("approvals/<str:version>/", approval, "approval.read"),
    page("approvals/<str:version>/cards/", cards, "candidate.read"),
    page("approvals/<str:version>/card/", card, "candidate.read"),
    page("approvals/<str:version>/sign/", sign, "approval.give", POST),
    page("approvals/<str:version>/hold/", hold, "approval.hold", POST),
    page("approvals/<str:version>/lift/", lift, "approval.give", POST, name="lift_hold"),
    page(
        "approvals/<str:version>/notice/",
        notice,
        "approval.read",
        BOTH,
        posted=lambda _: "approval.give",
    ),
    page("approvals/<str:version>/notice/sign/", sign_notice, "approval.give", POST),
    page("approvals/<str:version>/publish/", publish, "approval.publish", POST, name="publish_due"),
    page("signed/", arrival, "door.open", POST, name="signed", recorded=False),
]
