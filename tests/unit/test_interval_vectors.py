"""The interval of a sum by ``stats.estimator`` and by ``static/interval.js``: the same numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from ctdhub.stats.estimator import SumVariances, half_width_of_sum

VECTORS = Path(__file__).parents[1] / "vectors" / "intervals.json"
"""Half-widths by noise, distance and rest; sums in tables of noise ``drawn``, of variables with so
many values: the variance of the part (null: no table holds it), its correlation with the whole."""
SCRIPT = """
const found = JSON.parse(process.argv[1]), names = Object.keys(found.sizes);
const near = (a, b) => Math.abs(a - b) <= 1e-12 * (1 + Math.abs(b)) || process.exit(1);
const keys = Object.keys(found.drawn).filter(Boolean), fitted = new ctdhubEstimator.Fitted({
  tables: keys.map(key => key.split("*").map(name => names.indexOf(name))),
  drawn: keys.map(key => found.drawn[key]), all: found.drawn[""] }, Object.values(found.sizes));
const where = of => new Map(Object.entries(of).map(([n, codes]) => [names.indexOf(n), codes]));
found.half.forEach(v => near(ctdhubEstimator.halfWidth(v.z, v.sd, v.off, v.rest), v.half));
for (const v of found.sums) {
  if (v.variance !== null) near(fitted.variance(where(v.part)), v.variance);
  near(fitted.correlation(where(v.part), where(v.whole)), v.correlation);
}
"""


def test_python_computes_them() -> None:
    found = json.loads(VECTORS.read_text("utf-8"))
    for v in found["half"]:
        assert half_width_of_sum(v["z"], v["sd"], v["off"], v["rest"]) == pytest.approx(v["half"])
    fitted = SumVariances(found["drawn"], found["sizes"].__getitem__)
    for v in found["sums"]:
        part, whole = ({n: frozenset(c) for n, c in v[of].items()} for of in ("part", "whole"))
        if v["variance"] is not None:
            of = {name: len(codes) for name, codes in part.items()}
            assert fitted.of(of) == pytest.approx(v["variance"])
        assert fitted.correlation(part, whole) == pytest.approx(v["correlation"])


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_the_script_of_the_explorer_computes_them() -> None:
    static = resources.files("ctdhub.site") / "static"
    scripts = [(static / name).read_text("utf-8") for name in ("engine.js", "interval.js")]
    command = ["node", "-e", "\n".join([*scripts, SCRIPT]), VECTORS.read_text("utf-8")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
