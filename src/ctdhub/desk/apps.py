"""What Django calls an application: the desk's tables."""

from django.apps import AppConfig


class DeskApp(AppConfig):
    """The application ``desk``."""

    name = "ctdhub.desk"
    label = "desk"

    def ready(self) -> None:
        """Listen to what happens at the door."""
        from ctdhub.desk.accounts import signing_in  # noqa: F401 - it listens once it is loaded
