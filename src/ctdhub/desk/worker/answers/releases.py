"""Releases on their way: plans, prices, candidates, tables on request, what is signed."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import ctdhub
from ctdhub.core.errors import HubError, as_json, error, printable
from ctdhub.core.format import day, decimal, exact, isolated, listed, number, share, tiny
from ctdhub.core.i18n import _, current, formula, said
from ctdhub.desk.worker.answers.page import Page, name, table, words
from ctdhub.document.document import Bar, Bars, Items
from ctdhub.dp.quote import why
from ctdhub.dp.simulate import Range
from ctdhub.hub import approvers as keys
from ctdhub.hub import errata
from ctdhub.hub.approvers import Publication, publication
from ctdhub.hub.between_builds import people_key
from ctdhub.hub.folder import PRICE, REHEARSAL, Hub, by_version, desk_file, order, policy
from ctdhub.hub.paid import Account, budget_split, ledger, published
from ctdhub.hub.rehearsal import RequestPrice, held_by, price_of, requestable
from ctdhub.hub.review import Review, read_review
from ctdhub.hub.stages.differencing import TELL_THEM, disclosures_of
from ctdhub.hub.stages.publish import statement
from ctdhub.hub.steps import hash_file
from ctdhub.hub.withdrawals import waiting_words
from ctdhub.release import approvals
from ctdhub.release.changes import CHANGELOG, newest_changes, newest_note, tells_of_withdrawals
from ctdhub.release.errata import Notice
from ctdhub.release.open import digest, examine, open_release
from ctdhub.release.passkey import is_passkey
from ctdhub.report import release_changes
from ctdhub.report.sentences import headline_of
from ctdhub.report.wording import kind_name
from ctdhub.schema import countries
from ctdhub.schema.labels import group_label, label
from ctdhub.schema.model import DESTINATION, PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.release_changes import CellChange

# --------------------------------------------------------------------------------------------------
# Releases on their way: which there are, a rehearsal, the price, and what a candidate changes.

NAMED_KINDS = ("people", "one_way", "corridor", "core_pairs", "core_triples")
"""Kinds of tables of which the rehearsal draws a chart each."""

_STATES = {
    "built": "built",
    "approved by one": "approved_by_one",
    "held": "held",
    "refused": "refused",
    "scheduled": "scheduled",
    "due": "approved",
}
"""States of a candidate as rows of plans name them."""

MOST_DIFFERENT = 40
"""Groups of people that are listed with their difference."""


def versions(hub: Hub) -> dict[str, Any]:
    """Every version that is published or waits, and by whom each waits to be approved."""
    entries: list[dict[str, Any]] = []
    now, done = datetime.now(UTC), [release.name for release in by_version(hub.releases)]
    rows = []
    for version in (c.name for c in by_version(hub.candidates) if c.name not in done):
        here = publication(hub, hub.candidates / version, now)
        waits = {"published": False, "missing": list(here.missing), "state": _STATES[here.state]}
        entries.append({"version": version, **waits})
        rows.append((isolated(version), state_words(here)))
    for version in done:
        out = {"published": True, "missing": [], "state": "published"}
        entries.append({"version": version, **out})
        rows.append((isolated(version), _("published")))
    texts = [said(text) for text in waiting_words(hub)]
    none = "" if rows else _("Nothing was built or published yet.")
    page = Page(hub, _("Versions in the hub"), *texts, none)
    page.add("versions", "", table((_("version"), _("state")), rows, words=True))
    return page.answer(versions=entries, waits=texts)


def rehearsal(hub: Hub) -> dict[str, Any]:
    """Error against epsilon, on fictitious people; nothing was charged."""
    title, record = _("Rehearsal"), desk_file(hub, REHEARSAL)
    rules = policy(hub)
    setting = _("The policy asks for epsilon {epsilon} a release, of a budget of {budget}.").format(
        epsilon=exact(rules.epsilon), budget=exact(rules.budget.epsilon)
    )
    limits = {"epsilon": rules.epsilon, "budget": rules.budget.epsilon}
    if record is None:
        page = Page(hub, title, _("Nothing was rehearsed yet."), setting)
        return page.answer(stale=False, done=False, **limits)
    stale, figures = record["policy"] != hash_file(hub.policy_file), record["rehearsals"]
    lead = _("Fictitious people: {n}; delta {delta}; nothing was charged.").format(
        n=number(record["people"]), delta=tiny(figures[0]["delta"])
    )
    old = _("The policy has changed since then: rehearse again.") if stale else ""
    kinds = [one["kind"] for one in figures[0]["kinds"]]
    charts = [
        _chart(
            kind, [_of_kind(r, kind) | {"epsilon": r["epsilon"]} for r in figures], rules.epsilon
        )
        for kind in kinds
        if kind in NAMED_KINDS
    ]
    note = _(
        "Error: half the width of a confidence interval, in people. It follows from the settings "
        "alone. The first number holds where all cells of a table are shown, the second where a "
        "single one is."
    )
    page = Page(hub, title, lead, setting, old)
    page.add("error", _("Error at each epsilon"), words(note), *charts)
    page.add("bought", _("What the budget buys"), _bought(record))
    page.add("all", _("All kinds of tables"), _all_kinds(figures, kinds))
    return page.answer(stale=stale, done=True, **limits)


def _of_kind(one: dict[str, Any], kind: str) -> dict[str, Any]:
    figures: dict[str, Any] = next(k for k in one["kinds"] if k["kind"] == kind)
    return figures


def _chart(kind: str, at: list[dict[str, Any]], asked: float) -> Bars:
    bars = []
    for one in at:
        all_, lone = one["half_width"]["all"], one["half_width"]["lone"]
        text = formula(f"± {number(all_)}" if all_ == lone else f"± {number(all_)}–{number(lone)}")
        label = _("epsilon {epsilon}").format(epsilon=exact(one["epsilon"]))
        if one["epsilon"] == asked:
            label = _("{epsilon} (the policy)").format(epsilon=label)
        bars.append(Bar(label, text, float(all_), float(all_), float(lone)))
    tables = _("Tables: {n}").format(n=number(at[0]["tables"]))
    return Bars(kind_name(kind), tables, tuple(bars))


def _bought(record: dict[str, Any]) -> Any:
    rows = [
        (exact(one["epsilon"]), number(one["versions"]), number(one["drafts"]))
        for one in record.get("bought", ())
    ]
    return table((_("epsilon"), _("published versions"), _("drafts")), rows)


def _all_kinds(figures: list[dict[str, Any]], kinds: list[str]) -> Any:
    head = [
        _("tables"),
        *(_("epsilon {epsilon}").format(epsilon=exact(r["epsilon"])) for r in figures),
    ]
    rows = []
    for kind in kinds:
        cells = []
        for one in figures:
            entry = _of_kind(one, kind)
            shown = "–" if entry["shown"] is None else share(entry["shown"])
            cells.append(
                _("noise {sigma}, from {least}, cells shown {shown}").format(
                    sigma=decimal(entry["sigma"]),
                    least=number(entry["shown_from"]["all"]),
                    shown=shown,
                )
            )
        rows.append((kind_name(kind), *cells))
    note = _(
        "Noise: standard deviation, in people. From: the smallest count that is typically shown. "
        "Cells shown come from the fictitious people; real data will differ."
    )
    return table(head, rows, note=note, words=True)


def price(hub: Hub, version: str) -> dict[str, Any]:
    """What a version would cost, as the last job found it; nothing was charged."""
    title, record = _("Price"), desk_file(hub, PRICE)
    if record is None or record["version"] != version:
        lead = _("The price of version {version} has not been requested yet.").format(
            version=isolated(printable(version))
        )
        return Page(hub, title, lead).answer(known=False, stale=False)
    stale = record["people"] != people_key(hub)
    rows = [
        (_("version"), isolated(printable(version))),
        (_("charge"), _("epsilon {epsilon}").format(epsilon=exact(record["epsilon"]))),
        (_("delta"), tiny(record["delta"])),
        (_("most that one more version may have"), decimal(record["left"], "#,##0.###")),
        (_("versions that fit after this one"), number(record["more"])),
        (_("why it has to be paid"), said(why(record["because"])) or "–"),
        (_("open alarms"), number(record["alarms"])),
    ]
    of_each = _("left of the limit of {name}")
    for id_, left in sorted(record["left_by_contributor"].items()):
        rows.append((of_each.format(name=name(id_)), decimal(left, "#,##0.###")))
    page = Page(
        hub,
        title,
        _("Nothing was charged yet.")
        if record["epsilon"]
        else _("Nothing has to be paid: an answer that was paid for is given."),
        _("The data changed since the price was requested: request it again.") if stale else "",
        _("While an alarm is open nothing is charged: look at it first.")
        if record["alarms"]
        else "",
    )
    page.add("price", "", table((), rows, words=True))
    figures = {key: record[key] for key in ("epsilon", "alarms")}
    return page.answer(known=True, stale=stale, **figures)


def difference(hub: Hub, version: str, *, reviewed: bool) -> dict[str, Any]:
    """What a candidate changes, to be read before it is signed.

    Args:
        reviewed: whether rejected rows and alarms are shown, which are exact.

    Raises:
        ReleaseError: there is no such candidate or release, or it is damaged.
    """
    bundle = _bundle(version, hub.candidates, hub.releases)
    now = open_release(bundle)
    text = (bundle / CHANGELOG).read_text("utf-8")
    note, changed = newest_note(text), newest_changes(text, current())
    warned = (
        _(
            "Warning: the note seems to say that people withdrew. Readers of a release must not "
            "learn that."
        )
        if tells_of_withdrawals(note)
        else ""
    )
    lines = tuple(line.removeprefix("- ") for line in changed.splitlines() if line)
    title = _("What version {version} changes").format(version=isolated(printable(version)))
    page = Page(hub, title)
    page.add(
        "readers",
        _("What readers will see"),
        words(printable(note, 2_000) or _("No note was given."), warned, title=_("Note")),
        words(title=_("What changed since the last release")) if lines else None,
        Items(lines) if lines else words(_("Nothing is said about changes.")),
    )
    page.add("counts", _("Numbers compared with the last release"), *_counts(hub, now, bundle))
    if notices := tuple(said(one.words) for one in disclosures_of(hub, bundle)):
        advice = words(said(TELL_THEM)) if reviewed else None
        page.add("told", _("What a comparison of releases reveals"), Items(notices), advice)
    if reviewed:
        review = read_review(hub, version)
        blocks = _review(review[0] if review else None)
        page.add("review", _("Rows and alarms, for the approvers only"), *blocks)
    return page.answer(version=version, published=version in published(hub).values())


def card(hub: Hub, version: str, path: str) -> dict[str, Any]:
    """A card as readers will see it, of a candidate or of the release that it is compared with; and
    what cards there are of both.  None of both before the job has drawn them.

    Args:
        path: of the card; empty for the first one.

    Raises:
        ReleaseError: there is no such candidate, or it is damaged.
    """
    bundle = _bundle(version, hub.candidates, hub.releases)
    older = next(iter(_older(hub, bundle)), None)
    now = _drawn(hub, bundle)
    before = _drawn(hub, older) if now and older and bundle.parent == hub.candidates else {}
    titles = {name: title for name, (title, _html) in {**before, **now}.items()}
    shown = path if path in titles else next(iter(now), "")
    return {
        "given": {
            "path": shown,
            "html": now.get(shown, ("", ""))[1],
            "titles": list(titles.items()),
            "now": list(now),
            "older": list(before),
            "before": older.name if older else "",
        }
    }


def _drawn(hub: Hub, bundle: Path) -> dict[str, tuple[str, str]]:
    return desk_file(hub, cards_file(hub, bundle, current())) or {}


def cards_file(hub: Hub, bundle: Path, lang: str) -> str:
    """Name of the file in ``work/desk/`` with the cards of a bundle in a language."""
    made_of = (digest(bundle), hub.settings.site.url, ctdhub.__version__)
    return f"cards-{hashlib.sha256(repr(made_of).encode()).hexdigest()[:32]}-{lang}.json"


def compared(hub: Hub) -> list[Path]:
    """Candidates, and the release before each: those whose cards approvers read."""
    waiting = by_version(hub.candidates)
    return [*waiting, *dict.fromkeys(p for one in waiting for p in _older(hub, one)[:1])]


def _older(hub: Hub, bundle: Path) -> list[Path]:
    """Releases before a version, the newest first."""
    return [p for p in by_version(hub.releases) if p != bundle and order(p) < order(bundle)]


def _bundle(version: str, *places: Path) -> Path:
    for folder in (one for place in places for one in by_version(place)):
        if folder.name == version:
            return folder
    raise error("no-candidate", file=places[0] / printable(version))


def _counts(hub: Hub, now: Any, bundle: Path) -> tuple[Any, ...]:
    """Groups of people whose number differs by more than the noise."""
    older = _older(hub, bundle)
    if not older:
        return (words(_("This is the first release.")),)
    before = open_release(older[0])
    comparison = release_changes.compared(Answers(before), Answers(now))
    rows = [
        (
            release_changes.group(cell),
            release_changes.count(cell.before),
            release_changes.count(cell.now),
            release_changes.verdict(cell),
        )
        for cell in comparison.beyond
    ]
    head = (
        _("people"), isolated(before.version), isolated(now.version), _("difference"),
    )  # fmt: skip
    fresh = [cell for cell in comparison.cells if cell.now and not cell.before]
    gone = [cell for cell in comparison.cells if cell.before and not cell.now]
    public = release_changes.public_changes(before, now, comparison)
    return (
        words(release_changes.summary(comparison), release_changes.fresh_noise()),
        Items(tuple(public)) if public else None,
        table(head, rows, words=True, most=MOST_DIFFERENT),
        _turned(_("Newly shown"), head[0], head[2], fresh),
        _turned(_("No longer shown"), head[0], head[1], gone),
    )


def _turned(title: str, people: str, version: str, cells: list[CellChange]) -> Any:
    """Groups that one of two releases shows: those of one variable, and how many more there are."""
    rows = [
        (release_changes.group(cell), release_changes.count(cell.now or cell.before))
        for cell in cells
        if len(cell.variables) < 2
    ]
    more = _("Groups by two variables: {n}.").format(n=number(len(cells) - len(rows)))
    shown = table((people, version), rows, title=title, note=more, words=True, most=MOST_DIFFERENT)
    return shown or (words(more, title=title) if cells else None)


def _review(review: Review | None) -> tuple[Any, ...]:
    """Rows that were not used, rules that changed and alarms, for those who approve alone."""
    if review is None:
        text = _("Older software made this candidate: nothing was noted for its approvers.")
        return (words(text),)
    rows = [
        (name(id_), number(read), number(rejected), share(rejected / read) if read else "–")
        for id_, (rejected, read) in review.rejected.items()
    ]
    head = (_("contributor"), _("read"), _("rejected"), _("share"))
    alarms = [
        (
            name(alarm.contributor),
            isolated(alarm.date),
            name(alarm.entry),
            _("{n} of {of}").format(n=number(alarm.n), of=number(alarm.of)),
            (printable(alarm.reason, 300) or _("in the mapping, without a reason"))
            if alarm.accepted
            else _("only by the person who let the charge be made"),
        )
        for alarm in review.alarms
    ]
    heads = (_("contributor"), _("delivery"), _("alarm"), _("counted"), _("accepted"))
    rules = tuple(said(text) for text in review.rewritten_rules)
    return (
        table(head, rows, title=_("Rows that were not used")),
        Items(rules) if rules else None,
        table(heads, alarms, title=_("Alarms"), words=True, most=None)
        or words(_("No alarm was raised.")),
    )


# --------------------------------------------------------------------------------------------------
# Tables on request: what may be asked for, which release holds it, and what it would cost.
#
# All of it follows from the schema, from settings and from published releases; no row is read.

_REGIONS = (*countries.regions(), *countries.subregions())
MOST_TABLES = 500
"""Of which one request asks whether a release holds them."""


def table_form(hub: Hub) -> dict[str, Any]:
    """Variables by group, and regions, each with its name in the reader's language."""
    lang = current()
    groups: dict[str, list[list[str]]] = {}
    for one in requestable():
        groups.setdefault(one.group or "", []).append([one.name, label(one.name, lang)])
    return {
        "given": {
            "groups": [
                {"name": group_label(group, lang) if group else "", "variables": variables}
                for group, variables in groups.items()
            ],
            "regions": [[key, countries.region_name(key, lang)] for key in _REGIONS],
            "place": DESTINATION,
            "year": PERIOD,
        }
    }


def table_held(hub: Hub, request: Mapping[str, Any]) -> dict[str, Any]:
    """For each table the release that holds it, or "", and its variables in words."""
    asked = [_variables(one) for one in list(request.get("tables") or ())[:MOST_TABLES]]
    known, lang = {one.name for one in requestable()}, current()
    tables = [
        {
            "version": held_by(hub, one),
            "variables": listed([label(name, lang) for name in one if name in known]),
        }
        for one in asked
    ]
    return {"given": {"tables": tables}}


def table_price(hub: Hub, request: Mapping[str, Any]) -> dict[str, Any]:
    """What a table would cost the next release."""
    quote = price_of(hub, _variables(request.get("variables")))
    values = {"policy": quote.policy, "free": quote.price is None}
    title = _("What it would cost")
    if quote.price is None:
        text = _(
            "The policy of the next release measures this table already; a yes costs nothing more."
        )
        return Page(hub, title, text).answer(**values)
    note = _(
        "It follows from the settings alone: no case record was read. Error: half the width of an "
        "interval. The first number holds where all cells are shown, the second where a single "
        "one is."
    )
    page = Page(hub, title)
    page.add("price", "", table((), _rows(quote), note=note, words=True))
    if quote.added:
        text = _(
            "The hub does not release these variables yet: {names}. A yes releases each of them, "
            "in tables with every other variable too."
        ).format(names=listed([label(name, current()) for name in quote.added]))
        page.add("added", _("New variables"), words(text))
    return page.answer(**values)


def _rows(quote: RequestPrice) -> list[tuple[str, str]]:
    one = quote.price
    assert one is not None
    return [
        (_("cells of the table"), number(one.cells)),
        (
            _("error of a cell, at {level}").format(level=share(quote.level)),
            formula(f"± {_range(one.half_width)}"),
        ),
        (_("smallest number that is shown"), _range(one.shown_from)),
        (
            _("cost of this table alone"),
            _("epsilon {cost}, within the epsilon {whole} of the next release").format(
                cost=decimal(one.epsilon, "#,##0.##"), whole=exact(quote.epsilon)
            ),
        ),
        (
            _("other tables, for the same epsilon"),
            _("noise larger by {share}, at most").format(share=share(one.growth - 1)),
        ),
        (
            _("other tables as precise as without it"),
            _("for epsilon {epsilon} a release, of {budget} for all releases").format(
                epsilon=decimal(one.keep, "#,##0.##"), budget=exact(quote.budget)
            ),
        ),
    ]


def _range(bounds: Range) -> str:
    both = dict.fromkeys((bounds.all, bounds.lone))
    return formula("–".join(number(n) for n in both))


def _variables(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise error("desk-ask", name="tables")
    return value


# --------------------------------------------------------------------------------------------------
# Candidates on their way to publication, what a person would sign, and whose keys count.


def state_words(here: Publication) -> str:
    """Where a candidate is, in a few words."""
    roles = ", ".join(said(approvals.ROLE_NAMES[role]) for role in here.missing)
    if here.state in ("built", "approved by one"):
        return _("waits for: {roles}").format(roles=roles)
    if here.state == "scheduled" and here.opens:
        return _("approved, not yet published: on {day}").format(day=day(here.opens.date()))
    return {
        "held": _("held back"),
        "refused": _("refused"),
        "due": _("approved, not yet published"),
    }[here.state]


def candidates(hub: Hub) -> dict[str, Any]:
    """Every candidate and where it is."""
    now, rows, entries = datetime.now(UTC), [], []
    for candidate in by_version(hub.candidates):
        here = publication(hub, candidate, now)
        rows.append((isolated(candidate.name), state_words(here)))
        missing = list(here.missing) if here.state in ("built", "approved by one") else []
        entries.append({"version": candidate.name, "state": here.state, "missing": missing})
    notices = []
    for release in by_version(hub.releases):
        waits = errata.notices_of(hub, release.name).waiting
        if waits is not None:
            notices.append({"version": release.name, "missing": list(waits.missing)})
    page = Page(hub, _("Approvals"), "" if rows else _("No candidate waits for approval."))
    page.add("candidates", "", table((_("version"), _("state")), rows, words=True))
    return page.answer(candidates=entries, notices=notices)


def candidate(hub: Hub, version: str) -> dict[str, Any]:
    """What one approves, and where it is.

    Raises:
        ReleaseError: there is no such candidate.
        LedgerTampered: the ledger was changed.
    """
    place = _bundle(version, hub.candidates)
    here = publication(hub, place, datetime.now(UTC))
    title = _("Approve {version}").format(version=isolated(printable(version)))
    page = Page(hub, title, state_words(here), *(said(text) for text in waiting_words(hub)))
    page.add("promise", _("What you approve"), _facts(hub, place))
    if here.holds:
        page.add("held", _("Held back or refused"), _holds(here))
    page.add("signed", _("Approved so far"), _signed(place))
    return page.answer(
        version=version,
        state=here.state,
        missing=list(here.missing),
        opens=here.opens.date().isoformat() if here.opens else "",
        holds=[{"role": h.role, "refused": h.refused is not None} for h in here.holds],
    )


def to_sign(hub: Hub, version: str, role: approvals.Role, not_before: str) -> dict[str, Any]:
    """The statement of a role about a candidate now, as the signing page takes it.

    Args:
        not_before: a day, or empty for at once.

    Raises:
        HubError: it may not be approved; the day is none.
    """
    try:
        first = date.fromisoformat(not_before) if not_before else None
    except ValueError:
        raise error("not-before") from None
    made, _manifest = statement(hub, _bundle(version, hub.candidates), role, first)
    return _to_sign(made, keys.approvers(hub).keys(role))


def lift_to_sign(hub: Hub, version: str, role: approvals.Role) -> dict[str, Any]:
    """What takes the hold of a role back, as the signing page takes it.

    Raises:
        HubError: the role does not hold the candidate back.
    """
    text = keys.to_lift(hub, _bundle(version, hub.candidates), role)
    return _to_sign(text, keys.approvers(hub).keys(role))


def notice_rows(notice: Notice) -> list[tuple[str, str]]:
    """Everything that a person signs of a notice."""
    what = _("withdrawn: not to be used") if notice.sort == "withdrawn" else _("correction")
    rows = (
        (_("hub"), notice.hub),
        (_("version"), notice.version),
        (_("number of the notice"), str(notice.number)),
        (_("kind"), what),
        (_("date"), notice.date),
        (_("concerns"), _(", ").join(notice.concerns) or _("the whole release")),
        *((_("note ({language})").format(language=c), text) for c, text in notice.note.items()),
        (_("hash of SHA256SUMS"), notice.digest),
    )
    return [(name, printable(value, 3_000)) for name, value in rows]


def notice(hub: Hub, version: str) -> dict[str, Any]:
    """The notices about a published version, the last one perhaps without both signatures.

    Raises:
        ReleaseError: no such version is published, or a notice is not what two people signed.
    """
    errata.published(hub, version)
    known = errata.notices_of(hub, version)
    title = _("Notices about release {version}").format(version=isolated(printable(version)))
    page = Page(hub, title, "" if known.notices or known.waiting else _("There is no notice."))
    for erratum in (*known.notices, *([known.waiting] if known.waiting else ())):
        roles = ", ".join(said(approvals.ROLE_NAMES[role]) for role in erratum.missing)
        state = _("waits for: {roles}").format(roles=roles) if roles else _("published")
        rows = table((), notice_rows(erratum.notice), words=True)
        page.add(f"notice-{erratum.notice.number}", state, rows)
    missing = list(known.waiting.missing) if known.waiting else []
    return page.answer(version=version, missing=missing)


def notice_to_sign(hub: Hub, version: str, role: approvals.Role) -> dict[str, Any]:
    """The notice that waits, as the signing page takes it.

    Raises:
        HubError: none waits, or the role has signed it.
    """
    return _to_sign(errata.to_sign(hub, version, role), keys.approvers(hub).keys(role))


def change_to_sign(hub: Hub, role: approvals.Role, reason: str) -> dict[str, Any]:
    """The change of keys that hub.yaml makes, for a role whose own keys stay.

    Raises:
        HubError: there is none, or not for this role.
    """
    change = keys.change_to_sign(hub, role, reason)
    return _to_sign(change, change.was.keys(role))


def approvers(hub: Hub) -> dict[str, Any]:
    """Whose keys count, and what waits to be signed."""
    signers, waits, wrong, first = hub.settings.approvers, None, None, keys.awaits_first(hub)
    if signers is not None:
        try:
            waits = keys.pending(hub)
        except HubError as met:
            wrong = met
    lead = [said(wrong.fault), said(wrong.remedy)] if wrong is not None else []
    if waits is not None:
        lead = [
            _(
                "hub.yaml names other keys than the last signed release. Nothing is published "
                "until the approver whose own keys stay the same has signed the change."
            )
        ]
    if first:
        lead = [
            _(
                "Nobody can approve a release yet. Steward and privacy officer each make a passkey "
                "and read its digits out, in one room or by telephone. The other one of them and "
                "an administrator write them down here. Then the administrator names both."
            )
        ]
    page, none = Page(hub, _("Approvers"), *lead), words(_("hub.yaml names no approvers."))
    if not first:
        page.add("keys", _("Keys in hub.yaml"), _keys(signers) if signers else none)
    if waits is not None:
        page.add("was", _("Keys that were signed"), _keys(waits.was))
    return page.answer(
        keys={role: list(signers.keys(role)) for role in approvals.ROLES} if signers else {},
        named=list(signers.all_keys) if signers else [],
        first=first,
        practice=hub.settings.invented,
        rs256=bool(signers and signers.rs256),
        sign=[r for r in approvals.ROLES if waits and waits.was.keys(r) == waits.now.keys(r)],
        error=as_json(wrong) if wrong else None,
    )


def _to_sign(made: approvals.Signable, mine: tuple[str, ...]) -> dict[str, Any]:
    text = base64.urlsafe_b64encode(made.payload).rstrip(b"=").decode()
    seen = hashlib.sha256(made.message()).hexdigest()
    return {"given": {"statement": text, "digest": seen, "keys": list(mine)}}


def _facts(hub: Hub, place: Path) -> Any:
    manifest, problems = examine(place, hub.settings.approvers)
    if manifest is None or problems:
        text = said(problems[0].text)
        return words(_("The candidate is damaged: {fault}").format(fault=text))
    rules, book = policy(hub), ledger(hub)
    paid = next(e for e in book.entries() if e.id == manifest.charge)
    spending = Account.of(book, rules, budget_split(hub, rules))
    guarantee = _("epsilon {epsilon}, delta {delta}")
    account = _("epsilon {spent} of {budget}; left for one more: {left}")
    rows = [
        (
            _("guarantee"),
            guarantee.format(epsilon=exact(manifest.epsilon), delta=tiny(manifest.delta)),
        ),
        (_("people"), headline_of(open_release(place))),
        (_("charge"), isolated(f"{paid.time[:16].replace('T', ' ')} UTC, {paid.hash[:16]}")),
        (
            _("spent to date"),
            account.format(
                spent=decimal(spending.spent, "#,##0.000"),
                budget=exact(spending.budget),
                left=decimal(spending.left, "#,##0.000"),
            ),
        ),
        (_("hash of all files"), isolated(digest(place))),
    ]
    return table((), rows, words=True)


def _holds(here: Publication) -> Any:
    rows = [
        (
            said(approvals.ROLE_NAMES[hold.role]),
            _("refused") if hold.refused else _("held back"),
            isolated(hold.date[:10]),
            name(hold.reason, 1_000),
        )
        for hold in here.holds
    ]
    return table((_("role"), _("state"), _("date"), _("reason")), rows, words=True)


def _signed(place: Path) -> Any:
    rows = [
        (
            said(approvals.ROLE_NAMES[one.statement.role]),
            isolated(one.statement.date.replace("T", " ").replace("Z", " UTC")),
            isolated(one.statement.not_before or "–"),
            _kind(one.key),
        )
        for one in approvals.Approvals.read(place).approvals
    ]
    head = (_("role"), _("time"), _("published not before"), _("with"))
    return table(head, rows, words=True) or words(_("Nobody has approved it."))


def _keys(signers: approvals.Approvers) -> Any:
    rows = [
        (
            said(approvals.ROLE_NAMES[role]),
            isolated(approvals.fingerprint(key)),
            _kind(key),
            isolated(key),
        )
        for role in approvals.ROLES
        for key in signers.keys(role)
    ]
    head = (_("role"), _("read aloud"), _("kind"), _("key"))
    note = (
        _("Passkeys that can be copied to other devices are refused.")
        if signers.devices == "bound"
        else ""
    )
    return table(head, rows, note=note, words=True)


def _kind(key: str) -> str:
    return _("passkey") if is_passkey(key) else _("key file")
