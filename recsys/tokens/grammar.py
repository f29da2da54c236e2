"""Prior knowledge of English word classes: function words, a few sure words, endings, contexts.

Written for this project from an English grammar's chapter headings, not from data. Shares stand in the order noun,
verb, adjective, adverb; a text moves them (``recsys.tokens.classes``).
"""

Shares = tuple[float, float, float, float]

_FUNCTION = """
a an the this that these those such same other another each every either neither both all any some no none
i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself we us our
ours ourselves they them their theirs themselves who whom whose which what someone anyone everyone something anything
everything nothing nobody
be am is are was were been being do does did done doing have has had having will would shall should can could may might
must ought cannot won't wouldn't can't couldn't isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't
i'm i've i'd i'll you're you'll he'd he'll she'd she'll we're we've we'd we'll they're they've they'd they'll it'll
that'll there'll
of in on at by for with from to into onto upon out off over under about above below between among through during before
after since until till within without against along across around behind beside besides beyond near toward towards per
via amid despite except like unlike up down
and or but nor so yet if because although though while whereas unless whether than as when where why how
not never ever only just also too very more most less least much many few there here then now thus hence therefore
however i.e e.g et al etc
"""

_NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion dozen
"""

_NOUNS = """
time year people way day man thing woman life child world school state family student group country hand part place
case week company system program government number night point home water room mother area money story fact month lot
book eye job word business issue side kind head house service friend father power hour game line end member law car
city community name president team minute idea body information parent face others level office door health person art
war history party result morning reason research girl guy moment air teacher force education police market price bank
minister court director election union tax oil film music match player method model data process theory analysis
network algorithm structure approach problem application technique property effect function design performance
material energy temperature pressure solution cell surface field science computer software
"""

_VERBS = """
make made take took taken give gave given get got go went gone come came see saw seen know knew known think thought
say said tell told ask asked find found become became becomes leave left put keep kept let begin began begun seem
seemed help show showed shown hear heard play run ran move live believe hold held bring brought happen happened write
wrote written provide provided sit stand stood lose lost pay paid meet met include included includes including continue
set learn lead led understand watch follow stop create speak read allow add spend grow open walk win won offer remember
consider appear appeared buy bought wait serve die died send sent expect build stay fall fell cut reach kill remain
suggest suggested raise pass sell sold require required decide return explain hope develop carry break receive agree
support hit produce eat cover catch draw choose cause describe describes proposed propose present presents obtain
obtained use used using based shows discuss discussed compare compared apply applied introduce introduced demonstrate
investigate investigated examine argue announced warned want wanted according making taking giving going coming
"""

_ADJECTIVES = """
good new first last long great little own old right big high different small large next early young important public
bad able best better low late hard major economic strong possible whole free military true federal international full
special easy clear recent certain personal open red difficult available likely short single medical current wrong
private past foreign fine common poor natural significant similar hot dead central happy serious ready simple left
physical general environmental financial blue democratic dark various entire close legal religious cold final main
green nice huge popular traditional cultural global local national political social human black white british american
european linear optimal efficient numerical experimental theoretical mathematical complex finite nonlinear dynamic
thermal chemical electronic digital magnetic optical several
"""

_ADVERBS = """
very often usually really early always sometimes together simply generally instead actually again rather almost
especially quickly probably already directly else easily eventually exactly certainly normally currently extremely
finally constantly properly soon specifically ahead daily highly immediately relatively slowly fairly primarily
completely ultimately widely recently seriously frequently fully mostly naturally nearly occasionally carefully clearly
essentially possibly slightly somewhat equally perhaps still even well away back later yesterday today tomorrow ago
"""

_CONTEXTS_LEFT: dict[str, Shares] = {
    "a an the this that these those my your his her its our their whose some any no every each another": (
        0.68,
        0.02,
        0.28,
        0.02,
    ),
    "will would shall should can could may might must cannot don't didn't doesn't won't can't couldn't wouldn't i'll "
    "he'll we'll they'll": (0.1, 0.8, 0.03, 0.07),
    "to": (0.35, 0.6, 0.03, 0.02),
    "i you he she we they who": (0.05, 0.8, 0.02, 0.13),
    "be am is are was were been being isn't wasn't less as": (0.1, 0.4, 0.35, 0.15),
    "very more most too so": (0.1, 0.1, 0.6, 0.2),
    "of in on at by for with from into between among through during against": (0.6, 0.1, 0.27, 0.03),
}
_CONTEXTS_RIGHT: dict[str, Shares] = {
    "is are was were be been will would can could may might must has have had should": (0.9, 0.02, 0.02, 0.06),
    "of": (0.88, 0.06, 0.04, 0.02),
    "the a an his her their its this that my our these him them me us it": (0.1, 0.75, 0.05, 0.1),
    "to by": (0.4, 0.45, 0.1, 0.05),
}
AFTER_CLASS: tuple[Shares, ...] = (  # what follows a noun, verb, adjective, adverb
    (0.5, 0.35, 0.07, 0.08),
    (0.42, 0.06, 0.37, 0.15),
    (0.75, 0.03, 0.2, 0.02),
    (0.1, 0.55, 0.3, 0.05),
)
BEFORE_CLASS: tuple[Shares, ...] = (  # and what stands before one
    (0.4, 0.14, 0.44, 0.02),
    (0.85, 0.02, 0.03, 0.1),
    (0.15, 0.5, 0.2, 0.15),
    (0.25, 0.6, 0.1, 0.05),
)
# a word with another ending than "ly", "ward" and "wise" is an adverb only when it is one of the sure words
_ENDINGS: dict[str, Shares] = {
    "tion sion ment ness ity ism ist ance ence ship hood ure ics ology graphy or": (0.85, 0.05, 0.05, 0.0),
    "ous ful less able ible ical ish ese like -based -year-old": (0.05, 0.05, 0.85, 0.0),
    "ward wise": (0.05, 0.05, 0.05, 0.85),
    "ize ise ify ized ised izes ifies": (0.05, 0.85, 0.05, 0.0),
    "ies": (0.85, 0.1, 0.03, 0.0),
    "s": (0.75, 0.24, 0.005, 0.0),
    "ed": (0.03, 0.72, 0.25, 0.0),
    "ing": (0.35, 0.5, 0.15, 0.0),
    "ly": (0.05, 0.01, 0.09, 0.85),
    "al ic ive": (0.25, 0.01, 0.74, 0.0),
    "ary": (0.3, 0.01, 0.68, 0.0),
    "ent ant": (0.37, 0.08, 0.54, 0.0),
    "er": (0.75, 0.05, 0.2, 0.0),
    "ian": (0.5, 0.01, 0.48, 0.0),
    "age": (0.85, 0.13, 0.01, 0.0),
}


def _each(groups: dict[str, Shares]) -> dict[str, Shares]:
    return {word: shares for words, shares in groups.items() for word in words.split()}


ENGLISH_FUNCTION_WORDS = tuple(dict.fromkeys(_FUNCTION.split()))
NUMBER_WORDS = frozenset(_NUMBERS.split())
SURE_WORDS = tuple(tuple(words.split()) for words in (_NOUNS, _VERBS, _ADJECTIVES, _ADVERBS))
LEFT_OF, RIGHT_OF = _each(_CONTEXTS_LEFT), _each(_CONTEXTS_RIGHT)  # what follows the word; what it follows
ENDINGS = _each(_ENDINGS)
OTHERWISE: Shares = (0.6, 0.2, 0.17, 0.0)  # a word without a telling ending
