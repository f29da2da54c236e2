"""Files of others -> the store: CSV, JSON and Parquet, feeds, and the folders of MIND, EB-NeRD and Adressa.

Reads files of any size in constant memory; produces articles and events, a file with the rows that could not be used,
and a summary. Every record has an identifier that follows from the file, and each batch is one transaction: an import
that is run again changes nothing, and one that was killed is finished by running it again.
"""

from recsys.imports.feed import import_feed
from recsys.imports.files import import_file
from recsys.imports.folders import import_adressa, import_ebnerd, import_mind
from recsys.imports.rejects import Summary
from recsys.imports.target import Target
from recsys.imports.values import ParseOptions

__all__ = [
    "ParseOptions",
    "Summary",
    "Target",
    "import_adressa",
    "import_ebnerd",
    "import_feed",
    "import_file",
    "import_mind",
]
