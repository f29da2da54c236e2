"""Keywords against the keys that people gave: ``python -m benchmarks.keywords`` (see ``__main__``)."""
