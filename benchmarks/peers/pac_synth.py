"""Runner of pac-synth (Microsoft's Synthetic Data Showcase): its best mode, reporting length 3.

`use_synthetic_counts` is the mode whose records are nearest the truth; every other option is the
library's default.  It takes no seed and no domains: it reads the values from the data.
"""

from __future__ import annotations

import csv

import pacsynth
import pandas as pd
from job import Job

LENGTH = 3


def main() -> None:
    """Fit, write the noisy aggregates, then the records built from them."""
    job = Job()
    pacsynth.set_number_of_threads(1)
    table = pd.read_parquet(job.table).astype(str)
    data = pacsynth.Dataset.from_data_frame(table, sensitive_zeros=list(table.columns))
    builder = pacsynth.DpAggregateSeededParametersBuilder()
    builder.reporting_length(LENGTH).epsilon(job.epsilon).delta(job.delta)
    builder.use_synthetic_counts(True)
    maker = pacsynth.DpAggregateSeededSynthesizer(builder.build())
    maker.fit(data)
    job.done("fit")
    with (job.out / "aggregates.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["selections", "count"])
        rows.writerows(maker.get_dp_aggregates(";").items())
    job.done("aggregates")
    records = maker.sample(None, None)
    with (job.out / "records.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(records)
    job.done("records")


if __name__ == "__main__":
    main()
