"""The parts of a mapping: rules, exclusions, decisions, examples, each checking itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ctdhub.core.errors import InvalidSetting
from ctdhub.core.i18n import Text
from ctdhub.core.text import fold

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

"" stands for an empty cell, and so does every text that the mapping lists under ``empty``.
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
    def _check(self) -> Rule:
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
