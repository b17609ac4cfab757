"""Words are said at the edge: below ``report`` a message is a ``Text``, in no language yet."""

from __future__ import annotations

from tests.source import Module, imports, modules, none

ZONES = (
    "border.py", "hub/", "dp/", "kanon/", "practice/", "release/", "sensitive/", "stats/",
)  # fmt: skip
SAYING = {"_", "ngettext", "current", "said"}
"""What of ``core.i18n`` speaks the language in force; ``core.format`` does as a whole."""

WRITERS = {
    "hub/private/pages.py",
    "hub/stages/harmonise.py",
    "hub/stages/link.py",
    "dp/standalone/domains.py",
    "release/changes.py",
    "sensitive/linkage/identified/link_files.py",
    "sensitive/workbench/facets.py",
    "sensitive/workbench/decision_book.py",
    "sensitive/mapping/drafting/suggest.py",
}
"""Write a file for readers in the language in force: a report, a card, a draft with comments."""

OTHERS = {
    "hub/spark/people.py",
    "sensitive/linkage/pprl/derive.py",
}
"""Hands the language in force to the workers of a cluster; takes from babel what months are called
in the languages of contributors' files."""

MAY = WRITERS | OTHERS
"""This list only shrinks."""


def speaks(module: Module) -> set[str]:
    """What a module takes that speaks a language."""
    found = set()
    for name in imports(module):
        home, _, last = name.rpartition(".")
        if name == "ctdhub.core.format.FINE":  # a number, in no language
            continue
        if name.startswith(("babel", "ctdhub.core.format")) or name == "ctdhub.core.i18n":
            found.add(name)
        elif home == "ctdhub.core.i18n" and last in SAYING:
            found.add(last)
    return found


def test_below_report_nothing_is_said() -> None:
    none(
        f"{module.place} takes {word}: make it a Text; report, site or the command says it"
        for module in modules(*ZONES)
        if module.place not in MAY
        for word in sorted(speaks(module))
    )


def test_the_list_of_modules_that_speak_only_shrinks() -> None:
    none(f"{m.place}: take it off" for m in modules() if m.place in MAY and not speaks(m))
    assert {module.place for module in modules()} >= MAY, "take off what is gone"


def test_statistics_know_no_language() -> None:
    assert not {place for place in MAY if place.startswith("stats/")}
    none(
        f"{module.place} names {room}"
        for module in modules("stats/")
        for room in ("ctdhub.schema.labels", "ctdhub.report")
        if room in module.text
    )
