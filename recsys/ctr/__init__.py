"""The click model: features of candidates -> P(click). A map in the order of a training; nothing is imported here.

config.py       every setting of ``ctr:``
data.py         which ids are read, their rows of the embedding table; impressions as tensors, window by window
network.py      the networks behind one contract, and the tower of positions
layers.py       their layers
losses.py       softmax over a list, cross-entropy, both
engine.py       one step: batch -> gradient -> weights, fast
distributed.py  the same in several processes
trainer.py      one pass over the data: steps, averages, faults; a model that goes on learning
loop.py         passes until the validation part gets no better
checkpoints.py  the state from which training goes on after it was killed
warm_start.py   the start: statistics of the rows, the vocabulary, random weights or yesterday's
calibration.py  log-odds -> probability
model.py        ``ClickModel``: scores, saves, loads
training.py     ``fit``; the evaluated and the released model; the gate before publication
"""
