"""The event log: what the store took in, appended to Parquet files by day, each event once.

Reads the store's events by ``seq``; produces ``log/date=…/part-….parquet``, and from those the arrays that every
training job works on. Training never reads the database.
"""

from recsys.events.arrays import KINDS, UNDOUBTED, Events
from recsys.events.log import Appended, EventLog
from recsys.events.people import REPEAT_CLICK, of_people
from recsys.units import UNDATED

__all__ = ["KINDS", "REPEAT_CLICK", "UNDATED", "UNDOUBTED", "Appended", "EventLog", "Events", "of_people"]
