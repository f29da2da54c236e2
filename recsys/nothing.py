"""The words that databases, data frames and scripts write where there is no value, in one place for every door."""

from typing import Any

MAX_WORD = 12  # characters of the longest of them with some blanks around it
# MySQL and Hive write \N, PostgreSQL's and Oracle's exports NULL or (null), pandas nan, NaT and <NA>, R NA, Excel #N/A,
# Python None, Ruby nil, JavaScript undefined.
WORDS = frozenset(
    {"", "null", "NULL", "Null", "(null)", "none", "None", "NONE", "nil", "undefined", "nan", "NaN", "NAN", "NaT"}
    | {"<NA>", "NA", "n/a", "N/A", "#N/A", "\\N"}
)


def is_nothing(value: Any) -> bool:
    """Absent value: None, NaN, NaT, blanks, or a word that stands for it.

    Args:
        value: of a file or a request.
    """
    if isinstance(value, str):
        return value in WORDS or ((len(value) <= MAX_WORD or value.isspace()) and value.strip() in WORDS)
    return value is None or bool(value != value)
