"""Everything that can go wrong, as one tree.

    RecsysError
    ├── InputError            what came in cannot be used               exit code 2
    │   ├── ConfigError       a key or value of the configuration
    │   ├── ImportRefused     a file that no row of can be imported
    │   ├── BadReader         a reader, session or event identifier
    │   ├── UnknownArticle    an article identifier that the catalogue lacks
    │   │   └── DeletedArticle  one that was deleted for good
    │   ├── UnknownStory      an identifier that neither a story nor an article has
    │   ├── HiddenArticle     a pin of an article that is hidden
    │   ├── EditConflict      a change of an article that somebody changed meanwhile
    │   ├── StoryConflict     a decision on a story on which another editor has decided since
    │   ├── UnknownReader     a reader identifier of which nothing is kept
    │   ├── UnknownName       the name of a token or a person that there is not
    │   ├── LastOwner         a removal that would leave nobody who can give rights
    │   ├── RefusedRelease    a candidate that the gate refuses
    │   └── DegenerateInput   numbers without meaning: NaN, all zero, an empty vocabulary
    ├── ArtefactError         a file that a job made                    exit code 1
    │   ├── MissingArtefact   it is not there; the message names the command that makes it
    │   ├── StaleArtefact     it was made from other inputs than the ones beside it
    │   ├── CorruptArtefact   its bytes are not the ones that were written
    │   └── SpaceMismatch     its vectors live in another space
    ├── StoreError            the database refused or is out of reach   exit code 1
    ├── Busy                  another run holds what this one needs     exit code 1
    └── LostProcess           one that trains with others has ended     exit code 1

A message has three parts: what was expected, what came instead, and what to do about it.
"""


class RecsysError(Exception):
    """The root: catch it to catch all that this project raises on purpose."""

    exit_code = 1

    def __init__(self, expected: str, got: str, remedy: str) -> None:
        self.expected, self.got, self.remedy = expected, got, remedy
        super().__init__(f"expected {expected}; got {got}. {remedy}")


class InputError(RecsysError):
    """Input that cannot be used."""

    exit_code = 2


class ConfigError(InputError):
    """A key or a value of the configuration is wrong."""


class ImportRefused(InputError):
    """No row of the file can be imported: it is empty, unreadable or of another format."""


class BadReader(InputError):
    """A reader, session or event identifier that cannot be one."""


class UnknownArticle(InputError):
    """An article identifier that the catalogue does not have."""


class DeletedArticle(UnknownArticle):
    """An article identifier whose article was deleted for good."""


class UnknownStory(InputError):
    """An identifier that neither a story nor an article of one has."""


class HiddenArticle(InputError):
    """An article identifier whose article is hidden, where it should be shown."""


class EditConflict(InputError):
    """A change of an article of which somebody has written another version meanwhile.

    Attributes:
        version: the current one; None when there is no such article.
    """

    def __init__(self, id: str, version: int | None) -> None:
        self.version = version
        got = "no article" if version is None else f"version {version}"
        remedy = "Read the article again, and make the change on that version."
        super().__init__(f"the version of {id!r:.80} that the request names", got, remedy)


class StoryConflict(InputError):
    """A decision on a story on which another editor has decided since it was read."""

    def __init__(self, by: str, did: str) -> None:
        got = f"one on which {by} has decided since: {did}"
        remedy = "Nothing of yours was written. Read the story again, and decide on that."
        super().__init__("the story as it was read", got, remedy)


class UnknownReader(InputError):
    """A reader identifier of which nothing is kept."""


class UnknownName(InputError):
    """The name of a token, or of a person, that there is not."""


class LastOwner(InputError):
    """A removal that would leave nobody who can give rights."""


class RefusedRelease(InputError):
    """A candidate that the gate refuses: it stays one, and the live release goes on serving."""


class DegenerateInput(InputError):
    """Numbers that mean nothing: NaN, all zero, or an empty vocabulary."""


class ArtefactError(RecsysError):
    """A file that a job made cannot be used."""


class MissingArtefact(ArtefactError):
    """The artefact is not there; the remedy names the command that makes it."""


class StaleArtefact(ArtefactError):
    """The artefact was made from other inputs than those that stand beside it."""


class CorruptArtefact(ArtefactError):
    """The bytes on disk are not the bytes that were written."""


class SpaceMismatch(ArtefactError):
    """Two artefacts hold vectors of different spaces and cannot be combined."""


class StoreError(RecsysError):
    """The database refused, or is out of reach."""


class Busy(RecsysError):
    """Another run holds what this one needs."""


class LostProcess(RecsysError):
    """A process that others work with has ended before them."""
