"""Agreements, keys of bundles, and papers: lists, changes, drafts, signed ones that are kept."""

import base64
import hashlib
import re
from datetime import date
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.errors import HubError
from ctdhub.core.format import isolated
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Text, _, current
from ctdhub.desk.allowed import Who, allowed, scope
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.config import current as desk
from ctdhub.desk.errors import error_page
from ctdhub.desk.models import Organisation, Paper, SenderKey, TrailHead, random_key
from ctdhub.desk.registry import BOTH, POST, page
from ctdhub.desk.rendering import show_page
from ctdhub.desk.trail import record
from ctdhub.desk.uploads.inbox import PaperDrawer
from ctdhub.desk.views.hub_page import begun, hexadecimal, hub_page, organisation_of
from ctdhub.document.document import from_json
from ctdhub.document.html import write

# --------------------------------------------------------------------------------------------------
# Agreements: the list, one of them, a change of it, a new one.
#
# A change becomes a job of the worker with the SHA-256 of the file that was shown, so that nobody
# overwrites what somebody else wrote meanwhile.

TEXTS = ("purpose", "scope", "legal_basis", "consent_rule", "retention", "display_rule")
NEEDED = ("scope", "legal_basis", "consent_rule", "retention", "display_rule")
LONGEST = 2_000
_NUMBERS = {"keep_months": 600, "rows_per_person": 100}
"""Settings that are whole numbers from 1, with the greatest."""
_ABOVE = ((Text("Agreements"), "agreements"),)
_LONGEST_KEY = 4_096
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def agreements(request: Any) -> HttpResponse:
    """All agreements; a contributor's own for a contributor."""
    if request.who.is_contributor:
        return redirect("agreement", key=request.who.organisation)
    return hub_page(request, "agreements", "desk/hub/agreements.html")


def agreement(request: Any, key: str) -> HttpResponse:
    """One agreement: terms, limits, whether it is in force, what was sent under it."""
    organisation_of(request, key, "agreement.read")
    above = () if request.who.is_contributor else _ABOVE
    return hub_page(request, "agreement", "desk/hub/agreement.html", above, id=key)


def change_agreement(request: Any, key: str) -> HttpResponse:
    """A form with the agreement as it is; what is sent goes to the worker."""
    organisation_of(request, key, "agreement.write")
    answer = ask_hub(request.who, "agreement", id=key)["given"]
    shown = {**answer["settings"], "base": answer["base"]}
    if request.method != "POST":
        return _form(request, key, answer["kinds"], shown, [])
    posted = _posted(request.POST)
    settings, problems = _checked(posted)
    if problems:
        return _form(request, key, answer["kinds"], {**shown, **posted}, problems)
    before = {name: _plain(answer["settings"][name]) for name in settings}
    changed = {k: v for k, v in settings.items() if _plain(v) != before[k]}
    if not changed:
        return redirect("agreement", key=key)
    base = str(request.POST.get("base", ""))[:64]
    return begun(request, "agreement", "files", key, contributor=key, settings=changed, base=base)


def new_agreement(request: Any) -> HttpResponse:
    """An agreement with an organisation that the hub does not know yet."""
    kinds = ask_hub(request.who, "agreements")["given"]["kinds"]
    if request.method != "POST":
        return _form(request, "", kinds, {"kind": kinds[0][0]}, [])
    posted, key = _posted(request.POST), str(request.POST.get("id", "")).strip()
    settings, problems = _checked(posted)
    if not _ID.fullmatch(key):
        problems.insert(0, ("id", _("Write the id with small letters, digits and hyphens.")))
    if problems:
        return _form(request, "", kinds, {**posted, "id": key}, problems)
    filled = {k: v for k, v in settings.items() if v not in (None, "")}
    return begun(request, "agreement", "files", key, contributor=key, settings=filled, base="")


def _form(
    request: Any,
    key: str,
    kinds: list[list[str]],
    shown: dict[str, Any],
    problems: list[tuple[str, str]],
) -> HttpResponse:
    title = Text("Change an agreement") if key else Text("New agreement")
    values = {"key": key, "kinds": kinds, "shown": shown, "problems": problems}
    fixed = {"labels": labels(), "texts": TEXTS, "needed": NEEDED, "native": NATIVE_NAMES}
    return show_page(request, "desk/hub/agreement_form.html", title, **values, **fixed)


def labels() -> dict[str, str]:
    """What each setting is called, and what belongs there."""
    return {
        "id": _("Id (small letters, digits, hyphens; it stays)"),
        "name": _("Name of the organisation"),
        "names": _("Its name in other languages (empty: the same)"),
        "kind": _("Kind of organisation"),
        "purpose": _("Purpose: what the data may be used for"),
        "scope": _("Scope: whose cases, which years and places"),
        "legal_basis": _("Legal basis"),
        "consent_rule": _("Consent: whose records may be sent"),
        "retention": _("Retention: when files are deleted"),
        "display_rule": _("How the organisation and its data are shown"),
        "show_counts": _("Noisy counts may be published under its own name"),
        "keep_months": _(
            "Months after which a file is erased, counted from the day of the delivery (empty: by "
            "hand)"
        ),
        "rows_per_person": _("Rows that one person may have without a key: 1 if nobody returns"),
        "budget_limit": _("Limit of epsilon in all (empty: none of its own)"),
        "ends": _("Last day (empty: none)"),
    }


def _posted(post: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: str(post.get(name, ""))[: LONGEST + 1]
        for name in ("name", "kind", *_NUMBERS, "budget_limit", "ends", *TEXTS)
    }
    names = {code: " ".join(str(post.get(f"names-{code}", ""))[:200].split()) for code in LANGUAGES}
    return {**fields, "names": names, "show_counts": bool(post.get("show_counts"))}


def _checked(posted: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Settings as the file has them, and what is wrong with what was written."""
    settings: dict[str, Any] = {k: " ".join(posted[k].split()) for k in ("name", *TEXTS)}
    settings |= {"kind": posted["kind"], "show_counts": posted["show_counts"]}
    settings["names"] = {code: name for code, name in posted["names"].items() if name} or None
    problems = []
    called = labels()
    for name in ("name", *NEEDED):
        if not settings[name]:
            problems.append((name, _("{field}: this is missing.").format(field=called[name])))
    for name in ("name", *TEXTS):
        if len(settings[name]) > (200 if name == "name" else LONGEST):
            problems.append((name, _("{field}: this is too long.").format(field=called[name])))
    settings |= dict.fromkeys((*_NUMBERS, "budget_limit", "ends"))
    for name, most in _NUMBERS.items():
        if text := posted[name].strip():
            fits = re.fullmatch(r"[1-9][0-9]{0,2}", text) and int(text) <= most
            settings[name] = int(text) if fits else None
            if not fits:
                problems.append((name, _("Write a number from 1 to {most}.").format(most=most)))
    if text := posted["budget_limit"].strip().replace(",", "."):
        settings["budget_limit"] = float(text) if re.fullmatch(r"\d{1,4}(\.\d{1,6})?", text) else 0
        if not settings["budget_limit"]:
            problems.append(("budget_limit", _("Write the limit as a number above 0, such as 8.")))
    if text := posted["ends"].strip():
        try:
            settings["ends"] = date.fromisoformat(text).isoformat()
        except ValueError:
            problems.append(("ends", _("Write the day as 2027-01-31.")))
    return settings, problems


def _plain(value: Any) -> Any:
    """A setting as it is compared: no text and none are one."""
    return " ".join(value.split()) if isinstance(value, str) and value else value or None


# --------------------------------------------------------------------------------------------------
# Keys of bundles: the organisation takes the hub's card and hands in the file of its key; somebody
# of the hub writes down the fingerprint that it reads out by telephone.
#
# No page shows the hub that fingerprint, so nobody confirms without the call.  A card's fingerprint
# is shown to the hub alone, which reads it out: the page that gives out a card cannot vouch for it.


def keys(request: Any) -> HttpResponse:
    """Cards, and the keys that organisations sign with; with POST the file of one."""
    mine = str(request.who.organisation) if request.who.is_contributor else ""
    if request.method == "POST":
        return _take_key(request, mine)
    answer = ask_hub(request.who, "keys", id=mine)["given"]
    rows = SenderKey.objects.filter(scope(request.who, "key.read"), organisation__lost=False)
    shown = {**answer, "rows": list(rows.select_related("organisation")[:500]), "mine": mine}
    shown["signs"] = {line["id"]: line["senders"] for line in answer["lines"]}
    return show_page(request, "desk/keys.html", Text("Keys of bundles"), **shown)


def _take_key(request: Any, mine: str) -> HttpResponse:
    file = request.FILES.get("file")
    content = file.read(_LONGEST_KEY).decode("utf-8", "replace") if file is not None else ""
    answer = ask_hub(request.who, "key_file", id=mine, content=content)["given"]
    sent, signs = answer["fingerprint"], answer["senders"]
    TrailHead.objects.select_for_update().get(id=1)  # one after the other
    known = SenderKey.objects.filter(organisation_id=mine)
    if sent not in signs:
        known.filter(state="confirmed", fingerprint=sent).update(state="ended")
    if not known.filter(state__in=("waiting", "confirmed"), fingerprint=sent).exists():
        # One that signs already, after a run that was killed, stays for the hub to decide about.
        replaced = known.filter(state="waiting").exclude(fingerprint__in=signs)
        replaced.update(state="ended", decided=timezone.now())
        row = {"organisation_id": mine, "account_id": request.user.id, "file": content}
        SenderKey.objects.create(**row, fingerprint=sent)
    return redirect("keys")


def hub_card(request: Any, key: str) -> HttpResponse:
    """The card for an organisation, as a file to save."""
    organisation_of(request, key, "key.read")
    card = ask_hub(request.who, "keys", id=key)["given"]["lines"][0]["card"]
    if not card:
        raise Http404
    return _attached(base64.b64decode(card), f"{key}.ctdhub-card", "application/octet-stream")


def make_hub_keys(request: Any) -> HttpResponse:
    """Let the worker make the hub's keys."""
    return begun(request, "hub_keys", "files")


def compare_key(request: Any, thing: SenderKey) -> HttpResponse:
    """What is read out by telephone, and what was heard: then the worker writes the key down."""
    if thing.account_id == request.user.id:
        return error_page(request, 409)
    problems = []
    line = ask_hub(request.who, "keys", id=str(thing.organisation_id))["given"]["lines"][0]
    if request.method == "POST":
        if request.POST.get("act") == "refuse":
            if thing.fingerprint in line["senders"]:
                return end_key(request, thing)
            refused = SenderKey.objects.filter(id=thing.id, state="waiting").update(
                state="refused", decided=timezone.now(), decided_by=request.user
            )
            return redirect("keys") if refused else error_page(request, 409)
        if hexadecimal(request.POST.get("heard", "")) == hexadecimal(thing.fingerprint):
            return begun(request, "confirm_key", "files", thing, fingerprint=thing.fingerprint)
        problems = [("heard", _("This is not the fingerprint of the key that was handed in."))]
    values = {"thing": thing, "line": line, "problems": problems}
    return show_page(request, "desk/key.html", Text("Compare a key by telephone"), **values)


def end_key(request: Any, thing: SenderKey) -> HttpResponse:
    """The organisation signs with this key no more."""
    return begun(request, "end_key", "files", thing, fingerprint=thing.fingerprint)


def waiting(who: Who) -> list[tuple[str, str, int | None]]:
    """Keys that wait for the call."""
    if not allowed(who, "key.confirm"):
        return []
    rows = SenderKey.objects.filter(state="waiting", organisation__lost=False)
    rows = rows.select_related("organisation")
    label = _("Compare the key of {name} by telephone")
    return [
        (
            label.format(name=isolated(row.organisation.local_name)),
            reverse("compare_key", args=[row.id]),
            None,
        )
        for row in rows
    ]


# --------------------------------------------------------------------------------------------------
# Papers: drafts to take away, and the signed ones, kept encrypted and given out as files alone.

KINDS = ("agreement", "dpia", "record", "notice")
MOST_BYTES = 5 * 2**20
_PDF = b"%PDF-"
_EMPTY = {"kind": "agreement", "organisation": "", "language": "en", "signed": ""}


def papers(request: Any) -> HttpResponse:
    """What may be drafted, and what was signed; with POST a signed paper to keep."""
    if request.method != "POST":
        return _page(request, {**_EMPTY, "language": current()}, [])
    shown = {name: str(request.POST.get(name, "")) for name in _EMPTY}
    content, row, problems = _papers_checked(request, shown)
    if problems:
        return _page(request, shown, problems)
    try:
        with transaction.atomic():
            made = Paper.objects.create(**row, account_id=request.user.id)
            record(request.who, "paper.write", made.sha256)
            PaperDrawer(desk().inbox).keep(made.id.hex, content)
    except HubError as met:
        return error_page(request, 422, met)
    return redirect("papers")


def paper_file(request: Any, thing: Paper) -> HttpResponse:
    """A signed paper as a file to save: no browser shows it here, whatever is in it."""
    whose = thing.organisation_id or ""
    answer = ask_hub(request.who, "paper_file", key=thing.id.hex, id=whose)["given"]
    signed = f"-{thing.signed:%Y-%m-%d}" if thing.signed else ""
    name = f"{thing.kind}{f'-{whose}' if whose else ''}{signed}.pdf"
    return _attached(base64.b64decode(answer["content"]), name, "application/octet-stream")


def remove_paper(request: Any, thing: Paper) -> HttpResponse:
    """A paper that was kept by mistake goes; the trail keeps its hash."""
    record(request.who, "paper.remove", thing.sha256)
    key = thing.id.hex
    thing.delete()
    transaction.on_commit(lambda: PaperDrawer(desk().inbox).remove(key))
    return redirect("papers")


def paper_draft(request: Any, kind: str) -> HttpResponse:
    """A draft in the reader's language, as a file that a word processor opens."""
    key = str(request.GET.get("organisation", ""))
    if kind not in KINDS or bool(key) != (kind == "agreement"):
        raise Http404
    if key:
        organisation_of(request, key, "paper.draft")
    draft = ask_hub(request.who, "paper_draft", kind=kind, id=key)
    name = f"draft-{kind}{f'-{key}' if key else ''}.{current()}.html"
    return _attached(write(from_json(draft["document"])).encode(), name, "text/html; charset=utf-8")


def _page(request: Any, shown: dict[str, str], problems: list[tuple[str, str]]) -> HttpResponse:
    kept = Paper.objects.filter(scope(request.who, "paper.read")).select_related("organisation")
    known = Organisation.objects.filter(lost=False).order_by("name")
    return show_page(
        request,
        "desk/papers.html",
        Text("Papers"),
        kept=list(kept[:500]),
        organisations=[] if request.who.is_contributor else list(known),
        languages_of_paper=[(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        native=NATIVE_NAMES,
        shown=shown,
        problems=problems,
        most_mib=MOST_BYTES // 2**20,
    )


def _papers_checked(
    request: Any, shown: dict[str, str]
) -> tuple[bytes, dict[str, Any], list[tuple[str, str]]]:
    """The bytes, the row without its account, and what is wrong."""
    problems = []
    of_one = shown["kind"] == "agreement"
    theirs = Organisation.objects.filter(id=shown["organisation"], lost=False).first()
    if shown["kind"] not in KINDS or shown["language"] not in LANGUAGES:
        raise Http404
    if of_one and (theirs is None or not allowed(request.who, "paper.write", theirs)):
        problems.append(("organisation", _("Choose the organisation that signed the agreement.")))
    try:
        signed = date.fromisoformat(shown["signed"])
    except ValueError:
        signed = None
    if signed is None or signed > timezone.now().date():
        problems.append(("signed", _("Write the day on which it was signed, today at the latest.")))
    file = request.FILES.get("file")
    content = file.read(MOST_BYTES + 1) if file is not None else b""
    if not content:
        problems.append(("file", _("Choose a file.")))
    elif len(content) > MOST_BYTES:
        text = _("The file is larger than {n} MB.").format(n=MOST_BYTES // 2**20)
        problems.append(("file", text))
    elif not content.startswith(_PDF):
        problems.append(("file", _("The file is not a PDF.")))
    row = {
        "id": random_key(),
        "organisation": theirs if of_one else None,
        "kind": shown["kind"],
        "language": shown["language"],
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "signed": signed,
    }
    return content, row, problems


def _attached(content: bytes, name: str, kind: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


PAGES = [
    page("agreements/", agreements, "agreement.read", menu=Text("Agreements"), order=62),
    page("agreements/new/", new_agreement, "agreement.write", BOTH),
    page("agreements/<slug:key>/", agreement, "agreement.read"),
    page("agreements/<slug:key>/change/", change_agreement, "agreement.write", BOTH),
    page(
        "keys/",
        keys,
        "key.read",
        BOTH,
        posted=lambda _post: "key.send",
        menu=Text("Keys of bundles"),
        order=92,
    ),
    page("keys/make/", make_hub_keys, "key.make", POST),
    page("keys/card/<slug:key>/", hub_card, "key.read"),
    page("keys/<SenderKey>/", compare_key, "key.confirm", BOTH),
    page("keys/<SenderKey>/end/", end_key, "key.end", POST),
    page(
        "papers/",
        papers,
        "paper.read",
        BOTH,
        recorded=False,
        posted=lambda _post: "paper.write",
        menu=Text("Papers"),
        order=64,
    ),
    page("papers/draft/<slug:kind>/", paper_draft, "paper.draft"),
    page("papers/<Paper>/", paper_file, "paper.read"),
    page("papers/<Paper>/remove/", remove_paper, "paper.remove", POST, recorded=False),
]
