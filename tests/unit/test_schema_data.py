"""The data that the schema ships contradict themselves nowhere, whatever version a hub holds."""

from __future__ import annotations

from typing import get_args

import pytest

from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema import countries
from ctdhub.schema.crosswalk import NAMES, load_crosswalk, sentence
from ctdhub.schema.labels import EACH, load_labels, load_sources
from ctdhub.schema.model import Kind, load_schema, numbers

SCHEMA = load_schema()
VERSIONS = sorted({SCHEMA.version, *(v.since for v in SCHEMA.variables())}, key=numbers)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_names_what_exists_and_names_it_once(version: str) -> None:
    held = SCHEMA if version == SCHEMA.version else SCHEMA.at(version)  # as it is shipped too
    given = [v.role for v in held.variables()] + [g.role for g in held.groups.values()]
    roles = [role for role in given if role]
    for each in ([v.name for v in held.variables()], roles, *held.codes.values()):
        assert len({*each}) == len(each)
        assert all(each)
    for v in held.variables():
        assert numbers(v.since) <= numbers(version), v
        assert (v.kind in ("code", "status")) == (v.codes is not None), v
        assert v.codes is None or v.codes in held.codes, v
        assert all(held.variable(parent).kind == "country" for parent in v.follows or ()), v
        assert not v.follows or held.codes[v.codes or ""] == countries.GROUPS, v
        assert not v.beside or held.variable(v.beside).furthest, v
        assert {v.group, v.any_of} - {None} <= held.groups.keys(), v
    for name, group in held.groups.items():
        assert held.members(name)
        assert not group.indicator or held.has(group.indicator)
    for name, marks in held.marks.items():
        assert {code for codes in marks.values() for code in codes} <= {*held.recorded(name)}
    for of, codes, name, code in held.implied():
        assert {*codes} <= {*held.recorded(of)}
        assert code in held.recorded(name)
    public = {v.name for v in held.table("people") if v.public}
    assert {*held.explorer} <= public | held.groups.keys()
    assert all({*since} <= {*held.codes[name]} for name, since in held.code_since.items())


def test_every_country_is_in_one_subregion_and_every_region_has_a_code() -> None:
    placed = [code for key in countries.subregions() for code in countries.members(key)]
    assert sorted([*placed, "ATA"]) == list(countries.ALPHA3)
    coded = (*countries.regions(), *countries.subregions(), *countries.composites())
    assert len({countries.region_code(key) for key in coded}) == len(coded)
    for key in (*coded, *countries.unions(), *countries.place_sets()):
        assert {*countries.members(key)} <= {*countries.ALPHA3}
        assert all(countries.region_name(key, lang) for lang in LANGUAGES)


@pytest.mark.parametrize("name", NAMES)
def test_a_crosswalk_settles_every_code_and_no_cell_of_it_is_a_formula(name: str) -> None:
    for c in load_crosswalk(name).columns:
        flags = [v.to for v in c.values if c.form in ("list", "joined")]
        assert all(SCHEMA.has(of) for of in (c.to, *c.of, *flags) if of), c.name
        if c.form == "code":
            codes = {*SCHEMA.domain(c.to or "")}
            assert {v.to for v in c.values} <= codes | {None}, c.name
            assert {v.to for v in c.values if v.way != "read"} | {*c.unwritten} == codes, c.name
        assert (c.form == "none") == (c.note is not None), c.name
        lossy = (key for one in (c, *c.values) for key in (one.lossy_read, one.lossy_write))
        assert all(sentence(key) for key in (c.note, *c.unwritten.values(), *lossy) if key)
        assert not any(t[0] in "=+-@\t\r" for t in (c.name, *(v.text for v in c.values), *c.bands))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_words_and_sources_are_of_what_exists(lang: str) -> None:
    found, patterns = load_labels(lang), {"year": (EACH,), "country": (EACH,)}
    named = {v.name for v in SCHEMA.table("people") + SCHEMA.table("perpetrators")}
    assert named == found.variables.keys() == load_sources().variables.keys()
    assert SCHEMA.groups.keys() == found.groups.keys() == load_sources().groups.keys()
    assert {*get_args(Kind)} == found.kinds.keys()
    assert found.page.keys() == load_labels("en").page.keys()
    assert {n: {*codes} for n, codes in {**SCHEMA.codes, **patterns}.items()} == {
        n: {*codes} for n, codes in found.codes.items()
    }
