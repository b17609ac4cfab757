"""Wrong hubs and releases: settings, agreements, ledgers, registers, questions to a release.

Belongs here: a small hub that is right, and inputs that each spoil one thing of a copy of it.
Does not belong here: files without a hub (``wrong_files``), how they are run (``faults``).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from golden_parts import inputs
from golden_parts.world import World
from golden_parts.wrong_files import MAPPING, Wrong

AGREEMENT = """\
id: refuge
name: Refuge (fictitious)
kind: case_management
years: [2015, 2025]
scope: People assisted in person (fictitious).
legal_basis: Agreement 1 (fictitious).
consent_rule: Only people who agreed.
retention: Raw files are deleted after 24 months.
display_rule: Named as a source.
show_counts: true
budget_limit: 40.0
invented: true
"""
POLICY = {
    "columns: all": "columns: [year_of_registration, gender, citizenship]",
    "epsilon: 2.0": "epsilon: 20.0",
    "budget: {epsilon: 6.0,": "budget: {epsilon: 60.0,",
    'reason: ""': "reason: invented",
    "perpetrators: {rows: 3, share: 0.05}": "perpetrators: {rows: 3, share: 0}",
}
RELEASE = "hub/releases/2026.1"


def make_base(world: World, base: Path) -> None:
    """A hub of one fictitious contributor with one release, a linkage key beside it."""
    with world.inside(base):
        world.done("key", "new", "--for", "linkage", "--out", "link.key")
        world.done("init", "hub", "--name", "Small hub (fictitious)")
        hub = Path("hub")
        (hub / "keys").mkdir(exist_ok=True)
        approvers = "approvers:\n"
        for role in ("steward", "privacy_officer"):
            said = world.done("key", "new", "--out", hub / "keys" / f"practice-{role}.pem")
            [public] = re.findall(r"ed25519:\S+", said.out)[:1]
            approvers += f"  {role}: {public}\n"
        edit(hub / "hub.yaml", "invented: false", "invented: true")
        settings = (hub / "hub.yaml").read_text("utf-8") + approvers
        (hub / "hub.yaml").write_text(settings, "utf-8")
        for old, new in POLICY.items():
            edit(hub / "policy.yaml", old, new)
        (hub / "contributors/refuge.yaml").write_text(f"{AGREEMENT}person_key: no\n", "utf-8")
        mapping = "rows: person\nidentifiers: {case: case}\n" + MAPPING.replace(
            "  year_of", "  reporting_entity: {value: refuge}\n  year_of"
        )
        (hub / "mappings/refuge.yaml").write_text(mapping, "utf-8")
        sent = hub / "contributions/refuge/2026-01-15/cases.csv"
        sent.parent.mkdir(parents=True)
        countries = ("Peru", "Chile", "Ukraine")
        rows = [
            f"c{i},{'FM'[i % 3 == 0]},{countries[i % 3]},{2018 + i % 6}-01-02" for i in range(900)
        ]
        sent.write_text("case,sex,nationality,intake date\n" + "\n".join(rows) + "\n", "utf-8")
        world.done("build", "hub", "--until", "release")


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file.

    Raises:
        ValueError: the file does not hold it.
    """
    text = path.read_text("utf-8")
    if old not in text:
        raise ValueError(f"{path.name} does not hold {old!r}")
    path.chmod(0o644)
    path.write_text(text.replace(old, new), "utf-8")


def cases() -> dict[str, Wrong]:
    """Every wrong input by name."""
    return {
        **{f"hub/{name}": wrong for name, wrong in _settings()},
        **{f"ledger/{name}": wrong for name, wrong in _ledgers()},
        **{f"release/{name}": wrong for name, wrong in _releases()},
        **{f"question/{name}": wrong for name, wrong in _questions()},
        **{f"withdraw/{name}": wrong for name, wrong in _withdrawals()},
    }


def _edited(path: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: edit(folder / path, old, new)


def _settings() -> list[tuple[str, Wrong]]:
    """Settings, agreements and policies, told by check or by the stage that uses them."""
    check = ("check", "hub")
    changes = {
        "hub-yaml": ("hub/hub.yaml", "name:", "name: ["),
        "hub-key": ("hub/hub.yaml", "name:", "colour: red\nname:"),
        "hub-name": ("hub/hub.yaml", "name: Small hub (fictitious)", 'name: ""'),
        "hub-language": ("hub/hub.yaml", "- fr", "- xx"),
        "hub-approver": ("hub/hub.yaml", "  steward: ed25519:", "  steward: rsa:"),
        "agreement-yaml": ("hub/contributors/refuge.yaml", "years: [", "years: [["),
        "agreement-id": ("hub/contributors/refuge.yaml", "id: refuge", "id: other"),
        "agreement-kind": ("hub/contributors/refuge.yaml", "case_management", "magic"),
        "agreement-years": ("hub/contributors/refuge.yaml", "[2015, 2025]", "[2025, 2015]"),
        "agreement-basis": ("hub/contributors/refuge.yaml", "legal_basis", "legal_base"),
        "mapping": ("hub/mappings/refuge.yaml", "F: female", "F: lady"),
        "policy-yaml": ("hub/policy.yaml", "version: 1", "version: ["),
        "policy-key": ("hub/policy.yaml", "version: 1", "version: 1\ncolour: red"),
        "policy-columns": ("hub/policy.yaml", "gender, citizenship]", "gender, shoe_size]"),
        "policy-private": ("hub/policy.yaml", "gender, citizenship]", "gender, person_key]"),
        "policy-years": ("hub/policy.yaml", "[2002, 2030]", "[2030, 2002]"),
        "policy-epsilon": ("hub/policy.yaml", "epsilon: 20.0", "epsilon: -1"),
        "policy-reason": ("hub/policy.yaml", "reason: invented", "reason: ' '"),
        "policy-delta": ("hub/policy.yaml", "delta: 1.0e-8", "delta: 0.1"),
        "policy-level": ("hub/policy.yaml", "level: 0.95", "level: 1.5"),
        "policy-lists": ("hub/policy.yaml", "lists: []", "lists: [refuge, nobody]"),
        "policy-groups": ("hub/policy.yaml", "groups: []", "groups: [[gender, shoe, age_band]]"),
    }
    build = ("build", "hub", "--until", "link")
    protect = ("build", "hub", "--until", "protect")
    site = ("site", "hub", "--out", "s")
    real = _edited("hub/hub.yaml", "invented: true", "invented: false")
    told_late = ("policy-columns", "policy-private", "policy-lists", "policy-groups")
    found = [
        (name, Wrong(protect if name in told_late else check, {}, _edited(*change)))
        for name, change in changes.items()
    ]
    return [
        *found,
        ("none", Wrong(("check", "nowhere"))),
        ("no-settings", Wrong(check, {}, lambda f: (f / "hub/hub.yaml").unlink())),
        ("no-policy", Wrong(check, {}, lambda f: (f / "hub/policy.yaml").unlink())),
        ("no-mapping", Wrong(build, {}, lambda f: (f / "hub/mappings/refuge.yaml").unlink())),
        ("no-contributions", Wrong(build, {}, lambda f: shutil.rmtree(f / "hub/contributions"))),
        ("linkage-key", Wrong(check, {}, _key_in_hub)),
        ("two-files", Wrong(build, {"hub/contributions/refuge/2026-01-15/b.csv": "a,b\n1,2\n"})),
        ("stranger", Wrong(build, {"hub/contributions/nobody/2026-01-15/b.csv": "a,b\n1,2\n"})),
        ("date", Wrong(build, {"hub/contributions/refuge/last week/b.csv": "a,b\n1,2\n"})),
        ("init-full", Wrong(("init", "hub"))),
        ("demo-real", Wrong(("demo", "hub"), {}, real)),
        ("demo-size", Wrong(("demo", "hub", "--people", "3000"))),
        ("events-yaml", Wrong(site, {"hub/events.yaml": "events: ["})),
        ("events-list", Wrong(site, {"hub/events.yaml": "- {id: A b}\n"})),
        ("story", Wrong((*site, "--exhibit"), {"hub/stories/a.en.md": "no head\n"})),
        ("no-stories", Wrong((*site, "--exhibit"))),
        ("site-folder", Wrong(("site", "hub", "--out", "hub/contributions"))),
        ("site-url", Wrong((*site, "--url", "ftp://x"))),
        ("serve", Wrong(("serve", "hub"))),
    ]  # fmt: skip


def _ledgers() -> list[tuple[str, Wrong]]:
    """Spending that must not be, and ledgers that were changed."""
    log = "hub/ledger/ledger.jsonl"
    build = ("build", "hub", "--until", "release")
    ledger = ("ledger", "hub")
    approve = ("approve", "hub", "--role", "steward", "--key", "k", "--yes")
    over = _edited("hub/policy.yaml", "epsilon: 20.0", "epsilon: 55.0")
    limit = _edited("hub/contributors/refuge.yaml", "budget_limit: 40.0", "budget_limit: 21.0")

    def over_limit(folder: Path) -> None:
        limit(folder)
        edit(folder / "hub/policy.yaml", "epsilon: 20.0", "epsilon: 19.0")

    return [
        ("overspend", Wrong(build, {}, over)),
        ("limit", Wrong(build, {}, over_limit)),
        ("changed", Wrong(ledger, {}, _edited(log, '"epsilon": 20.0', '"epsilon": 2.0'))),
        ("line", Wrong(ledger, {log: "{}\n"})),
        ("cut", Wrong(ledger, {log: ""})),
        ("gone", Wrong(build, {}, lambda f: shutil.rmtree(f / "hub/ledger"))),
        ("answer-gone", Wrong(build, {}, _answer_gone)),
        ("answer-changed", Wrong(("build", "hub", "--until", "candidate"), {}, _answer_changed)),
        ("approve-none", Wrong(approve)),
        ("approve-version", Wrong((*approve, "--version", "9"))),
        ("linkage-none", Wrong(("linkage", "hub"), {}, lambda f: shutil.rmtree(f / "hub/work"))),
    ]  # fmt: skip


def _key_in_hub(folder: Path) -> None:
    shutil.copy(folder / "link.key", folder / "hub/link.key")


def _answer_gone(folder: Path) -> None:
    shutil.rmtree(folder / "hub/ledger/answers")
    shutil.rmtree(folder / "hub" / "work" / "protected")


def _answer_changed(folder: Path) -> None:
    [counts] = (folder / "hub/ledger/answers").rglob("counts.parquet")
    counts.write_bytes(counts.read_bytes()[:-1] + b"?")
    shutil.rmtree(folder / "hub" / "work" / "protected")


def _releases() -> list[tuple[str, Wrong]]:
    """Releases that are not whole."""
    verify = ("verify", RELEASE)

    def gone(name: str) -> Callable[[Path], None]:
        return lambda folder: (folder / RELEASE / name).unlink()

    def longer(name: str) -> Callable[[Path], None]:
        def change(folder: Path) -> None:
            path = folder / RELEASE / name
            path.chmod(0o644)
            path.write_bytes(path.read_bytes() + b"\n")

        return change

    return [
        ("none", Wrong(("verify", "hub/releases/2020.1"))),
        ("missing", Wrong(verify, {}, gone("counts.csv"))),
        ("changed", Wrong(verify, {}, longer("records.csv"))),
        ("manifest", Wrong(verify, {}, longer("manifest.json"))),
        ("no-manifest", Wrong(verify, {}, gone("manifest.json"))),
        ("extra", Wrong(verify, {f"{RELEASE}/more.csv": "a\n"})),
        ("approvals", Wrong(verify, {}, gone("APPROVALS.json"))),
        ("signature", Wrong(verify, {}, longer("APPROVALS.json"))),
        ("facts-manifest", Wrong(("facts", RELEASE), {}, gone("manifest.json"))),
        ("facts-cut", Wrong(("facts", RELEASE), {}, gone("counts.parquet"))),
        ("version", Wrong(("release", "hub", "--version", "last one"))),
        ("version-taken", Wrong(("release", "hub", "--version", "2026.1"))),
    ]  # fmt: skip


def _questions() -> list[tuple[str, Wrong]]:
    """Questions to a release that it cannot answer."""
    domains = ("--domains", "d.yaml")
    population = "country,year,population\n"
    greta = ("tables", "hub", "--for", "greta")
    tables = ("tables", "hub", "--for", "sdg-16.2.2", "--population", "p.csv")
    return [
        ("region", Wrong(("facts", "hub", "--region", "Atlantis"))),
        ("years", Wrong(("facts", "hub", "--years", "2020-2010"))),
        ("years-text", Wrong(("facts", "hub", "--years", "soon"))),
        ("name", Wrong(("facts", "hub", "--name", "Two"))),
        ("out-exists", Wrong(("facts", "hub", "--out", "link.key"))),
        ("no-hub", Wrong(("facts", "nowhere"))),
        ("no-release", Wrong(("facts", "hub"), {}, lambda f: shutil.rmtree(f / "hub/releases"))),
        ("trends-of", Wrong(("trends", "hub", "--of", "shoe=large"))),
        ("trends-value", Wrong(("trends", "hub", "--of", "gender=large"))),
        ("trends-years", Wrong(("trends", "hub", "--from", "2023", "--to", "2019"))),
        ("trends-far", Wrong(("trends", "hub", "--from", "1950"))),
        ("equity", Wrong(("equity", "hub"))),
        ("equity-kind", Wrong(("equity", "hub", "--kind", "money"))),
        ("equity-by", Wrong(("equity", "hub", "--by", "shoe"))),
        ("estimate", Wrong(("estimate", "hub"))),
        ("tables-for", Wrong(("tables", "hub", "--for", "imf"))),
        ("tables-country", Wrong((*greta, "--country", "Atlantis"))),
        ("tables-year", Wrong(("tables", "hub", "--for", "eurostat", "--year", "1950"))),
        ("tables-both", Wrong((*greta, "--year", "2020", "--years", "2019-2020"))),
        ("population-none", Wrong(tables)),
        ("population-empty", Wrong(tables, {"p.csv": population})),
        ("population-cell", Wrong(tables, {"p.csv": population + "ITA,2020,many\n"})),
        ("population-small", Wrong(tables, {"p.csv": population + "PER,2020,3\n"})),
        ("population-columns", Wrong(tables, {"p.csv": "a,b\n1,2\n"})),
        ("brief-none", Wrong(("brief", "hub"))),
        ("brief-two", Wrong(("brief", "hub", "--country", "PER", "--region", "europe"))),
        ("brief-country", Wrong(("brief", "hub", "--country", "Atlantis"))),
        ("brief-corridor", Wrong(("brief", "hub", "--corridor", "PER"))),
        ("brief-day", Wrong(("brief", "hub", "--day", "2026-02-30"))),
        ("brief-no-day", Wrong(("brief", "hub", "--day", "2026-02-03"))),
        ("brief-contributor", Wrong(("brief", "hub", "--contributor", "nobody"))),
        ("brief-format", Wrong(("brief", "hub", "--country", "PER", "--format", "doc"))),
        ("brief-fonts", Wrong(("brief", "hub", "--country", "PER", "--fonts", "nowhere"))),
        ("rehearse-none", Wrong(("rehearse", "nowhere"))),
        ("rehearse-both", Wrong(("rehearse", "hub", *domains), {"d.yaml": inputs.DOMAINS})),
        ("rehearse-delta", Wrong(("rehearse", "hub", "--people", "1000", "--delta", "0.5"))),
    ]  # fmt: skip


def _withdrawals() -> list[tuple[str, Wrong]]:
    """People and contributors that cannot be left out, or brought back."""
    by = ("withdraw", "hub", "--contributor", "refuge", "--yes")
    return [
        ("contributor", Wrong(("withdraw", "hub", "--contributor", "nobody", "--all", "--yes"))),
        ("no-contributor", Wrong(("withdraw", "hub", "--yes"))),
        ("case", Wrong((*by, "--file", "n.txt"), {"n.txt": "c99999\n"})),
        ("empty", Wrong((*by, "--file", "n.txt"), {"n.txt": "\n"})),
        ("no-file", Wrong((*by, "--file", "n.txt"))),
        ("undo", Wrong((*by, "--undo", "--file", "n.txt"), {"n.txt": "c1\n"})),
        ("undo-all", Wrong((*by, "--undo", "--all"))),
        ("token", Wrong((*by, "--by", "token", "--file", "n.txt"), {"n.txt": "b-1\n"})),
        ("delete-raw", Wrong((*by, "--delete-raw", "--file", "n.txt"), {"n.txt": "c1\n"})),
        ("list-json", Wrong(("withdraw", "hub", "--json"))),
    ]  # fmt: skip
