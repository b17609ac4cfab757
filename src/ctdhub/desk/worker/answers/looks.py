"""The look, drift, coverage, pairs, lineage and a contributor's own report, as the last build
left them.
"""

from datetime import timedelta
from typing import Any

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.format import interval, isolated, listed, number, share, signed, year
from ctdhub.core.i18n import Text, _, current, formula, ngettext, said
from ctdhub.desk.worker.answers.page import Page, name, table, today, words
from ctdhub.document.document import Bar, Bars, to_json
from ctdhub.hub.contributions import RECORDS, mapping_file
from ctdhub.hub.doubles import DoublePair, measured, to_decide
from ctdhub.hub.folder import Hub, by_version
from ctdhub.hub.private import look as seen
from ctdhub.hub.private.pages import alarm_table, own_profile, own_report, value_label
from ctdhub.hub.private.pages import page as look_page
from ctdhub.hub.stages.differencing import disclosures_of
from ctdhub.hub.stages.link import PAIRS, linkage
from ctdhub.hub.steps import hash_file
from ctdhub.release.bundle import latest_release, latest_standing
from ctdhub.release.open import Release, open_release
from ctdhub.report.wording import called, caveat, ranged, state_words
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage.pprl.derive import kind_words
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_RECORDED
from ctdhub.stats.query import Query

# --------------------------------------------------------------------------------------------------
# The look, drift and coverage: exact counts of what the hub holds, as the last build read it.

MOST_MOVED = 12
"""Variables that are listed of a delivery on the page of drift."""


def looks(hub: Hub) -> dict[str, Any]:
    """Every contributor's newest delivery with its alarms, and what was not read yet."""
    stale = seen.unread_files(hub)
    if not _was_read(hub):
        return Page(hub, _("Look"), _unread(stale)).answer(deliveries=[], stale=stale, tokens=False)
    newest = seen.look(hub, read=False)
    rows, deliveries = [], []
    for one in newest:
        open_ = [alarm for alarm in one.now.alarms if not alarm.accepted]
        rows.append(
            (
                name(called(one.agreement)),
                isolated(one.now.date),
                number(one.now.rows),
                number(one.now.rejected),
                number(one.now.people.people) if one.now.people else "–",
                number(len(open_)),
            )
        )
        deliveries.append(
            {
                "id": one.agreement.id,
                "name": printable(called(one.agreement)),
                "date": one.now.date,
                "open": len(open_),
            }
        )
    head = (
        _("contributor"), _("delivery"), _("rows"), _("rejected"), _("people"), _("open alarms"),
    )  # fmt: skip
    alarms = [alarm for one in newest for alarm in one.now.alarms]
    lead = _unread(stale) if stale else _("All files were read as they are now.")
    page = Page(hub, _("Look"), lead)
    page.add("newest", _("Newest deliveries"), table(head, rows))
    page.add("alarms", "", *alarm_table(alarms))
    return page.answer(deliveries=deliveries, stale=stale, tokens=_has_tokens(hub))


def look_at(hub: Hub, contributor: str, date: str, *, texts: bool) -> dict[str, Any]:
    """One delivery beside the one before.

    Args:
        date: of the delivery, the newest if empty.
        texts: whether texts of case records are shown.

    Raises:
        DocumentError: no such contributor, or no such delivery that was read.
    """
    (one,) = seen.look(hub, contributor, date or None, read=False)
    compared = [said(notice.words) for notice in disclosures_of(hub) if notice.id == contributor]
    document = look_page(hub.settings.name, [one], today(), compared, texts=texts)
    base = mapping_file(hub, contributor, one.now.date)
    return {
        "document": to_json(document),
        "given": {
            "id": contributor,
            "name": printable(called(one.agreement)),
            "date": one.now.date,
            "before": one.before.date if one.before else "",
            "dates": sorted({c.date for c in hub.contributions() if c.contributor == contributor}),
            "mapping": hash_file(base),
            "alarms": [
                {
                    "entry": alarm.entry,
                    "what": alarm.what().as_json(),
                    "stops": alarm.stops,
                    "accepted": alarm.accepted,
                }
                for alarm in one.now.alarms
            ],
            "stale": seen.unread_files(hub),
        },
    }


def rejects(hub: Hub, contributor: str, date: str) -> dict[str, Any]:
    """The rejected rows of a delivery, with the text of each cell that could not be read.

    Raises:
        DocumentError: no such contributor, or no such delivery that was read.
    """
    (one,) = seen.look(hub, contributor, date, read=False)
    cells = seen.own_rows(hub, contributor, one.now.date)
    rows = [
        (number(cell.row), _text(cell.column), said(cell.reason), _text(cell.text))
        for cell in cells
    ]
    head = (_("row"), _("column"), _("reason"), _("text"))
    lead = _("{rejected} of {rows} rows were rejected.").format(
        rejected=number(one.now.rejected), rows=number(one.now.rows)
    )
    title = _("Rejected rows of {name}, delivery of {date}").format(
        name=name(called(one.agreement)), date=isolated(one.now.date)
    )
    page = Page(hub, title, lead)
    page.add("rejects", "", table(head, rows, words=True))
    return page.answer(id=contributor, date=one.now.date, rejected=one.now.rejected)


def _text(value: str) -> str:
    return name(value) if value else "–"


def drift(hub: Hub) -> dict[str, Any]:
    """How newest deliveries differ from those before, and people from the last release."""
    if not _was_read(hub):
        return Page(hub, _("Drift"), _unread(seen.unread_files(hub))).answer(stale=1)
    lead = _(
        "What changed between deliveries may be a change in the world, in a form or in a mapping. "
        "Look at the largest changes before you build."
    )
    page = Page(hub, _("Drift"), lead)
    page.add("since", _("People compared with the last release"), *_since(hub))
    for one in seen.look(hub, read=False):
        title = _("{name}: delivery of {date}").format(
            name=name(called(one.agreement)), date=isolated(one.now.date)
        )
        page.add(f"drift-{one.agreement.id}", title, _moved(one))
    return page.answer(stale=seen.unread_files(hub))


def _moved(one: seen.SeenContributor) -> Any:
    if one.before is None:
        return words(_("This is the first delivery."))
    rows = [_moved_row(each) for each in seen.moved(one)[:MOST_MOVED]]
    head = (
        _("variable"), _("values that differ"),
        _("recorded, {date}").format(date=isolated(one.now.date)),
        _("recorded, {date}").format(date=isolated(one.before.date)),
        _("difference, percentage points"),
    )  # fmt: skip
    note = _(
        "Values that differ: the share of records that would have to take another value for both "
        "deliveries to have the same shares. The {n} variables that changed most are listed."
    ).format(n=number(len(rows)))
    return table(head, rows, note=note)


def _moved_row(each: seen.MovedVariable) -> tuple[str, ...]:
    return (
        label(each.variable, current()),
        share(each.distance, fine=True) if each.distance is not None else "–",
        _part(each.now, each.of),
        _part(each.was, each.was_of),
        signed(-100 * each.fell, 1),
    )


def _part(n: int, of: int) -> str:
    if not of:
        return number(n)
    return formula(_("{n} ({share})").format(n=number(n), share=share(n / of)))


def _since(hub: Hub) -> tuple[Any, ...]:
    check = seen.since_release(hub)
    if check is None:
        return (words(_("Nothing was published yet.")),)
    if not check.compared:
        return (words(_("People were not linked yet.")),)
    said_ = ngettext(
        "{n} of {of} values is outside the interval that release {version} gives.",
        "{n} of {of} values are outside the interval that release {version} gives.",
        len(check.outside),
    ).format(
        n=number(len(check.outside)), of=number(check.compared), version=isolated(check.version)
    )
    rows = [
        (
            label(one.variable, current()),
            value_label(one.variable, one.code),
            number(one.people),
            number(one.low),
            number(one.high),
        )
        for one in check.outside
    ]
    head = (
        _("variable"), _("value"), _("people today"), _("lower bound"), _("upper bound"),
    )  # fmt: skip
    note = _(
        "People today are exact and for this page alone. Some values are outside by chance: of the "
        "intervals, about one in twenty does not hold the true number."
    )
    return words(said_), table(head, rows, note=note)


def coverage(hub: Hub) -> dict[str, Any]:
    """People by contributor and year, as the last build linked them."""
    counts = seen.people_by_year(hub)
    agreed = {one.id: one for one in hub.agreements()}
    by_id = {id_: name(called(one)) for id_, one in agreed.items()}
    silent = [by_id[id_] for id_ in by_id if id_ not in counts]
    if not counts:
        return Page(hub, _("Coverage"), _("People were not linked yet.")).answer(stale=1)
    years = sorted({y for own in counts.values() for y in own if y is not None})
    charts = []
    for id_, own in sorted(counts.items()):
        top, span = max(own.values()), agreed[id_].years if id_ in agreed else None
        bars = [
            Bar(year(y), state_words("nobody_reports"))
            if span and not span[0] <= y <= span[1] and y not in own
            else _bar(year(y), own.get(y, 0))
            for y in years
        ]
        if None in own:
            bars.append(_bar(_("not recorded"), own[None], missing=own[None] > top / 2))
        total = _("People: {n}").format(n=number(sum(own.values())))
        charts.append(Bars(by_id.get(id_, name(id_)), total, tuple(bars)))
    lead = _("People by contributor and year: exact, for this page alone.")
    extra = _("Nobody was counted for: {names}").format(names="; ".join(silent)) if silent else ""
    page = Page(hub, _("Coverage"), lead, extra)
    page.add("coverage", "", *charts)
    return page.answer(stale=0)


def _bar(label_: str, n: int, *, missing: bool = False) -> Bar:
    return Bar(label_, number(n), float(n), float(n), float(n), missing)


def unread(hub: Hub) -> int:
    """Files that were not read since they, their mapping or the program changed."""
    return seen.unread_files(hub) if _was_read(hub) or hub.contributions() else 0


def _was_read(hub: Hub) -> bool:
    return any((hub.work / "harmonised").glob(f"[!.]*/*/*/{RECORDS}"))


def _unread(stale: int) -> str:
    return ngettext(
        "{n} file was not read since it, its mapping or the program changed.",
        "{n} files were not read since they, their mapping or the program changed.",
        stale,
    ).format(n=number(stale))


# --------------------------------------------------------------------------------------------------
# From a column of a file to a published number: the way ends at the noisy number.

MOST_TABLES, MOST_NUMBERS = 12, 60


def lineages(hub: Hub) -> dict[str, Any]:
    """The variables that files become, to choose one."""
    sources = seen.column_sources(hub)
    release = _newest(hub)
    measured = set(release.protected.guarantee.sigma) if release else set()
    names: dict[str, set[str]] = {}
    for one in sources:
        names.setdefault(one.variable, set()).add(one.contributor)
    order = [v.name for v in load_schema().variables() if v.name in names]
    lead = (
        _("Choose a variable: from the columns it is read from to the numbers published of it.")
        if names
        else _("No file was read yet.")
    )
    variables = [
        {
            "name": variable,
            "label": label(variable, current()),
            "contributors": len(names[variable]),
            "measured": any(variable in key.split("*") for key in measured),
        }
        for variable in order
    ]
    return Page(hub, _("Lineage"), lead).answer(variables=variables)


def lineage(hub: Hub, variable: str, *, columns: bool = True) -> dict[str, Any]:
    """The way of one variable.

    Args:
        variable: of the schema.
        columns: whether columns, rules and exact counts of files are shown.

    Raises:
        SchemaError: there is no such variable.
    """
    if variable not in {v.name for v in load_schema().variables()}:
        raise error("lineage-variable", name=printable(variable))
    sources = seen.column_sources(hub, variable)
    by_id = {one.id: name(called(one)) for one in hub.agreements()}
    title = _("Lineage of {variable}").format(variable=label(variable, current()))
    end = _("The way ends at the noisy number: from there no step leads back to a record.")
    page, files = Page(hub, title, end), _("1. Columns of files, and the mapping that reads them")
    page.add("files", files, _from_files(sources, by_id, columns))
    _add_numbers(page, variable)
    return page.answer(name=variable)


def _from_files(sources: list[seen.ColumnSource], by_id: dict[str, str], columns: bool) -> Any:
    if not sources:
        return words(_("No file that was read has this variable."))
    if not columns:
        names = sorted({by_id.get(one.contributor, name(one.contributor)) for one in sources})
        return words(_("Read from files of: {names}").format(names=listed(names)))
    rows = [
        (
            by_id.get(one.contributor, name(one.contributor)),
            isolated(one.date),
            listed([name(c) for c in one.columns]) or "–",
            said(one.rule),
            said(one.loss) if one.loss else "–",
            _share(one),
            isolated(one.mapping[:12]),
        )
        for one in sources
    ]
    head = (
        _("contributor"), _("delivery"), _("columns"), _("rule"), _("what is lost"),
        _("records with it"), _("mapping"),
    )  # fmt: skip
    note = _("Mapping: the first 12 characters of the SHA-256 of its file.")
    return table(head, rows, note=note, words=True)


def _share(one: seen.ColumnSource) -> str:
    whole = one.recorded + one.empty
    return f"{number(one.recorded)} ({share(one.recorded / whole)})" if whole else "–"


def _add_numbers(page: Page, variable: str) -> None:
    release, title = _newest(page.hub), _("2. Tables of the newest release")
    if release is None:
        page.add("tables", title, words(_("Nothing was published yet.")))
        return
    sigma = release.protected.guarantee.sigma
    tables = seen.tables_with(dict(sigma), variable)
    if not tables:
        text = _("Release {version} measured no table with it.")
        page.add("tables", title, words(text.format(version=isolated(release.version))))
        return
    rows = [
        (" × ".join(label(n, current()) for n in names), number(sigma["*".join(names)]))
        for names in tables[:MOST_TABLES]
    ]
    note = _("Tables in all: {n}. Noise: its standard deviation, in people.").format(
        n=number(len(tables))
    )
    head = (_("table"), _("noise"))
    title = _("2. Tables of release {version}").format(version=isolated(release.version))
    page.add("tables", title, table(head, rows, note=note, words=True))
    if (variable,) in tables:
        page.add("numbers", _("3. Published numbers"), _numbers(release, variable))


def _numbers(release: Release, variable: str) -> Any:
    answers, query = Answers(release), Query(by=(variable,))
    counts = answers.table(query, shares=False)
    rows = [
        (
            _("not recorded")
            if (code := row.codes[0]) == NOT_RECORDED
            else code_label(variable, code, current()),
            ranged(row.people),
        )
        for row in counts.rows[:MOST_NUMBERS]
    ]
    note = f"{caveat()} " + _("Intervals of {level}.").format(
        level=share(release.protected.guarantee.level)
    )
    return table((_("value"), _("people")), rows, note=note, words=True)


def _newest(hub: Hub) -> Release | None:
    folder = latest_release(hub.releases)
    return open_release(folder) if folder else None


# --------------------------------------------------------------------------------------------------
# Pairs to decide, without names and without a value; and what decisions say of all links.


def doubles(hub: Hub) -> dict[str, Any]:
    """All pairs that somebody should look at, the undecided first."""
    title = _("Possible doubles")
    if not (hub.work / "people" / PAIRS).is_file():
        return Page(hub, title, _("People were not linked yet.")).answer(pairs=[])
    report, pairs = linkage(hub), to_decide(hub)
    by_id = {one.id: name(called(one)) for one in hub.agreements()}
    open_ = [one for one in pairs if one.same not in ("yes", "no")]
    lead = (
        _("Pairs to decide: {open} of {n}.").format(open=number(len(open_)), n=number(len(pairs)))
        if pairs
        else _("No two records share a token, so there is no pair to decide.")
    )
    law = _(
        "Decide by what agrees and what differs; if that is not enough, say so. A decision changes "
        "this report and the recall measured by it, and never a released row."
    )
    rows = [
        (_("persons with tokens, by contributors' own count"), report["persons_with_tokens"]),
        (_("people among them, by all tokens"), report["clusters"]),
        (_("links"), report["links"]),
        (_("pairs to review"), report["to_review"]),
    ]
    page = Page(hub, title, lead, law)
    page.add("report", _("Links"), table((), [(what, number(n)) for what, n in rows]))
    page.add("measured", _("What the decisions say"), *measured_blocks(measured(hub)))
    ordered = [*open_, *(one for one in pairs if one not in open_)]
    return page.answer(pairs=[_pair(one, by_id) for one in ordered])


def _has_tokens(hub: Hub) -> bool:
    """Whether linked records carry tokens, without which there is no pair to decide."""
    linked = (hub.work / "people" / PAIRS).is_file()
    return linked and bool(linkage(hub)["persons_with_tokens"])


def undecided(hub: Hub) -> int:
    """Pairs that nobody has decided, or that two decided differently."""
    if not (hub.work / "people" / PAIRS).is_file():
        return 0
    return sum(one.same not in ("yes", "no") for one in to_decide(hub))


def measured_blocks(facts: dict[str, Any] | None) -> tuple[Any, ...]:
    """What decisions on pairs say of all links; see :func:`ctdhub.hub.doubles.measured`."""
    if not facts:
        return (words(_("Nobody has decided a pair yet.")),)
    counted = _("One person: {yes}. Two people: {no}. Decided differently by two: {differ}.")
    decided = counted.format(
        yes=number(facts["yes"]), no=number(facts["no"]), differ=number(facts["differ"])
    )
    gone = (
        _("Decided pairs that the last build no longer has: {n}.").format(n=number(facts["gone"]))
        if facts["gone"]
        else ""
    )
    if "recall" not in facts:
        return (words(decided, gone),)
    rows = [
        (what, _ends(facts[key]))
        for what, key in (
            (_("links found by the report (recall)"), "recall"),
            (_("links found after the decisions"), "recall_after"),
            (_("links of the report that are two people"), "false_links"),
        )
    ]
    note = _(
        "Intervals of {level}, of pairs that share a token: {pairs}; reviewed at random: {n}. They "
        "allow for {errors} of wrong decisions. Links between records that share no token are not "
        "counted."
    ).format(
        level=share(facts["level"]),
        pairs=number(facts["pairs"]),
        n=number(facts["reviewed"]),
        errors=share(facts["errors"]),
    )
    return words(decided, gone), table(("", _("share")), rows, note=note)


def _ends(one: dict[str, float]) -> str:
    low, high = interval(one["low"], one["high"], fine=True)
    return _("{low} to {high}").format(low=low, high=high)


def _pair(one: DoublePair, by_id: dict[str, str]) -> dict[str, Any]:
    kinds = kind_words()
    return {
        "id": one.id,
        "contributors": [by_id.get(id_, isolated(id_)) for id_ in one.contributors],
        "keys": [kinds[letter] for letter in one.keys if letter in kinds],
        "probability": None if one.probability is None else share(one.probability, fine=True),
        "joined": one.joined,
        "reason": said(Text.from_json({"message": one.reason, "fields": {}})) if one.reason else "",
        "agree": listed([label(v, current()) for v in one.agree]) or "–",
        "differ": listed([label(v, current()) for v in one.differ]) or "–",
        "decided": [[line.by, line.same, line.time] for line in one.decided],
        "same": one.same or "",
    }


# --------------------------------------------------------------------------------------------------
# What a contributor is shown of itself: its private report, and the week of the next release.
#
# Both are functions of its own files and agreement, of published releases and of what every
# contributor may know.  What a comparison with a release that is not published yet would tell of
# the contributor is not in the desk's report: the steward sends that.


def contributor_report(hub: Hub, contributor: str) -> dict[str, Any]:
    """The exact profile of a contributor's own records next to the newest release.

    Args:
        contributor: its id; whoever asks belongs to it.

    Returns:
        ``given``: whether there is a report yet; where there is none, the document says when.

    Raises:
        HubError: the release or the contributor's files cannot be read.
    """
    folder = latest_standing(hub.releases)
    if folder is None:
        return _none(hub, _("There is a report once a release is published."))
    try:
        agreement, own = own_profile(hub, contributor)
    except HubError as met:
        if met.rule == "contributor-withdrew":
            return _none(hub, _("The contributor withdrew: its files are no longer read."))
        if met.rule == "not-built":
            return _none(hub, _("There is a report once the hub has read your accepted files."))
        raise
    document = own_report(agreement, own, Answers(open_release(folder)), today())
    return {"document": to_json(document), "given": {"made": True, "version": folder.name}}


def _none(hub: Hub, why: str) -> dict[str, Any]:
    return Page(hub, _("Private report"), why).answer(made=False)


def next_week(hub: Hub) -> dict[str, Any]:
    """The Monday of the week for which the next release is planned, as every contributor may know.

    Nothing else of a plan leaves here: neither its version nor its state, so that a release that
    is held or refused looks like one that is not.  Weeks that have passed, and published versions,
    are left out.
    """
    from ctdhub.desk.models import ReleasePlan

    monday = today() - timedelta(days=today().weekday())
    done = [bundle.name for bundle in by_version(hub.releases)]
    ahead = ReleasePlan.objects.filter(week__gte=monday).exclude(version__in=done)
    week = ahead.order_by("week").values_list("week", flat=True).first()
    return {"given": {"week": week.isoformat() if week else ""}}
