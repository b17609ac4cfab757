"""The engine benchmark: data, contenders, figures and the report; `benchmarks/protect.py` runs it."""
