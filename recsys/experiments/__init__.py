"""Experiments: arms of readers -> differences that may be looked at every day.

Reads assignments and a value of each reader; produces intervals that hold at every look, and a check of the exposure.

    assignment.py  a reader -> an arm, by a hash
    moments.py     readers of an arm -> sums
    sequential.py  confidence sequences
    arms.py        what an arm changes, checked
    report.py      what readers of all arms did -> a report, or the reason for which there is none
    effects.py     two arms -> a difference with its interval; the sample ratio
    texts.py       reasons for which nothing can be said, in Chinese and English
"""
