"""Next click: what does a reader open next, judged on a log of clicks: ``python -m benchmarks.next_click --help``."""
