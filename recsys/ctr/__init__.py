"""The click model: features of candidates -> P(click). A map; nothing is imported here.

config.py       every setting of ``ctr:``
vocabulary.py   hashed ids -> rows of the embedding table
inputs.py       what a model reads of candidates and of lists
networks.py     the networks behind one contract
layers.py       what the networks are made of
columns.py      rows as tensors on the device, batches by index
position.py     the shallow tower that takes the place in a list out of a click
losses.py       what training makes small
engine.py       one step: batch -> gradient -> weights, fast
distributed.py  the same in several processes
survey.py       one pass over rows: can they be learned from, their scale, their ids
sources.py      lists window by window: held on the device, or streamed from Parquet
model.py        ``ClickModel``: scores, saves, loads
calibration.py  log-odds -> probability
trainer.py      one model on its way: epochs, averages, faults
checkpoints.py  what training needs to go on after it was killed
course.py       epochs until the validation part gets no better
warm.py         where training begins: at nothing or at yesterday's model
training.py     ``fit``: lists with their clicks -> ``ClickModel``
release.py      training rows -> the model that is judged, and the one that is released
learning.py     ``Learner``: goes on learning from one stretch of time after another
"""
