"""What the page of a survey and the line with its link say, in the languages that a survey can be in."""

from __future__ import annotations

import msgspec


class Words(msgspec.Struct, frozen=True):
    """The words of one language."""

    #: before the link, in the reply
    ask: str
    send: str
    #: the ends of the scale, 1 and 5
    worst: str
    best: str
    #: said when it was answered and the survey has no words of its own
    thanks: str
    #: nothing of it can be opened any more: answered, expired, taken back, unknown
    over: str
    #: who reads it
    read_by: str
    #: nothing was filled in; something that was not asked
    nothing: str
    wrong: str
    #: asked too often
    slow: str


#: ISO 639-1 code -> its words
WORDS: dict[str, Words] = {
    "en": Words(
        "How was it? Tell us here:", "Send", "very unhappy", "very happy", "Thank you. We read every answer.",
        "This survey is answered already, or its time is over. Thank you all the same.",
        "Read by the people at {name} who talked with you.", "Answer at least one question, please.",
        "Please choose one of the answers.", "That was a lot at once. Wait a minute, then try again.",
    ),
    "de": Words(
        "Wie war es? Sagen Sie es uns hier:", "Absenden", "sehr unzufrieden", "sehr zufrieden",
        "Danke. Wir lesen jede Antwort.",
        "Diese Umfrage ist schon beantwortet, oder ihre Zeit ist vorbei. Danke trotzdem.",
        "Gelesen von den Menschen bei {name}, die mit Ihnen gesprochen haben.",
        "Bitte beantworten Sie mindestens eine Frage.", "Bitte wählen Sie eine der Antworten.",
        "Das war viel auf einmal. Warten Sie eine Minute und versuchen Sie es dann noch einmal.",
    ),
    "fr": Words(
        "Comment cela s’est-il passé ? Dites-le-nous ici :", "Envoyer", "très mécontent", "très content",
        "Merci. Nous lisons chaque réponse.",
        "Cette enquête a déjà reçu une réponse, ou elle est terminée. Merci quand même.",
        "Lu par les personnes de {name} qui vous ont répondu.", "Répondez à une question au moins, s’il vous plaît.",
        "Choisissez une des réponses, s’il vous plaît.",
        "Cela fait beaucoup à la fois. Attendez une minute, puis réessayez.",
    ),
    "es": Words(
        "¿Qué tal fue? Cuéntenoslo aquí:", "Enviar", "muy descontento", "muy contento",
        "Gracias. Leemos todas las respuestas.",
        "Esta encuesta ya está respondida o ha terminado. Gracias de todos modos.",
        "La leen las personas de {name} que hablaron con usted.", "Responda al menos a una pregunta, por favor.",
        "Elija una de las respuestas, por favor.", "Han sido muchas a la vez. Espere un minuto y vuelva a intentarlo.",
    ),
    "it": Words(
        "Com’è andata? Ce lo dica qui:", "Invia", "molto scontento", "molto contento",
        "Grazie. Leggiamo ogni risposta.", "A questo sondaggio è già stato risposto, o è terminato. Grazie lo stesso.",
        "Letto dalle persone di {name} che hanno parlato con lei.", "Risponda ad almeno una domanda, per favore.",
        "Scelga una delle risposte, per favore.", "Erano troppe in una volta. Aspetti un minuto e riprovi.",
    ),
    "pt": Words(
        "Como foi? Conte-nos aqui:", "Enviar", "muito descontente", "muito contente",
        "Obrigado. Lemos todas as respostas.", "Este inquérito já foi respondido ou terminou. Obrigado mesmo assim.",
        "Lido pelas pessoas da {name} que falaram consigo.", "Responda a pelo menos uma pergunta, por favor.",
        "Escolha uma das respostas, por favor.", "Foram muitas de uma vez. Espere um minuto e tente de novo.",
    ),
    "nl": Words(
        "Hoe was het? Vertel het ons hier:", "Versturen", "zeer ontevreden", "zeer tevreden",
        "Dank u. We lezen elk antwoord.", "Deze enquête is al ingevuld, of de tijd is voorbij. Toch bedankt.",
        "Gelezen door de mensen van {name} die met u spraken.", "Beantwoord minstens één vraag.",
        "Kies een van de antwoorden.", "Dat was veel tegelijk. Wacht een minuut en probeer het opnieuw.",
    ),
    "ar": Words(
        "كيف كانت تجربتك؟ أخبرنا هنا:", "إرسال", "غير راضٍ إطلاقًا", "راضٍ جدًا", "شكرًا لك. نقرأ كل إجابة.",
        "تمت الإجابة عن هذا الاستطلاع أو انتهى وقته. شكرًا على أي حال.", "يقرؤه العاملون في {name} الذين تحدثوا معك.",
        "يرجى الإجابة عن سؤال واحد على الأقل.", "يرجى اختيار إحدى الإجابات.",
        "محاولات كثيرة دفعة واحدة. انتظر دقيقة ثم حاول مرة أخرى.",
    ),
    "he": Words(
        "איך היה? ספרו לנו כאן:", "שליחה", "מאוד לא מרוצה", "מאוד מרוצה", "תודה. אנחנו קוראים כל תשובה.",
        "על הסקר הזה כבר ענו, או שזמנו עבר. תודה בכל זאת.", "נקרא בידי האנשים ב-{name} ששוחחו איתך.",
        "נא לענות על שאלה אחת לפחות.", "נא לבחור אחת מהתשובות.", "זה היה הרבה בבת אחת. המתינו דקה ונסו שוב.",
    ),
}  # fmt: skip
