"""Metrics: labels and scores -> figures. Knows no model.

checks.py         what every metric asks of labels and scores
lists.py          how well each list is ordered: AUC, MRR, nDCG by impression
probabilities.py  how true probabilities are: log loss, calibration error; AUC over all rows
judging.py        a score and held-out rows -> what the report shows of a click model
"""

from recsys.metrics.lists import impression_metrics
from recsys.metrics.probabilities import auc, auc_error, calibration_error, calibration_square, log_loss, reliability

__all__ = [
    "auc",
    "auc_error",
    "calibration_error",
    "calibration_square",
    "impression_metrics",
    "log_loss",
    "reliability",
]
