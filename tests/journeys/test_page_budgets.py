"""The budgets of pages, on the site of a built hub."""

from __future__ import annotations

from page_budgets import BEFORE_FILTER, FIRST_VIEW, explorers, too_heavy_in

from ctdhub.hub.folder import Hub


def test_pages_of_a_built_site_keep_to_their_budgets(built: Hub) -> None:
    assert too_heavy_in(built.site) == []
    found = list(explorers(built.site))
    assert found
    assert max(view for view, _all in found) <= FIRST_VIEW
    assert max(sent for _view, sent in found) <= BEFORE_FILTER
