"""The words that databases, data frames and scripts write where there is no value, in one place for every door."""

from typing import Any

_MAX_WORD = 12  # characters of the longest of them with some blanks around it
# MySQL and Hive write \N, PostgreSQL's and Oracle's exports NULL or (null), pandas nan, NaT and <NA>, R NA, Excel #N/A,
# Python None, Ruby nil, JavaScript undefined.
_WORDS = frozenset(
    {"", "null", "NULL", "Null", "(null)", "none", "None", "NONE", "nil", "undefined", "nan", "NaN", "NAN", "NaT"}
    | {"<NA>", "NA", "n/a", "N/A", "#N/A", "\\N"}
)


def is_missing(value: Any) -> bool:
    """Absent value: None, NaN, NaT, blanks, or a word that stands for it.

    Args:
        value: of a file or a request.
    """
    if isinstance(value, str):
        return value in _WORDS or ((len(value) <= _MAX_WORD or value.isspace()) and value.strip() in _WORDS)
    return value is None or bool(value != value)
