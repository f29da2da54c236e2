"""Stories: near copies of one text, of which a list holds one, and articles of one event, which are related.

Reads titles, bodies and times, in the order of time. Produces for each article its *leader*, the first copy of its text
(the article itself when it is the first), and its *story*, named by the first article of the event. The night and the
service take one article after the other by the same rules.

    text.py         an article -> units: words, or characters where a script has no blanks
    signatures.py   units -> MinHash signature; a table of signatures -> the earlier texts that share shingles
    alignment.py    two sequences of units -> what they share, and what stands between
    copies.py       the rule by which one text is a copy of another
    leaders.py      one article after the other, or a whole catalogue -> leaders; on disk

    headlines.py    where a headline is read on in the text
    terms.py        a headline -> the terms that can say which event it is about
    common_words.py words that stand in headlines of all kinds of events
    leads.py        how much of what is rare two bodies' openings share
    names.py        how surely each term is a name
    decisions.py    what editors said of pairs of articles; it holds against every score
    labels.py       rows of one event, and after which of them it is named; what editors said moves them
    editors_word.py what editors said until a moment, on disk
    evidence.py     terms, and counts of each story -> the story that explains the headline best
    records.py      what the index keeps of an article and of a story
    story_index.py  one article after the other -> stories, bounded in memory and time
    graph.py        a story -> the parts that one link alone holds together
    night.py        a whole catalogue -> stories
    story_files.py  stories and their index on disk
    similarity.py   two texts -> how surely they speak of one thing

There is nothing to set: what makes a copy or an event is the same on every site. Each constant says why it is what it
is; docs/stories.md has what was measured.
"""
