"""Word of editors on stories until a moment, on disk: for the night, and for the release that it makes.

Reads the pairs and names of the store; ``story_decisions.json`` has them in their order, with the numbers of the last
changes, so that whoever goes on from there knows what came later.
"""

from pathlib import Path
from typing import NamedTuple

from recsys.store import StoryDecision, StoryName
from recsys.stories.decisions import PairDecision
from recsys.workspace import read_json, write_json

_FILE = "story_decisions.json"


class EditorsWord(NamedTuple):
    """Word of editors on stories.

    Attributes:
        decisions: pairs, in the order in which they were made.
        decided: number of the last change among them, 0 without any.
        names: of stories, the last one last.
    """

    decisions: list[PairDecision]
    decided: int
    names: list[StoryName]

    @classmethod
    def of(cls, decisions: list[StoryDecision], names: list[StoryName]) -> "EditorsWord":
        """The same as the store has it."""
        decided = max((one.change for one in decisions), default=0)
        return cls([pair_of(one) for one in decisions], decided, names)

    def save(self, folder: Path) -> None:
        """Write the file."""
        write_json(folder / _FILE, {"decisions": self.decisions, "decided": self.decided, "names": self.names})

    @classmethod
    def load(cls, folder: Path) -> "EditorsWord":
        """Read the file; a folder without it was made when nobody had said anything."""
        if not (folder / _FILE).is_file():
            return cls([], 0, [])
        facts = read_json(folder / _FILE)
        pairs = [PairDecision(*values) for values in facts["decisions"]]
        return cls(pairs, int(facts["decided"]), [StoryName(*values) for values in facts["names"]])


def pair_of(decision: StoryDecision) -> PairDecision:
    """A decision of the store as the rules read it."""
    return PairDecision(decision.one, decision.other, decision.together)
