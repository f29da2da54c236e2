"""Planted faults: what the tests are worth. ``make mutants`` plants each one alone, and says which no test notices."""
