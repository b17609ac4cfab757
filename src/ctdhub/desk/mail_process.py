"""The process that carries messages to the mail server; it begins Django before it loads rows."""

from __future__ import annotations

import os
import time

_EVERY = 20.0


def main() -> None:
    """Send what waits until the process is ended."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    import django

    django.setup()
    from django.db import close_old_connections

    from ctdhub.desk.mail import send_waiting

    while True:
        send_waiting()
        close_old_connections()
        time.sleep(_EVERY)


if __name__ == "__main__":
    main()
