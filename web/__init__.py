"""The web service: the public API, the admin API and the demo site, over one worker's live state.

Reads the settings, the store and the live release; produces a Flask application. This file imports nothing, so that
the process that only watches the workers does not load torch.

    problems       errors as application/problem+json
    schemas        what comes in and goes out; admin_schemas of the admin API
    traits         a release's articles -> keywords, categories, labels
    encode         a new article -> the same, and its vectors
    parts          a release's files, loaded
    world          a release over the catalogue
    database       whether the database's file is still there
    memory         readers and sessions
    counting       the store's events -> what a world has learned of them
    warm           the machine code of serving, before the first request
    live           all of that, kept fresh
    installation   what the handlers share
    today          today's most clicked
    tagging        a tag -> its articles
    cards          rows -> the items of an answer
    intake         a body -> events
    api, admin     the calls
    operators      the admin API's verbs on articles and readers
    docs           /docs, a readable page of /openapi.json
    runs           jobs as child processes
    pages          what the demo site shows and asks for
    newsroom       the answers to that
    site           the demo site
    app            all of that as one Flask application
    worker         what granian calls in each process
"""
