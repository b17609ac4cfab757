"""How one contributor's format becomes the hub's schema: a mapping and its parts, which check
themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from ctdhub.core.errors import InvalidSetting, error
from ctdhub.core.files import is_day
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text
from ctdhub.core.tables import fold
from ctdhub.schema.model import CONTRIBUTOR_KIND, Schema, TableName, Variable, load_schema
from ctdhub.sensitive.ingest.options import ReadOptions, Texts
from ctdhub.sensitive.mapping.dates import DateForm

# --------------------------------------------------------------------------------------------------
# The parts of a mapping: rules, exclusions, decisions, examples, each checking itself.

Place = tuple[str | int, ...]


class MappingFault(InvalidSetting):
    """One thing that is wrong in a mapping, and where the YAML says it."""

    def __init__(self, text: Text, *place: str | int) -> None:
        self.place: Place = place
        super().__init__(text)


def refuse(*faults: tuple[object, Text] | tuple[object, Text, Place]) -> None:
    """Refuse a mapping for the first of some faults that it has.

    Args:
        faults: each with whether it is there, what is wrong, and where.

    Raises:
        MappingFault: one is there.
    """
    for there, text, *place in faults:
        if there:
            raise MappingFault(text, *(place[0] if place else ()))


Conditions = dict[str, Texts]
"""Source column to the texts that fulfil the condition.

"" stands for an empty cell, and so does every text that the mapping lists under ``empty``, but not
where ``unless`` keeps rows for a column of consent: a refusal is never an empty cell.
"""


class Rule(FrozenModel):
    """How one hub variable is found.  Texts are compared trimmed and without regard to case.

    Attributes:
        source: source columns (``from`` in the YAML).  Several: for a flag any yes wins, then any
            no; for other variables the first that is not empty.
        from_hub: a hub variable that is already mapped, instead of source columns.
        value: a constant, instead of source columns.
        map: text to code; null means "not recorded".  Tried before band, year and country.
        band: a number (or a band in another spelling) becomes a band of the code list.
        at: source column with a date; the source is then a birth date and the band is of the
            age in completed years on that date.
        year: the year out of a date or a number.
        country: the alpha-3 code out of a name in any language of ctdhub, an alias or a code.
        split: separator of a list inside a cell; one blank means any white space.
        take: which element of the list counts.
        has: the flag is yes where the list contains one of these texts.
        absent: what the flag is where the cell has content but none of them; null unless given,
            and null where the content has an element that no rule of the column knows.
        known: further texts that a list may have and that are another kind than this flag.
        when: the rule applies only to rows that fulfil every condition.
        null_values: further texts that mean "not recorded" for this rule.
        unknown: what happens to a text that nothing maps: reject the row, make it null, or keep it
            where it is a code of the variable (and reject otherwise).  With ``has`` an element
            that no rule of the column knows is counted in the lineage and leaves the flag null
            unless another element makes it yes; ``reject``, written out, rejects the row, and
            ``pass`` lets ``absent`` speak all the same.
        lossy: what is lost, in a sentence for the lineage.
    """

    model_config = ConfigDict(populate_by_name=True)

    source: Texts = Field(default=(), alias="from")
    from_hub: str | None = None
    value: str | None = None
    map: dict[str, str | None] | None = None
    band: bool = False
    at: str | None = None
    year: bool = False
    country: bool = False
    split: str | None = Field(default=None, min_length=1)
    take: Literal["first", "last"] | None = None
    has: Texts = ()
    absent: Literal["no"] | None = None
    known: Texts = ()
    when: Conditions = Field(default={})
    null_values: Texts = ()
    unknown: Annotated[
        Literal["keep", "reject", "null", "pass"],
        BeforeValidator(lambda v: "null" if v is None else v),
    ] = "reject"
    lossy: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Rule:
        sources = (bool(self.source), self.from_hub is not None, self.value is not None)
        kinds = [key for key in ("band", "year", "country", "has") if getattr(self, key)]
        both, has = Text("{keys} exclude each other: keep one", keys=", ".join(kinds)), self.has
        beside = self.model_fields_set - {"value", "when", "lossy"}
        constant = Text("a constant value may be used only with when and lossy")
        codes = Text("with has, unknown is null, reject or pass: no text of a list is a code")
        taken = Text("say what to do with the list: take: first, take: last or has")
        mapped = Text("has and map exclude each other: keep one")
        passed = Text("unknown: pass may be used only with has")
        aged = Text("at needs band: true and one source column")
        refuse(
            (sum(sources) != 1, Text("give exactly one of: from, from_hub, value")),
            (len(kinds) > 1, both, (*kinds[1:2],)),
            (self.value is not None and beside, constant, ("value",)),
            (has and self.map is not None, mapped, ("map",)),
            (self.absent and not has, Text("absent may be used only with has"), ("absent",)),
            (self.known and not has, Text("known may be used only with has"), ("known",)),
            (self.unknown == "pass" and not has, passed, ("unknown",)),
            (self.unknown == "keep" and has, codes, ("unknown",)),
            (self.take and not self.split, Text("take needs split"), ("take",)),
            (has and self.take, Text("has looks at the whole list: leave take out"), ("take",)),
            (self.split and not (self.take or has), taken),
            (self.at and (not self.band or len(self.source) != 1), aged, ("at",)),
        )
        _check_folds(self.map or {})
        return self

    @property
    def refuses(self) -> bool:
        """Whether a list with an element that no rule knows rejects the row (asked for by name)."""
        asked = self.unknown == "reject" and "unknown" in self.model_fields_set
        return bool(self.has) and bool(self.source) and asked

    @property
    def doubts(self) -> bool:
        """Whether an element that no rule knows keeps the flag from being ``absent``."""
        return bool(self.absent) and bool(self.source) and self.unknown != "pass"

    def columns(self) -> tuple[str, ...]:
        """Every source column that the rule reads, conditions included."""
        at = (self.at,) if self.at else ()
        return tuple(dict.fromkeys((*self.source, *at, *self.when)))


def _check_folds(texts: dict[str, str | None]) -> None:
    seen: dict[str, str | None] = {}
    for key, code in texts.items():
        if seen.setdefault(fold(key), code) != code:
            raise MappingFault(
                Text("two spellings of one text lead to different codes: {text}", text=key),
                "map",
                key,
            )


def _as_rules(value: object) -> object:
    return [value] if isinstance(value, dict | Rule) else value


Rules = Annotated[tuple[Rule, ...], BeforeValidator(_as_rules), Field(min_length=1)]
"""One rule or a list of rules, of which the first that is not null wins."""


class Decision(FrozenModel):
    """What happens to a column that may identify a person.

    strip: it never leaves the reader.  hash: HMAC with the hub's key, scoped to the contributor,
    becomes the person key.  token: already keyed by the contributor, becomes the person key as it
    is.  case: keyed as with hash, but joins nobody: only withdrawals are found by it.  band: may
    only feed rules with ``band`` or ``year``.  keep: a steward states, with the reason, that it
    identifies nobody.
    """

    action: Literal["strip", "hash", "token", "case", "band", "keep"]
    reason: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"action": value}
        if isinstance(value, dict) and set(value) == {"keep"}:
            return {"action": "keep", "reason": value["keep"]}
        return value

    @model_validator(mode="after")
    def _check(self) -> Decision:
        reasoned = bool(self.reason and self.reason.strip())
        needs = Text('keep, and only keep, needs a reason: {keep: "reason"}')
        refuse(((self.action == "keep") != reasoned, needs))
        return self


class Exclusion(FrozenModel):
    """Rows that are left out under a name: where every ``when`` holds and no ``unless`` does.

    With ``split`` a condition holds where the list in the cell contains one of the texts.
    """

    rule: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
    when: Conditions = Field(default={})
    unless: Conditions = Field(default={})
    split: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Exclusion:
        refuse((not self.when and not self.unless, Text("an exclusion needs when or unless")))
        return self

    def columns(self) -> tuple[str, ...]:
        """Every source column that the conditions read."""
        return tuple(dict.fromkeys((*self.when, *self.unless)))


class PerpetratorRule(FrozenModel):
    """Child rows: those of a child table, or elements of lists in the cells of a row.

    Attributes:
        split: separator of the lists.
        aligned: whether the elements at one position of several columns belong together.  Without
            it a column with several makes rows alone (``transform.child_rows``).
        child: name of a child table (``read: {children: …}``) instead; its columns are named
            ``child.column``.
        columns: rules for the variables of a child row.
    """

    split: str | None = Field(default=None, min_length=1)
    aligned: bool = False
    child: str | None = None
    columns: dict[str, Rules]

    @model_validator(mode="after")
    def _check(self) -> PerpetratorRule:
        listed, aligned = self.split is not None, Text("aligned may be used only with split")
        refuse(
            (listed == (self.child is not None), Text("give exactly one of: split, child")),
            (self.aligned and not listed, aligned, ("aligned",)),
        )
        return self

    def sources(self) -> tuple[str, ...]:
        """Every source column that a rule reads, conditions included."""
        rules = (rule for rules in self.columns.values() for rule in rules)
        return tuple(dict.fromkeys(column for rule in rules for column in rule.columns()))


class Example(FrozenModel):
    """A made-up row and what must become of it (``tests`` in the YAML).

    Exactly one of: ``gives`` (hub variable to code, null for "not recorded") with or without
    ``perpetrators`` (one such table per child row), ``rejected`` (the hub variable at fault),
    ``excluded`` (the name of the exclusion).
    """

    row: dict[str, str | None]
    gives: dict[str, str | None] | None = None
    perpetrators: tuple[dict[str, str | None], ...] | None = None
    rejected: str | None = None
    excluded: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Example:
        record = self.gives is not None or self.perpetrators is not None
        outcomes = (record, self.rejected is not None, self.excluded is not None)
        refuse((sum(outcomes) != 1, Text("give exactly one of: gives, rejected, excluded")))
        return self


# --------------------------------------------------------------------------------------------------
# What a mapping accepts by name: alarms about a contributor's files, and texts nobody can read.
#
# An entry is exact.  It names an alarm, with the column, variable or year that the alarm is about
# after a colon; or a text with its column.  What is accepted of one column is not accepted of the
# next.  The names are a public contract.

Subject = Literal["", "column", "variable", "year"]

ALARMS: dict[str, Subject] = {
    "unknown-texts": "column",
    "new-texts": "column",
    "new-column": "column",
    "recorded-fell": "variable",
    "value-moved": "variable",
    "all-under-18": "",
    "none-under-18": "",
    "one-gender": "",
    "one-citizenship": "",
    "one-country": "",
    "year-jump": "year",
    "all-first-of-january": "column",
    "never-yes": "variable",
    "no-exploitation": "",
    "contradiction": "variable",
    "many-rejects": "",
    "many-excluded": "",
    "key-two-genders": "",
    "key-two-births": "",
    "many-records-a-key": "",
    "sorted-lists": "column",
    "ids-rewritten": "column",
    "nobody-again": "",
    "most-left": "",
}
"""Every alarm and what it is about; of those about nothing a delivery has at most one."""

_ABOUT: dict[Subject, Text] = {
    "": Text("{name} is about a whole delivery: write the name alone"),
    "column": Text("name the column after a colon: {name}: Column"),
    "variable": Text("name the variable after a colon: {name}: variable"),
    "year": Text("name the year after a colon: {name}: 2020"),
}

STOPPING = frozenset({"unknown-texts", "new-texts", "new-column", "recorded-fell"})
"""Alarms that stop a build before people are made; the others stop a charge."""


class Accepted(FrozenModel):
    """An entry of ``accept``: an alarm, or a text of a column.

    Attributes:
        alarm: name of an alarm, and after a colon what it is about; a text alone stands for it.
        text, column: instead of an alarm: a text that may stay unknown in this column.
        delivery: the date of the only delivery for which it is accepted; all of them, if None.
        reason: why, for those who approve a release.

    >>> Accepted.model_validate("unknown-texts: Tipo").is_for("unknown-texts", "tipo", "2026-01-15")
    True
    """

    alarm: str | None = None
    text: str | None = None
    column: str | None = None
    delivery: str | None = None
    reason: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"alarm": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> Accepted:
        unknown = Text("there is no such alarm; there are: {names}", names=", ".join(ALARMS))
        wanted = ALARMS.get(self.name, "")
        where = Text("a text is accepted in one column: name both")
        day = Text("write the date as 2026-01-15")
        ill = {"": bool(self.about), "year": not re.fullmatch(r"\d{4}", self.about)}
        refuse(
            ((self.alarm is None) == (self.text is None), Text("give exactly one of: alarm, text")),
            ((self.text is None) != (self.column is None), where),
            (self.delivery is not None and not is_day(self.delivery), day, ("delivery",)),
            (self.alarm is not None and self.name not in ALARMS, unknown),
            (ill.get(wanted, not self.about), _ABOUT[wanted].holding(name=self.name)),
        )
        return self

    @property
    def name(self) -> str:
        """Name of the alarm, "" where a text is accepted."""
        return (self.alarm or "").partition(":")[0].strip()

    @property
    def about(self) -> str:
        """What the alarm is about, "" where it is about a whole delivery."""
        return (self.alarm or "").partition(":")[2].strip()

    def is_for(self, alarm: str, about: str, delivery: str) -> bool:
        """Whether it accepts this alarm about this column, variable or year of this delivery."""
        same = self.name == alarm and fold(self.about) == fold(about)
        return same and self.delivery in (None, delivery)

    def knows(self, column: str, text: str, delivery: str) -> bool:
        """Whether it accepts this text of this column in this delivery."""
        if self.text is None or self.column is None:
            return False
        same = fold(self.column) == fold(column) and fold(self.text) == fold(text)
        return same and self.delivery in (None, delivery)


# --------------------------------------------------------------------------------------------------
# The whole mapping.

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
            for _table, where, target, rule in self.rules(table):
                none = Text("{name} is not a variable of the hub's {table}")
                none = none.holding(name=target, table=table)
                refuse((target not in names, none, (*place, target)))
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

    def rules(self, only: TableName | None = None) -> Iterator[tuple[TableName, Place, str, Rule]]:
        """Each rule with its table, its place in the YAML, and the variable that it fills.

        A single rule of a variable may stand there without a list.
        """
        for table, start, columns in self.tables():
            for target, rules in columns.items() if only in (None, table) else ():
                for i, rule in enumerate(rules):
                    place = (*start, target, i) if len(rules) > 1 else (*start, target)
                    yield table, place, target, rule

    def _check_identifiers(self) -> None:
        person = Text("only one column can become the person key: strip the others")
        case = Text("only one column can be the number of a case: strip the others")
        for text, actions in ((person, ("hash", "token")), (case, ("case",))):
            columns = [c for c, d in self.identifiers.items() if d.action in actions]
            refuse((len(columns) > 1, text, ("identifiers", *columns[1:2])))
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
                yield from (((*place, target), rule) for rule in rules)

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
    flags = Text("has may be used only with a yes/no variable")
    lands = Text("country may be used only with a country")
    refuse(
        (rule.has and kind != "flag", flags, (*where, "has")),
        (rule.year and kind != "year", Text("year may be used only with a year"), (*where, "year")),
        (rule.country and kind != "country", lands, (*where, "country")),
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
    names, waiting = [name], [name]
    while waiting:
        of = [r.from_hub for r in columns.get(waiting.pop(), ()) if r.from_hub]
        waiting += [other for other in of if other not in names]
        names += of
    return names
