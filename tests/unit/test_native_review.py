"""A review by native readers is of the texts that were read, and says so when they change."""

from __future__ import annotations

import messages
import pytest

from ctdhub.core.i18n import LANGUAGES
from ctdhub.site import frame
from ctdhub.site.frame import NOT_YET, ROLES, public_texts, reviews


def test_public_texts_are_those_of_the_templates() -> None:
    collected = {
        text
        for message in messages.template()
        if message.id
        and any(place.startswith("site/templates/") for place, _n in message.locations)
        for text in messages.as_tuple(message.id)[:1]
    }
    assert len(public_texts()) > 100
    assert set(public_texts()) <= collected
    assert len(set(public_texts())) > 0.9 * len(collected)


def test_no_language_is_signed_before_somebody_read_it() -> None:
    found = reviews(LANGUAGES)
    assert [one.code for one in found] == list(LANGUAGES)
    assert len({one.texts for one in found}) == len(LANGUAGES)
    assert all(one.missing or one.stale or one.texts for one in found)


def test_a_review_is_of_the_texts_that_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    today = reviews(["fr"], {})[0]
    assert today.missing == ROLES
    read = {"date": "2026-12-01", "texts": today.texts}
    signed = {"fr": {ROLES[0]: read, ROLES[1]: NOT_YET}}
    (found,) = reviews(["fr"], signed)
    assert (found.missing, found.stale) == ((ROLES[1],), ())
    texts = public_texts()
    monkeypatch.setattr(frame, "public_texts", lambda: texts[1:])
    (found,) = reviews(["fr"], signed)
    assert (found.missing, found.stale) == ((ROLES[1],), (ROLES[0],))
