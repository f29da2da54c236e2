"""The stages of training, in order: the one list that jobs, web, make and the tests go by."""

STAGES = {
    "events": "append what is new in the store to the Parquet log, and snapshot the catalogue",
    "tokens": "cut every article into words, Chinese and English",
    "words": "learn word vectors from the articles",
    "keywords": "rank each article's keywords by the votes of their vectors",
    "articles": "make a vector of each article from its keywords",
    "categories": "sort articles into categories by the nearest category mean",
    "stories": "find near copies: articles that are one text",
    "tasks": "learn other label sets (sentiment, clickbait) and label every article",
    "items": "learn item vectors from click sessions, and project articles without clicks",
    "readers": "train what foresees a reader's next click, where the settings ask for it",
    "trends": "count clicks and impressions at several half-lives",
    "features": "walk the log in time and write the click model's training matrix",
    "ctr": "fit the click model",
    "baselines": "score the held-out lists by known simple methods",
    "index": "build the nearest-neighbour index",
    "report": "draw the report: figures, curves, maps, examples",
}
