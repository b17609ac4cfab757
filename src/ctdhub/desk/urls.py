"""The addresses of the desk: the pages of each module, every one with its action.

Whoever adds a module of pages adds it to ``MODULES``; an address outside of the register stops the
start.
"""

from __future__ import annotations

from uuid import UUID

from django.urls import register_converter

from ctdhub.desk.accounts import pages as account_pages
from ctdhub.desk.assets import serve
from ctdhub.desk.registry import page
from ctdhub.desk.views import account, home, trail


class KeyInAddress:
    """The key of a row as 32 hexadecimal digits."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> UUID:
        """The key."""
        return UUID(hex=value)

    def to_url(self, value: UUID | str) -> str:
        """Its digits."""
        return value.hex if isinstance(value, UUID) else UUID(value).hex


register_converter(KeyInAddress, "key")

MODULES = (home, account_pages, account, trail)

urlpatterns = [
    page("static/<str:mark>/<str:name>", serve, action="door.open", name="asset"),
    *(entry for module in MODULES for entry in module.PAGES),
]

handler400 = "ctdhub.desk.errors.bad_request"
handler403 = "ctdhub.desk.errors.forbidden"
handler404 = "ctdhub.desk.errors.not_found"
handler500 = "ctdhub.desk.errors.server_error"
