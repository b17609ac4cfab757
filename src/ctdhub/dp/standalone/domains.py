"""The domains file: what is public about a table that is protected alone; drafts of it."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from ctdhub.core.errors import InvalidSetting, error, printable, setting_fault
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Numeral, Text, _, joined
from ctdhub.core.tables import ROW, Tabular
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.plan import NARROW, Columns, Plan, hierarchy, plan_of
from ctdhub.dp.policy import Policy, Weights
from ctdhub.dp.published import variances
from ctdhub.dp.synth.records import KEEP_SIGMAS
from ctdhub.dp.workload import workload
from ctdhub.schema import countries
from ctdhub.schema.model import LEVEL, load_schema

# --------------------------------------------------------------------------------------------------
# The domains file: what is public about a table that is protected alone, as a model.

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
    def _short_form(cls, entry: Any) -> Any:
        return {"values": entry} if isinstance(entry, list) else entry

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
    level: float = Field(default=LEVEL, ge=0.5, le=0.999)
    false_share: float = Field(default=0.005, gt=0, le=0.25)
    support: int = Field(default=0, ge=0, le=4)

    @field_validator("version", mode="before")
    @classmethod
    def _as_text(cls, version: Any) -> str:
        return str(version)

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
            year=next((n for n in names if self.columns[n].years), None),
        )

    def scope(self, header: Sequence[str], file: str) -> Scope:
        """How the cells of a table become values of its plan; ``file`` is named in errors."""
        blanks = {name: column.not_recorded for name, column in self.columns.items()}
        return Scope(self.plan(header), blanks, self.person, file)


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
        choices = ("tuple[str, ...]", "literal['countries']")
        places = dict.fromkeys(setting_fault(one, choices) for one in cause.errors())
        faults = joined(list(places)[:8], "; ")
        raise error("domains-settings", file=path, faults=faults) from None


# --------------------------------------------------------------------------------------------------
# Which pair of columns readers use most: what a draft proposes, and what goes without it.

SEX = re.compile("sex|gender|sexe|genre|sexo|género|genero|sesso|geschlecht|пол|стать|الجنس|النوع")
"""Words of a header that say that its column is one of sex or gender."""

SEXES = {
    *("f", "m", "x", "female", "male", "woman", "man", "girl", "boy", "femme", "homme", "mujer"),
    *("hombre", "femenino", "masculino", "féminin", "masculin", "other", "ذكر", "أنثى"),
}
"""Values, in small letters, of such a column."""


def proposed(columns: Mapping[str, DomainColumn]) -> Focus | None:
    """The focus for a table: two columns of countries, else the two widest, by years and sex.

    None where fewer than two columns have more values than NARROW, or the tables would be too many
    to count.
    """
    countries = [n for n, column in columns.items() if column.values == "countries"]
    wide = [n for n, column in columns.items() if len(column.domain) >= NARROW]
    wide.sort(key=lambda n: (n not in countries, -len(columns[n].domain)))
    if len(wide) < 2:
        return None
    pair = (wide[0], wide[1])
    by = [n for n, column in columns.items() if column.years and n not in pair][:1]
    by += [n for n, column in columns.items() if _of_sex(n, column) and n not in pair][:1]
    focus = Focus(corridor=pair, by=tuple(by))
    try:
        DomainsFile(version="1", columns=dict(columns), focus=focus)
    except ValidationError:
        return None
    return focus


def kept_from(plan: Plan, epsilon: float, delta: float) -> dict[Columns, int]:
    """By pair of wide columns that is no focus: people from whom on its combinations are kept.

    The records keep what stands out of the noise; smaller combinations are spread over what
    is likely by all tables together.  It depends on public values alone.

    Raises:
        PolicyError: epsilon is too small for the tables.
    """
    focus = {*(plan.corridor or ())}
    pairs = [t for t in combinations(plan.ordered(tuple(plan.wide)), 2) if {*t} != focus]
    if not pairs:
        return {}
    variance = variances(workload(plan, rho_of(epsilon, delta)))
    return {t: math.ceil(KEEP_SIGMAS * variance[t] ** 0.5) for t in pairs if t in variance}


def _of_sex(name: str, column: DomainColumn) -> bool:
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    values = {value.casefold() for value in column.domain}
    few = len(values) <= NARROW
    return few and (any(SEX.fullmatch(w.casefold()) for w in words) or (len(values & SEXES) > 1))


# --------------------------------------------------------------------------------------------------
# A first domains file out of a table, for a person to check against public knowledge.
#
# Values that are taken from the data are not private: that a rare value is in the list tells that
# somebody has it.  So a draft says ``checked: false``, and nothing is protected by it until a
# person has compared it with a code book.

MOST_VALUES = 300
"""Columns with more values are commented out."""

LONGEST = 80
"""Characters of a value; columns with longer ones are commented out as free text."""

BLANKS = {"-99", "n/a", "unknown", "not specified", "not known", "missing", "null", "none", "nan"}
"""Texts, in small letters, that a draft proposes as "not recorded"; "NA" may be Namibia."""

_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def draft(raw: Tabular, suspects: Mapping[str, str]) -> str:
    """The text of a drafted domains file; see the reference page "The domains file".

    Args:
        suspects: by column that is likely a direct identifier, the reason; it is commented out.
    """
    lines = [
        *_comment(
            _(
                "Drafted from a table. Values taken from data are not private: compare "
                "every line with public documents (the code book, the form), add what is "
                "missing, remove what is known from the data alone; then set checked: true."
            )
        ),
        "version: 1",
        "checked: false",
        "columns:",
    ]
    kept: dict[str, DomainColumn] = {}
    for name in raw.table.column_names:
        if name == ROW:
            continue
        reason, entry = _entry(raw.table.column(name), suspects.get(name))
        if "*" in name:
            reason = _("The name holds the sign *; rename the column.")
        if reason:
            lines.append(f"  # {_quoted(printable(name))}: {reason}")
        else:
            kept[name] = read_column(entry)
            lines.append(f"  {_quoted(name)}: {entry}")
    if not kept:
        lines[lines.index("columns:")] = "columns: {}"
    lines += [
        "",
        *_focus(kept),
        *_comment(
            _(
                "Where a person may have several rows, name the column that identifies a "
                "person and the most rows of one person that are kept:"
            )
        ),
        "# person: case_number",
        "# rows: 1",
    ]
    return "\n".join(lines) + "\n"


def _focus(kept: Mapping[str, DomainColumn]) -> list[str]:
    focus = proposed(kept)
    if focus is None:
        return []
    text = _(
        "The pair of columns that readers use most, and what it is divided by: these tables get "
        "the largest share of the budget. Name another pair where readers need it."
    )
    corridor, by = _listed(focus.corridor), _listed(focus.by)
    return [*_comment(text), f"focus: {{corridor: {corridor}, by: {by}}}", ""]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 96)]


def _entry(column: pa.ChunkedArray, suspect: str | None) -> tuple[str, str]:
    """The reason why a column is commented out, or else its entry."""
    if suspect:
        return suspect, ""
    texts = pc.unique(column.drop_null())
    if len(texts) > MOST_VALUES:
        return _("More than {n} values; group them first.").format(n=MOST_VALUES), ""
    values = texts.to_pylist()
    if any(len(value) > LONGEST for value in values):
        return _("Cells look like free text."), ""
    blanks = sorted(v for v in values if " ".join(v.split()).casefold() in BLANKS)
    rest = [v for v in values if v not in blanks]
    if not rest:
        return _("No value is found; list those that the column may hold."), ""
    domain = _domain(rest)
    if blanks:
        return "", f"{{{domain}, not_recorded: {_listed(['', *blanks])}}}"
    plain = domain.startswith("values: [")
    return "", domain.removeprefix("values: ") if plain else f"{{{domain}}}"


def _domain(values: Sequence[str]) -> str:
    if len(values) >= COUNTRY_CODES / 4 and set(values) <= set(countries.ALPHA3):
        return "values: countries"
    if len(values) > 2 and all(re.fullmatch(r"(?:19|20)\d\d", v) for v in values):
        return f"years: [{min(values)}, {max(values)}]"
    return f"values: {_listed(sorted(values, key=_natural))}"


def _listed(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _quoted(text: str) -> str:
    r"""A text as YAML in quotation marks; what YAML takes for a line end or refuses is escaped.

    >>> print(_quoted('no "\x85'))
    "no \"\u0085"
    """
    return _ESCAPED.sub(lambda c: f"\\u{ord(c[0]):04x}", json.dumps(text, ensure_ascii=False))


def _natural(value: str) -> list[tuple[int, float, str]]:
    """Sorts numbers inside texts by their size.

    >>> sorted(["10-19", "9", "0-8"], key=_natural)
    ['0-8', '9', '10-19']
    """
    parts = re.findall(r"\d{1,15}|\D+|\d", value)
    return [(0, float(p), "") if p[0] in "0123456789" else (1, 0.0, p) for p in parts]


# --------------------------------------------------------------------------------------------------
# What is public about one table: its plan, and how its cells become values of the plan.


@dataclass(frozen=True)
class Scope:
    """A plan, and how the cells of a table become its values.

    Attributes:
        not_recorded: by column, texts that stand for "not recorded".
        person: the column that tells which rows belong to one person, None where each row is one.
        file: name of the file that says so, for errors.
    """

    plan: Plan
    not_recorded: dict[str, tuple[str, ...]]
    person: str | None
    file: str

    def left_out(self, names: Iterable[str]) -> tuple[str, ...]:
        """Columns of a table that have no public values."""
        return tuple(n for n in names if n not in {*self.plan.domains, self.person, ROW})


SCHEMA = "schema"
"""What is said in place of a domains file, where a table is of the hub's own schema."""


def scope_of(
    domains: str | Path, names: Sequence[str], support: int | None = None, imputations: int = 0
) -> Scope:
    """The scope of a table.

    Args:
        domains: path of the domains file, or :data:`SCHEMA`.
        names: columns of the table.
        support: stands above the file's own.
        imputations: how many sets of records for inference, 0 to 100.

    Raises:
        PolicyError: as :func:`checked_domains`, :meth:`DomainsFile.plan`, :func:`scope_of_schema`.
    """
    header = [name for name in names if name != ROW]
    if domains == SCHEMA:
        scope = scope_of_schema(header, support)
    else:
        file = checked_domains(Path(domains))
        if support is not None:
            file = file.model_copy(update={"support": support})
        scope = file.scope(header, Path(domains).name)
    return replace(scope, plan=replace(scope.plan, imputations=imputations))


def checked_domains(path: Path) -> DomainsFile:
    """A domains file that a person has checked.

    Raises:
        PolicyError: nobody has; or as :func:`load_domains`.
    """
    file = load_domains(path)
    if not file.checked:
        raise error("domains-checked", file=path)
    return file


def scope_of_schema(header: Sequence[str], support: int | None = None) -> Scope:
    """The scope of a table in the hub's own schema: its public variables among the columns.

    Raises:
        PolicyError: no column is a public variable of the schema.
    """
    schema = load_schema()
    public = [v.name for v in schema.table("people") if v.public and v.name in header]
    if not public:
        raise error("domains-schema/no-column")
    policy = Policy(columns=tuple(public), support=support or 0)
    return Scope(plan_of(policy, schema), {}, None, "schema")


def public_columns(asked: Sequence[str] = ()) -> tuple[str, ...]:
    """Public variables of people in the order of the schema: those asked for, else all.

    Raises:
        PolicyError: one is no public variable of people.
    """
    public = tuple(v.name for v in load_schema().table("people") if v.public)
    if not set(asked) <= set(public):
        raise error("domains-schema")
    return tuple(name for name in public if name in asked) if asked else public
