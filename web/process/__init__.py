"""The processes of ``python -m web``: a parent that answers for nobody else, and workers that do.

    folder       where a running service leaves what its workers and a second start must know
    port         host and port -> an address that one service holds, or who holds it
    doorkeeper   answers "starting" while no worker is ready
    supervisor   starts workers, starts them again, and has them succeeded
    life         one worker, from its birth to its end
    nursery      the parent's side of the process that forks them
    forking      that process: it loads once what all workers share

The parent holds the address, and each worker gets a socket there on which it listens when it is ready, so that nobody
comes to a worker that starts, and no second service slips in beside the first. A successor gets its predecessor's
socket. The parent loads no model, no Flask and no database.
"""
