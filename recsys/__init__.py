"""An embedding-based news recommender: the map of its rooms.

The rule: **import only upstream.** A room may use the rooms listed above it and nothing else; what comes back (a
reader's clicks) comes back through the disk or the database, never through an import. ``jobs`` and ``web`` use
``recsys`` and never each other. ``tests/test_layers.py`` reads this list and every import, and fails on an arrow that
points down, on an import hidden in a function, and on a file whose room is not listed.

  ground
    errors       what can go wrong, as one tree
    units        units of time, and the sentinels
    hashing      values of fields -> ids that are the same everywhere
    keys         the secrets of a data folder, made once and rotated
    telemetry    counters and timers -> the text of /metrics, for all workers together
    names        a wrong name -> the nearest valid one; the names of all settings, with nothing installed
    config       a frozen, validated section of settings per room
    parallel     a function over batches, in order -> processes of this machine, or of a Ray cluster
    logs         events -> log lines, without secrets and readers
    missing      the words that stand for no value
    times        written times -> ms UTC
    markup       HTML and entities -> plain text
    compiled     loops over events -> machine code
    devices      CPU or GPU; sums on one thread
    languages    codes of any standard -> one code; a text -> its language; a stored sentence -> Chinese

  data
    store        articles, events, readers, runs: SQLite or PostgreSQL
    workspace    the folder where each stage leaves its files for the next
    releases     the stages' files -> one immutable, checked release
    runs         the stages in their order; the life of a run -> rows, child processes, logs; schedules -> runs
    imports      tables, JSON, feeds, MIND, EB-NeRD, Adressa -> store
    events       store -> a Parquet log by day -> arrays in time order
    quality      log, store and past imports -> what there is, and what is missing or odd

  text
    tokens       text -> tokens, in any language
    words        tokens -> word vectors
    entities     labelled sentences -> names and parts of speech in texts
    keywords     tokens + word vectors -> ranked keywords
    articles     keywords + word vectors -> article vectors
    classifiers  labelled texts -> calibrated classifiers of any label set
    categories   article vectors -> category and confidence
    stories      titles, bodies and times -> copies of one text, articles of one event
    tags         keywords and categories -> articles by tag, a reader's tags, related tags

  clicks
    items        click sessions + article vectors -> item vectors
    readers      a reader's last clicks -> reader vector
    trends       the stream of events -> live counts
    forecast     counts by time -> expected clicks with bands, and what is out of the ordinary

  ranking
    features     reader, article, context -> columns and ids, the same for training and serving
    dataset      a log -> impressions, their split in time, training rows by one replay
    metrics      labels and scores -> figures; knows no model
    ctr          columns and ids -> P(click)
    index        vectors -> nearest neighbours

  serving
    catalogue    articles of the store, what the models say of them -> columns and masks
    recommend    reader -> list with reasons
    experiments  arms of readers -> settings of their lists; what they did -> differences that hold at every look
    serving      a release, the store as it is now -> live answers

  judging
    baselines    known simple methods -> scores of the same lists
    evaluate     held-out impressions, or a replayed log -> figures of every model
    gate         a candidate, the live release, held-out lists -> a verdict
    report       figures -> pictures and one page

  demo
    simulate     seed -> readers of known tastes
    demo         the demo newsroom's articles
    settings     every section, the files and the environment -> one configuration
"""

__version__ = "0.18.0"
