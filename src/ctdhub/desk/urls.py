"""The addresses of the desk: the pages of each module, every one with its action.

Whoever adds a module of pages adds it to ``MODULES``; an address outside of the register stops the
start.  A module may have ``waiting(who)``: what waits for somebody on the first page.
"""

from __future__ import annotations

from ctdhub.desk.accounts import pages as account_pages
from ctdhub.desk.assets import serve
from ctdhub.desk.registry import page
from ctdhub.desk.screens import pages as screens
from ctdhub.desk.uploads import views as upload_pages
from ctdhub.desk.views import (
    account,
    accounts,
    agreements,
    approval,
    deliveries,
    demo,
    doubles,
    home,
    invited,
    jobs,
    ledger,
    lineage,
    looks,
    operation,
    papers,
    people,
    releases,
    report,
    tables,
    telling,
    trail,
    withdrawals,
)

MODULES = (
    home,
    account_pages,
    account,
    accounts,
    invited,
    people,
    upload_pages,
    deliveries,
    screens,
    jobs,
    agreements,
    papers,
    looks,
    doubles,
    lineage,
    report,
    releases,
    approval,
    tables,
    telling,
    withdrawals,
    ledger,
    trail,
    operation,
    demo,
)

urlpatterns = [
    page("static/<str:mark>/<str:name>", serve, action="door.open", name="asset"),
    *(entry for module in MODULES for entry in module.PAGES),
]

handler400 = "ctdhub.desk.errors.bad_request"
handler403 = "ctdhub.desk.errors.forbidden"
handler404 = "ctdhub.desk.errors.not_found"
handler500 = "ctdhub.desk.errors.server_error"
