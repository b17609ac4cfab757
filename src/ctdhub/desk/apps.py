"""What Django calls an application: the desk's tables."""

from importlib import import_module

from django.apps import AppConfig


class DeskApp(AppConfig):
    """The application ``desk``."""

    name = "ctdhub.desk"
    label = "desk"

    def ready(self) -> None:
        """Listen to what happens at the door."""
        import_module("ctdhub.desk.accounts.signing_in")
