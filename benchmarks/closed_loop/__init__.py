"""Closed loop: simulated readers live with a recommender for some days: ``python -m benchmarks.closed_loop --help``."""
