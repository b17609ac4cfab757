"""How heavy the pages of a site are: python benchmarks/page_weights.py SITE

Prints the heaviest pages of the newest release in all languages, over gzip and unpacked, and exits
with 1 where one has more than 40 KiB over gzip or 200 KiB unpacked.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

PACKED, WHOLE = 40 * 1024, 200 * 1024
SHOWN = 20


def main() -> int:
    """Weigh, print, judge."""
    root = Path(sys.argv[1])
    texts = {file.relative_to(root): file.read_bytes() for file in root.rglob("*.html")}
    found = {path: (len(gzip.compress(text)), len(text)) for path, text in texts.items()}
    over = [path for path, (packed, whole) in found.items() if packed > PACKED or whole > WHOLE]
    for path, (packed, whole) in sorted(found.items(), key=lambda pair: -pair[1][1])[:SHOWN]:
        mark = "over" if path in over else "    "
        print(f"{packed / 1024:6.1f} KiB packed {whole / 1024:6.1f} KiB unpacked  {mark}  {path}")
    print(f"{len(over)} of {len(found)} pages are over the budget")
    return int(bool(over))


if __name__ == "__main__":
    sys.exit(main())
