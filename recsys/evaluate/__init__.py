"""Evaluate: models judged on the lists that they have not learned from.

held_out.py      the last lists of the log -> figures of every model, side by side
stage_files.py   files of the stages -> the same, and a sentence on how they were judged
prequential.py   test, then train: a log in time order, scored by models that learn as it goes on
exploration_log.py  what the exploration slot tried -> rows with propensities, for off-policy estimates
"""
