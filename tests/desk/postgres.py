"""A PostgreSQL server of the run's own, in a temporary folder, as a user without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USERS = ("desk_owner", "desk_web", "desk_work")
_QUIET = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c shared_buffers=16MB"


def programs() -> Path | None:
    """Where Debian keeps the server's programs; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return found[0].parent if found else None


@contextmanager
def server() -> Iterator[Path]:
    """Run a server inside the block; gives the folder of its socket."""
    bin_folder = programs()
    assert bin_folder is not None
    place = Path(tempfile.mkdtemp(prefix="desk-postgres-"))
    if os.geteuid() == 0:  # the server refuses to run as root
        nobody = pwd.getpwnam("postgres")
        os.chown(place, nobody.pw_uid, nobody.pw_gid)

    def run(*words: object) -> None:
        as_other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*as_other, *map(str, words)], check=True, stdout=subprocess.DEVNULL, cwd=place
        )

    data = place / "data"
    try:
        # As on a machine that was set up without a locale, where databases are in SQL_ASCII.
        run(bin_folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "--no-locale")
        options = f"{_QUIET} -k {place}"
        run(bin_folder / "pg_ctl", "-D", data, "-w", "-o", options, "-l", place / "log", "start")
        try:
            with _admin(place) as cursor:
                for user in USERS:
                    cursor.execute(f"CREATE ROLE {user} LOGIN")
            yield place
        finally:
            run(bin_folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _admin(place: Path) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(
        host=str(place), user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        yield connection.cursor()


def new_database(
    place: Path, name: str, template: str = "template0", encoding: str = "UTF8"
) -> None:
    """Make a database that ``desk_owner`` owns, as the guide to the desk says."""
    made_of = f"ENCODING '{encoding}' TEMPLATE {template}"
    with _admin(place) as cursor:
        cursor.execute(f"CREATE DATABASE {name} OWNER desk_owner {made_of}")


def settings(place: Path, name: str, user: str) -> dict[str, Any]:
    """Django's settings of a database, without a pool, so that users can change."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": user,
        "HOST": str(place),
    }


def url(place: Path, name: str, user: str) -> str:
    """The address of a database, as ``DATABASE_URL`` has it."""
    return f"postgresql://{user}@/{name}?host={place}"
