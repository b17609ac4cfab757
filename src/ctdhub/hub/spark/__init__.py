"""Work of a hub on a Spark cluster: the same functions, on more machines.

Zone: assembly.  The session, what is shipped to the workers, how their errors come back.
Not here: what a step does; nothing here computes what DuckDB would compute otherwise.
Public: ``session``.

Only DataFrames are used, so that Spark Connect works too.  Nothing imports pyspark before a
session is asked for.
"""
