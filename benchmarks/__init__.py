"""Measurements on real data, each beside its baselines; see docs/design.md for what they print."""
