"""The database made ready: tables, the table of the cache, row-level security."""

from __future__ import annotations

from django.core.management import call_command

from ctdhub.desk.walls import build_walls


def prepare() -> None:
    """Bring the tables up to this version; to be called as their owner, before anything else."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    build_walls()
