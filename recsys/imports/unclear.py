"""Columns that neither their names nor the map explain: what they most likely are, as a refusal or a note."""

import shlex
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.guess import guessed_kind, guessed_kinds, guessed_map, is_flags, looks_like
from recsys.imports.mapping import Asked, Mapping, missing, written

EVENT_SIGNS = ("kind", "shown", "clicked")  # a column that looks like one of these must not be overlooked


class Unclear:
    """What the columns of a file are most likely, where neither their names nor the map say it.

    Args:
        names: of the columns.
        sample: their first values.
        asked: what ``--map`` says.
        mapping: the source of each field, as far as it is known.
        kind: what the rows are taken for.
        command: that was given, without its map.
    """

    def __init__(
        self, names: list[str], sample: dict[str, list[Any]], asked: Asked, mapping: Mapping, kind: str, command: str
    ) -> None:
        self._names, self._sample, self._asked, self._mapping, self._kind = names, sample, asked, mapping, kind
        self._command = command
        used = {source.column for source in mapping.values()}
        self._unused = [name for name in names if name not in used]
        self._filled = {field: s for field, s in mapping.items() if s.column is None or s.column in names}

    def refuse(self, is_told: bool) -> None:
        """Refuse a file whose rows would be nothing, or not what they are.

        Args:
            is_told: somebody said what each row is.

        Raises:
            ImportRefused: a needed field has no column, or one that says what each row is would be overlooked.
        """
        field = missing(self._mapping, self._names, self._kind)
        guess = self._guess(self._kind)
        if self._kind == "articles" and "title" not in self._filled and "title" in guess:
            field = "title"
        if field:
            self._refuse_missing(field)
        overlooked = [field for field in EVENT_SIGNS if field in guess and self._says_what_happened(field, guess)]
        if self._kind == "clicks" and not is_told and overlooked:
            column = guess[overlooked[0]]
            raise ImportRefused(
                "to be told whether each row is a click",
                f"the column {column!r} ({self._looks(column)}), which seems to say it, and is not mapped",
                f"Map it: {self._with_map({overlooked[0]: column})} ; or, if each row is a click, add kind=:click.",
            )

    def notes(self) -> list[str]:
        """Sentences about columns that are not used, and look as if they were fields."""
        guess = {field: column for field, column in self._guess(self._kind).items() if field != "history"}
        notes = []
        if guess:
            options = ",".join(f"{field}={column}" for field, column in guess.items())
            notes.append(f"Not used, though it looks like a field: if it is one, add --map {options}")
        kind = self._mapping.get("kind")
        flags = [field for field in ("shown", "clicked") if field in self._filled and "article" in self._filled]
        if flags and kind is not None and (kind.constant or kind.column in self._names):
            notes.append(f"What each row is was read from {' and '.join(flags)}, not from kind.")
        return notes

    def _guess(self, kind: str) -> dict[str, str]:
        return guessed_map(self._unused, self._sample, "articles" if kind == "articles" else "events", self._filled)

    def _says_what_happened(self, field: str, guess: dict[str, str]) -> bool:
        values = self._sample.get(guess[field], ())
        return is_flags(values) if field != "kind" else bool(guessed_kinds(values))

    def _refuse_missing(self, field: str) -> None:
        kind = self._kind
        if kind == "articles" and not self._asked.fields and not self._filled:
            kind = guessed_kind(self._names, self._sample)
        guess = self._guess(kind)
        got = f"the columns {', '.join(self._names)}"[:300]
        if not guess:
            raise ImportRefused(
                f"a column for {field!r}, which {kind} need",
                got,
                f"Say which it is with --map {field}=COLUMN; if a CSV file's first line names no columns, count them: "
                f"--no-header --map {field}=2.",
            )
        taken = "; ".join(f"{column} is {field} ({self._looks(column)})" for field, column in guess.items())
        raise ImportRefused(
            f"columns named like the fields of {kind}, or a map",
            f"{got}. By names and values, most likely: {taken}",
            f"If that is right, copy this: {self._with_map(guess)}",
        )

    def _with_map(self, guess: dict[str, str]) -> str:
        entries = [f"{field}={written(source)}" for field, source in self._asked.fields.items()]
        entries += [f"{field}={column}" for field, column in guess.items()]
        values = self._asked.values.get("kind") or guessed_kinds(self._sample.get(guess.get("kind", ""), ()))
        own = {"click", "impression", "dismiss", "dwell"}
        if not set(map(str.lower, values)) <= own or len(values) == 0:
            entries += [f"kind.{value}={ours}" for value, ours in values.items()]
        return f"{self._command} --map {shlex.quote(','.join(entries))}"

    def _looks(self, column: str) -> str:
        return looks_like(self._sample.get(column, ()))
