"""The words by which `core.voice` tells what is asked, answered, put off and merely polite, in four languages.

All of them are folded (`core.text.fold`): without accents, in small letters.
"""

from __future__ import annotations

import re
from typing import Literal

#: what a question is after
Kind = Literal["whether", "time", "amount", "why", "how", "where", "what"]


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: words that tell nothing of what is spoken about
EMPTY = _listed(
    "the and for are was were you your yours our ours his her its their they them she him who whom what when where why "
    "how which that this these those there here with from have has had having not don't doesn't didn't isn't aren't "
    "can't won't i'm i've it's you're we're that's what's can could will would shall should may might must does did "
    "doing done been being but than then too very just also only even still any some all more most much many such "
    "into onto over under about out off get got getting let us use using like know want need please thanks thank hey "
    "hello really again one way thing things guys anyone someone something anything because now ever never going "
    "der die das den dem des ein eine einen einem einer und oder aber ist sind war waren sein bin bist habe hat haben "
    "hatte ich wir ihr sie euch uns mein meine meinen dein ihre euer eure nicht kein keine mit von fur auf aus "
    "bei nach "
    "zum zur was wer wie wann warum wieso weshalb wo kann konnen konnt konnte wird werden wurde soll muss dass noch "
    "schon mal auch nur sehr bitte danke hallo man mir mich dir dich ihnen diese dieser dieses denn doch wenn "
    "les des une est sont etait etes suis avez avons ont que qui quoi quand comment pourquoi combien pour par avec "
    "sans dans sur pas plus mais vous nous mon mes ton tes son ses votre vos notre nos leur cette ces cela c'est ca "
    "merci bonjour svp peut peux puis pouvez fait faire tres bien encore aussi "
    "los las una uno unos unas esta este esto ese eso son ser estar estoy tengo tiene tienen hay que quien cual cuando "
    "donde como por para con sin del pero mas muy mi mis su sus nos ustedes usted puede puedo pueden gracias "
    "hola favor "
    "tambien todavia porque"
)
#: what support says to everybody
COURTESY = _listed(
    "sorry apologies apologise apologize hear help helping happy glad reach reaching contact feedback team appreciate "
    "patience concern concerns inconvenience assist assistance further details detail information info look looking "
    "message send sending direct private follow number account email address understand frustration frustrating "
    "experience issue issues service support customer check best back welcome great good day enjoy hope right folks "
    "pass passed share shared sharing let's shout come cheers regards thanks touch note steps try "
    "leid entschuldigung entschuldige entschuldigen gerne gern helfen hilfe melde melden nachricht schicke schreib "
    "schreibe daten nummer kunden anliegen team tut dank vielen freundliche grusse guten tag verstehen unannehmlich "
    "desole desolee desoles excuses aider aide message prive contacter merci cordialement bonne journee numero "
    "compte equipe disposition inviter inconvenients "
    "siento lamentamos sentimos disculpa disculpas ayuda ayudar ayudarte mensaje directo privado contacto numero "
    "cuenta equipo saludos gracias molestias atencion cliente envianos escribenos"
)

#: what a question is after, told by the words it is made of
KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "amount",
        re.compile(
            r"\bhow (?:much|many|long|often|far|old|big)\b|\bwhat (?:price|cost)|\bwie ?(?:viele?|lange?|oft|teuer)\b"
            r"|\bcombien\b|\bcuant[oa]s?\b|\bwas kostet\b"
        ),
    ),
    (
        "time",
        re.compile(
            r"\bwhen (?!i |we |my |this |the |you |it )|\bwhat (?:time|day|date)\b|\bhow soon\b|\beta\b"
            r"|\bwann\b|\bquand\b|\bcuando\b|\ba quelle heure\b"
            r"|\ba que hora\b|\bum wie viel uhr\b"
        ),
    ),
    ("why", re.compile(r"\bwhy\b|\bhow come\b|\bwarum\b|\bwieso\b|\bweshalb\b|\bpourquoi\b|\bpor que\b")),
    (
        "where",
        re.compile(
            r"\bwhere\b|\bwo\b|\bwohin\b|\bwoher\b|\bou (?:est|sont|puis|peut|se|trouver)\b|\badonde\b|\bdonde\b"
        ),
    ),
    ("what", re.compile(r"^(?:what|which|who|was|wer|welche\w*|que|qui|quelle?s?|cual|cuales|quien)\b")),
    ("how", re.compile(r"\bhow (?:do|does|can|could|to|would|should|am|are|is)\b|\bwie\b|\bcomment\b|\bcomo\b")),
)
TIMES = (
    r"\b(?:today|tonight|tomorrow|yesterday|now|soon|shortly|already|yet|later|minutes?|hours?|days?|weeks?"
    r"|months?|years?"
    r"|date|eta|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|june|july|august"
    r"|september|october|november|december|heute|morgen|gestern|jetzt|gleich|bald|bereits|minuten?|stunden?|tagen?|tage"
    r"|wochen?|monaten?|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|aujourd'hui|demain|hier|bientot"
    r"|heures?|jours?|semaines?|mois|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|hoy|manana|ayer|ahora|pronto"
    r"|horas?|dias?|semanas?|mes|meses|lunes|martes|miercoles|jueves|viernes|sabado|domingo)\b"
)
#: what a text must hold to answer each kind, over its folded sentences that do not ask
SIGNS: dict[Kind, re.Pattern[str]] = {
    "whether": re.compile(
        r"\b(?:yes|yep|yeah|yup|nope|no|(?<!make )(?<!be )sure|absolutely|definitely|certainly|indeed|correct|exactly"
        r"|unfortunately|afraid"
        r"|cannot|able|unable|you'll|you will|possible|of course|ja|nein|leider|naturlich|klar|gerne|doch"
        r"|moglich|oui|non|"
        r"malheureusement|bien sur|possible|si|claro|lamentablemente|desafortunadamente|posible)\b"
        r"|\b(?:can|won|don|doesn|isn|aren|hasn|haven)'t\b|\b(?:is|are|do|does|will|can) not\b"
    ),
    "time": re.compile(rf"{TIMES}|\d"),
    "amount": re.compile(rf"\d|\b(?:free|kostenlos|gratis|gratuit\w*|unlimited)\b|{TIMES}"),
    "why": re.compile(
        r"\b(?:because|due to|we (?:just )?(?:want|need) to|so (?:we|you) can|to (?:make sure|ensure|avoid"
        r"|prevent|improve)|since|caused?|reason|as a result|in order to|so that|weil|wegen|aufgrund|grund|damit"
        r"|parce que|a cause|car|en raison|afin|debido|porque|ya que|causa)\b"
    ),
    "how": re.compile(
        r"\b(?:try|tap|click|go to|head to|select|open|settings|steps|restart|reinstall|log in|you can|you'll need"
        r"|klicke?n?|offnen?|gehen sie|geh|einstellungen|du kannst|sie konnen|cliquez|allez|ouvrez|vous pouvez"
        r"|parametres|haz clic|abre|abra|ve a|puedes|puede|ajustes)\b"
    ),
    "what": re.compile(r"\b(?:looks|sounds) (?:good|great|like|nice|cool|right)\b"),
    "where": re.compile(r"\b(?:near|nearest|located|address|online|website|filiale|standort|adresse|sitio|tienda)\b"),
}
#: a question in its form, an answer in what it says
ADVISES = re.compile(
    r"\b(?:can|could|would|have|did) you (?:please |also )?(?:try|tried)\b|\b(?:konntest|konnen|kannst|konnten) "
    r"(?:du|sie)"
    r" .*\b(?:versuchen|probieren)\b|\b(?:pouvez|avez) vous (?:essayer|essaye)\b|\b(?:puedes|has) (?:probar|probado)\b"
)
#: a link with such words leads to us and not to an answer
ASKS_CONTACT = re.compile(
    r"\b(?:dms?|send us|reach out|contact us|tell us more|message us|note (?:at|via)|email address|username"
    r"|schreib\w* uns"
    r"|kontaktier\w*|contactez|envoyez|envianos|contactanos|contactenos)\b"
)
#: saying that we do not know is an answer
KNOWS_NOT = re.compile(
    r"\b(?:don't|do not|no|any) (?:\w+ )?(?:info|information|news|details|eta)\b|\bwe don't know\b"
    r"|\bwissen wir (?:\w+ )?nicht\b|\bkeine (?:info|information)\w*|\bne savons pas\b|\bpas d'information|\bno "
    r"sabemos\b"
    r"|\bno tenemos (?:\w+ )?informacion\b"
)
PUTS_OFF = re.compile(
    r"\bdms?\b|\bdirect message|\b(?:private|privates?|privee?|privad[oa]) |\bpn\b|\blook(?:ing)? into\b|\bfind out\b"
    r"|\b(?:will|we'll|i'll) (?:\w+ )?(?:check|look|ask|get back|investigate)\b|\blet (?:us|me) know\b(?! (?:if"
    r"|how|should))|\bpass\w* .{0,40}?\b(?:on|along|to)\b|\bshared? your\b|\baware of\b|\bworking on\b"
    r"|\b(?:send|give|call) us\b"
    r"|\b(?:prufen|schauen|klaren|melden) (?:wir|uns|es|das)\b|\bnous (?:verifions|allons|regardons)\b"
    r"|\b(?:revisaremos|verificaremos|consultaremos|envianos)\b"
)
#: asked of nobody: out of joy, out of anger, or as a greeting
RHETORICAL = re.compile(
    r"\b(?:kidding|joking|wtf|the (?:hell|fuck|heck)|on earth|seriously|really serious)\b|\bare you serious\b"
    r"|\bhow (?:cool|great|amazing|awesome|cute|nice|lovely|sweet|good|funny) (?:is|are|was)\b|\bhow are (?:you"
    r"|things)\b"
    r"|\bhow is (?:this|that|it) (?:ok|okay|acceptable|fair|legal|even)\b|\bwho (?:else|doesn't)\b|\bguess what\b"
    r"|\bhow can i (?:ever )?thank\b|\bwhat would i do without\b|\bwie geht es\b|\bwie geht's\b|\bim ernst\b"
    r"|\bspinnt ihr\b|\bist das euer ernst\b|\bwie (?:cool|toll|schon) ist\b|\bca va\b|\bcomment allez\b"
    r"|\bc'est une blague\b|\bcomo estas?\b|\bque tal\b|\bes (?:una )?broma\b|\ben serio\b"
)
UNMARKED = {
    "en": re.compile(
        r"(?:hi |hey |hello |so |and |but |also |please )*(?:(?:how|when|where|why|what|which|who) (?:do|does"
        r"|did|can|could|is"
        r"|are|will|would|should|much|many|long) |(?:can|could|will|would|do|does|is|are) (?:you|i|we|there) )"
    ),
    "de": re.compile(
        r"(?:hallo |hi |und |aber )*(?:(?:wie|wann|wo|warum|wieso|weshalb|was) (?:kann|konnen|ist|sind|wird|werden"
        r"|komm\w+|lange|viel|habt|bekomme) |(?:kann|konnt|konnen|habt|gibt|wird) (?:ich|ihr|sie|man|es|mir|mein\w*) )"
    ),
    "fr": re.compile(
        r"(?:bonjour |salut |et )*(?:est ce que |(?:comment|quand|pourquoi|combien) "
        r"|(?:pouvez|avez|pourriez) vous |puis je )"
    ),
    "es": re.compile(
        r"(?:hola |y )*(?:(?:como|cuando|donde|cuanto|cual) (?:puedo|puede|es|esta|se|sera|van?) "
        r"|(?:pueden|podrian|podeis) )"
    ),
}
LINK = re.compile(r"https?://\S")
#: a run up to its end; a full stop between figures or in an address ends nothing
SENTENCE = re.compile(r"(?:[^.!?？؟\n]|[.!?](?=\w)|(?<!\.)\.{2,}+(?=\s*+\w))+([.!?？؟]*)")
