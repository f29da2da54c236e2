"""The public API.

problem_details   errors as application/problem+json
bodies            the body of a request, read strictly
schemas           what comes in and goes out
event_ingestion   a body -> events
evidence          an event and its token -> what it counts for, or why not
rates             how many events an address, a reader, an article may have
intake            all of that, for one request
serialisers       rows of the catalogue -> the items of an answer
direct            a plain request for a list -> its answer, without Flask
handlers          the calls of readers
publisher         the calls of a publisher: articles
publisher_schemas what they take and answer
publisher_docs    the same in /openapi.json, with examples
docs              /docs, a readable page of /openapi.json
"""
