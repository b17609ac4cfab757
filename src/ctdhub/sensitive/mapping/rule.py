"""The parts of a mapping: rules, exclusions, decisions, examples, each checking itself."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from ctdhub.core.errors import InvalidSetting
from ctdhub.core.files import is_day
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text
from ctdhub.core.tables import fold
from ctdhub.sensitive.ingest.options import Texts

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
        refuse(
            (sum(sources) != 1, Text("give exactly one of: from, from_hub, value")),
            (len(kinds) > 1, both, (*kinds[1:2],)),
            (self.value is not None and beside, constant, ("value",)),
            (
                has and self.map is not None,
                Text("has and map exclude each other: keep one"),
                ("map",),
            ),
            (self.absent and not has, Text("absent may be used only with has"), ("absent",)),
            (self.known and not has, Text("known may be used only with has"), ("known",)),
            (
                self.unknown == "pass" and not has,
                Text("unknown: pass may be used only with has"),
                ("unknown",),
            ),
            (self.unknown == "keep" and has, codes, ("unknown",)),
            (self.take and not self.split, Text("take needs split"), ("take",)),
            (has and self.take, Text("has looks at the whole list: leave take out"), ("take",)),
            (self.split and not (self.take or has), taken),
            (
                self.at and (not self.band or len(self.source) != 1),
                Text("at needs band: true and one source column"),
                ("at",),
            ),
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
    def _check(self) -> PerpetratorRule:
        sources = (self.split is not None, self.child is not None)
        refuse(
            (sum(sources) != 1, Text("give exactly one of: split, child")),
            (
                self.aligned and self.split is None,
                Text("aligned may be used only with split"),
                ("aligned",),
            ),
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
        ill = {"": bool(self.about), "year": not re.fullmatch(r"\d{4}", self.about)}
        refuse(
            ((self.alarm is None) == (self.text is None), Text("give exactly one of: alarm, text")),
            (
                (self.text is None) != (self.column is None),
                Text("a text is accepted in one column: name both"),
            ),
            (
                self.delivery is not None and not is_day(self.delivery),
                Text("write the date as 2026-01-15"),
                ("delivery",),
            ),
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
