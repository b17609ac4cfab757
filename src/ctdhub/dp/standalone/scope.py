"""What is public about one table: its plan, and how its cells become values of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.dp.plan import Plan, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.standalone.domains import load_domains
from ctdhub.schema.model import load_schema


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

    def with_imputations(self, sets: int) -> Scope:
        """The same with so many sets of records for inference, 0 to 100."""
        return replace(self, plan=replace(self.plan, imputations=sets))


def scope_of_file(path: Path, header: Sequence[str], support: int | None = None) -> Scope:
    """The scope that a domains file gives a table; ``support`` stands above the file's own.

    Raises:
        PolicyError: see :func:`load_domains` and :meth:`DomainsFile.plan`; a person has not
            checked the file.
    """
    found = load_domains(path)
    if not found.checked:
        raise unchecked(path)
    if support is not None:
        found = found.model_copy(update={"support": support})
    blanks = {name: column.not_recorded for name, column in found.columns.items()}
    return Scope(found.plan(header), blanks, found.person, path.name)


def unchecked(path: Path) -> HubError:
    """The error of a draft that nobody has checked."""
    return error("domains-checked", file=path)


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
    return Scope(replace(plan_of(policy, schema), year=None), {}, None, "schema")


def public_columns(asked: Sequence[str] = ()) -> tuple[str, ...]:
    """Public variables of people in the order of the schema: those asked for, else all.

    Raises:
        PolicyError: one is no public variable of people.
    """
    public = tuple(v.name for v in load_schema().table("people") if v.public)
    if not set(asked) <= set(public):
        raise error("domains-schema")
    return tuple(name for name in public if name in asked) if asked else public
