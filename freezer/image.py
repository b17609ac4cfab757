"""The image of ctdhub, built on a Debian made here: no registry of images is asked or told.

Run by `make image`, as root, on Debian with buildah and mmdebstrap.  What comes out is an archive
that Docker and Podman load as `localhost/ctdhub`; `freezer/image_check.py` tries what it holds.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAME = "localhost/ctdhub"
MOST = 1250
"""Millions of bytes that the archive may take, which is not packed."""
PACKAGES = "python3,python3-venv,ca-certificates"
LEFT_OUT = ("doc", "info", "locale", "man")
"""Of /usr/share: what nobody reads in an image."""
ROOM = ["--isolation", "chroot", "--ulimit", "nofile=20000:20000", "--ulimit", "nproc=60000:60000"]
"""How commands run inside: without a right that a container engine inside a container lacks."""


def buildah(store: Path) -> list[str | Path]:
    """The command, with images and containers in a folder of their own."""
    return ["buildah", "--root", store / "root", "--runroot", store / "run",
            "--storage-driver", "vfs"]  # fmt: skip


def build(place: Path, suite: str) -> Path:
    """Build the image below a place; gives the archive that holds it."""
    base, source, tool = place / "base", place / "source", buildah(place / "store")
    base.mkdir()
    words = ["--variant=minbase", "--quiet", f"--include={PACKAGES}"]
    words += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    subprocess.run(["mmdebstrap", *words, suite, base / "root.tar"], check=True)
    (base / "Dockerfile").write_text("FROM scratch\nADD root.tar /\n", "ascii")
    subprocess.run([*tool, "bud", "--quiet", *ROOM, "-t", f"{NAME}-base", base], check=True)
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", source / "dist"]
    subprocess.run(wheel, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    shutil.copy(ROOT / "requirements-hub.lock", source)
    told = ["-f", ROOT / "examples/desk/Dockerfile", "--build-arg", f"BASE={NAME}-base",
            "-v", "/etc/ssl/certs:/etc/ssl/certs:ro"]  # fmt: skip
    subprocess.run([*tool, "bud", *ROOM, *told, "-t", NAME, source], check=True)
    archive = place / "ctdhub.tar"
    subprocess.run([*tool, "push", "--quiet", NAME, f"docker-archive:{archive}:{NAME}"], check=True)
    return archive


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, default=ROOT / "dist" / "image")
    asked.add_argument("--suite", default="trixie")
    said = asked.parse_args()
    said.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        made = build(Path(name), said.suite)
        archive = Path(shutil.move(made, said.out / made.name))
    size = archive.stat().st_size / 1e6
    print(f"{archive}: {size:.0f} MB; docker load -i {archive}, or podman load -i {archive}")
    if size > MOST:
        sys.exit(f"more than {MOST} MB")


if __name__ == "__main__":
    main()
