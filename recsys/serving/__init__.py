"""Serving: the live state of one worker, over one release and the store as it is now.

Reads the store, the releases and the rooms that an answer needs; produces lists. It knows no web framework: the
service, the benchmarks and the tests hold a ``LiveState`` alike.

    config           the sections of the configuration that are read here
    encoder          a new article -> the same, and its vectors
    artefacts        a release's files, loaded
    live_stories     where an article that comes belongs, and what editors say of it
    snapshot         one release's models, and what they say of a new article
    state            one site's catalogue, counts and item tables over a snapshot
    reader_memory    the readers and sessions seen last
    day_clicks       the people who clicked each article today
    audiences        a click, and what its reader had clicked before -> the audience of an article
    feed             the store's events and changed articles -> the state
    checkpoint       a state <-> the disk, so that a start goes on where a worker stood
    release_loader   a release -> a state, and the one that was refused
    memory           unused memory -> the system
    database         the identity of the open database file
    live             all of that, kept fresh: a worker's answers
    today            the list of today's most clicked
    warmup           the machine code of serving, before the first request
"""
