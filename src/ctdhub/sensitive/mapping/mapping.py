"""How one contributor's format becomes the hub's schema: a mapping that checks itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from ctdhub.core.errors import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text
from ctdhub.core.tables import fold
from ctdhub.schema.model import CONTRIBUTOR_KIND, Schema, TableName, Variable, load_schema
from ctdhub.sensitive.ingest.options import ReadOptions, Texts
from ctdhub.sensitive.mapping.dates import DateForm
from ctdhub.sensitive.mapping.rule import (
    ALARMS,
    Accepted,
    Decision,
    Example,
    Exclusion,
    PerpetratorRule,
    Place,
    Rule,
    Rules,
    refuse,
)

RowUnit = Literal["person", "report", "call"]
"""What a row of a file is."""


class Mapping(FrozenModel):
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
    empty: Texts = ("",)
    optional: Texts = ()
    dates: DateForm = DateForm()
    rows: RowUnit | None = None
    key: Texts = ()
    identifiers: dict[str, Decision] = Field(default={})
    tokens: Texts = ()
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
        schema, child = load_schema(), self.perpetrators
        for table, place, columns in self.tables():
            names = {v.name for v in schema.table(table)}
            lists = table == "perpetrators" and child is not None and child.split is not None
            for target, rules in columns.items():
                none = Text("{name} is not a variable of the hub's {table}")
                none = none.holding(name=target, table=table)
                refuse((target not in names, none, (*place, target)))
                for i, rule in enumerate(rules):
                    where = (*place, target, i) if len(rules) > 1 else (*place, target)
                    _check_rule(rule, schema.variable(target), schema, where)
                    of, barred = rule.from_hub or "", lists and (rule.split or rule.at)
                    unmapped = Text("{name} is not mapped here", name=of)
                    refuse(
                        (of and of not in columns, unmapped, (*where, "from_hub")),
                        (barred, Text("rules for `perpetrators` take no split and no at"), where),
                    )
            for target in columns:
                circle = target in followed(columns, target)[1:]
                refuse((circle, Text("from_hub leads in a circle"), (*place, target)))
        self._check_identifiers()
        self._check_key()
        self._check_uses()
        self._check_accepted(schema)
        named = [e.rule for e in self.exclude]
        twice = len(set(named)) != len(named)
        refuse((twice, Text("two exclusions have one name"), ("exclude",)))
        return self

    def tables(self) -> Iterator[tuple[TableName, Place, dict[str, Rules]]]:
        """Each table with the place of its rules in the YAML, and its rules."""
        yield "records", ("columns",), self.columns
        if self.perpetrators:
            yield "perpetrators", ("perpetrators", "columns"), self.perpetrators.columns

    def _check_identifiers(self) -> None:
        person = Text("only one column can become the person key: strip the others")
        case = Text("only one column can be the number of a case: strip the others")
        for text, actions in ((person, ("hash", "token")), (case, ("case",))):
            found = [c for c, d in self.identifiers.items() if d.action in actions]
            refuse((len(found) > 1, text, ("identifiers", *found[1:2])))
        decided = {fold(c): d.action for c, d in self.identifiers.items()}
        for column in self.tokens:
            both = Text("{column} is under identifiers and under tokens", column=column)
            refuse((decided.get(fold(column), "keep") not in ("keep", "token"), both, ("tokens",)))

    def _check_key(self) -> None:
        """Several columns that are the key together contradict nothing else."""
        already = Text("key already says who is one person: {column} cannot be {action} as well")
        out = Text("{column} is stripped or holds tokens, so it cannot be in key")
        barred, folded = {*map(fold, self.tokens)}, [*map(fold, self.key)]
        for column, decision in self.identifiers.items():
            both = self.key and decision.action in ("hash", "token")
            refuse((both, already.holding(column=column, action=decision.action), ("key",)))
            if decision.action == "strip":
                barred.add(fold(column))
        for i, column in enumerate(self.key):
            twice = Text("{column} appears twice in key", column=column)
            refuse(
                (folded[i] in folded[:i], twice, ("key",)),
                (folded[i] in barred, out.holding(column=column), ("key",)),
            )

    def _check_uses(self) -> None:
        """Each rule reads what it may, and nothing that means "not recorded" everywhere."""
        barred = dict.fromkeys(map(fold, self.tokens), "tokens")
        barred |= {fold(c): d.action for c, d in self.identifiers.items() if d.action != "keep"}
        empty = {*map(fold, self.empty)}
        child = self.perpetrators.child if self.perpetrators else None
        own = Text(
            "{column} is not a column of the child table {child}: its columns are named "
            "{child}.column",
            child=child or "",
        )
        for place, rule in self.uses():
            inside = child if place[0] == "perpetrators" else None
            for column in rule.columns():
                action = barred.get(fold(column), "")
                banded = isinstance(rule, Rule) and _feeds(rule, column) and action == "band"
                declared = Text("{column} is declared {action} and may not be used here")
                outside = inside and not fold(column).startswith(fold(f"{inside}."))
                refuse(
                    (action and not banded, declared.holding(column=column, action=action), place),
                    (outside, own.holding(column=column, child=child or ""), place),
                )
            wanted: dict[str, str | None] = {}
            if isinstance(rule, Rule):
                wanted = rule.map or dict.fromkeys(rule.has, "yes")
            for text in (text for text, code in wanted.items() if code is not None):
                unseen = Text("{text} is under empty, so no rule ever sees it", text=text)
                refuse((fold(text) in empty, unseen, place))

    def _check_accepted(self, schema: Schema) -> None:
        """What is accepted is about what the mapping reads."""
        read = {fold(c) for _place, rule in self.uses() for c in rule.columns()}
        mapped = {name for _table, _place, columns in self.tables() for name in columns}
        mapped |= {name for of, _codes, name, _code in schema.implied() if of in mapped}
        mapped.add(CONTRIBUTOR_KIND)
        for i, one in enumerate(self.accept):
            about = ALARMS.get(one.name, "")
            column = one.column or (one.about if about == "column" else None)
            unread = column and one.name != "new-column" and fold(column) not in read
            unmapped = about == "variable" and one.about not in mapped
            refuse(
                (unread, Text("no rule reads {column}", column=column or ""), ("accept", i)),
                (unmapped, Text("{name} is not mapped here", name=one.about), ("accept", i)),
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


def require_people(mapping: Mapping, file: Path, bound: int | None = None) -> None:
    """Refuse to count rows as people where nobody said that they are.

    The unit of protection is the person key, else the record.  Rows that are reports or calls are
    no people, so they need a key, or a bound in the agreement on how many of them one person may
    have; a row without either is a person only where the mapping says that rows are persons.

    Args:
        mapping: the mapping of a contributor.
        file: where it lies.
        bound: the most rows that one person may have, where the agreement says it: then rows may
            be reports or calls without a key, and each is a row of its own.

    Raises:
        MappingError: its rows have no person key, and it does not say that they are persons; or
            they are no persons and nobody agreed how many of them one person may have.
    """
    if mapping.key_columns() is not None or mapping.rows == "person":
        return
    if mapping.rows is None or bound is None:
        raise error("row-unit" if mapping.rows is None else "row-unit/not-people", file=file)


_BAND = re.compile(r"^\d+(-\d+|\+)$")


def _check_rule(rule: Rule, variable: Variable, schema: Schema, where: Place) -> None:
    kind, entity = variable.kind, variable.kind == "entity"
    alone = Text("with from_hub only map, has, when and unknown may be used")
    named = Text("an entity is named by value or map, never by a cell")
    refuse(
        (
            rule.has and kind != "flag",
            Text("has may be used only with a yes/no variable"),
            (*where, "has"),
        ),
        (rule.year and kind != "year", Text("year may be used only with a year"), (*where, "year")),
        (
            rule.country and kind != "country",
            Text("country may be used only with a country"),
            (*where, "country"),
        ),
        (rule.from_hub and (rule.country or rule.band or rule.year or rule.split), alone, where),
        (entity and rule.value is None and not rule.map, named, where),
    )
    if entity:
        return
    domain = schema.recorded(variable.name, (1900, 2199))
    banded = all(map(_BAND.match, domain))
    bands = Text("band may be used only with a code list of bands")
    refuse((rule.band and not banded, bands, (*where, "band")))
    codes: list[tuple[str | None, Place]] = [(rule.value, (*where, "value"))]
    codes += [(code, (*where, "map", text)) for text, code in (rule.map or {}).items()]
    shown = ", ".join(domain[:12]) + ("…" if len(domain) > 12 else "")
    none = Text("{code} is not a code of {name}; its codes are: {codes}")
    for code, place in codes:
        if code is not None and code not in domain:
            refuse((True, none.holding(code=code, name=variable.name, codes=shown), place))


def _feeds(rule: Rule, column: str) -> bool:
    """Whether all that a rule makes of a column are bands or years."""
    made = rule.band or rule.year
    return made and column in (*rule.source, rule.at) and column not in rule.when


def followed(columns: dict[str, Rules], name: str) -> list[str]:
    """A variable, then those that its rules follow (``from_hub``), as often as they do."""
    found, waiting = [name], [name]
    while waiting:
        of = [r.from_hub for r in columns.get(waiting.pop(), ()) if r.from_hub]
        waiting += [other for other in of if other not in found]
        found += of
    return found
