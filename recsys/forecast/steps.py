"""Steps: the grain of all series, and the arrays that stand on it; a worker of the service needs no more of them."""

import numpy as np
import numpy.typing as npt

from recsys.units import HOUR_MS, MINUTE_MS

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

STEP_MS = 10 * MINUTE_MS
STEPS_PER_HOUR = HOUR_MS // STEP_MS
STEPS_PER_DAY = 24 * STEPS_PER_HOUR
