"""Files of the report: a page and a language -> a name; for the job that writes them and the console."""

PAGES = ("index", "words", "keywords", "categories", "click_model", "next_click", "data")
LANGUAGES = ("zh", "en")


def file_name(page: str, language: str) -> str:
    """The file of a page: ``words.html`` in English, ``words.zh.html`` in Chinese."""
    return f"{page}.html" if language == "en" else f"{page}.{language}.html"
