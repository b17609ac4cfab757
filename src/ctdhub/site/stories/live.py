"""Numbers inside the text of a story, asked of the release each time the site is built.

{{people}}                                        all people
{{people citizenship=europe gender=female}}       people who meet all conditions
{{share gender=female of citizenship=CIV,MLI}}    their share of those whose answer is recorded
{{share gender=not_recorded}}                     share whose answer is not known
"""

from __future__ import annotations

from collections.abc import Iterable

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError, printable
from ctdhub.core.format import number
from ctdhub.core.i18n import _, ngettext
from ctdhub.report.wording import ranged
from ctdhub.schema.model import load_schema
from ctdhub.site.stories.conditions import Named, query
from ctdhub.site.stories.source import StoryPosition
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.query import Query, Where
from ctdhub.stats.table import YES

PEOPLE, SHARE, OF = "people", "share", "of"


def say(text: str, answers: Answers, place: StoryPosition) -> str:
    """The number that stands between two braces, with its interval, in the language in force.

    A number that is not shown is said in words.

    Raises:
        StoryError: the text is not of the form above, or names what does not exist.
    """
    kind, *rest = text.split() or [""]
    if kind == PEOPLE and OF not in rest:
        return _people(answers.card(query(_named(rest, place), answers, place)))
    if kind == SHARE and rest and rest[0] != OF:
        at = rest.index(OF) if OF in rest else len(rest)
        part, of = _named(rest[:at], place), _named(rest[at + 1 :], place)
        if twice := sorted(part.keys() & of.keys()):
            raise _twice(twice[0], place)
        inside, around = (query(named, answers, place).where for named in (part, of))
        known = _recorded(inside, answers, place)
        if twice := sorted(known.keys() & around.keys()):
            raise _twice(twice[0], place)
        # Whoever has a flag has some flag; whoever has it not may have none.
        some = {n: v for n, v in known.items() if n not in inside and _denied(inside)}
        asked = Query({**around, **some, **inside}, of=Query({**around, **known}))
        return _share(answers.card(asked))
    raise error("story-number", file=place.file, line=place.line, text=printable(text))


def _twice(name: str, place: StoryPosition) -> HubError:
    return error("story-number/both-sides", file=place.file, line=place.line, name=name)


def _denied(part: Where) -> bool:
    """Whether the part holds people who do not have some flag."""
    group = {name: load_schema().variable(name).group for name in part}
    return any(group[name] and set(values) != {YES} for name, values in part.items())


def _named(words: Iterable[str], place: StoryPosition) -> Named:
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, sign, values = word.partition("=")
        if not sign or name in found:
            raise error(
                "story-number/condition", file=place.file, line=place.line, text=printable(word)
            )
        found[name] = tuple(values.split(","))
    return found


def _recorded(part: Where, answers: Answers, place: StoryPosition) -> Where:
    """Conditions that people meet whose answers to the part's questions are known."""
    schema, found = load_schema(), {}
    for name, values in part.items():
        variable = schema.variable(name)
        group = schema.groups.get(variable.group or "")
        if group is not None and group.indicator:
            if "" in values:
                raise error(
                    "story-blank",
                    file=place.file,
                    line=place.line,
                    name=name,
                    group=group.indicator,
                )
            found[group.indicator] = [YES]
        elif "" not in values and not variable.any_of:
            found[name] = list(answers.domain(name))
    return found


def _people(number_card: NumberCard) -> str:
    value, low, high = number_card.value, number_card.low, number_card.high
    if low is None or high is None:
        return _("a number of people that this release did not measure")
    if not number_card.has_range:
        return _("a number of people below the reporting threshold")
    if value is None:
        return _("between {low} and {high} people").format(low=number(low), high=number(high))
    text = ngettext("{n} person ({low} to {high})", "{n} people ({low} to {high})", round(value))
    return text.format(n=number(value), low=number(low), high=number(high))


def _share(number_card: NumberCard) -> str:
    if number_card.low is None:
        return _("a share that this release did not measure")
    if not number_card.has_range:
        return _("a share below the reporting threshold")
    return ranged(number_card)
