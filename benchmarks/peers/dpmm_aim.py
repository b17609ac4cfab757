"""Runner of AIM (McKenna and others 2022, arXiv 2201.12677) as dpmm has it, with its defaults.

The peer is handed the true number of records, which it does not protect.
"""

from __future__ import annotations

import pandas as pd
from dpmm.models.aim import AIMGM
from job import Job
from numpy.random import RandomState


def main() -> None:
    """Fit on the codes of the public domains, draw as many records as there were, write them."""
    job = Job()
    table = pd.read_parquet(job.table).astype(str)
    codes = pd.DataFrame(
        {name: table[name].map({v: i for i, v in enumerate(job.domains[name])}) for name in table}
    ).astype(int)
    model = AIMGM(epsilon=job.epsilon, delta=job.delta, n_jobs=1)
    model.set_domain({name: len(job.domains[name]) for name in table})
    model.set_random_state(RandomState(job.seed))
    model.fit(codes)
    job.done("fit")
    drawn = model.generate(n_records=len(table))
    records = pd.DataFrame(
        {name: drawn[name].map(dict(enumerate(job.domains[name]))) for name in table}
    )
    records.to_csv(job.out / "records.csv", index=False)
    job.done("records")


if __name__ == "__main__":
    main()
