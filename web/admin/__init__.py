"""The admin API, for whoever holds a token of the role that ``web.roles`` asks for.

schemas     what comes in and goes out
handlers    who may, and releases
runs        runs and schedules; run_schemas: what comes in and goes out
operators   the verbs on articles and readers, and the audit
session     people sign in and out
tokens      tokens made, listed and revoked
editorial   pins, boosts and buries with an end; editorial_schemas: what comes in and goes out
forecast    expected clicks and alerts; forecast_schemas: what goes out
stories     stories that are joined, split and named; story_schemas: what comes in and goes out
"""
