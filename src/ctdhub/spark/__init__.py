"""Work of a hub on a Spark cluster: the same functions, on more machines.

Belongs here: the session, what is shipped to the workers, how their faults come back.
Does not belong here: what a step does; nothing here computes what DuckDB would compute otherwise.

Only DataFrames are used, so that Spark Connect works too.  Nothing imports pyspark before a
session is asked for.
"""

from ctdhub.spark.settings import SparkSettings

__all__ = ["SparkSettings"]
