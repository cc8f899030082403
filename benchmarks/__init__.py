"""The figures of the design, measured: `python -m benchmarks [P1 P3 ...]`. `many_calls` also serves the scenarios."""
