"""The addresses of the kit: the shared screens, and what only the kit has."""

from ctdhub.desk import screens
from ctdhub.desk.registry import page
from ctdhub.desk.rendering import serve
from ctdhub.kit import handing, start

urlpatterns = [
    page("static/<str:mark>/<str:name>", serve, "door.open", name="asset"),
    *screens.PAGES,
    *start.PAGES,
    *handing.PAGES,
]

handler400 = "ctdhub.desk.errors.bad_request"
handler404 = "ctdhub.desk.errors.not_found"
handler500 = "ctdhub.desk.errors.server_error"
