"""Data quality: what a site's articles, events and past imports hold, and what is missing or odd in them.

Reads the event log with what the store has beyond it, the catalogue, and the records of past imports; produces figures
that the command ``data``, the report and an import's last lines show. It is a room of its own because it judges the
data, not a model: everything from ``tokens`` on may be missing when it is asked.

    phrases.py    numbers, shares and times as people read them
    history.py    one import -> a JSON file of the data folder -> all of them
    closing.py    one import -> the three sentences that it ends with
    reading.py    log and store -> one table of events
    events.py     that table -> how many, when, late, without a known article
    articles.py   the catalogue -> languages, missing fields, twins
    profile.py    all of that
    summary.py    the same as a few lines for a terminal
"""
