"""Who is counted: consent, and who is a victim, in whatever words a file says it."""

from __future__ import annotations

import pytest
from test_mapping_drafts import raw_of

from ctdhub.core.errors import MappingError
from ctdhub.core.i18n import said
from ctdhub.sensitive.mapping.drafting.glance import Glance
from ctdhub.sensitive.mapping.drafting.row_unit import who_counts_in
from ctdhub.sensitive.mapping.drafting.suggest import suggest
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.result import Harmonised
from ctdhub.sensitive.mapping.run import harmonise

LENIENT = 'exclude: [{rule: no-consent, unless: {Consent: [Given, ""]}}]\n'


@pytest.mark.parametrize(
    "refusal",
    ["Refused", "denied", "Withdrawn", "none", "no", "refusée", "retiré", "ninguno", "رفضت",
     "recusado"],
)  # fmt: skip
def test_a_refusal_is_asked_about_and_no_blank_that_is_kept_keeps_it(refusal: str) -> None:
    with pytest.raises(MappingError, match="Consent") as fault:
        _harmonised({"Consent": [refusal, None]}, "")
    assert fault.value.rule == "who-counts"
    rows = {refusal: 4}
    found = who_counts_in(Glance("Consent", tuple(rows), rows=rows, all=12))
    assert found is not None
    assert said(found.account).startswith("consent: yes in 0 rows, no in 4, empty in 8")
    kept = f'empty: ["", "{refusal}", "-"]\n' + LENIENT
    done = _harmonised({"Consent": ["Given", refusal, None, "-"]}, kept)
    assert done.conservation.excluded == {"no-consent": 20}


def _harmonised(columns: dict[str, list[str | None]], more: str) -> Harmonised:
    raw = raw_of({"Sex": ["F", "M"], **columns}, 40)
    text = "version: 1\nrows: person\ncolumns: {gender: {from: Sex, map: {F: female, M: male}}}\n"
    return harmonise(raw, parse_mapping(text + more, "m.yaml"), "c", (2002, 2025), bytes(32))


def test_a_draft_with_a_refusal_among_its_texts_calls_no_answer_empty() -> None:
    raw = raw_of({"Sex": ["F", "M"], "Consent": ["Given", "Refused", "-", None]}, 40)
    draft = suggest(raw).yaml
    assert "consent: yes in 10 rows, no in 10, empty in 10, something else in 10" in draft
    assert 'empty: [""]' in draft
    assert 'unless: {"Consent": ["Given", ""]}}  # leave out 20 rows, keep' in draft
