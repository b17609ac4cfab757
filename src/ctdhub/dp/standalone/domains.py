"""The domains file: what is public about a table that is protected alone, as a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import InvalidSetting, printable
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Numeral, Text, joined
from ctdhub.dp.plan import Columns, Plan, hierarchy
from ctdhub.dp.policy import Weights
from ctdhub.schema import countries

MAX_BYTES = 4_000_000
MAX_VALUES = 60_000
"""Values of one column at most."""

MAX_CELLS = 60_000_000
"""Cells of all tables together at most: what one machine counts in about a gigabyte."""

CORE_COLUMNS = 40
"""So many columns at most are all core where the file does not say which are."""

COUNTRY_CODES = 20
"""A list of at least so many values, all alpha-3 codes of ISO 3166, is one of countries."""


class DomainColumn(FrozenModel):
    """Public values of one column.

    Attributes:
        values: a list, or "countries" for the alpha-3 codes of ISO 3166.
        years: first and last year, both included, instead of ``values``.
        not_recorded: texts that stand for "not recorded"; an empty cell always does.
    """

    values: tuple[str, ...] | Literal["countries"] | None = None
    years: tuple[int, int] | None = None
    not_recorded: tuple[str, ...] = ("",)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        return {"values": given} if isinstance(given, list) else given

    @model_validator(mode="after")
    def _check(self) -> DomainColumn:
        if (self.values is None) == (self.years is None):
            raise InvalidSetting(Text("a column has either values or years"))
        if self.years and not 0 <= self.years[0] <= self.years[1] <= self.years[0] + 300:
            raise InvalidSetting(
                Text("years are two years, the earlier one first, at most 300 apart")
            )
        domain = self.domain
        if not domain:
            raise InvalidSetting(Text("a column needs at least one value"))
        if len(domain) > MAX_VALUES:
            raise InvalidSetting(Text("a column may have at most {n} values", n=MAX_VALUES))
        if len(set(domain)) != len(domain):
            raise InvalidSetting(Text("a value is listed twice"))
        if not set(domain).isdisjoint((*self.not_recorded, "")):
            raise InvalidSetting(Text("a value is also one of the texts for not recorded"))
        return self

    @property
    def domain(self) -> tuple[str, ...]:
        """Public values in order, as text, "not recorded" left out."""
        if self.years:
            return tuple(str(year) for year in range(self.years[0], self.years[1] + 1))
        return countries.ALPHA3 if self.values == "countries" else self.values or ()

    @property
    def of_countries(self) -> bool:
        """Whether the values are countries, which have subregions and regions."""
        many = len(self.domain) >= COUNTRY_CODES
        return many and set(self.domain) <= set(countries.ALPHA3)


class Focus(FrozenModel):
    """The pair of columns that readers use most, and the columns that it is divided by."""

    corridor: tuple[str, str]
    by: tuple[str, ...] = ()


class DomainsFile(FrozenModel):
    """DOMAINS.yaml; the reference page "The domains file" describes every setting.

    >>> file = DomainsFile.model_validate({"version": 1, "columns": {"a": ["x", "y"]}})
    >>> file.plan().domains
    {'a': ('x', 'y')}
    """

    version: Literal["1"]
    checked: bool = True
    columns: dict[str, DomainColumn] = Field(min_length=1)
    focus: Focus | None = None
    core: tuple[str, ...] | None = None
    groups: tuple[tuple[str, ...], ...] = ()
    rows: int = Field(default=1, ge=1, le=1000)
    person: str | None = None
    weights: Weights = Weights()
    level: float = Field(default=0.95, ge=0.5, le=0.999)
    false_share: float = Field(default=0.005, gt=0, le=0.25)
    support: int = Field(default=0, ge=0, le=4)

    @field_validator("version", mode="before")
    @classmethod
    def _as_text(cls, given: Any) -> str:
        return str(given)

    @model_validator(mode="after")
    def _check(self) -> DomainsFile:
        if any(not name or "*" in name for name in self.columns):
            raise InvalidSetting(Text("columns: the name of a column is empty or holds the sign *"))
        focus = (*self.focus.corridor, *self.focus.by) if self.focus else ()
        for place, names in (("focus", focus), ("core", self.core or ()), *self._groups()):
            if len(set(names)) != len(names):
                raise InvalidSetting(Text("{place}: a column is named twice", place=place))
            if not self.columns.keys() >= set(names):
                raise InvalidSetting(
                    Text("{place}: a column is named that is not under columns", place=place)
                )
        if any(not 2 <= len(group) <= 4 for group in self.groups):
            raise InvalidSetting(Text("groups: a group has two, three or four columns"))
        if self.person in self.columns:
            raise InvalidSetting(
                Text("person: this column is never published; take it out of columns")
            )
        if self.false_share > 1 - self.level:
            raise InvalidSetting(Text("false_share: at most 1 − level"))
        plan = self.plan()
        cells = sum(math.prod(plan.shape(table)) for table in plan.tables)
        if cells > MAX_CELLS:
            raise InvalidSetting(
                Text(
                    "core: the tables have {n} cells together, at most {most} can be counted",
                    n=Numeral(cells),
                    most=Numeral(MAX_CELLS),
                )
            )
        return self

    def _groups(self) -> list[tuple[str, Columns]]:
        return [(f"groups.{i}", group) for i, group in enumerate(self.groups)]

    def plan(self, header: Sequence[str] = ()) -> Plan:
        """The plan of the table.

        Args:
            header: columns of the table; the plan follows their order, else that of the file.
        """
        names = [n for n in header if n in self.columns] or list(self.columns)
        names += [n for n in self.columns if n not in names]
        focus = (*self.focus.corridor, *self.focus.by) if self.focus else ()
        core = tuple(names) if len(names) <= CORE_COLUMNS else focus
        return Plan(
            {name: self.columns[name].domain for name in names},
            core=core if self.core is None else self.core,
            corridor=self.focus.corridor if self.focus else None,
            by=self.focus.by if self.focus else (),
            groups=self.groups,
            parents={
                n: hierarchy(self.columns[n].domain) for n in names if self.columns[n].of_countries
            },
            rows=self.rows,
            weights=self.weights,
            level=self.level,
            false_share=self.false_share,
            support=self.support,
        )


class _Texts(yaml.BaseLoader):
    """YAML in which every scalar is text: ``no`` is "no", ``01`` is "01"; no key comes twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _value in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "", node.start_mark)
        return super().construct_mapping(node, deep)


def read_column(text: str) -> DomainColumn:
    """A column as it stands in a domains file.

    >>> read_column("{years: [2020, 2021]}").domain
    ('2020', '2021')
    """
    return DomainColumn.model_validate(yaml.load(text, Loader=_Texts))  # noqa: S506 (texts only)


def load_domains(path: Path) -> DomainsFile:
    """Read and check a domains file.

    Raises:
        PolicyError: the file cannot be read, is no YAML or names a key twice, or a setting is
            unknown or out of range; the error names every place, and never a value.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise error("domains-file", file=path) from None
    if len(content) > MAX_BYTES:
        raise error("domains-file/size", file=path, n=MAX_BYTES)
    try:
        raw = yaml.load(content.decode("utf-8-sig"), Loader=_Texts)  # noqa: S506 (texts only)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as cause:
        mark = getattr(cause, "problem_mark", None)
        row = mark.line + 1 if mark else None
        raise error("domains-file/yaml", file=path, row=row) from None
    try:
        return DomainsFile.model_validate(raw or {})
    except ValidationError as cause:
        places = dict.fromkeys(map(_fault, cause.errors()))
        faults = joined(list(places)[:8], "; ")
        raise error("domains-settings", file=path, faults=faults) from None


def _fault(detail: ErrorDetails) -> Text:
    unions = ("tuple[str, ...]", "literal['countries']")
    place = printable(".".join(str(part) for part in detail["loc"] if part not in unions))
    raised = detail.get("ctx", {}).get("error")
    if detail["type"] == "extra_forbidden":
        return Text("{place}: there is no such setting", place=place)
    if detail["type"] == "missing":
        return joined([place, Text("this is missing")], ": ")
    if isinstance(raised, InvalidSetting):
        return joined([place, raised.text], ": ") if place else raised.text
    return Text("{place}: the value is of the wrong kind or out of range", place=place)
