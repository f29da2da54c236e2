"""Report: what was trained and how good it is, as a few pages that need nothing beside them.

Reads figures, losses, vectors, keywords and judgements; produces SVG pictures and HTML pages. Tables are made with
pandas, which no other part of a running service loads.

    files.py        the names of the pages' files
    page.py         sections of pictures, tables and examples -> HTML files with one look
    charts.py       numbers -> SVG
    overview.py     all pages; the first: counts, gaps, ranking, maps of the articles
    data.py         what came in, what is missing in it, and what was odd
    next_click.py   the click model beside the baselines
    click_model.py  how the click model learned, what it needs, and how it compares with the previous release's
    text.py         how good the word vectors are, which words are new; keywords of some articles
    chinese.py      pages in English -> the same in Chinese, by the tables of names.py and texts.py (with its two parts,
                    data_texts.py and model_texts.py)
    categories.py   how good the classifiers are, and where they are wrong
"""
