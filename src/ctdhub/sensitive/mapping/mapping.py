"""How one contributor's format becomes the hub's schema: a mapping that checks itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, model_validator

from ctdhub.core.i18n import Text
from ctdhub.core.tables import fold
from ctdhub.schema.model import CONTRIBUTOR_KIND, Schema, TableName, Variable, load_schema
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.mapping.dates import DateForm
from ctdhub.sensitive.mapping.rule import (
    Accepted,
    Decision,
    Example,
    Exclusion,
    Frozen,
    MappingFault,
    Names,
    PerpetratorRule,
    Place,
    RowUnit,
    Rule,
    Rules,
    check_accepted,
    check_unit,
)


class Mapping(Frozen):
    """A whole mapping.

    Attributes:
        name: how messages call it; the file's name unless given.
        read: options for the reader.
        empty: texts that mean "not recorded" in every column.
        optional: source columns that a file may lack; every other column that a rule reads must
            be there.  Header cells are compared exactly, then without regard to case.
        dates: how dates are written that can be read in two ways.
        rows: what a row is, a person, a report or a call; None where nobody said so.
        key: columns that together tell one person from another; together they are hashed to the
            person key, and a row that lacks one of them has none.
        tokens: columns of keyed tokens that the contributor made, several in a cell; rules may not
            read them.
        accept: alarms and texts that somebody looked at and found right.
        identifiers, exclude, columns, perpetrators, tests: see the models above.

    Raises:
        ValueError: something contradicts the schema or itself (``load_mapping`` turns it into a
            MappingError with the place in the YAML).

    >>> m = Mapping(version=1, columns={"gender": {"from": "sex", "map": {"F": "female"}}})
    >>> m.columns["gender"][0].source
    ('sex',)
    """

    version: Literal[1]
    name: str = ""
    read: ReadOptions = ReadOptions()
    empty: Names = ("",)
    optional: Names = ()
    dates: DateForm = DateForm()
    rows: RowUnit | None = None
    key: Names = ()
    identifiers: dict[str, Decision] = Field(default={})
    tokens: Names = ()
    exclude: tuple[Exclusion, ...] = ()
    columns: dict[str, Rules]
    perpetrators: PerpetratorRule | None = None
    accept: tuple[Accepted, ...] = ()
    tests: tuple[Example, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _version(cls, value: Any) -> Any:
        if isinstance(value, dict) and str(value.get("version")) == "1":
            return {**value, "version": 1}
        return value

    @model_validator(mode="after")
    def _check(self) -> Mapping:
        schema = load_schema()
        for table, place, columns in self.tables():
            names = {v.name for v in schema.table(table)}
            for target, rules in columns.items():
                if target not in names:
                    raise MappingFault(
                        Text(
                            "{name} is not a variable of the hub's {table}",
                            name=target,
                            table=table,
                        ),
                        *place,
                        target,
                    )
                for i, rule in enumerate(rules):
                    where = (*place, target, i) if len(rules) > 1 else (*place, target)
                    _check_rule(rule, schema.variable(target), schema, where)
                    if rule.from_hub is not None and rule.from_hub not in columns:
                        raise MappingFault(
                            Text("{name} is not mapped here", name=rule.from_hub),
                            *where,
                            "from_hub",
                        )
                    lists = self.perpetrators is not None and self.perpetrators.split is not None
                    if table == "perpetrators" and lists and (rule.split or rule.at):
                        raise MappingFault(
                            Text("rules for `perpetrators` take no split and no at"), *where
                        )
            _check_no_circle(columns, place)
        self._check_identifiers()
        self._check_empty()
        self._check_child()
        read = [c for _place, rule in self.uses() for c in rule.columns()]
        targets = [name for _table, _place, columns in self.tables() for name in columns]
        targets += [name for of, _codes, name, _code in schema.implied() if of in targets]
        check_accepted(self.accept, read, [*targets, CONTRIBUTOR_KIND])
        named = [e.rule for e in self.exclude]
        if len(set(named)) != len(named):
            raise MappingFault(Text("two exclusions have one name"), "exclude")
        return self

    def tables(self) -> Iterator[tuple[TableName, Place, dict[str, Rules]]]:
        """Each table with the place of its rules in the YAML, and its rules."""
        yield "records", ("columns",), self.columns
        if self.perpetrators:
            yield "perpetrators", ("perpetrators", "columns"), self.perpetrators.columns

    def _check_identifiers(self) -> None:
        keys = [c for c, d in self.identifiers.items() if d.action in ("hash", "token")]
        if len(keys) > 1:
            raise MappingFault(
                Text("only one column can become the person key: strip the others"),
                "identifiers",
                keys[1],
            )
        cases = [c for c, d in self.identifiers.items() if d.action == "case"]
        if len(cases) > 1:
            raise MappingFault(
                Text("only one column can be the number of a case: strip the others"),
                "identifiers",
                cases[1],
            )
        check_unit(self.key, {c: d.action for c, d in self.identifiers.items()}, self.tokens)
        barred: dict[str, str] = {
            fold(c): d.action for c, d in self.identifiers.items() if d.action != "keep"
        }
        for column in self.tokens:
            if barred.setdefault(fold(column), "tokens") not in ("tokens", "token"):
                raise MappingFault(
                    Text("{column} is under identifiers and under tokens", column=column),
                    "tokens",
                )
        for place, rule in self.uses():
            for column in rule.columns():
                action = barred.get(fold(column))
                feeds = isinstance(rule, Rule) and (rule.band or rule.year)
                fed = isinstance(rule, Rule) and column in (*rule.source, rule.at)
                if action and not (action == "band" and feeds and fed and column not in rule.when):
                    raise MappingFault(
                        Text(
                            "{column} is declared {action} and may not be used here",
                            column=column,
                            action=action,
                        ),
                        *place,
                    )

    def _check_child(self) -> None:
        """Rules for the rows of a child table read its columns alone."""
        if self.perpetrators is None or self.perpetrators.child is None:
            return
        child = self.perpetrators.child
        for place, rule in self.uses():
            for column in rule.columns() if place[0] == "perpetrators" else ():
                if not fold(column).startswith(fold(f"{child}.")):
                    raise MappingFault(
                        Text(
                            "{column} is not a column of the child table {child}: its columns "
                            "are named {child}.column",
                            column=column,
                            child=child,
                        ),
                        *place,
                    )

    def _check_empty(self) -> None:
        """A text that means "not recorded" everywhere reaches no rule, so no rule may want it."""
        empty = {fold(text) for text in self.empty}
        for place, rule in self.uses():
            wanted = (*(rule.map or {}), *rule.has) if isinstance(rule, Rule) else ()
            for text in wanted:
                coded = isinstance(rule, Rule) and (not rule.map or rule.map[text] is not None)
                if coded and fold(text) in empty:
                    raise MappingFault(
                        Text("{text} is under empty, so no rule ever sees it", text=text),
                        *place,
                    )

    def uses(self) -> Iterator[tuple[Place, Rule | Exclusion]]:
        """Every rule and exclusion with its place in the YAML."""
        for i, exclusion in enumerate(self.exclude):
            yield ("exclude", i), exclusion
        for _table, place, columns in self.tables():
            for target, rules in columns.items():
                for rule in rules:
                    yield (*place, target), rule

    def key_columns(self) -> tuple[tuple[str, ...], str] | None:
        """The columns that become the person key and how (hash or token), None without any."""
        for column, decision in self.identifiers.items():
            if decision.action in ("hash", "token"):
                return (column,), decision.action
        return (self.key, "hash") if self.key else None

    def case_column(self) -> str | None:
        """The column by which a contributor names a case and that is no person key, if any."""
        named = (c for c, decision in self.identifiers.items() if decision.action == "case")
        return next(named, None)

    def names_people(self) -> tuple[str, ...]:
        """The columns by which a person or a case is known, those of tokens too."""
        key, case = self.key_columns(), self.case_column()
        return (*(key[0] if key else ()), *([case] if case else []), *self.tokens)

    def stripped(self) -> tuple[str, ...]:
        """Columns that never leave the reader."""
        return tuple(c for c, d in self.identifiers.items() if d.action == "strip")

    def needed(self) -> tuple[str, ...]:
        """Source columns that are read, in the order of the mapping."""
        used = [column for _place, rule in self.uses() for column in rule.columns()]
        return tuple(dict.fromkeys([*used, *self.names_people()]))


_BAND = re.compile(r"^\d+(-\d+|\+)$")


def _check_rule(rule: Rule, variable: Variable, schema: Schema, where: Place) -> None:
    kind = variable.kind
    if rule.has and kind != "flag":
        raise MappingFault(Text("has may be used only with a yes/no variable"), *where, "has")
    if rule.year and kind != "year":
        raise MappingFault(Text("year may be used only with a year"), *where, "year")
    if rule.country and kind != "country":
        raise MappingFault(Text("country may be used only with a country"), *where, "country")
    if rule.from_hub and (rule.country or rule.band or rule.year or rule.split):
        raise MappingFault(
            Text("with from_hub only map, has, when and unknown may be used"), *where
        )
    if kind == "entity":
        if rule.value is None and not rule.map:
            raise MappingFault(Text("an entity is named by value or map, never by a cell"), *where)
        return
    domain = schema.recorded(variable.name, (1900, 2199))
    if rule.band and not all(_BAND.match(code) for code in domain):
        raise MappingFault(Text("band may be used only with a code list of bands"), *where, "band")
    codes: list[tuple[str | None, Place]] = [(rule.value, (*where, "value"))]
    codes += [(code, (*where, "map", text)) for text, code in (rule.map or {}).items()]
    for code, place in codes:
        if code is not None and code not in domain:
            shown = ", ".join(domain[:12]) + ("…" if len(domain) > 12 else "")
            raise MappingFault(
                Text(
                    "{code} is not a code of {name}; its codes are: {codes}",
                    code=code,
                    name=variable.name,
                    codes=shown,
                ),
                *place,
            )


def _check_no_circle(columns: dict[str, Rules], place: Place) -> None:
    for start in columns:
        waiting, seen = [start], set[str]()
        while waiting:
            for rule in columns[waiting.pop()]:
                if rule.from_hub == start:
                    raise MappingFault(Text("from_hub leads in a circle"), *place, start)
                if rule.from_hub and rule.from_hub not in seen:
                    seen.add(rule.from_hub)
                    waiting.append(rule.from_hub)
