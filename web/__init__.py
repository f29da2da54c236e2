"""The web service: HTTP over one worker's live state.

Reads the settings, the store and the live release; produces a Flask application. This file imports nothing, so that
the process that only watches the workers does not load torch.

    texts          what is said to readers, in Chinese and English
    installation   what the handlers share
    forwarding     what a proxy says -> the addresses in answers
    access         a request's token -> who calls, or a refusal
    tagging        a tag -> its articles
    stories        a story -> its articles
    runs           jobs as child processes
    api            the public API, its schemas and its errors
    admin          the admin API: jobs, releases, articles, readers
    demo           the demo site
    app            all of that as one Flask application
    gateway        what stands between the sockets and Flask: deadlines, limits, admission, compression
    problem        the body of every error
    background     work that others must not notice
    metrics        the figures at /metrics
    worker         a process that answers
    process        the parent: the port, the start, workers that die
"""
