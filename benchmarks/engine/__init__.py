"""The engine benchmark: data, contenders, figures, page; `benchmarks/protect.py` runs it."""
