"""The widget ``<guess-you-like>``: one script that any site may install.

script      its parts -> one script, its version and its integrity
handlers    the script at its two addresses, and a picture for an article that has none
parts/      words, style, keeping (consent and what is kept), making, trouble (why there is no list), list, cards

``python -m web.widget`` prints the lines that install it.
"""
