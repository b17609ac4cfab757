"""Django's settings of the kit: no database, no session, no cookie, one user."""

import os
import secrets
from pathlib import Path

from ctdhub.desk.errors import LOGGED
from ctdhub.kit.state import VARIABLE

KIT_FOLDER = Path(os.environ[VARIABLE])

SECRET_KEY = secrets.token_hex(32)
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "ctdhub.kit.urls"
CTDHUB_GATE = "ctdhub.kit.gate.gate"
CTDHUB_CARRIER = "ctdhub.kit.state.carrier"
USE_TZ, TIME_ZONE, USE_I18N = True, "UTC", False
MIDDLEWARE = ["ctdhub.kit.gate.KitRequests"]
_PACKAGE = Path(__file__).parents[1]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [str(_PACKAGE / room / "templates") for room in ("kit", "desk")],
        "OPTIONS": {
            "environment": "ctdhub.desk.rendering.environment",
            "context_processors": ["ctdhub.kit.gate.everywhere"],
        },
    }
]
FILE_UPLOAD_HANDLERS = ["ctdhub.kit.gate.IntoTheFolder"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
LOGGING = LOGGED
