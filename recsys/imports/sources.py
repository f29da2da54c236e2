"""Bytes on disk -> lines of text: compression, encoding, and a limit to what one line may hold in memory."""

import bz2
import codecs
import gzip
import io
import lzma
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa

from recsys.errors import ImportRefused

UTF8 = "utf-8"
CHUNK_BYTES = 1 << 18  # bytes recoded at a time
_HEAD_BYTES = 1 << 16  # bytes by whose look the layout of a text is told
NOT_TEXT = re.compile("[\udc80-\udcff]")  # what the surrogateescape of invalid bytes leaves
_COMPRESSIONS: tuple[tuple[bytes, Callable[[IO[bytes]], Any]], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", lambda file: pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")),
)
_FOREIGN = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a ZIP archive",
    b"%PDF": "a PDF file",
    b"SQLite format 3\x00": "an SQLite database",
}
_BROKEN = (EOFError, OSError, lzma.LZMAError, pa.ArrowException)  # what damaged compressed data raises
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Line(NamedTuple):
    """One line of a file.

    Attributes:
        number: from 1.
        text: without the line end.
        problem: why it cannot be used, or None.
        is_cut: it was too long; the text is only its beginning.
    """

    number: int
    text: str
    problem: str | None
    is_cut: bool = False


class TextSource:
    """The lines of a text file, compressed or not (told by its first bytes and not by its name).

    Args:
        path: the file.
        expected: what it should be, for the error's message.
        encoding: of its text, unless it begins with a byte order mark.
        max_line_bytes: a longer line is cut there and marked, and never held whole.

    Attributes:
        head: the beginning of its text.

    Raises:
        ImportRefused: there is no such file, it is empty, or it is of another format.
    """

    def __init__(self, path: Path, expected: str, encoding: str, max_line_bytes: int) -> None:
        self.path, self.expected, self.limit = path, expected, max_line_bytes
        self.encoding = _known_encoding(encoding)
        self._file = open_file(path, expected)
        self._bytes = io.BufferedReader(_decompressed(self._file), 1 << 16)
        try:
            self._refuse_foreign()
            self.head = self._peek(_HEAD_BYTES).decode(UTF8, "replace")
            if "\r" in self.head and "\n" not in self.head:  # line ends of old Macs, as Excel still writes them there
                self.head = self.head.replace("\r", "\n")
                self._recode(lambda raw, final: raw.replace(b"\r", b"\n"))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "TextSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._bytes.close()
        self._file.close()

    @property
    def done(self) -> int:
        """Bytes of the file read so far; with ``size`` the progress, compressed or not."""
        return self._file.tell()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    @property
    def encoding_problem(self) -> str:
        """Reason for which bytes of the file are no text."""
        return f"not valid {self.encoding}: name the file's encoding with --encoding, for example latin-1"

    def chunks(self) -> Iterator[str]:
        """The text in parts, for those to whom a line means nothing; invalid bytes become what ``NOT_TEXT`` finds.

        Raises:
            ImportRefused: the compressed data ends early or is damaged; the parts before have been handed out.
        """
        decoder = codecs.getincrementaldecoder(UTF8)(errors="surrogateescape")
        while True:
            try:
                raw = self._bytes.read1(CHUNK_BYTES)
            except _BROKEN as error:
                raise self._ends_early(error, "") from error
            if text := decoder.decode(raw, final=not raw):
                yield text
            if not raw:
                return

    def lines(self) -> Iterator[Line]:
        """All lines, blank ones too.

        Raises:
            ImportRefused: the compressed data ends early or is damaged; the lines before have been handed out.
        """
        number = 0
        while True:
            number += 1
            try:
                raw, whole = self._next_line()
            except _BROKEN as error:
                raise self._ends_early(error, f" in line {number}") from error
            if not raw:
                return
            yield self._line(number, raw.rstrip(b"\r\n"), whole)

    def _ends_early(self, error: Exception, where: str) -> ImportRefused:
        return ImportRefused(
            f"{self.expected} that can be read to its end",
            f"{error}{where} of {self.path.name}",
            "What came before it is stored; get the whole file and import it again.",
        )

    def _next_line(self) -> tuple[bytes, bool]:
        raw = self._bytes.readline(self.limit + 1)
        if len(raw) <= self.limit or raw.endswith(b"\n"):
            return raw, True
        while not (rest := self._bytes.readline(1 << 16)).endswith(b"\n") and rest:
            pass
        return raw, False

    def _line(self, number: int, raw: bytes, whole: bool) -> Line:
        if not whole:
            return Line(number, raw[:4096].decode(UTF8, "replace"), f"a line of more than {self.limit:,} bytes", True)
        try:
            return Line(number, raw.decode(UTF8), None)
        except UnicodeDecodeError:
            return Line(number, raw.decode(UTF8, "backslashreplace"), self.encoding_problem)

    def _peek(self, count: int) -> bytes:
        try:
            return self._bytes.peek(count)[:count]
        except _BROKEN as error:
            raise ImportRefused(self.expected, str(error), "Get the whole file and import it again.") from error

    def _refuse_foreign(self) -> None:
        start = self._peek(16)
        if not start.strip():
            raise ImportRefused(self.expected, f"{self.path.name}, which is empty", "Check how it was made.")
        for mark, what in _FOREIGN.items():
            if start.startswith(mark):
                raise ImportRefused(self.expected, f"{what} ({self.path.name})", _remedy(mark))
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                self.encoding = encoding
        if self.encoding == UTF8 and len(start) > 3 and not any(start[1::2]) and all(start[::2]):
            self.encoding = "utf-16-le"  # a table of Latin letters without its mark
        elif self.encoding == "utf-16" and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.encoding = "utf-16-be" if start[:1] == b"\x00" else "utf-16-le"
        if self.encoding == "utf-8-sig":
            if start.startswith(codecs.BOM_UTF8):
                self._bytes.read(len(codecs.BOM_UTF8))
        elif self.encoding != UTF8:
            self._recode(self._in_utf8(codecs.getincrementaldecoder(self.encoding)(errors="surrogateescape")))
        elif b"\x00" in start and not start.strip(b"\x00"):
            raise ImportRefused(self.expected, f"binary data ({self.path.name})", "Check how it was made.")

    def _recode(self, recode: Callable[[bytes, bool], bytes]) -> None:
        self._bytes = io.BufferedReader(_Recoded(self._bytes, recode), 1 << 16)

    def _in_utf8(self, decoder: codecs.IncrementalDecoder) -> Callable[[bytes, bool], bytes]:
        def recode(raw: bytes, final: bool) -> bytes:
            try:
                return decoder.decode(raw, final).encode(UTF8, "surrogatepass")
            except UnicodeError as error:  # an encoding of several bytes has bytes that cannot even be skipped
                got = f"bytes that are none: {error} ({self.path.name})"
                remedy = "What came before them is stored; name the file's encoding with --encoding."
                raise ImportRefused(f"text in {self.encoding}", got, remedy) from None

        return recode


def open_file(path: Path, expected: str) -> IO[bytes]:
    """Open a file for reading.

    Raises:
        ImportRefused: it is not there, or it is a folder, or it may not be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise ImportRefused(expected, f"{error.strerror}: {path}", "Check the path.") from error


class _Recoded(io.RawIOBase):
    """A stream in another encoding, read as UTF-8; bytes without meaning stay invalid, for the line to be rejected."""

    def __init__(self, source: io.BufferedReader, recode: Callable[[bytes, bool], bytes]) -> None:
        self._source, self._recode = source, recode
        self._left = b""
        self._ended = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with UTF-8."""
        while not self._left and not self._ended:
            raw = self._source.read1(CHUNK_BYTES)
            self._ended = not raw
            self._left = self._recode(raw, self._ended)
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

    def close(self) -> None:
        """Close the source too."""
        self._source.close()
        super().close()


def _decompressed(file: IO[bytes]) -> Any:
    start = file.read(8)
    file.seek(0)
    for mark, opened in _COMPRESSIONS:
        if start.startswith(mark):
            return opened(file)
    return file


def _known_encoding(name: str) -> str:
    try:
        "".encode(name)  # hex and base64 have names, too, and are no encodings of text
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise ImportRefused("the name of an encoding", repr(name), "Try utf-8, latin-1 or gb18030.") from None


def _remedy(mark: bytes) -> str:
    return "Import it with `python -m jobs import parquet`." if mark == b"PAR1" else "Export it as CSV or JSONL."
