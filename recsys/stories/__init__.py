"""Stories: near copies of one text, of which a list holds one.

Reads titles and bodies in the order of time; produces for each article its *leader*, the first copy of its text: the
article itself when it is the first. The night and the service take one article after the other by the same rule.

    text.py        an article -> units: words, or characters where a script has no blanks
    signatures.py  units -> MinHash signature; a table of signatures -> the earlier texts that share shingles
    alignment.py   two sequences of units -> what they share, and what stands between
    copies.py      the rule by which one text is a copy of another
    leaders.py     one article after the other, or a whole catalogue -> leaders; on disk

There is nothing to set: what makes a copy is the same on every site. Each constant says why it is what it is.
"""
