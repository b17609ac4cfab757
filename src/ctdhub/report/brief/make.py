"""Briefs and posters about a release: on a place, a corridor, a day."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from ctdhub.core import tables
from ctdhub.core.format import clock, day, decimal, number, set_apart, share, tiny, year
from ctdhub.core.format import day as in_words
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.document import Document, LargeNumber, Meta, Section, Words
from ctdhub.release.open import Release
from ctdhub.report import sentences, wording
from ctdhub.report.brief import sections as assistance
from ctdhub.report.brief.sections import (
    Notebook,
    PrintedNumber,
    by_year,
    changed,
    drawn,
    on_corridor,
    signs,
)
from ctdhub.report.brief.subjects import (
    BriefPlace,
    Corridor,
    Day,
    Subject,
    Theme,
    among,
    country_of,
    words_of,
)
from ctdhub.report.calendar import Event
from ctdhub.report.figures import SIDES, sides
from ctdhub.report.helplines import Help
from ctdhub.schema import countries
from ctdhub.schema.model import DESTINATION, FORCED_LABOUR, ORIGIN, SEX
from ctdhub.stats.answers import Answers, recorded
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.decomposition import EVERYBODY, ChangeSubject
from ctdhub.stats.query import Query, Where
from ctdhub.stats.tables import PlaceFacts, SideName, headline, place_facts
from ctdhub.stats.trend import breaks_within

# --------------------------------------------------------------------------------------------------
# A brief on a country or a region, from both sides: its citizens, and people exploited in it.

KEEP = {
    "years": (80, 35),
    "age": (60, 30),
    "exploitation": (90, 55),
    "means-of-control": (40, 20),
    "corridors": (70, 50),
}
"""How much a figure matters on the side with more people, and on the other one."""
FIRST = "gender"
HEAD = (None, 65)
"""The same for the figure that a side begins with."""


@dataclass(frozen=True)
class Brief:
    """A document, and every number that it prints with its question."""

    document: Document
    numbers: tuple[PrintedNumber, ...]

    def as_json(self) -> str:
        """Its numbers with their questions, for whoever wants to check them.

        Keys: ``title``, ``citation``, ``numbers``; of each number ``id``, ``kind``, ``part``,
        ``whole``, ``value``, ``printed``, as :class:`PrintedNumber` has them.
        """
        numbers = [asdict(one) for one in self.numbers]
        said = {"title": self.document.title, "citation": self.document.meta.foot}
        return tables.as_json({**said, "numbers": numbers})


@dataclass(frozen=True)
class BriefText:
    """What a brief says about its subject: the sentences at its head, its sections."""

    lead: tuple[str, ...]
    sections: tuple[Section, ...]


def place_brief(answers: Answers, place: BriefPlace, notebook: Notebook) -> BriefText:
    """The facts of a place; where it has too few people, those of its region stand in for it."""
    facts = place_facts(answers, place.key)
    order: list[SideName] = ["citizens", "exploited"]
    order.sort(key=lambda name: -facts.side(name).people.middle)
    names = [name for name in order if facts.side(name).people.has_range]
    lead = tuple(lines(facts, name, notebook) for name in names)
    sections = [
        section
        for rank, name in enumerate(names)
        for section in _sections(answers, place, name, rank, notebook)
    ]
    if names:
        sections += assistance.assistance_in_place(answers, place, notebook)
        sections += signs(answers, place, notebook)
        asked = [ChangeSubject(SIDES[name], place.key) for name in names]
        sections += changed(answers, asked, notebook)
    else:
        lead = (_few(),)
        above = countries.region(place.key) if place.is_country else countries.NO_REGION
        if above != countries.NO_REGION:
            around = place_facts(answers, above)
            texts = [lines(around, name, notebook) for name in order]
            lead = (*lead, _("The region as a whole:"), *(line for line in texts if line))
    return BriefText(lead, tuple(sections))


def lines(facts: PlaceFacts, name: SideName, notebook: Notebook) -> str:
    """The sentences of one side as a paragraph, its numbers noted."""
    side = facts.side(name)
    if not side.people.has_range:
        return ""
    id = f"{facts.place.lower()}-{name}"
    notebook.card(f"{id}.people", side.people, *sentences.people_printed(facts.where, side))
    notebook.card(f"{id}.women", side.women, *wording.printed(side.women))
    for flag, card in side.exploitation[: sentences.MAIN_TYPES]:
        notebook.card(f"{id}.{flag}", card, *wording.printed(card))
    return " ".join(sentences.side_sentences(facts, name))


def _sections(
    answers: Answers, place: BriefPlace, name: SideName, rank: int, notebook: Notebook
) -> list[Section]:
    where, title = sides(place.key)[name].where, words_of("side", name, place.is_country)
    bars = drawn(answers, where, f"{name}-", (FIRST, *KEEP), notebook)
    sections = []
    if (first := bars.get(FIRST)) is not None:
        sections.append(Section(f"{name}-{FIRST}", title, (first,), HEAD[rank], title))
    elif bars:
        sections.append(Section(f"{name}-head", title, (), HEAD[rank], title))
    for kind in ("exploitation", "years", "corridors", "age", "means-of-control"):
        block = (
            by_year(answers, where, f"{name}-years", notebook)
            if kind == "years"
            else bars.get(kind)
        )
        if block is not None:
            named = _("{title}: {subtitle}").format(title=title, subtitle=block.subtitle)
            sections.append(Section(f"{name}-{kind}", "", (block,), KEEP[kind][rank], named))
    return sections


# --------------------------------------------------------------------------------------------------
# A brief on a corridor: citizens of one country who were exploited in another, or at home.

CORRIDOR_KEEP = {"gender": 95, "exploitation": 90, "age": 60, "means-of-control": 40}


def corridor_brief(answers: Answers, corridor: Corridor, notebook: Notebook) -> BriefText:
    """People on the corridor: how many, their part of both countries' people, by year, who, what
    differs from before."""
    where, release = corridor.where, answers.release
    both = {v: answers.domain(v) for v in (ORIGIN, DESTINATION)}
    missing = answers.missing(Query(both, of=Query()))
    people = answers.card(Query(where), missing=missing)
    if not people.has_range:
        return BriefText((_few(),), ())
    n = wording.surely(people)
    notebook.card("corridor.people", people, number(n), *sentences.estimate_printed(people))
    lead = [words_of("corridor", corridor.name, release.years, n, sentences.estimate(people))]
    if missing is not None:
        notebook.add("corridor.missing", "missing", missing, (share(missing),), both, {})
        lead.append(words_of("corridor_missing", missing))
    lead += [_part(answers, corridor, name, notebook) for name in (ORIGIN, DESTINATION)]
    bars = drawn(answers, where, "corridor-", CORRIDOR_KEEP, notebook)
    sections = [Section("corridor", _("In numbers"), ())]
    if (years := by_year(answers, where, "corridor-years", notebook)) is not None:
        sections.append(Section("corridor-years", "", (years,), 80, years.subtitle))
    sections += [
        Section(f"corridor-{kind}", "", (bars[kind],), keep, bars[kind].subtitle)
        for kind, keep in CORRIDOR_KEEP.items()
        if kind in bars
    ]
    sections += signs(answers, corridor, notebook)
    sections += on_corridor(answers, corridor, notebook)
    return BriefText((" ".join(line for line in lead if line),), tuple(sections))


def _part(answers: Answers, corridor: Corridor, name: str, notebook: Notebook) -> str:
    """The corridor's share of the people of one of its two countries."""
    other = DESTINATION if name == ORIGIN else ORIGIN
    code = corridor.origin if name == ORIGIN else corridor.destination
    whole: Where = {name: [code], other: answers.domain(other)}
    part = answers.card(Query(corridor.where, of=Query(whole)))
    if not part.has_range:
        return ""
    notebook.card(f"corridor.of-{name}", part, wording.ranged(part))
    country, printed = countries.name(code, current()), wording.ranged(part)
    return words_of("part", country, printed, name == ORIGIN)


# --------------------------------------------------------------------------------------------------
# A report for a day: what the hub says on its theme, and what takes place.

MOST = 8
"""Events that a report tells; the hub's site has all."""
FIGURES: dict[Theme, tuple[str, ...]] = {
    "all": ("gender", "exploitation", "age", "corridors", "means-of-control"),
    "women": ("exploitation", "age", "means-of-control"),
    "children": ("gender", "exploitation", "means-of-control"),
    "labour": ("labour", "gender", "age", "means-of-control"),
    "eu": ("gender", "exploitation", "corridors", "age", "means-of-control"),
    "corridors": ("corridors", "gender", "exploitation", "age"),
}
"""Figures of each theme, what matters most first."""
HUB_WIDE: frozenset[Theme] = frozenset({"all", "corridors"})
"""Themes of all people, which tell of assistance by citizenship."""
QUESTIONS: dict[Theme, ChangeSubject] = {
    "all": EVERYBODY,
    "corridors": EVERYBODY,
    "women": ChangeSubject(SEX, "female"),
    "labour": ChangeSubject(FORCED_LABOUR, "yes"),
    "eu": ChangeSubject(DESTINATION, "eu"),
}
"""Whose change each theme tells; children are two age groups, which were not measured as one."""


def day_brief(answers: Answers, day: Day, notebook: Notebook) -> BriefText:
    """The facts of the day's theme, the events of the day."""
    theme, where = day.theme, among(day.theme)
    bars = drawn(answers, where, "day-", FIGURES[theme], notebook)
    sections = [_events(day.events, notebook)]
    years = by_year(answers, where, "day-years", notebook)
    for n, kind in enumerate(FIGURES[theme]):
        if kind in bars:
            block = bars[kind]
            keep = None if n == 0 else 90 - 10 * n
            sections.append(Section(f"day-{kind}", "", (block,), keep, block.subtitle))
        if n == 0 and years is not None:
            sections.append(Section("day-years", "", (years,), 85, years.subtitle))
    if theme in HUB_WIDE:
        sections += assistance.assistance_in_hub(answers, notebook)
    if (question := QUESTIONS.get(theme)) is not None:
        sections += changed(answers, [question], notebook)
    lead = _lead(answers, theme, notebook)
    if among_whom := words_of("about", theme):
        lead = (*lead, among_whom)
    return BriefText(lead, tuple(sections))


def _lead(answers: Answers, theme: Theme, notebook: Notebook) -> tuple[str, ...]:
    if theme == "eu":
        facts = place_facts(answers, "eu")
        names: tuple[SideName, ...] = ("exploited", "citizens")
        texts = [lines(facts, name, notebook) for name in names]
        return tuple(line for line in texts if line) or (_few(),)
    if theme in ("women", "children", "labour"):
        return (_theme(answers, theme, notebook),)
    first = headline(answers)
    people = first.people
    if people.value is None:
        return (_few(),)
    notebook.card("day.people", people, *sentences.estimate_printed(people))
    nationalities, places = first.nationalities.value, first.countries.value
    if nationalities is not None and places is not None:
        notebook.add("day.nationalities", "sum", nationalities, (number(nationalities),))
        notebook.add("day.countries", "sum", places, (number(places),))
    helped = assistance.assisted(first.assisted, notebook)
    said = (sentences.headline_sentence(first), sentences.reach_sentence(first), helped)
    return (" ".join(filter(None, said)),)


def _theme(answers: Answers, theme: Theme, notebook: Notebook) -> str:
    known = recorded(answers, among(theme))
    missing = answers.missing(known)
    people = answers.card(Query(among(theme)), missing=missing)
    if not people.has_range:
        return _few()
    n = wording.surely(people)
    notebook.card("day.people", people, number(n), *sentences.estimate_printed(people))
    sentence = words_of("theme", theme, n, answers.release.years, sentences.estimate(people))
    if missing is None:
        return sentence
    notebook.add("day.missing", "missing", missing, (share(missing),), known.where, {})
    return f"{sentence} {words_of('missing', missing)}"


def _few() -> str:
    return _("Not shown: below the reporting threshold; this is not zero.")


def _events(events: tuple[Event, ...], notebook: Notebook) -> Section:
    paragraphs = tuple(event_line(event) for event in events[:MOST])
    if (more := len(events) - MOST) > 0:
        notebook.add("day.events", "sum", more, (number(more),))
        paragraphs = (*paragraphs, words_of("more_events", more))
    if not paragraphs:
        paragraphs = (_("The hub's calendar has no event on this day."),)
    return Section("events", _("On this day"), (Words(paragraphs),))


def event_line(event: Event) -> str:
    """An event in one line."""
    times = (
        clock(f"{event.start:%H:%M}") if isinstance(event.start, datetime) else "",
        [in_words(d) for d in (event.first_day, event.last_day)],
    )
    where = _(", ").join(set_apart(part) for part in (event.place, event.region) if part)
    return words_of("event", set_apart(event.title), *times, event.time_zone, where)


# --------------------------------------------------------------------------------------------------
# What every brief ends with, and what every page of it carries.

PRINTED = 3
"""Notices about a release that a brief prints; the site shows all."""


def meta(release: Release, made: date) -> Meta:
    """What every page of a document about a release carries."""
    practice = _("Practice data: fictitious. No number on this page is about real people.")
    changed = [notice.heading for notice in wording.notices(release)[:1]]
    return Meta(
        lang=current(),
        rtl=current() in RIGHT_TO_LEFT,
        organisation=wording.called(release.facts),
        mark=" ".join([*([practice] if release.facts.invented else []), *changed]),
        foot=wording.citation(release),
        made=made,
        day=_("Made on {day}.").format(day=day(made)),
        page=_("Page {page} of {pages}"),
    )


def always(release: Release) -> str:
    """The sentence beside every number, and the level of all intervals."""
    return f"{wording.caveat()} {sentences.identified()}"


def where_to_turn(release: Release, help: Help | None, country: str) -> Section:
    """Whom to call: the emergency services, and the first line for readers of the document.

    Args:
        help: where the hub sends people now; the release's own word without a hub.
        country: alpha-3 code of the country whose lines come first; "" for none.
    """
    lines = [_("In immediate danger, call the emergency services.")]
    for line in (help or Help(text=release.facts.helpline)).contacts(country)[:1]:
        name = _("For help with trafficking or exploitation, call {name}:").format(
            name=set_apart(line.label)
        )
        note = f" ({line.note})" if line.note else ""
        lines.append(f"{name} {set_apart(line.reach)}{note}")
    return Section("help", _("Get help"), (Words(tuple(lines)),))


def closing(answers: Answers, notebook: Notebook) -> tuple[Section, ...]:
    """How to read the numbers, how they were made, by whom, how to cite them."""
    release, guarantee = answers.release, answers.release.protected.guarantee
    level = share(guarantee.level)
    notebook.add("level", "sum", guarantee.level, (level,))
    reading = (
        *wording.paragraphs("release.txt", "reading", level),
        wording.comparison_note(release),
    )
    epsilon, delta = decimal(guarantee.epsilon, "0.##"), tiny(guarantee.delta)
    notebook.add("guarantee", "sum", guarantee.epsilon, (epsilon, delta))
    methods = wording.paragraph("release.txt", "methods", epsilon, delta)
    named = _("{name} ({first} to {last})")
    names = _("; ").join(
        named.format(name=set_apart(wording.called(c)), first=year(first), last=year(last))
        for c in release.facts.contributors
        for first, last in [c.years or release.years]
    )
    declared = [
        wording.break_sentence(one, release.facts)
        for one in breaks_within(release, None, *release.years)
    ]
    notices = tuple(notice.short for notice in wording.notices(release)[:PRINTED])
    return (
        *([Section("errata", _("Corrections"), (Words(notices),))] if notices else []),
        Section("reading", _("How to read this"), (Words(reading),)),
        Section("methods", _("How it was made"), (Words((methods,)),)),
        Section(
            "sources",
            _("Who contributed, and how to cite"),
            (Words((names, *declared, wording.citation(release))),),
        ),
    )


# --------------------------------------------------------------------------------------------------
# A poster for a place, a corridor or a day: one sentence, one number, where to turn.

MOST_EVENTS = 3


def make_poster(answers: Answers, subject: Subject, made: date, help: Help | None = None) -> Brief:
    """One large page on a subject, in the language in force.

    Args:
        made: the day that stands on it.
        help: where the hub sends people now; the release's own word without a hub.
    """
    release, notebook = answers.release, Notebook()
    if isinstance(subject, Day):
        theme, where = subject.theme, among(subject.theme)
        said, unit = words_of("sentence", theme), str(theme)
        title = _("{name}, {day}").format(name=subject.name, day=in_words(subject.when))
        if subject.observance is None:
            title = subject.name
        lines = tuple(event_line(e) for e in subject.events[:MOST_EVENTS])
    else:
        where, unit = _people(answers, subject)
        said, title, lines = words_of("sentence", "all"), subject.name, ()
    missing = answers.missing(recorded(answers, where)) if where else None
    people = answers.card(Query(where), missing=missing)
    contacts = (help or Help(text=release.facts.helpline)).contacts(country_of(subject))
    call = _("In immediate danger, call the emergency services.")
    if contacts:
        text = _("For help with trafficking or exploitation, call {name}:")
        call = f"{call} {text.format(name=contacts[0].label)}"
    counted = words_of("unit", unit, release.years)
    page = Document(
        meta=meta(release, made),
        title=title,
        lead=(said,),
        sections=(
            *_number(people, counted, notebook),
            *(Section(f"line-{k}", "", (Words((line,)),), keep=0) for k, line in enumerate(lines)),
            Section("call", call, tuple(Words((one.reach,)) for one in contacts[:1])),
        ),
        always=always(release),
        most=1,
        left_out="",
        paper="a3",
    )
    return Brief(page, notebook.numbers)


def _people(answers: Answers, subject: BriefPlace | Corridor) -> tuple[Where, str]:
    """Who the number is about: of a place the side with more people; and what it counts."""
    if isinstance(subject, Corridor):
        return subject.where, "corridor"
    two = {name: side.where for name, side in sides(subject.key).items()}
    most = max(two, key=lambda name: answers.count(two[name]).value or 0)
    return two[most], most


def _number(people: NumberCard, unit: str, notebook: Notebook) -> tuple[Section, ...]:
    """The number with its range, as "at least" where for some people it is not recorded whether
    they belong; nothing where it is not printed."""
    if not wording.surely(people):
        return ()
    low, high = wording.ends(people)
    text = low
    forms: tuple[str, ...] = (low, high, share(people.level))
    if people.value is not None:
        text, forms = number(people.value), (number(people.value), *forms)
    interval = words_of("range", low, high, share(people.level))
    if people.once is not None:
        least, most, _doubles = texts = sentences.once_printed(people)
        text = _("{low} to {high}").format(low=least, high=most)
        interval, forms = sentences.recorded_people(people), (*forms, *texts)
    if people.missing is not None:
        least, missing = number(wording.surely(people)), share(people.missing)
        text, forms = _("at least {n}").format(n=least), (*forms, least, missing)
        interval = words_of("with_missing", interval, missing)
    notebook.card("poster.people", people, *forms)
    return (Section("number", "", (LargeNumber(text, unit, interval),)),)


# --------------------------------------------------------------------------------------------------
# Briefs and posters about a release: what they say, with the question behind every number.

MOST_PAGES = 2


def brief(answers: Answers, subject: Subject, made: date, help: Help | None = None) -> Brief:
    """Two pages on a subject, in the language in force.

    Args:
        made: the day that stands on it.
        help: where the hub sends people now; the release's own word without a hub.
    """
    notebook = Notebook()
    if isinstance(subject, BriefPlace):
        text = place_brief(answers, subject, notebook)
    elif isinstance(subject, Corridor):
        text = corridor_brief(answers, subject, notebook)
    else:
        text = day_brief(answers, subject, notebook)
    release = answers.release
    title = subject.name
    subtitle = _("Brief of release {version}").format(version=release.version)
    if isinstance(subject, Day) and subject.observance is not None:
        subtitle = _("{day}. {brief}").format(day=in_words(subject.when), brief=subtitle)
    sheet = Document(
        meta=meta(release, made),
        title=title,
        lead=text.lead,
        sections=_headed(
            (
                *text.sections,
                where_to_turn(release, help, country_of(subject)),
                *closing(answers, notebook),
            )
        ),
        subtitle=subtitle,
        always=always(release),
        most=MOST_PAGES,
        left_out=_("Left out for want of room, and shown on the site: {names}."),
    )
    return Brief(sheet, notebook.numbers)


def _headed(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The sections with a first one that has a title and stays, whatever goes for want of room."""
    if sections[0].title and sections[0].keep is None:
        return sections
    return (Section("numbers", _("In numbers"), ()), *sections)
