"""The demo site: a newspaper that installs the widget as any other site would.

art        a picture for an article that has none
pages      what the site shows and asks for
newsroom   the answers to that
site       the pages
"""
