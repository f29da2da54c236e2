"""Metrics: labels and scores -> figures. Knows no model.

checks.py         requirements of labels and scores
lists.py          how well each list is ordered: AUC, MRR, nDCG by impression
probabilities.py  how true probabilities are: log loss, calibration error; AUC over all rows
diversity.py      how different the articles of a list are, and whom they fit
judging.py        a score and held-out rows -> what the report shows of a click model
logged_bandit.py  a log with propensities, and a target policy at its rows
off_policy.py     both -> what the target policy would have been worth
"""

from recsys.metrics.lists import RANKING_FIGURES, figures_per_impression, impression_metrics
from recsys.metrics.probabilities import auc, auc_error, calibration_error, calibration_square, log_loss, reliability

__all__ = [
    "RANKING_FIGURES",
    "auc",
    "auc_error",
    "calibration_error",
    "calibration_square",
    "figures_per_impression",
    "impression_metrics",
    "log_loss",
    "reliability",
]
