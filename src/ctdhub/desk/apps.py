"""What Django calls an application: the desk's tables."""

from django.apps import AppConfig


class DeskApp(AppConfig):
    """The application ``desk``."""

    name = "ctdhub.desk"
    label = "desk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what happens at the door."""
        from ctdhub.desk.accounts.signing_in import connect

        connect()
