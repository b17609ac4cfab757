"""Which parts of the golden set a change can touch: one table, from places to parts.

Belongs here: the table, and asking Git what changed.  It names for each room the parts that load
it; what it does not name touches all of them if it is source, and none if it is not.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

from golden_parts.world import REPOSITORY

PARTS = (
    "left", "middle", "right", "faults", "workbench", "hub_answers", "desk_pages", "kit_pages",
)  # fmt: skip
_DESK = ("hub_answers", "desk_pages")
_PUBLISHED = ("middle", "right", "faults", *_DESK)
_BUILT = ("left", *_PUBLISHED)

TOUCHES: dict[str, tuple[str, ...]] = {
    "src/ctdhub": PARTS,
    "src/ctdhub/api": (),
    "src/ctdhub/client.py": (),
    "src/ctdhub/desk": (*_DESK, "kit_pages", "faults"),
    "src/ctdhub/desk/worker": (*_DESK, "faults"),
    "src/ctdhub/kit": ("kit_pages", "faults"),
    "src/ctdhub/sensitive/workbench": ("workbench", "faults", "desk_pages", "kit_pages"),
    "src/ctdhub/dp": _BUILT,
    "src/ctdhub/kanon": _BUILT,
    "src/ctdhub/release": _BUILT,
    "src/ctdhub/stats": _PUBLISHED,
    "src/ctdhub/report": _PUBLISHED,
    "src/ctdhub/site": ("right", "faults", *_DESK),
    "tests/desk": _DESK,
    "tests/unit/dirty_columns.py": ("workbench", "kit_pages"),
    "tools/golden.py": PARTS,
    "tools/golden_parts": PARTS,
    "pyproject.toml": PARTS,
    **{f"tools/golden_parts/{part}.py": (part,) for part in PARTS},
    **{f"tests/golden/{part}.txt": (part,) for part in PARTS},
}
"""Parts by place; the longest place that a path lies in counts."""


def touched(paths: Iterable[str]) -> tuple[str, ...]:
    """The parts that a change of these files can touch.

    >>> touched(["src/ctdhub/kit/start.py", "docs/index.md"])
    ('faults', 'kit_pages')
    >>> touched(["src/ctdhub/schema/model.py"]) == PARTS
    True
    >>> touched(["requirements-hub.lock"]) == PARTS, touched(["docs/index.md"])
    (True, ())
    """
    found: set[str] = set()
    for path in paths:
        inside = [place for place in TOUCHES if f"{path}/".startswith(f"{place}/")]
        found.update(TOUCHES[max(inside, key=len)] if inside else ())
        if path.startswith("requirements") and path.endswith(".lock"):
            found.update(PARTS)
    return tuple(part for part in PARTS if part in found)


def changed_since(revision: str) -> list[str]:
    """Files that differ from where this branch left a revision, those that are new included.

    Raises:
        SystemExit: Git does not know the revision, or this is no clone.
    """
    words = (
        ["diff", "--name-only", "--no-renames", "--merge-base", revision, "--"],
        ["ls-files", "--others", "--exclude-standard"],
    )
    found: list[str] = []
    for one in words:
        run = subprocess.run(
            ["git", "-C", str(REPOSITORY), *one], capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise SystemExit(f"golden: git cannot tell what changed since {revision}")
        found += run.stdout.splitlines()
    return found
