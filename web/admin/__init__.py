"""The admin API, for whoever holds a token of the role that ``web.roles`` asks for.

schemas     what comes in and goes out
handlers    who may, and releases
data        what there is, and past imports
runs        runs and schedules; run_schemas: what comes in and goes out
pipeline    the stages of training as they stand
operators   the verbs on articles and readers, and the audit
session     people sign in and out
words       nearest words, analogies, new words that wait for an editor
catalogue_map  the catalogue on a plane
people      people added, changed and removed
tokens      tokens made, listed and revoked
editorial   pins, boosts and buries with an end; editorial_schemas: what comes in and goes out
forecast    expected clicks and alerts; forecast_schemas: what goes out
front       the list of a newcomer with its figures; articles found
filing      the category and the tags that an editor gives to an article
stories     stories that are joined, split and named; story_schemas: what comes in and goes out
story_reads stories found, and one with all of its articles
"""
