"""Start the kit's folder without Python and network, and take a file to a bundle in it.

Run by `make kit-check`, as root, on Debian: mmdebstrap makes a system of what every Debian has.
The kit runs inside it and the browser outside, both in a network that has loopback alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ["tests/browser/test_kit.py"]
INSIDE = """set -e
ip link set lo up
mkdir -p "$SYSTEM$PLACE"
mount --bind "$PLACE" "$SYSTEM$PLACE"
mount -t proc proc "$SYSTEM/proc"
mount --bind /dev "$SYSTEM/dev"
exec "$@"
"""


def system(place: Path, suite: str) -> None:
    """Make a Debian of its essential packages; there is no Python among them."""
    words = ["--variant=essential", "--quiet", suite, str(place)]
    subprocess.run(["mmdebstrap", *words], check=True)
    pythons = [*place.glob("usr/bin/python*"), *place.glob("usr/lib/libpython*")]
    if pythons:
        sys.exit(f"there is a Python in it: {pythons[0]}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("packed", type=Path, nargs="?", default=ROOT / "dist/kit/ctdhub-kit.tar.xz")
    asked.add_argument(
        "--suite", default="trixie", help="not older than the system it was built on"
    )
    said = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        system(place / "system", said.suite)
        subprocess.run(["tar", "-xf", said.packed, "-C", place / "system/opt"], check=True)
        (place / "tests").mkdir()
        words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
        ended = subprocess.run(
            ["unshare", "--net", "--mount", "sh", "-c", INSIDE, "check", *words,
             f"--basetemp={place}/tests/run", *TESTS],
            check=False, cwd=ROOT,
            env=os.environ | {
                "SYSTEM": f"{place}/system", "PLACE": f"{place}/tests",
                "CTDHUB_KIT": f"chroot {place}/system /opt/ctdhub-kit/ctdhub-kit",
            },
        )  # fmt: skip
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
