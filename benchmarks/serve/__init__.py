"""Load on a real service: its answers, its events, how fresh it is, and what it holds."""
