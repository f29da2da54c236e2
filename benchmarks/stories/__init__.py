"""Stories against the events that people grouped: ``python -m benchmarks.stories`` (see ``__main__``)."""
