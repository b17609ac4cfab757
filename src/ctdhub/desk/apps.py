"""What Django calls an application: the desk's tables."""

from __future__ import annotations

import importlib

from django.apps import AppConfig

TABLES = (
    "ctdhub.desk.models.people",
    "ctdhub.desk.models.deliveries",
    "ctdhub.desk.models.hub",
    "ctdhub.desk.models.trail",
    "ctdhub.desk.models.approvals",
)
"""Modules that hold tables."""


class DeskApp(AppConfig):
    """The application ``desk``."""

    name = "ctdhub.desk"
    label = "desk"
    default_auto_field = "django.db.models.BigAutoField"

    def import_models(self) -> None:
        """Read the modules of the tables; the package of them holds nothing itself."""
        super().import_models()
        for name in TABLES:
            importlib.import_module(name)

    def ready(self) -> None:
        """Listen to what happens at the door."""
        from ctdhub.desk.accounts.events import connect

        connect()
