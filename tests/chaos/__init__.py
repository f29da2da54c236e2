"""Faults on purpose, counted: real processes that are killed at random moments, and what is left."""
