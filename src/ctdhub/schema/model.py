"""The schema as frozen models, and which variable plays which part; everything else is emitted from
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from importlib import resources
from typing import Literal

from pydantic import Field

from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import read_shipped
from ctdhub.schema import countries

# --------------------------------------------------------------------------------------------------
# The schema as frozen models; everything else is emitted from it.  That its data contradict
# themselves nowhere is a test (``tests/unit/test_schema_data.py``).

Kind = Literal["year", "code", "country", "flag", "status", "entity", "count"]
TableName = Literal["records", "people", "perpetrators"]

YEARS = (2002, 2030)
"""First and last year of the public bounds, where no hub's policy says otherwise."""

PERSON = "person"
"""Column of a child row: its person's place in the table of people, from 0.  Never public."""


LEFT_OUT = "left_out"
"""Mark of codes whose records are left out: nobody of whom they are true is among the people."""

VERSION = r"^\d{1,4}\.\d{1,4}$"
"""How versions of the schema are written: major and minor number."""


class Group(FrozenModel):
    """A group of variables; ``indicator`` names the derived flag that is its denominator."""

    indicator: str | None = None
    role: str | None = None


class Variable(FrozenModel):
    """One variable.

    ``public`` variables may be part of a release; ``core`` ones are what readers use most.
    ``any_of`` names the group that a flag follows from, which is yes where a member has the
    ``member_code``: an indicator, or whether some assistance was received.  ``follows`` are the
    citizenship and the country that a citizenship group follows from (``citizenship_group``).
    ``role`` is the part that the variable plays in other rooms (``roles``), ``since`` the version
    of the schema that brought it.  A policy that releases all columns leaves out those
    ``on_request``, unless it names them.  Where records of one person differ, the ``furthest`` code
    holds, and a variable ``beside`` another is taken from the record whose value of that one holds.
    Codes that are ``ranges`` differ in width, so that no one is said to be the largest.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind
    since: str = Field(pattern=VERSION)
    codes: str | None = None
    group: str | None = None
    any_of: str | None = None
    member_code: str = "yes"
    follows: tuple[str, str] | None = None
    role: str | None = None
    core: bool = False
    public: bool = True
    on_request: bool = False
    furthest: bool = False
    beside: str | None = None
    ranges: bool = False

    @property
    def code_list(self) -> str | None:
        """Name of the code list that holds the variable's values, None for years and entities."""
        if self.kind == "flag":
            return "flag"
        return "country" if self.kind == "country" else self.codes


class Implication(FrozenModel):
    """What follows of one of the codes of a variable, or of a yes of each flag of a group."""

    of: str
    codes: tuple[str, ...] = ("yes",)
    then: dict[str, str]


class Schema(FrozenModel):
    """All variables, groups and code lists of one schema version.

    >>> s = load_schema()
    >>> s.variable("gender").kind
    'code'
    >>> s.domain("means_threats")
    ('yes', 'no')
    >>> s.flags("sex")[0]
    'sex_prostitution'
    """

    version: str = Field(pattern=VERSION)
    groups: dict[str, Group]
    records: tuple[Variable, ...]
    people: tuple[Variable, ...]
    perpetrators: tuple[Variable, ...]
    codes: dict[str, tuple[str, ...]]
    code_since: dict[str, dict[str, str]] = Field(default_factory=dict)
    marks: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    explorer: tuple[str, ...] = ()
    implies: tuple[Implication, ...] = ()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.version, self.records, self.people, self.perpetrators))

    def at(self, version: str, also: Iterable[str] = ()) -> Schema:
        """The schema of an earlier version: variables and codes that came later are not in it.

        Args:
            version: one that is not later than this.
            also: names of later variables that are in it all the same.  The indicator of a group
                comes with its flags, these with the indicator, and a variable with the one that it
                is beside.

        >>> load_schema().at("1.0").has("citizenship_group")
        False
        """
        also = frozenset(also)
        kept = set(also)
        for v in (v for v in self.variables() if v.name in also):
            kept |= {v.beside or "", *(self.members(v.any_of) if v.any_of else ())}
            kept |= {self.groups[g].indicator or "" for g in (v.group, v.any_of) if g}
        here = {"since": version}
        codes = {name: self._codes_at(name, version) for name in self.codes}

        def reached(table: tuple[Variable, ...]) -> tuple[Variable, ...]:
            return tuple(
                v if numbers(v.since) <= numbers(version) else v.model_copy(update=here)
                for v in table
                if numbers(v.since) <= numbers(version) or v.name in kept
            )

        records, people, accused = map(reached, (self.records, self.people, self.perpetrators))
        names = {v.name for v in (*records, *people, *accused)}
        filled = {v.group for v in records}
        groups = {name: group for name, group in self.groups.items() if name in filled}
        return Schema(
            version=version,
            groups=groups,
            codes=codes,
            marks={name: self._marks_in(name, codes) for name in self.marks if name in names},
            explorer=tuple(name for name in self.explorer if name in names or name in groups),
            implies=tuple(i for i in self.implies if {i.of, *i.then} <= names | groups.keys()),
            records=records,
            people=people,
            perpetrators=accused,
        )

    def _codes_at(self, name: str, version: str) -> tuple[str, ...]:
        since = self.code_since.get(name, {})
        return tuple(
            c for c in self.codes[name] if numbers(since.get(c, version)) <= numbers(version)
        )

    def _marks_in(self, name: str, codes: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """The marks of a variable, without codes that came later."""
        own = codes.get(self.variable(name).code_list or "", ())
        return {mark: tuple(c for c in f if c in own) for mark, f in self.marks[name].items()}

    def later_than(self, version: str) -> tuple[Variable, ...]:
        """Variables that may be released and came after a version."""
        variables = self.table("people") + self.table("perpetrators")
        return tuple(v for v in variables if v.public and numbers(v.since) > numbers(version))

    @cached_property
    def _by_name(self) -> dict[str, Variable]:
        return {v.name: v for v in self.variables()}

    def variable(self, name: str) -> Variable:
        """The variable of that name.

        Raises:
            KeyError: no such variable.
        """
        return self._by_name[name]

    def variables(self) -> tuple[Variable, ...]:
        """All variables of all tables, in order."""
        return self.records + self.people + self.perpetrators

    def has(self, name: str) -> bool:
        """Whether a variable of that name exists in any table."""
        return name in self._by_name

    def table(self, name: TableName) -> tuple[Variable, ...]:
        """Variables of a table in order; ``people`` are the records' variables and the derived."""
        return self.records + self.people if name == "people" else getattr(self, name)

    def members(self, group: str) -> tuple[str, ...]:
        """Names of the variables of a group, in order."""
        return tuple(v.name for v in self.records if v.group == group)

    def implied(self) -> Iterator[tuple[str, tuple[str, ...], str, str]]:
        """What follows: a variable and its codes, and the variable and the code that follow.

        >>> ("labour_begging", ("yes",), "exploitation_forced_labour", "yes") in [
        ...     *load_schema().implied()
        ... ]
        True
        """
        for one in self.implies:
            for of in self.members(one.of) if one.of in self.groups else (one.of,):
                yield from ((of, one.codes, name, code) for name, code in one.then.items())

    def is_indicator(self, name: str) -> bool:
        """Whether a variable says that some flag of a group is yes."""
        return any(name == group.indicator for group in self.groups.values())

    def flags(self, group: str) -> tuple[str, ...]:
        """Names of the flags of a group that has a denominator.

        Raises:
            KeyError: the group does not exist or has no indicator.
        """
        if not self.groups[group].indicator:
            raise KeyError(group)
        return self.members(group)

    def domain(self, name: str, years: tuple[int, int] = YEARS) -> tuple[str, ...]:
        """Public values of a variable in order, as text, "not recorded" left out.

        Codes that leave a record out (the mark ``left_out``) are not among them.

        Args:
            name: a variable of kind year, code, country, flag or status.
            years: first and last year of the public bounds, both included.

        Raises:
            KeyError: no such variable.
            ValueError: the variable has no public domain (kind entity or count).
        """
        v = self.variable(name)
        if v.kind == "year":
            return tuple(str(y) for y in range(years[0], years[1] + 1))
        if v.kind == "country":
            return countries.ALPHA3
        if v.code_list:
            outside = self.marks.get(name, {}).get(LEFT_OUT, ())
            return tuple(c for c in self.codes[v.code_list] if c not in outside)
        raise ValueError(f"{name} has no public domain")

    def recorded(self, name: str, years: tuple[int, int] = YEARS) -> tuple[str, ...]:
        """Values that a mapping may give a variable: its domain, and the codes that leave it out.

        >>> load_schema().recorded("victim_status")[-1]
        'not_a_victim'
        """
        v = self.variable(name)
        return self.codes[v.codes] if v.codes else self.domain(name, years)


def numbers(version: str) -> tuple[int, int]:
    """Major and minor number of a version.

    >>> numbers("1.10") > numbers("1.9")
    True
    """
    major, minor = version.split(".")
    return int(major), int(minor)


@cache
def load_schema() -> Schema:
    """The schema that this version of the software ships."""
    file = resources.files("ctdhub.schema") / "data" / "variables.yaml"
    return Schema.model_validate(read_shipped(file))


# --------------------------------------------------------------------------------------------------
# Which variable or group plays which part: what other rooms ask for instead of naming a variable.
#
# Roles are given in ``data/variables.yaml``.  A role is a constant here, so that a room says
# ``roles.SEX`` where it means whatever variable of the schema holds it; names of variables are
# written nowhere else but in ``schema``, in ``practice`` and in the published interface.


def variable_of(role: str) -> str:
    """Name of the variable that has a role; KeyError where none has it."""
    return {v.role: v.name for v in load_schema().variables()}[role]


def group_of(role: str) -> str:
    """Name of the group that has a role; KeyError where none has it."""
    return {group.role: name for name, group in load_schema().groups.items()}[role]


def marked(variable: str, mark: str) -> tuple[str, ...]:
    """Codes of a variable that a mark names, such as the age bands of children."""
    return load_schema().marks[variable][mark]


PERIOD = variable_of("period")
ORIGIN, DESTINATION = variable_of("origin"), variable_of("destination")
ORIGIN_REGION, DESTINATION_REGION = variable_of("origin_region"), variable_of("destination_region")
DESTINATION_RULE = variable_of("destination_rule")
RELATION = variable_of("relation")
SEX, AGE = variable_of("sex"), variable_of("age")
CONTRIBUTOR, CONTRIBUTOR_KIND = variable_of("contributor"), variable_of("contributor_kind")
DELIVERIES = variable_of("deliveries")
FORCED_LABOUR = variable_of("forced_labour")
SEXUAL_EXPLOITATION = variable_of("sexual_exploitation")
ORGAN_REMOVAL = variable_of("organ_removal")
STANDING = variable_of("standing")
ALLEGATION = variable_of("allegation")

HARM, MEANS, SERVICE = group_of("harm"), group_of("means"), group_of("service")
CHANNEL, TECHNOLOGY = group_of("channel"), group_of("technology")

CHILD_BANDS = marked(AGE, "child")
NOT_COUNTED = marked(STANDING, LEFT_OUT)
AUTHORITIES = marked(CONTRIBUTOR_KIND, "authority")
OF_ANYONE = marked(ALLEGATION, "of_anyone")

LEVEL = 0.95
"""Coverage of an interval where neither a policy nor an option states another."""

# --------------------------------------------------------------------------------------------------
# Values that a release measures together: countries of a region, years of a span, children.
#
# Countries of a region are told apart by whether they are in the European Union, so that the Union
# and each region are sums of these groups (Cyprus is in the Union, and in Asia by UN M49).

SPAN = "span_of_years"
MERGED = {ORIGIN: ORIGIN_REGION, DESTINATION: DESTINATION_REGION, PERIOD: SPAN, AGE: AGE}
"""Variables whose values are measured together, and what the variable of the groups is called."""
ValueGroups = dict[str, tuple[str, ...]]


def value_groups(variable: str, domain: Iterable[str], bands: Iterable[int]) -> ValueGroups:
    """Groups of the values of a variable of :data:`MERGED`; each value is in one of them.

    Args:
        domain: its public values, in order.
        bands: the first year of each span but the first.

    >>> list(value_groups(PERIOD, ("2002", "2018", "2019", "2024"), (2019, 2023)))
    ['2002-2018', '2019-2019', '2024-2024']
    """
    groups: dict[str, list[str]] = {}
    for value in domain:
        if variable == PERIOD:
            name = str(sum(int(value) >= first for first in bands))
        elif variable == AGE:
            name = "child" if value in CHILD_BANDS else "adult"
        else:
            name = countries.region(value)
            name += "_eu" if value in countries.members("eu") else ""
        groups.setdefault(name, []).append(value)
    spans = variable == PERIOD
    return {f"{v[0]}-{v[-1]}" if spans else name: tuple(v) for name, v in groups.items()}


@cache
def grouped_values(variable: str, name: str) -> frozenset[str]:
    """The values of a group; of a value that is measured by itself, that value.

    >>> sorted(grouped_values(PERIOD, "2019-2021")), grouped_values(SEX, "female")
    (['2019', '2020', '2021'], frozenset({'female'}))
    """
    if variable not in MERGED or not name:
        return frozenset({name})
    if variable == PERIOD:
        first, last = map(int, name.split("-"))
        return frozenset(map(str, range(first, last + 1)))
    return frozenset(value_groups(variable, load_schema().domain(variable), ())[name])
