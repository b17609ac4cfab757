"""A later schema costs a pinned hub nothing: no variable or code of it reaches its questions."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from pydantic import ValidationError

from ctdhub.core.errors import PolicyError
from ctdhub.core.i18n import LANGUAGES
from ctdhub.dp.plan import plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.sources import plan_of_perpetrators
from ctdhub.schema import labels
from ctdhub.schema.model import CHANNEL, NOT_COUNTED, STANDING, Schema, load_schema, numbers

SCHEMA = load_schema()
PINNED = {
    "1.0": "25ab6f441b7261a4523e354c26b179fbb298327e25762da6be95c374d7c91352",
    "1.1": "b4e84c85ed67e42aa17ffa55b3f27471bec6b8afa39ecb1cb7b8fdbaac0c3b2b",
}
"""SHA-256 of the public values and the measured tables of people and perpetrators, by version, as
the software of that version had them."""


def asked(schema: Schema, policy: Policy) -> str:
    plans = (plan_of(policy, schema), plan_of_perpetrators(policy, schema))
    said = [[p.domains, sorted([*map(list, p.tables.items())], key=str)] for p in plans]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize("version", PINNED)
def test_a_pinned_hub_asks_what_it_asked(version: str) -> None:
    assert asked(SCHEMA.at(version), Policy()) == PINNED[version]


def with_a_later_code() -> Schema:
    parts = SCHEMA.model_dump(mode="json")
    parts["codes"]["gender"].append("intersex")
    parts["marks"]["gender"] = {"new": ["intersex"]}
    return Schema.model_validate(parts | {"code_since": {"gender": {"intersex": SCHEMA.version}}})


def test_a_later_code_is_in_no_domain_of_a_pinned_hub() -> None:
    later = with_a_later_code()
    assert later.domain("gender")[-1] == "intersex"
    assert later.at("1.1").domain("gender") == SCHEMA.domain("gender")
    assert later.at("1.1").marks["gender"] == {"new": ()}
    assert asked(later.at("1.1"), Policy()) == PINNED["1.1"]
    assert asked(later, Policy()) != asked(SCHEMA, Policy())


def test_what_is_on_request_is_released_where_the_policy_names_it() -> None:
    usual, channels = Policy().domains(SCHEMA), Policy(also=(CHANNEL,)).domains(SCHEMA)
    flags = {*SCHEMA.flags(CHANNEL), SCHEMA.groups[CHANNEL].indicator}
    assert not flags & set(usual)
    assert set(channels) - set(usual) == flags
    assisted = Policy(also=("assistance",)).domains(SCHEMA)
    assert set(assisted) - set(usual) == {"any_assistance"}
    one = Policy(also=("crime_theft",)).domains(SCHEMA)
    assert set(one) - set(usual) == {"crime_theft"}
    with pytest.raises(PolicyError):
        Policy(also=("nothing",)).domains(SCHEMA)
    with pytest.raises(ValidationError, match="also may be used with columns: all"):
        Policy(columns=("gender",), also=(CHANNEL,))


@pytest.mark.parametrize("name", [v.name for v in SCHEMA.later_than("1.1") if v.on_request])
def test_a_pinned_hub_may_name_what_came_later(name: str) -> None:
    policy = Policy(also=(name,))
    schema = SCHEMA.at("1.1", also=policy.requested(SCHEMA))
    assert set(policy.domains(schema)) >= {name}


def test_new_variables_are_optional_and_few_are_measured() -> None:
    new = [v for v in SCHEMA.table("people") if numbers(v.since) > numbers("1.1")]
    assert not [v.name for v in new if v.core]
    before, after = (len(plan_of(Policy(), s).tables) for s in (SCHEMA.at("1.1"), SCHEMA))
    assert after < 1.35 * before


def test_who_was_found_to_be_no_victim_is_in_no_domain() -> None:
    assert SCHEMA.domain(STANDING) == ("presumed", "identified")
    assert set(SCHEMA.recorded(STANDING)) - set(SCHEMA.domain(STANDING)) == set(NOT_COUNTED)


ACCUSED = {
    "en": (r"\bperpetrators?\b", r"\balleged perpetrators?\b"),
    "fr": (r"\bauteurs?\b", r"\bauteurs? présumés?\b"),
    "es": (r"\bautor(?:es)?\b", r"\bpresuntos? autor(?:es)?\b"),
    "ar": (r"جاني|جانٍ|جناة", r"(?:جاني|جانٍ|جناة) (?:ال)?مزعوم"),
}
"""How a language calls perpetrators, and how it may call them."""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_perpetrators_are_alleged(lang: str) -> None:
    held, (anyone, alleged) = labels.load_labels(lang), ACCUSED[lang]
    entries = [*held.tables.values(), *held.groups.values(), *held.variables.values()]
    entries += [e for found in held.codes.values() for e in found.values()]
    for text in (t.lower() for e in entries for t in (e.label, e.definition)):
        assert len(re.findall(anyone, text)) == len(re.findall(alleged, text)), text
    for v in SCHEMA.table("perpetrators"):
        assert re.search(alleged, labels.label(v.name, lang).lower()), v.name
        assert re.search(alleged, labels.definition(v.name, lang).lower()), v.name
