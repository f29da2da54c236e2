"""The gate: a candidate beside the live release -> may it be served, and why not.

Reads two releases, the log and the held-out lists; produces a verdict. Nothing here moves a release.

    config.py        how much worse is too much
    interval.py      paired differences of lists -> an interval, by reader
    layout.py        a release as the service would lay it out, without what it has learned since
    replay.py        lists of the log -> the scores that a release would have given
    plausibility.py  counts, vectors and speed of a release, beside those of the live one
    judging.py       all of it -> a verdict
    verdict.py       a verdict as a table and JSON
    canary.py        what readers did -> go on, take back, good
    texts.py         what they say, in Chinese and English
    moved.py         two releases -> what differs
"""
