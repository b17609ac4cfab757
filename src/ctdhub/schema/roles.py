"""Which variable or group plays which part: what other rooms ask for instead of naming a variable.

Roles are given in ``data/variables.yaml``.  A role is a constant here, so that a room says
``roles.SEX`` where it means whatever variable of the schema holds it; names of variables are
written nowhere else but in ``schema``, in ``practice`` and in the published interface.
"""

from __future__ import annotations

from typing import TypeVar

from ctdhub.core.error_catalogue import error
from ctdhub.schema.model import LEFT_OUT, load_schema

_Found = TypeVar("_Found")


def variable_of(role: str) -> str:
    """Name of the variable that has a role.

    Raises:
        SchemaError: rule ``schema-role``: no variable has it.
    """
    return _named(role, {v.role: v.name for v in load_schema().variables() if v.role})


def group_of(role: str) -> str:
    """Name of the group that has a role; raises as :func:`variable_of`."""
    return _named(role, {g.role: name for name, g in load_schema().groups.items() if g.role})


def marked(variable: str, mark: str) -> tuple[str, ...]:
    """Codes of a variable that a mark names, such as the age bands of children.

    Raises:
        SchemaError: rule ``schema-role``: the variable has no such mark.
    """
    return _named(mark, load_schema().marks.get(variable, {}))


def _named(role: str, found: dict[str, _Found]) -> _Found:
    if role not in found:
        raise error("schema-role", role=role)
    return found[role]


PERIOD = variable_of("period")
ORIGIN, DESTINATION = variable_of("origin"), variable_of("destination")
ORIGIN_REGION, DESTINATION_REGION = variable_of("origin_region"), variable_of("destination_region")
DESTINATION_RULE = variable_of("destination_rule")
RELATION = variable_of("relation")
SEX, AGE = variable_of("sex"), variable_of("age")
CONTRIBUTOR, CONTRIBUTOR_KIND = variable_of("contributor"), variable_of("contributor_kind")
DELIVERIES = variable_of("deliveries")
FORCED_LABOUR = variable_of("forced_labour")
SEXUAL_EXPLOITATION = variable_of("sexual_exploitation")
ORGAN_REMOVAL = variable_of("organ_removal")
STANDING = variable_of("standing")
ALLEGATION = variable_of("allegation")

HARM, MEANS, SERVICE = group_of("harm"), group_of("means"), group_of("service")
CHANNEL, TECHNOLOGY = group_of("channel"), group_of("technology")

CHILD_BANDS = marked(AGE, "child")
NOT_COUNTED = marked(STANDING, LEFT_OUT)
AUTHORITIES = marked(CONTRIBUTOR_KIND, "authority")
OF_ANYONE = marked(ALLEGATION, "of_anyone")
