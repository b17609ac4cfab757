"""The parts of a mapping: rules, exclusions, decisions, examples, each checking itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ctdhub.core.errors import InvalidSetting, error
from ctdhub.core.files import is_day
from ctdhub.core.i18n import Text
from ctdhub.core.tables import fold

Place = tuple[str | int, ...]


class MappingFault(InvalidSetting):
    """One thing that is wrong in a mapping, and where the YAML says it."""

    def __init__(self, text: Text, *place: str | int) -> None:
        self.place: Place = place
        super().__init__(text)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One text or a list of texts."""

Conditions = dict[str, Names]
"""Source column to the texts that fulfil the condition.

"" stands for an empty cell, and so does every text that the mapping lists under ``empty``, but not
where ``unless`` keeps rows for a column of consent: a refusal is never an empty cell.
"""


class Frozen(BaseModel):
    """A model that cannot change and knows every key it may have."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Rule(Frozen):
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

    source: Names = Field(default=(), alias="from")
    from_hub: str | None = None
    value: str | None = None
    map: dict[str, str | None] | None = None
    band: bool = False
    at: str | None = None
    year: bool = False
    country: bool = False
    split: str | None = Field(default=None, min_length=1)
    take: Literal["first", "last"] | None = None
    has: Names = ()
    absent: Literal["no"] | None = None
    known: Names = ()
    when: Conditions = {}
    null_values: Names = ()
    unknown: Annotated[
        Literal["keep", "reject", "null", "pass"],
        BeforeValidator(lambda v: "null" if v is None else v),
    ] = "reject"
    lossy: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Rule:  # noqa: C901
        given = [
            key
            for key, there in (
                ("from", bool(self.source)),
                ("from_hub", self.from_hub is not None),
                ("value", self.value is not None),
            )
            if there
        ]
        if len(given) != 1:
            raise MappingFault(Text("give exactly one of: from, from_hub, value"))
        kinds = [key for key in ("band", "year", "country", "has") if getattr(self, key)]
        if len(kinds) > 1:
            raise MappingFault(
                Text("{keys} exclude each other: keep one", keys=", ".join(kinds)), kinds[1]
            )
        if given == ["value"] and self.model_fields_set - {"value", "when", "lossy"}:
            raise MappingFault(
                Text("a constant value may be used only with when and lossy"), "value"
            )
        if self.has and self.map is not None:
            raise MappingFault(Text("has and map exclude each other: keep one"), "map")
        if self.absent and not self.has:
            raise MappingFault(Text("absent may be used only with has"), "absent")
        if self.known and not self.has:
            raise MappingFault(Text("known may be used only with has"), "known")
        if self.unknown == "pass" and not self.has:
            raise MappingFault(Text("unknown: pass may be used only with has"), "unknown")
        if self.unknown == "keep" and self.has:
            raise MappingFault(
                Text("with has, unknown is null, reject or pass: no text of a list is a code"),
                "unknown",
            )
        if self.take and not self.split:
            raise MappingFault(Text("take needs split"), "take")
        if self.has and self.take:
            raise MappingFault(Text("has looks at the whole list: leave take out"), "take")
        if self.split and not (self.take or self.has):
            raise MappingFault(Text("say what to do with the list: take: first, take: last or has"))
        if self.at and (not self.band or len(self.source) != 1):
            raise MappingFault(Text("at needs band: true and one source column"), "at")
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


class Decision(Frozen):
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
        if (self.action == "keep") != bool(self.reason and self.reason.strip()):
            raise MappingFault(Text('keep, and only keep, needs a reason: {keep: "reason"}'))
        return self


class Exclusion(Frozen):
    """Rows that are left out under a name: where every ``when`` holds and no ``unless`` does.

    With ``split`` a condition holds where the list in the cell contains one of the texts.
    """

    rule: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
    when: Conditions = {}
    unless: Conditions = {}
    split: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Exclusion:
        if not self.when and not self.unless:
            raise MappingFault(Text("an exclusion needs when or unless"))
        return self

    def columns(self) -> tuple[str, ...]:
        """Every source column that the conditions read."""
        return tuple(dict.fromkeys((*self.when, *self.unless)))


class PerpetratorRule(Frozen):
    """Child rows: those of a child table, or elements of lists in the cells of a row.

    Attributes:
        split: separator of the lists.
        aligned: whether the elements at one position of several columns belong together.  Without
            it a column with several makes rows alone (``children.child_rows``).
        child: name of a child table (``read: {children: …}``) instead; its columns are named
            ``child.column``.
        columns: rules for the variables of a child row.
    """

    split: str | None = Field(default=None, min_length=1)
    aligned: bool = False
    child: str | None = None
    columns: dict[str, Rules]

    @model_validator(mode="after")
    def _one_source(self) -> PerpetratorRule:
        if (self.split is None) == (self.child is None):
            raise MappingFault(Text("give exactly one of: split, child"))
        if self.aligned and self.split is None:
            raise MappingFault(Text("aligned may be used only with split"), "aligned")
        return self

    def sources(self) -> tuple[str, ...]:
        """Every source column that a rule reads, conditions included."""
        rules = (rule for rules in self.columns.values() for rule in rules)
        return tuple(dict.fromkeys(column for rule in rules for column in rule.columns()))


class Example(Frozen):
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
        if [record, self.rejected is not None, self.excluded is not None].count(True) != 1:
            raise MappingFault(Text("give exactly one of: gives, rejected, excluded"))
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

STOPPING = frozenset({"unknown-texts", "new-texts", "new-column", "recorded-fell"})
"""Alarms that stop a build before people are made; the others stop a charge."""


class Accepted(Frozen):
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
        if (self.alarm is None) == (self.text is None):
            raise MappingFault(Text("give exactly one of: alarm, text"))
        if (self.text is None) != (self.column is None):
            raise MappingFault(Text("a text is accepted in one column: name both"))
        if self.delivery is not None and not is_day(self.delivery):
            raise MappingFault(Text("write the date as 2026-01-15"), "delivery")
        if self.alarm is None:
            return self
        if self.name not in ALARMS:
            names = ", ".join(ALARMS)
            raise MappingFault(Text("there is no such alarm; there are: {names}", names=names))
        wanted = ALARMS[self.name]
        if wanted and not self.about:
            fault = {
                "column": Text("name the column after a colon: {name}: Column", name=self.name),
                "variable": Text(
                    "name the variable after a colon: {name}: variable", name=self.name
                ),
                "year": Text("name the year after a colon: {name}: 2020", name=self.name),
            }
            raise MappingFault(fault[wanted])
        if not wanted and self.about:
            raise MappingFault(
                Text("{name} is about a whole delivery: write the name alone", name=self.name)
            )
        if wanted == "year" and not re.fullmatch(r"\d{4}", self.about):
            raise MappingFault(Text("name the year after a colon: {name}: 2020", name=self.name))
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


def check_accepted(
    accept: tuple[Accepted, ...], columns: Iterable[str], variables: Iterable[str]
) -> None:
    """Refuse entries about what the mapping does not read.

    Args:
        accept: the entries.
        columns: source columns that rules read.
        variables: hub variables that have a rule.

    Raises:
        MappingFault: names the entry.
    """
    read, mapped = set(map(fold, columns)), set(variables)
    for i, entry in enumerate(accept):
        column = entry.column or (entry.about if ALARMS.get(entry.name) == "column" else None)
        if column is not None and entry.name != "new-column" and fold(column) not in read:
            raise MappingFault(Text("no rule reads {column}", column=column), "accept", i)
        if ALARMS.get(entry.name) == "variable" and entry.about not in mapped:
            raise MappingFault(Text("{name} is not mapped here", name=entry.about), "accept", i)


# --------------------------------------------------------------------------------------------------
# Which rows of a file are about one person: what a mapping must say before people are counted.
#
# The unit of protection is the person key, else the record.  Rows that are reports or calls are no
# people, so they need a key, or a bound in the agreement on how many of them one person may have; a
# row without either is counted as a person only where the mapping says that rows are persons.

RowUnit = Literal["person", "report", "call"]
"""What a row of a file is."""


class _Unit(Protocol):
    """As much of a mapping as :func:`require_people` reads."""

    @property
    def rows(self) -> RowUnit | None: ...
    def key_columns(self) -> tuple[tuple[str, ...], str] | None: ...


def check_unit(key: Sequence[str], actions: Mapping[str, str], tokens: Sequence[str]) -> None:
    """Refuse a key of several columns that contradicts the rest of its mapping.

    Args:
        key: columns that together make the person key; none where there is no such key.
        actions: the decision for each column that may identify a person.
        tokens: columns of tokens.

    Raises:
        MappingFault: names the column.
    """
    if not key:
        return
    for column, action in actions.items():
        if action in ("hash", "token"):
            raise MappingFault(
                Text("key already says who is one person: {column} cannot be {action} as well",
                     column=column, action=action),
                "key",
            )  # fmt: skip
    barred = {fold(c) for c, action in actions.items() if action == "strip"} | set(
        map(fold, tokens)
    )
    seen: set[str] = set()
    for column in key:
        if fold(column) in seen:
            raise MappingFault(Text("{column} appears twice in key", column=column), "key")
        if fold(column) in barred:
            raise MappingFault(
                Text("{column} is stripped or holds tokens, so it cannot be in key", column=column),
                "key",
            )
        seen.add(fold(column))


def require_people(mapping: _Unit, file: Path, bound: int | None = None) -> None:
    """Refuse to count rows as people where nobody said that they are.

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
    if mapping.rows is not None and bound is not None:
        return
    raise error("row-unit" if mapping.rows is None else "row-unit/not-people", file=file)
