"""The architectures of the click model's networks: what each kind is the sum of, and the shape of what it reads.

A kind is a sum of parts, each of which gives log-odds of its own:

    logistic   first
    fm         first + pairs
    dnn                        deep
    deepfm     first + pairs + deep
    dcn                        deep + cross
    din                        deep, where attention weighs the last clicks

``first`` is linear in columns and ids. ``pairs`` is the sum over all pairs of columns and ids of the product of their
vectors. ``deep`` is a multilayer perceptron and ``cross`` a stack of cross layers over the columns and all vectors, one
behind the other. The mean of the last clicks' vectors is one more id field in every kind with vectors but ``din``. Each
kind takes any layout: without ids and clicks there is no table, ``fm`` multiplies columns, ``din`` is ``dnn``; without
ids ``din`` has nothing to ask with and takes the mean of the clicks as well.

Source: Rendle 2010 (fm, equation 5); Guo et al. 2017 (deepfm); Wang et al. 2021 (dcn: DCN-V2, section 3, in parallel,
full matrices); Zhou et al. 2018 (din, section 4.3).
"""

from typing import NamedTuple, Self

from recsys.errors import DegenerateInput


class Layout(NamedTuple):
    """The shape of what a network reads.

    Attributes:
        dense: columns F.
        fields: id fields K of a candidate; the first one is the candidate's article.
        history: last clicks T.
        vocabulary: rows V of the one embedding table, all fields together; row 0 = unknown.
    """

    dense: int
    fields: int
    history: int
    vocabulary: int

    def read(self) -> Self:
        """The layout of what is read: without a table there are no ids and no clicks.

        Raises:
            DegenerateInput: there is nothing to read.
        """
        layout = self if self.vocabulary else self._replace(fields=0, history=0)
        if layout.dense + layout.fields + layout.history == 0:
            raise DegenerateInput("columns or ids to read", str(layout), "Run: python -m jobs features")
        return layout

    def width(self, embedding_dim: int) -> int:
        """Inputs of ``deep`` and ``cross``: columns, and the vectors of the id fields and of the last clicks."""
        return self.dense + (self.fields + min(self.history, 1)) * embedding_dim


class NetworkParts(NamedTuple):
    """The parts that a kind of network is the sum of; see the module."""

    first: bool = False
    pairs: bool = False
    deep: bool = False
    cross: bool = False
    attention: bool = False

    @property
    def vectors(self) -> bool:
        """True for kinds in which an id has a vector."""
        return self.pairs or self.deep

    def embeds(self, layout: Layout) -> bool:
        """True where there is a table of ids."""
        return bool(layout.fields or (layout.history and self.vectors))

    def attends(self, layout: Layout) -> bool:
        """True where attention weighs the last clicks: there are some, and ids of a candidate to ask with."""
        return bool(self.attention and layout.fields and layout.history)


CLICK_NETWORKS = {
    "logistic": NetworkParts(first=True),
    "fm": NetworkParts(first=True, pairs=True),
    "dnn": NetworkParts(deep=True),
    "deepfm": NetworkParts(first=True, pairs=True, deep=True),
    "dcn": NetworkParts(deep=True, cross=True),
    "din": NetworkParts(deep=True, attention=True),
}
ATTENTION_UNITS = 32  # width of the layer that compares a click with the candidate; Zhou et al. take 36
CROSS_LAYERS = 2  # of dcn; each multiplies the features once more
NORMS = ("none", "batch", "layer")
