"""The click model: features of candidates -> P(click). A map in the order of a training; nothing is imported here.

config.py        every setting of ``ctr:``
architecture.py  the kinds of networks and the shape of what they read
ids.py           which ids are read, and their rows of the embedding table

with torch, to learn
data.py          impressions as tensors, window by window
network.py       the networks behind one contract, their layers, and the tower of positions
list_length.py   how a card's clicks fall with the number of cards beside it
losses.py        softmax over a list, cross-entropy, both
engine.py        one step: batch -> gradient -> weights, fast
distributed.py   the same in several processes
trainer.py       one pass over the data: steps, averages, faults; a model that goes on learning
loop.py          passes until the validation part gets no better; checkpoints for a training that is killed
warm_start.py    the start: statistics of the rows, the vocabulary, random weights or yesterday's
model.py         ``ClickModel``: all that is learned
calibration.py   log-odds of rows not learned from -> a calibration
training.py      ``fit``; the evaluated and the released model; the gate before publication

without torch, to score
inference.py     the networks' forward pass; log-odds that mean what they say
saved.py         a model's files
scoring.py       ``ClickScorer``: log-odds and probabilities of candidates; popularity put back where they were sampled
"""
