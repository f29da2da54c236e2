"""Columns that neither their names nor the map explain: their likely meaning, as a refusal or a note."""

import shlex
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.guess import guessed_kind, guessed_kinds, guessed_map, is_flags, is_value, looks_like
from recsys.imports.mapping import FieldMap, MapOption, missing, written
from recsys.missing import is_missing
from recsys.store import Kind

_OURS = tuple(kind.value for kind in Kind)
_ADRESSA = frozenset(("eventId", "userId", "sessionStart", "sessionStop"))  # columns that no other format has
_EVENT_SIGNS = ("kind", "shown", "clicked")  # a column that looks like one of these must not be overlooked


class ColumnDiagnosis:
    """Likely meaning of a file's columns where neither their names nor the map say it.

    Args:
        names: of the columns.
        sample: their first values.
        option: content of ``--map``.
        mapping: the source of each field, as far as it is known.
        kind: what the rows are taken for.
        command: that was given, without its map.
    """

    def __init__(
        self,
        names: list[str],
        sample: dict[str, list[Any]],
        option: MapOption,
        mapping: FieldMap,
        kind: str,
        command: str,
    ) -> None:
        self._names, self._sample, self._option, self._mapping, self._kind = names, sample, option, mapping, kind
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
        guess = self._guess(self._kind)
        field = missing(self._mapping, self._names, self._kind)
        if self._kind == "articles" and "title" not in self._filled and "title" in guess:
            field = "title"
        if self._kind != "articles":
            field = field or self._checked_lists()
        if not self._option.fields and _ADRESSA.issubset(self._names):
            raise ImportRefused("a map", "what looks like Adressa's events", "Use `python -m jobs import adressa`.")
        if self._kind != "articles" and not self._option.fields:
            # Somebody who gave no map trusts that all is understood: events of nobody at no time are no such thing.
            field = field or next((name for name in ("reader", "time") if name in guess), "")
        if field:
            self._refuse_missing(field)
        self._refuse_unknown_kinds()
        overlooked = [field for field in _EVENT_SIGNS if field in guess and self._says_what_happened(field, guess)]
        if self._kind == "clicks" and not is_told and overlooked:
            column = guess[overlooked[0]]
            raise ImportRefused(
                "to be told whether each row is a click",
                f"the column {column!r} ({self._looks(column)}), which seems to say it, and is not mapped",
                f"Map it: {self._with_map({overlooked[0]: column})} ; or, if each row is a click, add kind=:click.",
            )

    def _checked_lists(self) -> str:
        """The field that lacks a column where shown and clicked are 0 and 1; empty if they are what they should be.

        Raises:
            ImportRefused: they are lists beside an article.
        """
        for field in ("shown", "clicked"):
            values = self._sample.get(self._filled[field].column or "", ()) if field in self._filled else ()
            if "article" not in self._filled and is_flags(values):
                return "article"
            if "article" in self._filled and looks_like(values) == "lists":
                rest = ",".join(f"{f}={written(s)}" for f, s in self._option.fields.items() if f != "article")
                raise ImportRefused(
                    f"0 and 1 in {field!r}, since each row has an article",
                    f"lists in the column {self._filled[field].column!r}",
                    f"Leave article out, and the lists are unfolded: {self._command}"
                    + (f" --map {rest}" if rest else ""),
                )
        return ""

    def _refuse_unknown_kinds(self) -> None:
        """Refuse kinds that are not ours when it can be said what they most likely mean."""
        source = self._mapping.get("kind")
        if (
            source is None
            or source.column not in self._names
            or "kind" in self._option.values
            or self._kind == "articles"
        ):
            return
        if self._filled.keys() & {"shown", "clicked"}:
            return
        values = self._sample.get(source.column or "", ())
        unknown = sorted(
            {str(v) for v in values if not is_missing(v)} - {v for v in map(str, values) if v.lower() in _OURS}
        )
        meanings = guessed_kinds(values)
        if 2 * sum(str(value) in unknown for value in values) > len(values) and any(v in meanings for v in unknown):
            others = [value for value in unknown if value not in meanings]
            left = f"without {', '.join(others)[:100]}, which would be left out, " if others else ""
            raise ImportRefused(
                f"kinds of events: {', '.join(_OURS)}",
                f"{', '.join(unknown)[:200]} in the column {source.column!r}",
                f"Say what they mean; {left}most likely: {self._with_map({'kind': source.column or ''})}",
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
        taken = dict(self._filled)
        if self._kind == "clicks" and "kind" not in self._option.fields:
            taken.pop("kind", None)  # that each row is a click was only assumed
        return guessed_map(self._unused, self._sample, "articles" if kind == "articles" else "events", taken)

    def _says_what_happened(self, field: str, guess: dict[str, str]) -> bool:
        values = self._sample.get(guess[field], ())
        return is_flags(values) if field != "kind" else bool(guessed_kinds(values))

    def _refuse_missing(self, field: str) -> None:
        kind = self._kind
        if kind == "articles" and not self._option.fields and not self._filled:
            kind = guessed_kind(self._names, self._sample)
            field = "title" if kind == "articles" else "article"
        guess = self._guess(kind)
        got = f"the columns {', '.join(self._names)}"[:300]
        are_numbers = self._names == [str(number) for number in range(1, len(self._names) + 1)]
        if any(map(is_value, self._names)) and not are_numbers:
            raise ImportRefused(
                "names of columns in the first line",
                f"what looks like a row: {', '.join(self._names)[:300]}",
                f"Count the columns: --no-header --map {field}=2, and so on.",
            )
        address = self._addresses() if field == "article" and field not in guess else ""
        if address:  # what a web analysis logs: the article by its address
            guess = {"article": f"@{address}"} | guess
        if field not in guess and not (field == "article" and guess.keys() & {"shown", "clicked", "history"}):
            raise ImportRefused(
                f"a column for {field!r}, which {kind} need", got, f"Say which it is with --map {field}=COLUMN."
            )
        looks = {field: self._looks(column.removeprefix("@")) for field, column in guess.items()}
        taken = "; ".join(f"{column} is {field} ({looks[field]})" for field, column in guess.items())
        raise ImportRefused(
            f"columns named like the fields of {kind}, or a map",
            f"{got}. By names and values, most likely: {taken}",
            f"If that is right, copy this: {self._with_map(guess)}",
        )

    def _addresses(self) -> str:
        """The unused column of addresses, if there is one; of several the first that is not where readers came from."""
        columns = [name for name in self._unused if self._looks(name) == "addresses"]
        return next((name for name in columns if "refer" not in name.lower()), "")

    def _with_map(self, guess: dict[str, str]) -> str:
        entries = [f"{field}={written(source)}" for field, source in self._option.fields.items() if field not in guess]
        entries += [f"{field}={column}" for field, column in guess.items()]
        values = self._option.values.get("kind") or guessed_kinds(self._sample.get(guess.get("kind", ""), ()))
        if not {value.lower() for value in values} <= set(_OURS):
            entries += [f"kind.{value}={ours}" for value, ours in values.items()]
        return f"{self._command} --map {shlex.quote(','.join(entries))}"

    def _looks(self, column: str) -> str:
        return looks_like(self._sample.get(column, ()))
