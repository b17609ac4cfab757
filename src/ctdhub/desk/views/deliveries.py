"""Pages of deliveries: the list, one delivery, returning, accepting and ending it."""

import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.errors import HubError, error, from_json
from ctdhub.core.format import day, number
from ctdhub.core.i18n import Text, _, joined, said
from ctdhub.desk import channel
from ctdhub.desk.allowed import Who, allowed, scope
from ctdhub.desk.deliveries import NOTICE, day_of, erased_on
from ctdhub.desk.jobs import enqueue
from ctdhub.desk.models import Delivery, DeliveryFinding, Job, ReturnReason
from ctdhub.desk.registry import BOTH, POST, page
from ctdhub.desk.rendering import show_page
from ctdhub.desk.trail import record
from ctdhub.desk.uploads.store import withdraw
from ctdhub.desk.views.hub_page import begun
from ctdhub.desk.views.withdrawals import REASONS

# --------------------------------------------------------------------------------------------------
# Words about deliveries: states, reasons to return one, what the check found.

RETURNED = ("format", "columns", "values", "identifiers", "duplicate", "incomplete", "wrong-file")
"""Codes of the list from which a returned delivery has at least one."""


def finding_text(text: dict[str, Any]) -> Text:
    """What a finding says: a Text, or an error with what to do."""
    if "error" in text:
        met = from_json(text["error"])
        return joined([met.fault, met.remedy], " ")
    return Text.from_json(text)


def counts(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """What the check counted, in the order in which it is shown."""
    names = {
        "rows": _("Rows read"),
        "records": _("Rows that became case records"),
        "rejected": _("Rows that were rejected"),
        "excluded": _("Rows that rules of the mapping leave out"),
    }
    return [(name, number(summary[key])) for key, name in names.items() if key in summary]


# --------------------------------------------------------------------------------------------------
# The list, one delivery, and what is done with it.

_ON_A_PAGE = 50
_WITHDRAW = Text("Withdraw a delivery")
_CELL = re.compile(r"[A-Z]{0,3}[1-9][0-9]{0,8}")
_MOST_CELLS = 200


def deliveries(request: Any) -> HttpResponse:
    """The deliveries that somebody may see, those that wait first."""
    shown = _deliveries(request.who).select_related("organisation")
    own = request.who.is_contributor
    waiting = list(shown.filter(state__in=_waiting_states(own))[:200])
    return show_page(
        request,
        "desk/deliveries.html",
        Text("Deliveries"),
        own=own,
        waiting=waiting,
        shown=Paginator(shown, _ON_A_PAGE).get_page(request.GET.get("page")),
        day_of=day_of,
        erased_on=erased_on,
    )


def delivery(request: Any, thing: Delivery) -> HttpResponse:
    """One delivery: its state, what the check found, what can be done next."""
    return _page(request, thing, "desk/delivery.html")


def delivery_state(request: Any, thing: Delivery) -> HttpResponse:
    """The part of the page that changes while the worker is at it; the last one asks no more."""
    return _page(request, thing, "desk/delivery_state.html")


def return_delivery(request: Any, thing: Delivery) -> HttpResponse:
    """Return a delivery: reasons of the list, each with cells of its own file."""
    chosen, problems = [], []
    if request.method == "POST":
        chosen = [code for code in RETURNED if request.POST.get(f"reason-{code}")]
        if not chosen:
            problems.append(("reason-format", _("Choose at least one reason.")))
        cells = {code: _cells(request.POST.get(f"cells-{code}", "")) for code in chosen}
        for code, places in cells.items():
            if places is None:
                problems.append((f"cells-{code}", _("Write cells as B14, C3, or rows as 14.")))
        if not problems:
            _return(request, thing, {code: places or [] for code, places in cells.items()})
            return redirect("delivery", id=thing.id)
    return _page(
        request,
        thing,
        "desk/return.html",
        Text("Return a delivery"),
        reasons=RETURNED,
        chosen=chosen,
        posted=request.POST,
        proposed=_proposed(thing),
        problems=problems,
    )


def accept_delivery(request: Any, thing: Delivery) -> HttpResponse:
    """Accept a delivery: the worker checks it once more and puts it into the hub."""
    if not _working(thing):
        enqueue("accept", "files", request.who, thing)
    return redirect("delivery", id=thing.id)


def check_again(request: Any, thing: Delivery) -> HttpResponse:
    """Check a delivery again, by the mapping as it is now."""
    if not _working(thing):
        enqueue("check", "files", request.who, thing)
    return redirect("delivery", id=thing.id)


def withdraw_delivery(request: Any, thing: Delivery) -> HttpResponse:
    """End a delivery that is not accepted; its bytes are destroyed."""
    if request.method == "POST":
        if not withdraw(thing):
            raise error("delivery-state")
        enqueue("destroy", "files", request.who, thing)
        return redirect("deliveries")
    return _page(request, thing, "desk/withdraw.html", _WITHDRAW, accepted=False)


def ask_withdraw(request: Any, thing: Delivery) -> HttpResponse:
    """Ask that a delivery that is accepted is used no more; the steward carries it out."""
    if request.method != "POST":
        return _page(request, thing, "desk/withdraw.html", _WITHDRAW, accepted=True)
    if not thing.summary.get("withdrawal_asked"):
        thing.summary["withdrawal_asked"] = f"{timezone.now():%Y-%m-%d}"
        thing.save(update_fields=["summary", "changed"])
        notice = {"kind": "withdrawal", "whom": ["data_officer", "steward"]}
        enqueue("tell", "files", request.who, thing, notice)
    return redirect("delivery", id=thing.id)


def carry_out_withdrawal(request: Any, thing: Delivery) -> HttpResponse:
    """The steward withdraws one delivery: its file is erased, and no build reads it any more."""
    asked = bool(thing.summary.get("withdrawal_asked"))
    problems, reason = [], str(request.POST.get("reason", "asked" if asked else "mistake"))
    if reason not in REASONS:
        raise Http404
    if request.method == "POST":
        if request.POST.get("sure") != "yes":
            problems.append(
                ("sure", _("Say that nothing of this file may be in the next release."))
            )
        elif _working(thing):
            return redirect("delivery", id=thing.id)
        else:
            return begun(request, "withdraw_delivery", "build", thing, reason=reason)
    more = {"asked": asked, "reason": reason, "problems": problems}
    return _page(request, thing, "desk/carry_out.html", _WITHDRAW, **more)


def waiting(who: Who) -> list[tuple[str, str, int | None]]:
    """What waits for somebody, for the home page: label, address, number."""
    if not allowed(who, "delivery.list"):
        return []
    own = who.is_contributor
    soon = _erased_soon(who)
    count = _deliveries(who).filter(state__in=_waiting_states(own)).count()
    label = Text("Deliveries to correct or finish") if own else Text("Deliveries to look at")
    late = Text("Files that are erased within 30 days")
    lines = ((label, count), (late, soon))
    return [(said(text), reverse("deliveries"), n) for text, n in lines if n]


def _erased_soon(who: Who) -> int:
    """Deliveries whose erasure is near enough that people are told of it."""
    last = timezone.now().date() + NOTICE
    kept = _deliveries(who).filter(state="accepted", organisation__keep_months__isnull=False)
    ends = (erased_on(one) for one in kept.select_related("organisation")[:1000])
    return sum(end is not None and end <= last for end in ends)


def _deliveries(who: Who) -> QuerySet[Delivery]:
    return Delivery.objects.filter(scope(who, "delivery.list"))


def _waiting_states(own: bool) -> tuple[str, ...]:
    """States in which somebody of this side must do something."""
    return ("receiving", "refused", "returned") if own else ("checked",)


def _page(
    request: Any, thing: Delivery, template: str, title: Text | None = None, **more: Any
) -> HttpResponse:
    """A page about one delivery, which has what all of them show."""
    job, refused = _working(thing), thing.summary.get("refused")
    own = request.who.is_contributor
    values = {
        "day_of": day_of,
        "erased": erased_on(thing),
        "thing": thing,
        "own": own,
        "job": job,
        "failed": None if job else _last_failed(thing),
        "refused": _why(refused, own) if refused and thing.state == "refused" else None,
        "findings": [(finding_text(one.text), one) for one in _findings(thing)],
        "alarms": thing.summary.get("alarms", []),
        "said_counts": counts(thing.summary),
        "same_day": thing.state == "checked" and _same_day(thing),
        "reasons_given": list(thing.reasons.all()),
        "replaced_by": thing.replaced_by.exclude(state="withdrawn").first(),
    }
    title = title or Text("Delivery of {day}", day=day(day_of(thing)))
    return show_page(request, template, title, **values, **more)


def _same_day(thing: Delivery) -> bool:
    """Whether another file of its organisation and day is in the hub."""
    of, day_ = thing.organisation_id, f"{thing.created:%Y-%m-%d}"
    accepted = Delivery.objects.filter(organisation=of, state="accepted", day=day_, lost=False)
    return bool(accepted.exists())


def _why(refused: dict[str, Any], own: bool) -> HubError:
    """Why a file is refused, and what this side does about it."""
    met = from_json(refused)
    if met.name == "bundle-signer" and own:
        return error("bundle-signer/sender", fingerprint=met.fields["fingerprint"])
    if met.name == "bundle-signer":
        return error("bundle-signer/hub", id=met.fields["id"])
    if met.name == "bundle-other-hub":
        return error("bundle-other-hub/sender" if own else "bundle-other-hub/hub")
    return met


def _findings(thing: Delivery) -> QuerySet[DeliveryFinding]:
    """What the check found, that of the most cells first."""
    return thing.findings.order_by("-number", "row", "column")


def _proposed(thing: Delivery) -> str:
    """Cells that the check found, to be sent along with a reason."""
    return ", ".join(cell for finding in _findings(thing) for cell in finding.cells)[:1500]


def _working(thing: Delivery) -> Job | None:
    known = Job.objects.filter(thing=thing.id.hex, state__in=("waiting", "running"))
    job: Job | None = known.exclude(what__in=("destroy", "tell")).first()
    return job


def _last_failed(thing: Delivery) -> Any:
    last = Job.objects.filter(thing=thing.id.hex).first()
    if last is None or last.state != "failed":
        return None
    return from_json((last.outcome or {})["error"])


def _cells(text: str) -> list[str] | None:
    """The cells that somebody wrote; None where one is none."""
    parts = [part for part in re.split(r"[\s,;،]+", text.strip().upper()) if part]
    if len(parts) > _MOST_CELLS or not all(_CELL.fullmatch(part) for part in parts):
        return None
    return parts


def _return(request: Any, thing: Delivery, cells: dict[str, list[str]]) -> None:
    note = request.POST.get("note", "").strip()[:1000]
    done = Delivery.objects.filter(id=thing.id, state="checked").update(
        state="returned", changed=timezone.now()
    )
    if not done:
        raise error("delivery-state")
    for place, (code, places) in enumerate(cells.items()):
        ReturnReason.objects.create(
            delivery=thing,
            organisation_id=thing.organisation_id,
            account_id=UUID(request.who.account),
            code=code,
            cells=places,
            note="" if place else note,
        )
    record(request.who, "delivery.return", thing)
    notice = {"kind": "returned", "whom": ["organisation"]}
    enqueue("tell", "files", request.who, thing, notice)


class DeliveryCarrier:
    """Carries requests about one delivery, for one account; both are looked up again there.

    Args:
        request: of whoever asks.
        delivery: about what.
    """

    def __init__(self, request: Any, delivery: Delivery) -> None:
        self.who, self.delivery = request.who, delivery
        self._until = time.monotonic() + channel.SECONDS

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """See ``desk.screens.Carrier``; once a mapping is kept the delivery is checked.

        Raises:
            HubError: the workbench is still at work (rule "workbench-late"), or does not answer
                (rule "workbench-away").
        """
        who, key = self.who, self.delivery.id.hex
        fixed = {"account": who.account, "visit": who.visit, "delivery": key}
        try:
            answer: dict[str, Any] = channel.exchange({**request, **fixed}, self._until)
        except TimeoutError:
            raise error("workbench-late") from None
        except (OSError, ValueError):
            raise error("workbench-away") from None
        if "kept" in answer and allowed(who, "delivery.check", self.delivery):
            waiting = Job.objects.filter(what="check", thing=key, state="waiting")
            if not waiting.exists():
                enqueue("check", "files", who, self.delivery)
        return answer


PAGES = [
    page("deliveries/", deliveries, "delivery.list", menu=Text("Deliveries"), order=10),
    page("deliveries/<Delivery>/", delivery, "delivery.read"),
    page("deliveries/<Delivery>/state/", delivery_state, "delivery.list"),
    page("deliveries/<Delivery>/return/", return_delivery, "delivery.return", BOTH, recorded=False),
    page("deliveries/<Delivery>/accept/", accept_delivery, "delivery.accept", POST),
    page("deliveries/<Delivery>/check/", check_again, "delivery.check", POST),
    page("deliveries/<Delivery>/withdraw/", withdraw_delivery, "delivery.withdraw", BOTH),
    page("deliveries/<Delivery>/carry-out/", carry_out_withdrawal, "delivery.carry_out", BOTH),
    page("deliveries/<Delivery>/ask-withdraw/", ask_withdraw, "delivery.ask_withdraw", BOTH),
]
