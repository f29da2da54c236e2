"""``queued-import``: the import that a queued run describes, of a file that was sent or an address.

Reads the run's row and, in the data folder, ``uploads/``; produces what ``python -m jobs import`` does with the same
options. A file that was sent is removed once its import has succeeded.
"""

from pathlib import Path

import typer

from jobs import imports
from jobs.runner import Context
from jobs.runs import exclusive_run
from recsys.errors import InputError
from recsys.imports.fetch import fetch
from recsys.runs.commands import IMPORT, import_arguments
from recsys.runs.uploads import upload_file

MAX_BYTES = 1 << 28  # of a file at an address
MAX_SECONDS = 600.0


def command(context: Context, run_id: str, config: Path | None) -> None:
    """Import what a run's parameters name.

    Raises:
        InputError: the file that was sent is not there, or the options do not fit it.
        ImportRefused: see ``python -m jobs import``; of an address, too, when it cannot be read.
    """
    with exclusive_run(context, IMPORT, run_id) as run:
        params, settings = run.params, context.settings
        file = upload_file(settings.data_dir, str(params.get("upload") or run.id), str(params["format"]))
        if params["format"] == "feed":
            source = str(params["url"])
        else:
            source = str(file)
            if "url" in params:
                fetched = fetch(str(params["url"]), max_bytes=MAX_BYTES, max_seconds=MAX_SECONDS)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(fetched.content)
            elif not file.is_file():
                remedy = "Send it again; hosts that share runs must share the data folder."
                raise InputError("the file that was sent", f"none at {file}", remedy)
        arguments = import_arguments(params, source)
        if config is not None:
            arguments = [arguments[0], "--config", str(config), *arguments[1:]]
        typer.main.get_command(imports.app).main(arguments, standalone_mode=False)
        file.unlink(missing_ok=True)
