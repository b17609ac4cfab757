"""The Model Context Protocol, asked by its makers' own client through a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from mcp import Client, StdioServerParameters

from ctdhub.api.release import open_hub
from ctdhub.hub.folder import Hub

RUN = "from ctdhub.cli.main import main; main()"
CARD = {"state", "value", "low", "high", "not_recorded", "each_person_once"}
AROUND = {"years", "level", "fictitious", "caveat", "citation"}


def answers(hub: Hub, questions: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """What the program is answered, in order; a refusal is its text."""
    program = StdioServerParameters(
        command=sys.executable,
        args=["-c", RUN, "serve", str(hub.root), "--mcp"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    async def ask() -> list[Any]:
        found = []
        async with Client(program) as client:
            for tool, said in questions:
                got = await client.call_tool(tool, said)
                text = got.content[0].text if got.content else ""
                found.append(text if got.is_error else got.structured_content)
        return found

    return asyncio.run(ask())


COUNTS: list[dict[str, Any]] = [
    {}, {"gender": "female"}, {"gender": ["female", "male"]}, {"citizenship": "UKR"},
    {"citizenship": "Europe"}, {"country_of_exploitation": "Italy"}, {"gender": None},
    {"gender": "female", "citizenship": "UKR"}, {"year_of_registration": 2020},
]  # fmt: skip
REFUSED: list[dict[str, Any]] = [
    {"shoe_size": 41}, {"gender": "purple"}, {"citizenship": "Atlantis"},
    {"gender": "female / male"}, {"citizenship": ["UKR", "-", "MDA"]},
]  # fmt: skip


def test_every_number_comes_with_its_card_and_what_is_not_there_is_refused(built: Hub) -> None:
    release = open_hub(built.root).release()
    wide = {name: release.values(name).popitem()[0] for name in release.variables[:6]}
    together = [set(table) for table in release.measured]
    assert not any(set(wide) <= table for table in together)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("about", {}), ("values", {"variable": "gender"}), ("facts", {"place": "Italy"}),
        ("facts", {"place": "Italy", "first": 1800, "last": 1801}),
        ("table", {"variables": ["gender"]}), ("table", {"variables": ["gender", "gender"]}),
        *(("count", {"where": where}) for where in (*COUNTS, *REFUSED, wide)),
    ]  # fmt: skip
    about, values, facts, no_years, table, twice, *counts = answers(built, asked)
    assert len(asked) >= 20
    assert about["version"] == release.version
    assert set(about) >= AROUND | {"rules"}
    assert values == release.values("gender")
    assert facts["release"] == release.version
    for refusal in (no_years, twice, *counts[len(COUNTS) :]):
        assert isinstance(refusal, str), refusal
        assert not any(key in refusal for key in ('"value"', '"low"'))
    for where, card in zip(COUNTS, counts, strict=False):
        assert set(card) >= CARD | AROUND | {"where", "all_people"}, card
        own = release.count(where)
        assert (card["value"], card["low"], card["high"]) == (own.value, own.low, own.high)
        assert card["where"] == where
    assert [row["value"] for row in table["rows"]] == [
        row.count.value for row in release.table("gender").rows
    ]
    assert set(table) >= AROUND
    assert all(set(row) >= CARD for row in table["rows"])


def test_what_is_not_shown_has_no_value_and_keeps_its_ends(built: Hub) -> None:
    release = open_hub(built.root).release()
    rows = release.table("citizenship").rows
    hidden = next(row for row in rows if row.count.state == "protected")
    (card,) = answers(built, [("count", {"where": {"citizenship": hidden.codes[0] or None}})])
    assert (card["value"], card["state"]) == (None, "protected")
    assert card["low"] == 0 < card["high"]


def test_no_tool_calculates(built: Hub) -> None:
    async def tools() -> list[Any]:
        from ctdhub.api.agents import server

        async with Client(server(built.root)) as client:
            return list((await client.list_tools()).tools)

    offered = asyncio.run(tools())
    assert {tool.name for tool in offered} == {"about", "values", "count", "table", "facts"}
    assert all(tool.description for tool in offered)
