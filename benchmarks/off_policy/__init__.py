"""Off-policy estimation: the value of a policy from the log of another: ``python -m benchmarks.off_policy --help``."""
