"""Papers of a hub: whole in four languages, with every open point marked and counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES, _, language
from ctdhub.document import html, text
from ctdhub.hub.agreements import paper_facts
from ctdhub.hub.folder import Hub
from ctdhub.hub.init import new_hub
from ctdhub.report.papers import PAPERS, Contributing, Paper, PaperFacts, paper

DAY = date(2026, 11, 27)
OWN = Contributing(
    id="house",
    name="Maison *d'accueil* <نور>",
    purpose="Statistics on assistance.",
    scope="Everybody housed since 2019",
    legal_basis="Article 6 (1) (e)",
    consent_rule="Written consent",
    retention="Twelve months",
    display_rule="Named",
    ends=date(2028, 2, 29),
    budget_limit=2.5,
    rows_per_person=3,
    show_counts=False,
    tokens=True,
)
FACTS = PaperFacts(
    hub="Hub of the house",
    contact="hub@example.org",
    invented=False,
    licence="CC-BY-4.0",
    columns=("gender", "citizenship", "means_debt_bondage"),
    epsilon=2.0,
    delta=1e-8,
    budget=6.0,
    reason="",
    max_people=20_000,
    approvers=True,
    contributors=(OWN,),
)
EMPTY = replace(
    OWN, purpose="", scope=" ", legal_basis="", consent_rule="", retention="", display_rule="",
    ends=None, budget_limit=None, rows_per_person=None, tokens=False,
)  # fmt: skip


def written(kind: Paper, facts: PaperFacts) -> tuple[str, tuple[str, ...]]:
    document, open_points = paper(kind, facts, DAY, "house" if kind == "agreement" else "")
    assert html.write(document)
    assert text.write_markdown(document)
    return text.write_plain(document), open_points


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", PAPERS)
def test_every_open_point_is_marked_and_counted(kind: Paper, lang: str) -> None:
    with language(lang):
        for facts in (FACTS, replace(FACTS, contributors=(EMPTY,)), replace(FACTS, invented=True)):
            text, open_points = written(kind, facts)
            begins = _("[to decide: {what}]").partition("{")[0]
            assert text.count(begins) == len(open_points) > 0
            assert "{" not in text


def test_what_an_agreement_holds_stands_in_its_paper_and_what_it_lacks_is_asked() -> None:
    with language("en"):
        text, few = written("agreement", FACTS)
        for words in ("Everybody housed since 2019", "Article 6 (1) (e)", "Twelve months",
                      "29 February 2028", "epsilon 2.5", "at most 3 records",
                      "20,000"):  # fmt: skip
            assert (words in text) == (words != "20,000"), words
        assert "tokens" in text
        bare, many = written("agreement", replace(FACTS, contributors=(EMPTY,)))
        assert len(many) == len(few) + 7
        assert "tokens" not in bare
        assert "sets no limit" in bare


def test_a_hub_that_nobody_has_joined_asks_who_contributes() -> None:
    with language("en"):
        for kind in ("dpia", "record", "notice"):
            text, open_points = written(kind, replace(FACTS, contributors=(), approvers=False))
            assert "which organisations contribute" in open_points, kind
            assert "which organisations contribute" in text


def test_a_weaker_guarantee_names_its_reason() -> None:
    with language("en"):
        text, _open = written("dpia", replace(FACTS, epsilon=4.0, reason="A trial."))
        assert "for this reason: A trial." in text
        assert "98%" in text
        assert "88%" in written("dpia", FACTS)[0]


def test_an_unknown_contributor_is_an_error() -> None:
    with pytest.raises(HubError, match="nobody"):
        paper("agreement", FACTS, DAY, "nobody")


def test_the_verb_writes_once_and_opens_no_contributed_file(tmp_path: Path) -> None:
    hub = Hub(new_hub(tmp_path / "hub", "Hub of a test").root)
    place = hub.root / "contributions" / "house" / "2026-01-01"
    place.mkdir(parents=True)
    (place / "file.csv").write_bytes(b"\xff\xfe not to be read")
    assert paper_facts(hub).contributors == ()
    app, run = command("papers"), CliRunner()
    done = run.invoke(app, ["papers", str(hub.root), "--lang", "fr"])
    assert done.exit_code == 0, done.output
    names = {p.name for p in (hub.root / "papers").iterdir()}
    assert names == {"dpia.fr.html", "record.fr.html", "notice.fr.html"}
    assert run.invoke(app, ["papers", str(hub.root), "--lang", "fr"]).exit_code != 0
    one = ["papers", str(hub.root), "--paper", "record", "--format", "md", "--out"]
    assert run.invoke(app, [*one, str(tmp_path / "out")]).exit_code == 0
    assert (tmp_path / "out" / "record.en.md").is_file()
    wrong = run.invoke(app, ["papers", str(hub.root), "--paper", "dpia", "--contributor", "house"])
    assert wrong.exit_code != 0
