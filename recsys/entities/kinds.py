"""Names and their types, as the rules without labels have them; a label file has its own types."""

from typing import NamedTuple

PERSON, PLACE, ORGANISATION, UNKNOWN = "person", "place", "organisation", ""


class NamedEntity(NamedTuple):
    """A name in its written form, and its type: "" where nothing tells it."""

    text: str
    type: str
