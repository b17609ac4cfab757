"""The people that a series is about: everybody, or those with one answer to one question."""

from __future__ import annotations

from dataclasses import dataclass

from ctdhub.core.error_catalogue import error
from ctdhub.schema import countries
from ctdhub.schema.model import load_schema
from ctdhub.schema.places import CountryOf, find_place, place_of
from ctdhub.schema.roles import DESTINATION, DESTINATION_REGION, ORIGIN, ORIGIN_REGION
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Where
from ctdhub.stats.table import YES

REGIONS = {ORIGIN: ORIGIN_REGION, DESTINATION: DESTINATION_REGION}
"""Variables that stand for the region of each country where contributors are counted apart."""


@dataclass(frozen=True)
class ChangeSubject:
    """One answer to one question.

    Attributes:
        variable: of the schema; "" asks about everybody.
        value: the answer: a code, or for a country the key of a place.
    """

    variable: str = ""
    value: str = ""

    @property
    def where(self) -> Where:
        """The conditions as counts by year have them."""
        if not self.variable:
            return {}
        if self.variable in REGIONS and self.value not in countries.ALPHA3:
            return {self.variable: place_of(self.value).members}
        return {self.variable: [self.value]}

    @property
    def cell(self) -> dict[str, str]:
        """The same as one value of one variable, where countries stand as regions."""
        if not self.variable:
            return {}
        if self.variable in REGIONS and self.value not in countries.ALPHA3:
            return {REGIONS[self.variable]: self.value}
        return {self.variable: self.value}

    @property
    def variables(self) -> tuple[str, ...]:
        """What it asks about, () for everybody."""
        return (self.variable,) if self.variable else ()

    @property
    def indicator(self) -> str:
        """The indicator of the group of flags that the variable belongs to, "" where none."""
        held = load_schema().groups.get(load_schema().variable(self.variable).group or "")
        return (held.indicator or "") if self.variable and held else ""

    def recorded(self, answers: Answers) -> Where:
        """The people for whom the answer is recorded."""
        if not self.variable:
            return {}
        if self.indicator:
            return {self.indicator: [YES]}
        if load_schema().variable(self.variable).any_of:
            return {self.variable: [YES]}
        return {self.variable: answers.domain(self.variable)}

    @property
    def code(self) -> str:
        """As :func:`find_question` reads it, "" for everybody."""
        return f"{self.variable}={self.value}" if self.variable else ""


EVERYBODY = ChangeSubject()


def find_question(
    text: str, answers: Answers, country_of: CountryOf | None = None
) -> ChangeSubject:
    """The question that a text asks: "gender=female", "exploitation_sexual", "citizenship=Europe".

    Args:
        text: a variable of the release and one of its codes; a flag alone means yes; a country
            or a region by name or code; "" is everybody.
        country_of: as in :func:`find_place`.

    Raises:
        QuestionError: the release has no such variable, or the variable no such value.
    """
    name, _equals, value = (part.strip() for part in text.partition("="))
    if not name:
        return EVERYBODY
    known = [n for n in sorted(answers.variables) if load_schema().variable(n).kind != "year"]
    if name not in known:
        raise error("no-such-variable", names=", ".join(known))
    if name in REGIONS:
        if not value:
            raise error("no-such-place/missing", name=name)
        return ChangeSubject(name, find_place(value, country_of).key)
    codes = answers.domain(name)
    if not value and load_schema().variable(name).kind == "flag":
        value = YES
    if value not in codes:
        raise error("no-such-value", name=name, names=", ".join(codes))
    return ChangeSubject(name, value)
