"""Settings of the database connection."""

from pydantic import Field

from recsys.config import Section


class StoreConfig(Section):
    """Settings of the database connection."""

    url: str = Field(
        "",
        description=(
            "database URL, sqlite:///… or postgresql://…; empty: the file store.db in data_dir, which needs no server"
        ),
    )
    synchronous: str = Field(
        "full",
        pattern="^(full|normal)$",
        description=(
            "SQLite mode: full keeps every committed event through a power cut; normal is faster and may lose the "
            "last ones"
        ),
    )
