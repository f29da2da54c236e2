"""Words that stand in headlines of all kinds of events, by their terms.

Written for this project: the commonest words of an English grammar (``recsys.tokens.grammar``) and those of news desks
(courts, markets, politics, sport, entertainment, technology). They tell little of an event before an index has seen
enough stories to know that itself; in other languages it has to see them.
"""

from recsys.stories.terms import stem
from recsys.tokens.grammar import NUMBER_WORDS, SURE_WORDS

_HEADLINES = """
report reports reported update updated updates exclusive breaking live video videos photo photos picture pictures watch
review reviews preview recap interview guide list reason reasons thing things fact facts tip tips question questions
answer answers opinion analysis editorial blog quiz
announce announces announced launch launches launched unveil unveils reveal reveals revealed release released releases
confirm confirms deny denies claim claims warn warns call calls plan plans planned seek seeks face faces hit hits
rise rises rose fall falls fell drop drops jump jumps climb climbs gain gains lose loss losses win wins beat beats
top tops record high low higher lower best worst biggest largest latest early ahead
price prices stock stocks share shares market markets sale sales profit revenue earnings cost costs deal deals company
companies firm firms business million billion percent quarter annual growth rate rates data figure figures fund funds
investor investors bank banks
police court judge trial arrest arrested charge charged suspect attack attacks kill kills killed dead death deaths die
dies died injured crash fire shooting president minister government state country nation official officials leader
leaders vote election law bill party congress senate
star stars fan fans show shows film movie movies song album music award awards season episode series finale premiere
trailer celebrity actor actress singer team teams game games match player players coach final score goal league cup
phone app apps device devices user users internet online website tech technology software feature features version
study research researchers scientists expert experts health hospital patient patients doctor doctors school student
students child children man men woman women boy girl mother father son daughter wife husband family baby couple teen
people city town home house car cars road street water food weather storm
make makes help helps need needs start starts begin begins end ends open opens close closes change changes move moves
turn turns set sets look looks today tonight morning night weekend spring summer fall winter
"""
COMMON_TERMS = frozenset(
    stem(word) for word in [*_HEADLINES.split(), *NUMBER_WORDS, *(word for words in SURE_WORDS for word in words)]
)
