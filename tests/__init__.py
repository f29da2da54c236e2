"""The tests. Two processes share the cores already: a library that starts threads of its own mostly waits for them."""

import os

for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read once, when the library is loaded
    os.environ.setdefault(library, "1")
