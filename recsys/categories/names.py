"""Names of the categories that news sites use, in Chinese and in English.

The pages show them (``web.texts``), and a tag is found by each of them (``recsys.tags.synonyms``).
"""

CATEGORY_NAMES: dict[str, tuple[str, str]] = {  # id -> (Chinese, English)
    "sports": ("体育", "Sports"),
    "finance": ("财经", "Finance"),
    "business": ("财经", "Business"),
    "entertainment": ("娱乐", "Entertainment"),
    "cars": ("汽车", "Cars"),
    "autos": ("汽车", "Cars"),
    "auto": ("汽车", "Cars"),
    "tech": ("科技", "Technology"),
    "technology": ("科技", "Technology"),
    "news": ("要闻", "News"),
    "sport": ("体育", "Sport"),
    "politics": ("政治", "Politics"),
    "world": ("国际", "World"),
    "society": ("社会", "Society"),
    "science": ("科学", "Science"),
    "health": ("健康", "Health"),
    "lifestyle": ("生活", "Lifestyle"),
    "foodanddrink": ("美食", "Food & Drink"),
    "travel": ("旅行", "Travel"),
    "weather": ("天气", "Weather"),
    "video": ("视频", "Video"),
    "tv": ("电视", "Television"),
    "movies": ("电影", "Film"),
    "music": ("音乐", "Music"),
    "kids": ("少儿", "Children"),
    "games": ("游戏", "Games"),
    "northamerica": ("北美", "North America"),
    "middleeast": ("中东", "Middle East"),
}
ENGLISH_OF = dict(reversed(CATEGORY_NAMES.values()))
