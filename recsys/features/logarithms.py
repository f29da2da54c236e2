"""Logarithms of whole columns at once, as the compiled kernel takes them: eight numbers in the time of one.

Reads a matrix in which some columns hold what the logarithm is to be taken of; writes it in their place. The library of
the machine takes one number at a time, and a list has ten thousand of them.

Source: ln x = k ln 2 + 2 artanh((m - 1) / (m + 1)) for x = m 2^k with m in [√½, √2), by five terms of the series.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled

Array = npt.NDArray[Any]

_ROOT_HALF = 0x3F3504F3  # bits of √½ as a float32
_MANTISSA = 23  # bits
_LN2 = np.float32(0.6931471805599453)
_ONE, _TWO = np.float32(1), np.float32(2)
_THIRD, _FIFTH, _SEVENTH, _NINTH = (np.float32(1 / n) for n in (3, 5, 7, 9))


@compiled
def take_logarithms(matrix: Array, columns: Array) -> None:
    """Replace the numbers of some columns by their natural logarithms.

    Args:
        matrix: float32 (B, F), contiguous; above 0 in these columns. What is not finite becomes NaN.
        columns: bool (F,).

    Exact to a millionth, and the same on every machine.
    """
    F = matrix.shape[1]
    mantissa, power = np.empty(F, np.float32), np.empty(F, np.int32)
    for b in range(len(matrix)):
        _split(matrix[b].view(np.int32), mantissa.view(np.int32), power)
        _join(mantissa, power, columns, matrix[b])


@compiled
def _split(bits: Array, mantissa: Array, power: Array) -> None:
    """Write m and k of each number; in a function of its own, so that the compiler sees that nothing overlaps."""
    for f in range(len(bits)):
        x = bits[f]
        k = (x - _ROOT_HALF) >> _MANTISSA
        mantissa[f] = x - (k << _MANTISSA)
        power[f] = k


@compiled
def _join(mantissa: Array, power: Array, columns: Array, out: Array) -> None:
    for f in range(len(out)):
        x = out[f]
        s = (mantissa[f] - _ONE) / (mantissa[f] + _ONE)
        z = s * s
        series = _TWO * s * (_ONE + z * (_THIRD + z * (_FIFTH + z * (_SEVENTH + z * _NINTH))))
        logarithm = np.float32(power[f]) * _LN2 + series + (x - x)
        out[f] = logarithm if columns[f] else x
