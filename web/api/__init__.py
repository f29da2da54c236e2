"""The public API.

problem_details   errors as application/problem+json
schemas           what comes in and goes out
event_ingestion   a body -> events
serialisers       rows of the catalogue -> the items of an answer
handlers          the calls
docs              /docs, a readable page of /openapi.json
"""
