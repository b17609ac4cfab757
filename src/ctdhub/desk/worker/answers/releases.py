"""Releases on their way: which there are, a rehearsal, the price, and what a candidate changes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ctdhub.build.desk_files import PRICE, REHEARSAL, kept
from ctdhub.build.hub import Hub
from ctdhub.build.may_publish import publication
from ctdhub.build.next_price import people_key
from ctdhub.build.paid import published
from ctdhub.build.review import Review, read_review
from ctdhub.build.rules import policy
from ctdhub.build.stages.differencing import told_of
from ctdhub.build.steps import hash_file
from ctdhub.build.versions import by_version, order
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, exact, isolated, number, share, tiny
from ctdhub.core.i18n import _, current, formula, said
from ctdhub.desk.worker.answers.page import answered, name, section, table, words
from ctdhub.document.document import Bar, Bars, Items
from ctdhub.dp.price import why
from ctdhub.release.approvers import ROLE_NAMES
from ctdhub.release.changelog import CHANGELOG, newest_changes, newest_note
from ctdhub.release.note_words import tells_of_withdrawals
from ctdhub.release.open import open_release
from ctdhub.report import release_changes
from ctdhub.report.table_kinds import kind_name
from ctdhub.stats.answers import Answers

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
    given: list[dict[str, Any]] = []
    now, done = datetime.now(UTC), {release.name for release in by_version(hub.releases)}
    for candidate in by_version(hub.candidates):
        if candidate.name in done:
            continue
        found = publication(hub, candidate, now)
        given.append(
            {
                "version": candidate.name,
                "published": False,
                "missing": list(found.missing),
                "state": _STATES[found.state],
            }
        )
    given += [
        {"version": version.name, "published": True, "missing": [], "state": "published"}
        for version in by_version(hub.releases)
    ]
    rows = [
        (
            isolated(one["version"]),
            _("published")
            if one["published"]
            else _("waits for: {roles}").format(
                roles=", ".join(said(ROLE_NAMES[role]) for role in one["missing"])
            )
            if one["missing"]
            else _("approved, not yet published"),
        )
        for one in given
    ]
    lead = () if rows else (_("Nothing was built or published yet."),)
    listed_ = table("", (_("version"), _("state")), rows, words=True) if rows else None
    return answered(
        hub,
        _("Versions in the hub"),
        lead,
        (section("versions", "", listed_),),
        {"versions": given},
    )


def rehearsal(hub: Hub) -> dict[str, Any]:
    """Error against epsilon, on fictitious people; nothing was charged."""
    title, found = _("Rehearsal"), kept(hub, REHEARSAL)
    rules = policy(hub)
    setting = _("The policy asks for epsilon {epsilon} a release, of a budget of {budget}.").format(
        epsilon=exact(rules.epsilon), budget=exact(rules.budget.epsilon)
    )
    given = {
        "epsilon": rules.epsilon,
        "budget": rules.budget.epsilon,
        "stale": False,
        "done": False,
    }
    if found is None:
        return answered(hub, title, (_("Nothing was rehearsed yet."), setting), (), given)
    given |= {"done": True, "stale": found["policy"] != hash_file(hub.policy_file)}
    figures = found["rehearsals"]
    lead = _("Fictitious people: {n}; delta {delta}; nothing was charged.").format(
        n=number(found["people"]), delta=tiny(figures[0]["delta"])
    )
    old = _("The policy has changed since then: rehearse again.") if given["stale"] else ""
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
    return answered(
        hub,
        title,
        tuple(text for text in (lead, setting, old) if text),
        (
            section("error", _("Error at each epsilon"), words(note), *charts),
            section("bought", _("What the budget buys"), _bought(found)),
            section("all", _("All kinds of tables"), _all_kinds(figures, kinds)),
        ),
        given,
    )


def _of_kind(one: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(k for k in one["kinds"] if k["kind"] == kind)
    return found


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


def _bought(found: dict[str, Any]) -> Any:
    rows = [
        (exact(one["epsilon"]), number(one["versions"]), number(one["drafts"]))
        for one in found.get("bought", ())
    ]
    head = (_("epsilon"), _("published versions"), _("drafts"))
    return table("", head, rows)


def _all_kinds(figures: list[dict[str, Any]], kinds: list[str]) -> Any:
    head = [
        _("tables"),
        *(_("epsilon {epsilon}").format(epsilon=exact(r["epsilon"])) for r in figures),
    ]
    rows = []
    for kind in kinds:
        cells = []
        for one in figures:
            found = _of_kind(one, kind)
            shown = "–" if found["shown"] is None else share(found["shown"])
            cells.append(
                _("noise {sigma}, from {least}, cells shown {shown}").format(
                    sigma=decimal(found["sigma"]),
                    least=number(found["shown_from"]["all"]),
                    shown=shown,
                )
            )
        rows.append((kind_name(kind), *cells))
    note = _(
        "Noise: standard deviation, in people. From: the smallest count that is typically shown. "
        "Cells shown come from the fictitious people; real data will differ."
    )
    return table("", head, rows, note=note, words=True)


def price(hub: Hub, version: str) -> dict[str, Any]:
    """What a version would cost, as the last job found it; nothing was charged."""
    title, found = _("Price"), kept(hub, PRICE)
    if found is None or found["version"] != version:
        lead = _("The price of version {version} has not been requested yet.").format(
            version=isolated(printable(version))
        )
        return answered(hub, title, (lead,), (), {"known": False, "stale": False})
    stale = found["people"] != people_key(hub)
    rows = [
        (_("version"), isolated(printable(version))),
        (_("charge"), _("epsilon {epsilon}").format(epsilon=exact(found["epsilon"]))),
        (_("delta"), tiny(found["delta"])),
        (_("most that one more version may have"), decimal(found["left"], "#,##0.###")),
        (_("versions that fit after this one"), number(found["more"])),
        (_("why it has to be paid"), said(why(found["because"])) or "–"),
        (_("open alarms"), number(found["alarms"])),
        *(
            (
                _("left of the limit of {name}").format(name=name(id_)),
                decimal(left, "#,##0.###"),
            )
            for id_, left in sorted(found["left_by_contributor"].items())
        ),
    ]
    lead = (
        _("Nothing has to be paid: an answer that was paid for is given.")
        if not found["epsilon"]
        else _("Nothing was charged yet.")
    )
    warn = []
    if stale:
        warn.append(_("The data changed since the price was requested: request it again."))
    if found["alarms"]:
        warn.append(_("While an alarm is open nothing is charged: look at it first."))
    return answered(
        hub,
        title,
        (lead, *warn),
        (section("price", "", table("", (), rows, words=True)),),
        {
            "known": True,
            "stale": stale,
            "epsilon": found["epsilon"],
            "alarms": found["alarms"],
        },
    )


def difference(hub: Hub, version: str, *, reviewed: bool) -> dict[str, Any]:
    """What a candidate changes, to be read before it is signed.

    Args:
        reviewed: whether rejected rows and alarms are shown, which are exact.

    Raises:
        ReleaseError: there is no such candidate or release, or it is damaged.
    """
    bundle = _bundle(hub, version)
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
    readers = section(
        "readers",
        _("What readers will see"),
        words(printable(note, 2_000) or _("No note was given."), warned, title=_("Note")),
        words(title=_("What changed since the last release")) if lines else None,
        Items(lines) if lines else words(_("Nothing is said about changes.")),
    )
    review = read_review(hub, version) if reviewed else None
    told = [said(one.words) for one in told_of(hub, bundle)]
    parts = [
        readers,
        *_counts(hub, now, bundle),
        _told(told),
        *(_review(review[0] if review else None) if reviewed else ()),
    ]
    return answered(
        hub,
        _("What version {version} changes").format(version=isolated(printable(version))),
        (),
        [part for part in parts if part is not None],
        {"version": version, "published": version in published(hub).values()},
    )


def _bundle(hub: Hub, version: str) -> Path:
    for place in (hub.candidates, hub.releases):
        for found in by_version(place):
            if found.name == version:
                return found
    raise error("no-candidate", file=hub.candidates / printable(version))


def _counts(hub: Hub, now: Any, bundle: Path) -> list[Any]:
    """Groups of people whose number differs by more than the noise."""
    title = _("Numbers compared with the last release")
    older = [p for p in by_version(hub.releases) if p != bundle and order(p) < order(bundle)]
    if not older:
        return [section("counts", title, words(_("This is the first release.")))]
    before = open_release(older[0])
    found = release_changes.compared(Answers(before), Answers(now))
    rows = [
        (
            release_changes.group(cell),
            release_changes.count(cell.before),
            release_changes.count(cell.now),
            release_changes.verdict(cell),
        )
        for cell in found.beyond[:MOST_DIFFERENT]
    ]
    head = (
        _("people"), isolated(before.version), isolated(now.version), _("difference"),
    )  # fmt: skip
    public = release_changes.public_changes(before, now, found)
    return [
        section(
            "counts",
            title,
            words(release_changes.summary(found), release_changes.fresh_noise()),
            Items(tuple(public)) if public else None,
            table("", head, rows, words=True) if rows else None,
        )
    ]


def _told(told: list[str]) -> Any:
    if not told:
        return None
    return section("told", _("What a comparison of releases reveals"), Items(tuple(told)))


def _review(review: Review | None) -> list[Any]:
    """Rows that were not used, rules that changed and alarms, for those who approve alone."""
    title = _("Rows and alarms, for the approvers only")
    if review is None:
        text = _("Older software made this candidate: nothing was noted for its approvers.")
        return [section("review", title, words(text))]
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
    told = tuple(said(text) for text in review.told_of_rules)
    return [
        section(
            "review",
            title,
            table(_("Rows that were not used"), head, rows),
            *([Items(told)] if told else []),
            table(_("Alarms"), heads, alarms, words=True)
            if alarms
            else words(_("No alarm was raised.")),
        )
    ]
