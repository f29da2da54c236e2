"""The console: pages at ``/console`` for editors and operators, over the admin API.

A page asks the admin API of its own application, as whoever is signed in, and shows the answer: nothing can be done
here that the API cannot do, and rights, checks and the audit stand once. ``python -m web.roles`` lists whom each page
is for.

words      everything that the pages say, in Chinese and English; newsroom_words and operator_words: of later pages
calls      a call of the API by the caller of a page
pages      what every page needs, and how errors are said
tables     tables as CSV, small charts
signing    sign-in and sign-out; openid: by a provider
runs       runs and schedules
pipeline   the stages as one picture
releases   releases and their reports
experiments  begun, looked at over time, stopped; verdicts: their outcome in a sentence
data       what there is, and imports; problem_words: problems of the API in Chinese
people     tokens, people, the audit
recent     the last events, counted once for all pages
figures    requests and times of the telemetry
overview   the first page: what is, and what needs a person
front      the front list and what editors decided on it
articles   articles, their state and their neighbours
stories    stories: found, joined, split, named
vocabulary nearest words, new words, drift; the map of the catalogue
tracing    the way of an article towards a reader's list
site       all pages as one blueprint
"""
