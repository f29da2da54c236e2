"""The command line and the batch jobs: each file is one stage, which loads, calls its room in ``recsys`` and saves."""
