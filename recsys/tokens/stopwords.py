"""Words that say nothing about an article's subject: function words, and the commonest verbs of reporting.

Written for this project, by word class; Chinese ones of a single character are left out, since no word of one character
becomes a keyword. Stop words stay in the corpus, since word vectors learn from them; they are never a keyword.
"""

_DANISH = """
en et den det de der som og i at er på til af for med om fra ved over under efter før mellem mod uden hos ind ud op
ned jeg du han hun vi man mig dig ham hende os jer dem sig min mit mine din dit dine hans hendes dens dets vores deres
sin sit sine denne dette disse hvad hvem hvor hvordan hvornår hvorfor hvilken hvilket hvilke var har havde have være
været bliver blev blive blevet kan kunne skal skulle vil ville må måtte gør gøre gjorde får få fik fået ikke ingen
intet noget nogen nogle alle alt al hver hvert men eller hvis fordi når da end så også kun bare meget mere mest mange
flere få lidt nok nu her igen allerede altid aldrig endnu lige selv anden andet andre samme hele helt både enten
hverken mens inden siden sidste næste først første sammen siger sagde mener går gik kommer kom tror tage tager ser set
står stod viser to tre ny nye nyt stor store stort god gode godt år dag dage uge forvejen hjem
"""
_NORWEGIAN = """
en et ei den det de der som og i at er på til av for med om fra ved over under etter før mellom mot uten hos inn ut
opp ned jeg du han hun vi man meg deg ham henne oss dere dem seg min mitt mine din ditt dine hans hennes dens vår vårt
våre deres sin sitt sine denne dette disse hva hvem hvor hvordan når hvorfor hvilken hvilket hvilke var har hadde ha
være vært blir ble bli blitt kan kunne skal skulle vil ville må måtte gjør gjøre gjorde får få fikk fått ikke ingen
noe noen alle alt hver hvert men eller hvis fordi da enn så også bare kun mye mer mest mange flere litt nok nå her
igjen allerede alltid aldri ennå selv annen annet andre samme hele helt både enten mens innen siden siste neste først
første sammen sier sa mener går gikk kommer kom tror tar ser sett står sto viser to tre ny nye nytt stor store stort
god gode godt år dag dager uke ikkje eit ein eg ho dei frå kva korleis vere vart blei òg hjem
"""
_SWEDISH = """
en ett den det de där som och i att är på till av för med om från vid över under efter före mellan mot utan hos in ut
upp ner jag du han hon vi man mig dig honom henne oss er dem sig min mitt mina din ditt dina hans hennes dess vår vårt
våra deras sin sitt sina denna detta dessa vad vem var hur när varför vilken vilket vilka har hade ha vara varit blir
blev bli blivit kan kunde ska skulle skall vill ville måste gör göra gjorde får få fick fått inte ingen inget något
någon några alla allt varje men eller om därför eftersom då än så också bara mycket mer mest många fler flera lite nog
nu här igen redan alltid aldrig ännu själv annan annat andra samma hela helt både antingen medan innan sedan sen sista
nästa först första tillsammans säger sa sade menar går gick kommer kom tror tar ser sett står stod visar två tre ny
nya nytt stor stora stort god bra år dag dagar vecka enligt hem
"""
_GERMAN = """
der die das den dem des ein eine einer einem einen eines und in im ins an am auf aus bei beim mit nach von vom zu zum
zur für über unter vor hinter zwischen durch gegen ohne um bis seit während wegen trotz ich du er sie es wir ihr mich
dich ihn uns euch mir dir ihm ihnen sich mein meine dein sein seine seiner seinem seinen ihre ihrer ihrem ihren unser
unsere dieser diese dieses diesem diesen jener welche welcher was wer wie wo wann warum ist sind war waren bin wird
werden wurde wurden worden hat haben hatte hatten habe kann können konnte soll sollen sollte will wollen wollte muss
müssen musste darf dürfen mag nicht kein keine keinen nichts etwas alle alles allem jede jeder jedes aber oder sondern
wenn weil dass als ob denn doch da so auch nur sehr mehr viel viele wenig noch schon immer nie wieder jetzt hier dort
dann heute gestern morgen selbst andere anderen anderer gleich ganz sowie beide zwar damit dabei daran darauf dazu
letzte letzten nächste erste ersten zusammen sagt sagte geht ging kommt kam macht gibt gab steht zeigt zwei drei neu
neue neuen neuer groß große großen gut jahr jahre jahren tag tage
"""
_DUTCH = """
de het een en in op aan van voor met naar bij uit over onder tussen door tegen zonder om tot sinds tijdens na te ik
jij je hij zij ze wij we jullie u mij me hem haar ons hen hun zich mijn jouw zijn onze deze dit die dat welke wat wie
waar hoe wanneer waarom is was waren ben bent wordt worden werd werden geworden heeft hebben had hadden heb kan kunnen
kon zal zullen zou zouden wil willen wilde moet moeten moest mag mogen niet geen niets iets alle alles elk elke maar
of als omdat want dan dus ook nog al alleen zeer meer meest veel weinig genoeg nu hier daar weer altijd nooit zelf
ander andere hetzelfde heel hele beide terwijl voordat sinds laatste volgende eerst eerste samen zegt zei gaat ging
komt kwam doet maakt geeft staat ziet toont er twee drie nieuw nieuwe groot grote goed goede jaar jaren dag dagen week
"""
_FRENCH = """
le la les l un une des du de d et à au aux en dans sur sous par pour avec sans chez vers entre contre depuis pendant
avant après dès jusque je tu il elle on nous vous ils elles me te se moi toi lui leur leurs y mon ma mes ton ta tes
son sa ses notre nos votre vos ce cet cette ces ça cela celui celle ceux qui que qu quoi dont où quel quelle quels
quelles comment quand pourquoi est sont était étaient être été sera seront suis es sommes êtes a ont avait avaient
avoir eu ai as avons avez aura fait font faire faut peut peuvent pouvoir pourrait doit doivent devoir veut veulent va
vont aller ne pas plus jamais rien aucun aucune personne quelque quelques tout tous toute toutes chaque mais ou ni car
donc or si comme lorsque puisque parce alors ainsi aussi encore déjà toujours très trop moins beaucoup peu bien
seulement même mêmes autre autres ici là puis ensuite dit dernier dernière prochain premier première ensemble deux
trois nouveau nouvelle nouveaux grand grande bon an ans année jour jours selon afin face
"""
_SPANISH = """
el la los las lo un una unos unas de del y e a al en con por para sin sobre bajo entre hacia hasta desde contra
durante ante tras según yo tú él ella nosotros ellos ellas usted ustedes me te se nos os le les mi mis tu tus su sus
nuestro nuestra este esta estos estas ese esa esos esas eso esto aquel que qué quien quién cual cuál cuyo donde dónde
cómo como cuando cuándo porque es son era eran ser sido será fue fueron está están estaba estar soy ha han había haber
he hay tiene tienen tener tenía puede pueden poder podría debe deben quiere va van ir hace hacer hacen hizo no ni
nunca nada ningún ninguna algo algún alguna algunos algunas todo toda todos todas cada pero o u si sino aunque pues
también además ya aún todavía siempre muy más menos mucho mucha muchos poco así sólo solo mismo misma otro otra otros
otras aquí allí luego después antes hoy ayer mientras último última próximo primer primero primera dice dijo dos tres
nuevo nueva gran grande bueno bien año años día días
"""
_PORTUGUESE = """
o a os as um uma uns umas de do da dos das e em no na nos nas ao aos à às com por pelo pela pelos pelas para sem sobre
sob entre até desde contra durante ante após segundo eu tu ele ela nós eles elas você vocês me te se lhe lhes meu
minha seu sua seus suas nosso nossa este esta estes estas esse essa esses essas isso isto aquele aquela que quem qual
cujo onde como quando porque é são era eram ser sido será foi foram está estão estava estar tem têm tinha ter há havia
pode podem poder poderia deve devem quer vai vão ir faz fazer fez não nem nunca nada nenhum nenhuma algo algum alguma
alguns todo toda todos todas cada mas ou se embora pois também além já ainda sempre muito muita muitos mais menos
pouco assim só apenas mesmo mesma outro outra outros outras aqui ali depois antes hoje ontem enquanto último última
próximo primeiro primeira diz disse dois duas três novo nova grande bom bem ano anos dia dias
"""
_ITALIAN = """
il lo la i gli le l un uno una di del dello della dei degli delle d e ed a al allo alla ai agli alle in nel nello
nella nei negli nelle con su sul sulla sui sulle per da dal dalla dai dalle tra fra senza sotto sopra contro verso
durante dopo prima io tu lui lei noi voi loro mi ti si ci vi ne mio mia suo sua suoi sue nostro nostra questo questa
questi queste quello quella quelli che chi cui quale quali dove come quando perché è sono era erano essere stato stata
stati sarà fu ha hanno aveva avere ho c può possono potere potrebbe deve devono vuole va vanno andare fa fare fatto
non né mai niente nulla nessuno nessuna qualcosa qualche alcuni alcune tutto tutta tutti tutte ogni ma o se anche
ancora già sempre molto molti più meno poco così solo stesso stessa altro altra altri altre qui poi oggi ieri mentre
ultimo ultima prossimo primo prima dice detto due tre nuovo nuova grande buono bene anno anni giorno giorni
"""
_RUSSIAN = """
и в во не на я он она оно они мы вы ты что как это с со а но к ко у по из за от о об до для при про без под над между
через после перед его её ее их ему ей им нам вам мне меня тебя себя нас вас мой моя наш наша свой своя свои этот эта
эти того этого этой этих тот та те который которая которые которого кто где когда почему чем был была было были быть
есть будет будут может могут мог надо нужно стал стала стали же ли бы да нет ни никто ничего все всё всех весь вся
каждый или если чтобы потому так также тоже только уже ещё еще очень более менее больше много мало где там тут здесь
теперь сейчас потом опять снова сам сама другой другие самый самая один одна два две три новый новая новые первый
последний год года лет день дня сказал заявил
"""
_POLISH = """
i w we na z ze do od po o u za dla przy przez pod nad przed między bez oraz a ale lub albo czy że żeby aby bo gdy
kiedy jeśli jak jako to ten ta te tego tej tych tym który która które którego których kto co gdzie dlaczego ja ty on
ona ono my wy oni one mnie ciebie jego jej ich mu im nam nas was się siebie swój swoje swoją mój nasz jest są był była
było były być będzie będą ma mają miał mieć może mogą można musi trzeba nie ani nic nikt wszystko wszyscy wszystkie
każdy już jeszcze też także tylko bardzo więcej mniej dużo mało tak tu tam teraz potem znów znowu sam sama inny inne
inna dwa trzy nowy nowa nowe pierwszy ostatni rok roku lat dzień dni
"""
_FINNISH = """
ja on oli ovat olivat olla ollut ole ei eivät en et emme se ne hän he me te minä sinä tämä nämä tuo sen niiden hänen
heidän meidän että jos kun kuin vaan mutta tai sekä myös vielä jo nyt niin vain joka jotka jonka mikä mitä kuka missä
miksi miten kaikki moni monet muu muut muita enemmän vähemmän hyvin paljon vähän aina uusi uuden ensi viime
ensimmäinen kaksi kolme vuosi vuonna vuoden voi voivat pitää tulee saa mukaan jälkeen ennen kanssa ilman asti
"""
_TURKISH = """
ve bir bu şu o da de ile için gibi kadar daha en çok az ne mi mı mu mü ki ama ancak veya ya hem ise değil var yok olan
olarak oldu olduğu olacak olup etti edildi eden etmek sonra önce göre karşı üzerine her tüm bütün hiç bazı diğer aynı
kendi biz siz ben sen onlar onun bunun iki üç yeni büyük ilk son yıl gün dedi şey nasıl neden nerede artık hâlâ yine
"""
_INDONESIAN = """
dan di ke dari yang untuk pada dengan oleh dalam atau ini itu adalah akan telah sudah tidak bukan juga bisa dapat ada
agar karena jika saat ketika setelah sebelum hingga sampai antara sebagai seperti lebih paling sangat hanya masih
belum lagi saja para sebuah seorang ia dia mereka kami kita saya anda nya tersebut secara tentang terhadap bagi serta
namun tetapi maka pun dua tiga baru tahun hari kata
"""

_FUNCTION_WORDS = {
    "da": _DANISH,
    "no": _NORWEGIAN,
    "sv": _SWEDISH,
    "de": _GERMAN,
    "nl": _DUTCH,
    "fr": _FRENCH,
    "es": _SPANISH,
    "pt": _PORTUGUESE,
    "it": _ITALIAN,
    "ru": _RUSSIAN,
    "pl": _POLISH,
    "fi": _FINNISH,
    "tr": _TURKISH,
    "id": _INDONESIAN,
}


_ENGLISH = """
a an the this that these those such same other another each every either neither both all any some no none
i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself we us our
ours ourselves they them their theirs themselves who whom whose which what one ones someone anyone everyone something
anything everything nothing nobody
be am is are was were been being do does did done doing have has had having will would shall should can could may might
must ought cannot won't wouldn't shan't shouldn't can't couldn't mustn't isn't aren't wasn't weren't don't doesn't
didn't haven't hasn't hadn't i'm i've i'd i'll you're you've you'd you'll he'd he'll she'd she'll we're we've we'd we'll
they're they've they'd they'll it'd it'll that'll there'll who'd who'll
of in on at by for with from to into onto upon out off over under about above below between among through during before
after since until till within without against along across around behind beside besides beyond near toward towards per
via amid despite except like unlike up down
and or but nor so yet if because although though while whereas unless whether than as when where why how
not never ever only just also too very more most less least much many few little lot lots enough quite rather almost
nearly still even again already once twice here there now then today yesterday tomorrow always often sometimes usually
perhaps maybe however therefore thus hence instead otherwise indeed further furthermore meanwhile together apart away
back ago later soon ahead well yes
say says said saying tell tells told get gets got getting gotten go goes went going gone come comes came coming make
makes made making take takes took taken taking give gives gave given giving put puts see sees saw seen know knows knew
known think thinks thought want wants wanted use uses used using become becomes became let lets keep keeps kept add
adds added according including include includes included
two three four five six seven eight nine ten hundred thousand million billion first second third fourth fifth last next
new old good better best great big small long high own able several various certain many
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
october november december year years month months week weeks day days hour hours minute minutes time times
mr mrs ms dr
"""

_CHINESE = """
自己 我们 你们 他们 她们 它们 咱们 大家 人们 别人 有人 某些 这个 那个 这些 那些 这里 那里 这样 那样 这么 那么 这种
那种 哪个 哪些 哪里 什么 怎么 怎样 怎么样 如何 为何 为什么 多少 一个 一些 一种 一次 一样 一直 一定 一般 一下 一点
有点 有些 每个 各种 各个 另外 其他 其它 其中 其实 不是 就是 还是 也是 没有 不会 不能 不要 不用 不可 不得 不知 能够
可以 可能 应该 应当 必须 需要 想要 愿意 对于 关于 由于 因为 因此 所以 于是 为了 以及 以上 以下 以后 以前 以来 或者
再次 只有 只是 只要 只能 仅仅 更加 最后 最终 非常 十分 特别 极其 越来越 比较 相当 几乎 大约 大概 左右 正在 自从 到了
至于 当时 时候 时间 之前 之后 之间 之一 之外 期间 现在 目前 如今 今天 昨天 明天 今日 昨日 明日 今年 去年 明年 近日
日前 此前 此后 随后 然后 后来 曾经 已经 刚刚 即将 马上 立即 始终 总是 经常 往往 有时 偶尔 终于 但是 不过 然而 可是
而且 并且 并非 不仅 不但 甚至 尤其 虽然 尽管 即使 如果 假如 要是 除非 除了 否则 无论 不管 只不过 既然 例如 比如 等等
包括 根据 按照 通过 经过 随着 作为 成为 属于 说道 表示 认为 指出 据悉 据了解 报道 记者 介绍 看到 看来 看看 知道 觉得
发现 进行 开始 继续 出现 出来 起来 下来 下去 上去 过来 过去 作出 做出 得到 拥有 真的 事情 东西 问题 方面 情况 第一
第二 第三 這個 這些 那個 我們 你們 他們 她們 它們 沒有 為了 對於 關於 時候 開始
"""

COMPLETE = ("zh", "en")  # lists to which a site's own texts have nothing to add
STOP_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(_ENGLISH.split()),
    "zh": frozenset(_CHINESE.split()),
    **{language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()},
}
