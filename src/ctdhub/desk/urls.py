"""The addresses of the desk: the pages of each module, every one with its action;
apart, for Django asks for it by name.

Whoever adds a module of pages adds it to ``MODULES``; an address outside of the register stops the
start.  A module may have ``waiting(who)``: what waits for somebody on the first page.
"""

from ctdhub.desk import screens
from ctdhub.desk.registry import page
from ctdhub.desk.rendering import serve
from ctdhub.desk.uploads import store as upload_pages
from ctdhub.desk.views import (
    accounts,
    agreements,
    approval,
    deliveries,
    home,
    looks,
    operation,
    releases,
    tables,
    withdrawals,
)

MODULES = (
    home,
    accounts,
    upload_pages,
    deliveries,
    screens,
    agreements,
    looks,
    releases,
    approval,
    tables,
    withdrawals,
    operation,
)

urlpatterns = [
    page("static/<str:mark>/<str:name>", serve, "door.open", name="asset"),
    *(entry for module in MODULES for entry in module.PAGES),
]

handler400 = "ctdhub.desk.errors.bad_request"
handler403 = "ctdhub.desk.errors.forbidden"
handler404 = "ctdhub.desk.errors.not_found"
handler500 = "ctdhub.desk.errors.server_error"
