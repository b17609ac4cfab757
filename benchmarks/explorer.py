"""The explorer at 200,000 records of 27 columns in Chromium.

    python benchmarks/explorer.py [--records 200000] [--site]

Prints the size of what is sent before the first filter and for the first view, the time until the
page is ready, and for changes of a filter, plain and with the CPU slowed 4 times: the time of the
handler, the time of the main thread (script, style, layout, paint) and the time until the change
is painted, each with its target.  Counting is in a worker, which Chromium does not slow.  With
--site also the CPU seconds of a whole site of 150 countries in 4 languages.  All records are
fictitious.  Needs Chromium and playwright.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from playwright.sync_api import CDPSession, Page, sync_playwright

from ctdhub.border import COUNTS, Estimate, Guarantee, restore
from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema import countries
from ctdhub.schema.model import load_schema
from ctdhub.site.build import build_site
from ctdhub.site.explorer import FOLDER, WORKER

YEARS, COUNTRIES, SIGMA = (2005, 2024), 150, 12.0
COLUMNS = 27
ONES = (
    "year_of_registration",
    "gender",
    "age_band",
    "citizenship",
    "country_of_exploitation",
    "source_type",
    "trafficking_duration",
)
"""Variables that are no yes/no variables of a group."""
TARGETS = {
    "first view KiB": 250.0,
    "before filter MB": 1.5,
    "ready s": 1.0,
    "plain handler p50": 5.0,
    "plain main thread": 50.0,
    "plain paint p95": 200.0,
    "slowed 4x handler p95": 50.0,
    "slowed 4x paint p95": 400.0,
    "site CPU s": 60.0,
}
FIRST = ("rows.bin", f"rows.{ONES[0]}.bin")
"""Files of the chart that the page opens with."""
CHANGES = 60
BURST = """async ([seed, changes]) => {
  document.querySelectorAll("#explore-parts details").forEach(e => { e.open = true; });
  await new Promise(done => setTimeout(done, 500));
  const boxes = [...document.querySelectorAll("#explore-parts input[type=checkbox]")];
  const figure = document.getElementById("explore-figure"), handler = [], paint = [];
  const idle = () => new Promise(done => {
    const look = () => figure.hasAttribute("aria-busy") ? setTimeout(look, 1)
      : requestAnimationFrame(() => setTimeout(done));
    look();
  });
  let state = seed;
  for (let k = 0; k < changes; k++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const ticked = boxes.filter(b => b.checked);
    const box = ticked.length > 2 ? ticked[state % ticked.length] : boxes[state % boxes.length];
    const start = performance.now();
    box.click();
    handler.push(performance.now() - start);
    await idle();
    paint.push(performance.now() - start);
  }
  return [handler, paint];
}"""


def invented(records: int) -> pa.Table:
    """Records as many and as varied as a large release has, every value drawn by itself."""
    rng, schema = np.random.default_rng(1), load_schema()
    columns: dict[str, Any] = {}
    places = sorted(countries.ALPHA3)[:COUNTRIES]
    for name in ONES:
        values = places if len(schema.domain(name, YEARS)) > 200 else schema.domain(name, YEARS)
        odds = 1 / np.arange(1, len(values) + 1)
        drawn = rng.choice(len(values), records, p=odds / odds.sum())
        columns[name] = pa.array(np.array(values)[drawn], mask=rng.random(records) < 0.1)
    for group in ("exploitation", "means"):
        known = rng.random(records) < 0.7
        some = np.zeros(records, dtype=bool)
        for flag in schema.flags(group):
            yes = known & (rng.random(records) < 0.35)
            some |= yes
            columns[flag] = pa.array(np.full(records, "yes"), mask=~yes)
        columns[schema.groups[group].indicator or ""] = pa.array(np.where(some, "yes", "no"))
    indicators = {schema.groups[g].indicator for g in ("exploitation", "means")}
    flags = [n for n in columns if n not in ONES and n not in indicators]
    for name in flags[COLUMNS - len(ONES) - len(indicators) :]:
        del columns[name]
    return pa.table(columns)


def release(records: int, folder: Path) -> Release:
    """A release of such records, its tables of one and two variables published without noise."""
    table = invented(records)
    names, half = table.column_names, round(1.96 * SIGMA)
    tables = [[a] for a in names]
    tables += [[a, b] for k, a in enumerate(names) for b in names[k + 1 :]]
    cells: list[tuple[Any, ...]] = [([], [], records, records - half, records + half, "shown")]
    for key in tables:
        counted = table.group_by(key).aggregate([([], "count_all")]).to_pylist()
        for row in counted:
            n = row["count_all"]
            if n > half:
                values = [row[v] or "" for v in key]
                cells.append((key, values, n, n - half, n + half, "shown"))
    arrays = [pa.array(c, f.type) for c, f in zip(zip(*cells, strict=True), COUNTS, strict=True)]
    sigma = {"": SIGMA, **{"*".join(key): SIGMA for key in tables}}
    answer = restore(
        records=table,
        counts=pa.table(arrays, COUNTS),
        people=Estimate(records, records - half, records + half),
        case_records=Estimate(records, records - half, records + half),
        guarantee=Guarantee(
            1.0, 1e-9, 0.01, "person", "discrete Gaussian", 0.95, sigma, "invented", drawn=sigma
        ),
        facts={
            "hub": "Fictitious hub",
            "contributors": [{"id": "one", "name": "One", "kind": "hotline"}],
            "years": list(YEARS),
            "schema_version": "1.0",
            "languages": list(LANGUAGES),
            "invented": True,
        },
    )
    return open_release(write_release(answer, folder / "releases", "2026.1", "Invented."))


def measured(page: Page, address: str) -> dict[str, float]:
    """Figures of the explorer's page."""
    found, session = {}, page.context.new_cdp_session(page)
    session.send("Performance.enable")
    for name, rate in (("plain", 1), ("slowed 4x", 4)):
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        page.goto("about:blank")
        start = time.perf_counter()
        page.goto(address)
        page.wait_for_selector("html[data-explore=ready]", timeout=60_000)
        found.setdefault("ready s", time.perf_counter() - start)
        session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
        page.evaluate(BURST, [3, CHANGES // 3])
        before = _main_thread(session)
        handler, paint = page.evaluate(BURST, [7, CHANGES])
        found[f"{name} main thread"] = 1000 * (_main_thread(session) - before) / CHANGES
        for share in (50, 95):
            found[f"{name} handler p{share}"] = float(np.percentile(handler, share))
            found[f"{name} paint p{share}"] = float(np.percentile(paint, share))
    return found


def _main_thread(session: CDPSession) -> float:
    """Seconds of tasks of the main thread so far."""
    told = session.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in told if m["name"] == "TaskDuration"))


def main() -> int:
    """Print all figures with their targets; 1 where one is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--site", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = release(given.records, folder)
        start = time.process_time()
        build_site(made, folder / "site", only=() if given.site else ["explorer"])
        figures = {"site CPU s": time.process_time() - start} if given.site else {}
        explorer = folder / "site" / "r" / "2026.1"
        view = gzip.compress((folder / "site" / "ar" / "explore.html").read_bytes())
        words = (explorer / FOLDER / "texts-ar.bin").stat().st_size
        worker = gzip.compress((explorer / FOLDER / WORKER).read_bytes())
        first = len(view) + words + len(worker)
        figures["first view KiB"] = first / 1024
        first += sum((explorer / FOLDER / name).stat().st_size for name in FIRST)
        figures["before filter MB"] = first / 1e6
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder / "site"))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as tool:
            chromium = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            address = f"http://127.0.0.1:{server.server_port}/en/explore.html"
            figures |= measured(page, address)
            browser.close()
        server.shutdown()
    missed = 0
    print(f"{f'{given.records:,} records':24}{'':>10}{'target':>10}")
    for what, value in figures.items():
        target = TARGETS.get(what)
        missed += target is not None and value > target
        print(f"{what:24}{value:10.2f}{'' if target is None else f'{target:10.1f}'}")
    return int(missed > 0)


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    sys.exit(main())
