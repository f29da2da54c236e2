"""``python -m web.widget [ADDRESS]``: the lines that install the widget as it is in this version."""

import sys

from web.widget.script import widget_script

if __name__ == "__main__":
    print(widget_script().lines(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
