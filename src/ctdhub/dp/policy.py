"""The policy: what is released, how well people are protected, where the budget goes; and that of
a new hub.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from ctdhub.core.errors import InvalidSetting, error, setting_fault
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text, joined, yaml_values
from ctdhub.schema.model import LEVEL, Schema

# --------------------------------------------------------------------------------------------------
# The policy: what is released, how well people are protected, where the budget goes.

Domains = dict[str, tuple[str, ...]]
"""Public values by column, in the order of the schema; "not recorded" is left out."""


MAX_PEOPLE = 50_000
"""The bound of people where a policy declares none."""

_MANY = 100_000
_USUAL, _USUAL_OF_MANY = (2.0, 6.0), (1.0, 3.0)


def usual_promise(max_people: int) -> tuple[float, float]:
    """The most epsilon of one release, and of all together, that need no written reason.

    2 and 6; in a hub of many people noise costs little, so 1 and 3.  At 2 somebody who thought
    it as likely as not that a person is in the data becomes at most 88 % sure, at 1 73 % (the
    table of ``docs/explanation/privacy.md``).

    Args:
        max_people: the public bound of a policy.

    >>> usual_promise(50_000), usual_promise(100_000)
    ((2.0, 6.0), (1.0, 3.0))
    """
    return _USUAL_OF_MANY if max_people >= _MANY else _USUAL


class Budget(FrozenModel):
    """What all releases together may cost, at the smallest delta of any of them.

    Attributes:
        epsilon: of everything together.
        drafts: share of it, in rho, for answers that are never published, see ``ledger.book``.
    """

    epsilon: float = Field(default=6.0, gt=0, le=1000)
    drafts: float = Field(default=0.25, ge=0, le=0.9)


class Weights(FrozenModel):
    """Shares of one release's budget by kind of table; only their proportions matter."""

    people: float = Field(default=0.5, ge=0, le=1e3)
    one_way: float = Field(default=1.0, ge=1e-3, le=1e3)
    corridor: float = Field(default=20.0, ge=1e-3, le=1e3)
    corridor_by: float = Field(default=8.0, ge=0, le=1e3)
    core_pairs: float = Field(default=1.0, ge=1e-3, le=1e3)
    wide_pairs: float = Field(default=19.0, ge=1e-3, le=1e3)
    core_triples: float = Field(default=25.0, ge=0, le=1e3)
    wide_triples: float = Field(default=27.0, ge=0, le=1e3)
    pairs: float = Field(default=20.0, ge=0, le=1e3)
    assistance: float = Field(default=10.0, ge=0, le=1e3)
    reports: float = Field(default=3.0, ge=0, le=1e3)
    groups: float = Field(default=5.0, ge=0, le=1e3)
    regions: float = Field(default=7.0, ge=0, le=1e3)


MOST_SETS = 20
"""Sets for inference of a hub's release: each is as large as its records."""


class PerpetratorSettings(FrozenModel):
    """Perpetrators in a release.

    Attributes:
        rows: how many of one person count, a public bound; noise grows with it.
        share: of the release's rho; 0 leaves perpetrators out of the release.
    """

    rows: int = Field(default=3, ge=1, le=100)
    share: float = Field(default=0.05, ge=0, le=0.9)


class SourceSettings(FrozenModel):
    """Counts by contributor, and the overlap of their lists, in a release.

    Attributes:
        share: of the release's rho; 0 leaves both out of the release.
        lists: ids of contributors whose lists overlap, for their people share keys; () for none.
        strata: released variables by whose values the overlap is counted too.
        answers: what the organisations of the lists say of how they work together; published.  A
            question that is not there is not answered.
    """

    share: float = Field(default=0.05, ge=0, le=0.9)
    lists: tuple[str, ...] = Field(default=(), max_length=8)
    strata: tuple[str, ...] = Field(default=(), max_length=3)
    answers: dict[Literal["same_place", "refer", "one_register"], bool] = Field(default={})


FOUND_BOUNDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
MERGED_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""What a policy may state of links: round, so that it is chosen and not measured on the records."""


class LinkingSettings(FrozenModel):
    """What joins persons beside their keys, and how many contributors may know one of them.

    Attributes:
        people: the most tokens of a person that join her rows with others, and so in every count.
        lists: the same in the overlap of lists; never fewer than ``people``.
        doubles: part of the release's rho that goes to the estimate of how many people are counted
            more than once; 0 declines it, and then no number is of people.
        found: share of all doubles that tokens find, at least; public, one of
            :data:`FOUND_BOUNDS`, so that no figure of a clerical review is published.  None: it is
            estimated from the tables, see ``release.manifest``.
        merged: people of the released rows who share a row with another, at most, as a share of
            all; public, one of :data:`MERGED_BOUNDS`.  None: it is estimated.
        known_to: the most contributors that one person may be known to under different keys, or
            without one; a public bound that noise grows with, see ``person_rows``.
    """

    people: int = Field(default=0, ge=0, le=5)
    lists: int = Field(default=0, ge=0, le=5)
    doubles: float = Field(default=0, ge=0, le=0.5)
    found: float | None = None
    merged: float | None = None
    known_to: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _check(self) -> LinkingSettings:
        if self.lists < self.people:
            raise InvalidSetting(Text("lists may not be less than people"))
        for name, bounds in (("found", FOUND_BOUNDS), ("merged", MERGED_BOUNDS)):
            if getattr(self, name) not in (None, *bounds):
                raise InvalidSetting(
                    Text(
                        "{name} is one of {bounds}, chosen before a review",
                        name=name,
                        bounds=", ".join(map(str, bounds)),
                    )
                )
        if not self.doubles and (self.found, self.merged) != (None, None):
            raise InvalidSetting(Text("found and merged need doubles above 0"))
        return self


class Policy(FrozenModel):
    """One hub's policy.

    Attributes:
        columns: released columns, or "all" for every public column of the schema but those that
            the schema has on request.
        also: what is released beside "all": columns on request, or groups of flags with their
            indicator.
        years: first and last year of the public bounds, both included.
        epsilon, delta: guarantee of one release.
        reason: why epsilon or budget is above the usual, see :func:`usual_promise`; published.
        max_people: a public upper bound of the number of people the hub may ever hold; it bounds
            delta and is never compared with the data.
        level: coverage of the intervals among the published counts of each table.
        false_share: bound on the expected share of empty cells among those shown in a table.
        support: from 0, complete, to 4, cautious; see ``ctdhub.dp.synth.fit``.
        groups: further tables of three or four columns.
        bands: the first year of each span of years but the first, in order: regions are measured in
            these spans, see :data:`ctdhub.dp.plan.REGIONAL`.
        imputations: how many sets of records for inference a release has, see
            ``dp.synth.fit``; 0 leaves them out.

    >>> Policy().epsilon, Policy(epsilon=4).unreasoned
    (2.0, True)
    """

    version: Literal[1] = 1
    columns: tuple[str, ...] | Literal["all"] = "all"
    also: tuple[str, ...] = ()
    years: tuple[int, int] = (2002, 2030)
    epsilon: float = Field(default=2.0, gt=0, le=100)
    reason: str = Field(default="", max_length=500)
    delta: float = Field(default=1e-8, gt=0, le=1e-6)
    max_people: int = Field(default=MAX_PEOPLE, ge=1)
    level: float = Field(default=LEVEL, ge=0.5, le=0.999)
    false_share: float = Field(default=0.005, gt=0, le=0.25)
    support: int = Field(default=0, ge=0, le=4)
    groups: tuple[tuple[str, ...], ...] = ()
    bands: tuple[int, ...] = Field(default=(2019, 2023), max_length=8)
    imputations: int = Field(default=0, ge=0, le=MOST_SETS)
    perpetrators: PerpetratorSettings = PerpetratorSettings()
    sources: SourceSettings = SourceSettings()
    linking: LinkingSettings = LinkingSettings()
    budget: Budget = Budget()
    weights: Weights = Weights()

    @model_validator(mode="after")
    def _check(self) -> Policy:  # noqa: C901
        if self.delta > 1 / (100 * self.max_people) * (1 + 1e-9):
            raise InvalidSetting(
                Text(
                    "delta may be at most 1 / (100 × max_people): {limit}",
                    limit=1 / (100 * self.max_people),
                )
            )
        if self.epsilon > self.budget.epsilon:
            raise InvalidSetting(Text("epsilon of one release exceeds the budget of all releases"))
        if not 1900 <= self.years[0] <= self.years[1] <= 2200:
            raise InvalidSetting(
                Text("years must be two years between 1900 and 2200, the earlier one first")
            )
        if self.years[1] - self.years[0] > 100:
            raise InvalidSetting(Text("years may span at most 100 years"))
        if any(a >= b for a, b in pairwise(self.bands)):
            raise InvalidSetting(Text("bands must be years, each later than the one before"))
        if self.false_share > 1 - self.level:
            raise InvalidSetting(Text("false_share may be at most 1 − level"))
        if self.columns != "all" and len(set(self.columns)) != len(self.columns):
            raise InvalidSetting(Text("A column is named twice"))
        if self.also and self.columns != "all":
            raise InvalidSetting(
                Text("also may be used with columns: all only; name its columns there")
            )
        if len(set(self.also)) != len(self.also):
            raise InvalidSetting(Text("A column is named twice"))
        if not self.columns:
            raise InvalidSetting(Text("At least one column must be released"))
        if any(not 3 <= len(set(g)) == len(g) <= 4 for g in self.groups):
            raise InvalidSetting(Text("A table of groups has three or four different columns"))
        if self.perpetrators.share + self.sources.share + self.linking.doubles > 0.95 + 1e-9:
            raise InvalidSetting(
                Text("`perpetrators`, `sources` and `doubles` may have at most 0.95 together")
            )
        if len(self.sources.lists) == 1 or len(set(self.sources.lists)) < len(self.sources.lists):
            raise InvalidSetting(
                Text("Under sources, lists names no contributor, or 2 to 8 different ones")
            )
        return self

    @property
    def unreasoned(self) -> bool:
        """Whether the promise is weaker than usual and the policy does not say why."""
        epsilon, budget = usual_promise(self.max_people)
        return not self.reason.strip() and (self.epsilon > epsilon or self.budget.epsilon > budget)

    def requested(self, schema: Schema) -> tuple[str, ...]:
        """Columns that ``also`` names, a group as its members and what follows from them."""
        columns: list[str] = []
        for name in self.also:
            derived = (v.name for v in schema.people if v.any_of == name)
            columns += [*schema.members(name), *derived] if name in schema.groups else [name]
        return tuple(dict.fromkeys(columns))

    def domains(self, schema: Schema, covered: Collection[int] | None = None) -> Domains:
        """Released columns with their public values, in the order of the schema.

        Args:
            covered: the years that somebody reports on; None for all of :attr:`years`.

        Raises:
            PolicyError: a column is not a public variable of the table "people".
        """
        public = [v.name for v in schema.table("people") if v.public]
        wanted = list(self.columns)
        if self.columns == "all":
            asked = self.requested(schema)
            usual = [v.name for v in schema.table("people") if v.public and not v.on_request]
            wanted = list(dict.fromkeys((*usual, *asked)))
        for name in (*wanted, *(n for group in self.groups for n in group)):
            if name not in public or name not in wanted:
                raise error("policy-columns", file="policy.yaml", column=name)
        domains = {name: schema.domain(name, self.years) for name in public if name in wanted}
        if covered is None:
            return domains
        years = {name for name in domains if schema.variable(name).kind == "year"}
        return domains | {n: tuple(y for y in domains[n] if int(y) in covered) for n in years}


AUTO = "auto"
"""Under ``linking``, ``people: auto`` is 1 where contributors send tokens, else 0, and ``doubles:
auto`` :data:`AUTO_DOUBLES` where there are several contributors and all of them do, else 0."""

AUTO_DOUBLES = 0.03


def load_policy(path: Path, tokens: bool = False, compared: bool = False) -> Policy:
    """Read and check a policy file; settings that it leaves out have their default.

    Args:
        path: the file.
        tokens: whether contributors send tokens, as their mappings say: what :data:`AUTO` means.
        compared: whether there are several contributors and all of them do.

    Raises:
        PolicyError: the file is missing, is not YAML, or a setting is unknown or out of range; the
            error names every place.
    """
    try:
        raw = yaml_values(path.read_text("utf-8"))
    except FileNotFoundError:
        raise error("policy-file", file=path) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as cause:
        mark = getattr(cause, "problem_mark", None)
        raise error("policy-file/yaml", file=path, row=mark.line + 1 if mark else None) from None
    if not isinstance(raw, dict):
        raw = {} if raw is None else {"": raw}
    linking = raw.get("linking")
    if isinstance(linking, dict) and linking.get("people") == AUTO:
        people, lists = int(tokens), linking.get("lists", 0)
        lists = max(lists, people) if isinstance(lists, int) else lists
        raw["linking"] = linking = {**linking, "people": people, "lists": lists}
    if isinstance(linking, dict) and linking.get("doubles") == AUTO:
        raw["linking"] = {**linking, "doubles": AUTO_DOUBLES * compared}
    try:
        return Policy.model_validate(raw)
    except ValidationError as cause:
        faults = joined([setting_fault(e, ["literal['all']"]) for e in cause.errors()], "; ")
        raise error("policy-settings", file=path, faults=faults) from None


# --------------------------------------------------------------------------------------------------
# The policy of a new hub: every setting with its default, explained to who decides it.


def default_policy(max_people: int = MAX_PEOPLE) -> str:
    """The text of policy.yaml for a new hub.

    Args:
        max_people: declared bound of the people that the hub will ever hold, at least 1.  It
            decides the promise, see :func:`ctdhub.dp.policy.usual_promise`, and delta where 1e-8
            is not small enough for so many.
    """
    epsilon, budget = usual_promise(max_people)
    lines = {
        "epsilon: 2.0": f"epsilon: {epsilon}",
        "budget: {epsilon: 6.0,": f"budget: {{epsilon: {budget},",
        f"max_people: {MAX_PEOPLE}": f"max_people: {max_people}",
        "delta: 1.0e-8": f"delta: {min(1e-8, 1 / (100 * max_people)):.1e}".replace("e-0", "e-"),
    }
    text = (resources.files("ctdhub.dp") / "default_policy.yaml").read_text("utf-8")
    for written, wanted in lines.items():
        text = text.replace(written, wanted)
    return text
