"""Pairs of questions that look alike and are not the same, in six languages, written for this.

Each kind is a frame with a gap and what fills it on either side.
"""

from collections.abc import Iterator
from typing import NamedTuple


class HostilePair(NamedTuple):
    kind: str
    language: str
    one: str
    two: str


FRAMES = {
    "en": {
        "numbers": [
            ("Can I get a refund within {} days?", "3/30; 14/41; 7/10; two/three"),
            ("What is {} percent of 80?", "15/50; 5/0.5"),
            ("How many players can join a room for {} people?", "four/fourteen; 8/80"),
            ("What changed in version {}?", "2.1/2.10; 3.0/3.9"),
        ],
        "dates": [
            ("Is the shop open on {}?", "Monday/Sunday; May/June"),
            ("What is the weather in {}?", "January/July"),
            ("When is the deadline of the form for {}?", "2024/2025; 2023-01-02/2023-02-01"),
            ("Is there a flight {}?", "today/tomorrow"),
        ],
        "units": [
            ("How much is 5 {} of rice?", "kg/lb; g/oz"),
            ("How far can I run in 10 {}?", "minutes/hours; km/miles"),
            ("Does a trip of 100 {} need a visa?", "days/weeks"),
            ("Can I send {}20 to a friend?", "$/€; £/¥"),
        ],
        "negations": [
            ("Why is my card {}accepted?", "/not "),
            ("How can I sleep {} a pillow?", "with/without"),
            ("Which of these foods should I {}eat?", "/never "),
            ("What happens if I {} my taxes?", "pay/don't pay"),
        ],
        "opposites": [
            ("How do I {} two-factor login?", "enable/disable; activate/deactivate"),
            ("Is it {} to record a call in Spain?", "legal/illegal; allowed/forbidden"),
            ("How do I {} the app?", "install/uninstall; upgrade/downgrade; open/close"),
            ("What are the {} of solar power?", "advantages/disadvantages; pros/cons"),
            ("How do I {} my salary?", "increase/decrease; raise/lower"),
            ("Should I eat {} training?", "before/after"),
            ("How do I {} my car online?", "buy/sell; lock/unlock"),
            ("What is the {} price?", "minimum/maximum; highest/lowest"),
            ("What drink is {}?", "healthy/unhealthy; safe/dangerous"),
        ],
        "entities": [
            ("What is the capital of {}?", "Canada/Kenya; france/spain; Austria/Australia"),
            ("Who wrote {}?", "Hamlet/Faust"),
            ("How do I reset my {}?", "phone/router; password/username"),
            ("How do I learn {} in a month?", "Java/JavaScript; python/ruby"),
            ("What does the {} command do?", "grep/sed"),
            ("What is the boiling point of {}?", "ethanol/methanol"),
            ("{} did the war begin?", "When/Where; Why/When"),
        ],
        "code": [
            ("What does `{}` do in Python?", "a[0]/a[1]; x+=1/x-=1"),
            ("How do I use the option {}?", "--force/--dry-run"),
            ("What is the file {} for?", "setup.py/setup.cfg"),
            ("What does the word '{}' mean?", "affect/effect"),
        ],
        "swaps": [
            ("Translate {} to {}", "dog/German"),
            ("How do I convert {} to {}?", "euros/dollars; JSON/YAML; feet/meters"),
            ("Did {} beat {} at chess?", "Carlsen/Anand"),
            ("How long is the flight from {} to {}?", "Rome/Oslo"),
            ("Is a {} bigger than a {}?", "whale/bus"),
            ("How do I move from {} to {}?", "Windows/Linux"),
        ],
    },
    "de": {
        "numbers": [("Kann ich innerhalb von {} Tagen kündigen?", "3/30; zwei/drei; 7/14")],
        "dates": [("Hat der Laden am {} geöffnet?", "Montag/Sonntag; 1.5./5.1.")],
        "units": [("Wie viel kosten 5 {} Reis?", "kg/Pfund"), ("Gilt das 6 {}?", "Tage/Monate")],
        "negations": [
            ("Warum ist meine Karte {}gültig?", "/nicht "),
            ("Darf ich hier {} parken?", "einen Anhänger/keinen Anhänger"),
            ("Kann ich {} Helm fahren?", "mit/ohne"),
        ],
        "opposites": [
            ("Wie kann ich die Sperre {}?", "aktivieren/deaktivieren"),
            ("Soll ich die Tabletten {} dem Essen nehmen?", "vor/nach"),
            ("Was sind die {} von Solarstrom?", "Vorteile/Nachteile"),
            ("Wo kann ich mein Auto {}?", "kaufen/verkaufen"),
        ],
        "entities": [
            ("Was ist die Hauptstadt von {}?", "Kanada/Kenia; Österreich/Australien"),
            ("Wie setze ich mein {} zurück?", "Handy/Passwort"),
        ],
        "swaps": [
            ("Wie lange fährt der Zug von {} nach {}?", "Rom/Wien; Köln/Bonn"),
            ("Ist {} größer als {}?", "Berlin/Paris"),
        ],
    },
    "fr": {
        "numbers": [("Puis-je rendre un article dans les {} jours?", "3/30; deux/trois; 7/14")],
        "dates": [("Le magasin est-il ouvert {}?", "lundi/dimanche; demain/aujourd'hui")],
        "units": [("Combien coûtent 5 {} de riz?", "kg/g"), ("Est-ce valable 6 {}?", "jours/mois")],
        "negations": [
            ("Pourquoi ma carte {} acceptée?", "est/n'est pas"),
            ("Puis-je conduire {} permis?", "avec/sans"),
            ("Que dois-je {} manger?", "/ne jamais "),
        ],
        "opposites": [
            ("Comment puis-je {} le compte?", "activer/désactiver; ouvrir/fermer"),
            ("Faut-il manger {} le sport?", "avant/après"),
            ("Quels sont les {} du solaire?", "avantages/inconvénients"),
            ("Où puis-je {} ma voiture?", "acheter/vendre"),
        ],
        "entities": [
            ("Quelle est la capitale du {}?", "Canada/Kenya; Pérou/Chili"),
            ("Comment réinitialiser mon {}?", "téléphone/routeur"),
        ],
        "swaps": [
            ("Combien dure le trajet de {} à {}?", "Paris/Lyon; Nice/Rome"),
            ("Comment convertir des {} en {}?", "euros/dollars"),
        ],
    },
    "es": {
        "numbers": [("¿Puedo devolverlo en los primeros {} días?", "3/30; dos/tres; 7/14")],
        "dates": [("¿Está abierta la tienda el {}?", "lunes/domingo; martes/jueves")],
        "units": [
            ("¿Cuánto cuestan 5 {} de arroz?", "kg/g"),
            ("¿Es válido por 6 {}?", "días/meses"),
        ],
        "negations": [
            ("¿Por qué {} mi tarjeta?", "funciona/no funciona"),
            ("¿Puedo conducir {} casco?", "con/sin"),
            ("¿Qué debo comer {}?", "siempre/nunca"),
        ],
        "opposites": [
            ("¿Cómo puedo {} la cuenta?", "activar/desactivar; abrir/cerrar"),
            ("¿Es {} grabar una llamada?", "legal/ilegal"),
            ("¿Cuáles son las {} de la energía solar?", "ventajas/desventajas"),
            ("¿Dónde puedo {} mi coche?", "comprar/vender"),
        ],
        "entities": [
            ("¿Cuál es la capital de {}?", "Canadá/Kenia; Perú/Chile"),
            ("¿Cómo restablezco mi {}?", "teléfono/router"),
        ],
        "swaps": [
            ("¿Cuánto dura el viaje de {} a {}?", "Madrid/Toledo; Roma/Oslo"),
            ("¿Cómo convierto {} a {}?", "euros/dólares"),
        ],
    },
    "it": {
        "numbers": [("Posso restituirlo entro {} giorni?", "3/30; due/tre; 7/14")],
        "dates": [("Il negozio è aperto {}?", "lunedì/domenica; oggi/domani")],
        "units": [("Quanto costano 5 {} di riso?", "kg/g"), ("È valido per 6 {}?", "giorni/mesi")],
        "negations": [
            ("Perché la mia carta {} funziona?", "/non "),
            ("Posso guidare {} casco?", "con il/senza"),
            ("Che cosa devo mangiare {}?", "sempre/mai"),
        ],
        "opposites": [
            ("Come posso {} il conto?", "attivare/disattivare; aprire/chiudere"),
            ("È {} registrare una chiamata?", "legale/illegale"),
            ("Quali sono i {} del solare?", "vantaggi/svantaggi"),
            ("Dove posso {} la mia auto?", "comprare/vendere"),
        ],
        "entities": [
            ("Qual è la capitale del {}?", "Canada/Kenya; Perù/Cile"),
            ("Come posso reimpostare il mio {}?", "telefono/router"),
        ],
        "swaps": [
            ("Quanto dura il viaggio da {} a {}?", "Roma/Milano; Torino/Oslo"),
            ("Come posso convertire {} in {}?", "euro/dollari"),
        ],
    },
    "pt": {
        "numbers": [("Posso devolver em até {} dias?", "3/30; dois/três; 7/14")],
        "dates": [("A loja está aberta {}?", "hoje/amanhã; domingo/hoje")],
        "units": [("Quanto custam 5 {} de arroz?", "kg/g"), ("É válido por 6 {}?", "dias/meses")],
        "negations": [
            ("Por que o meu cartão {} funciona?", "/não "),
            ("Posso dirigir {} capacete?", "com/sem"),
            ("O que devo comer {}?", "sempre/nunca"),
        ],
        "opposites": [
            ("Como posso {} a conta?", "ativar/desativar; abrir/fechar"),
            ("É {} gravar uma chamada?", "legal/ilegal"),
            ("Quais são as {} da energia solar?", "vantagens/desvantagens"),
            ("Onde posso {} o meu carro?", "comprar/vender"),
        ],
        "entities": [
            ("Qual é a capital do {}?", "Canadá/Quênia; Peru/Chile"),
            ("Como redefino o meu {}?", "telefone/roteador"),
        ],
        "swaps": [
            ("Quanto dura a viagem de {} a {}?", "Lisboa/Porto; Roma/Oslo"),
            ("Como posso converter {} em {}?", "euros/dólares"),
        ],
    },
}
POLITE = {
    "en": ("", "Please tell me: ", "Hello, "),
    "de": ("", "Bitte: "),
    "fr": ("", "Dis-moi: "),
    "es": ("", "Por favor: "),
    "it": ("", "Dimmi: "),
    "pt": ("", "Por favor: "),
}
"""What may stand before the second question, and changes nothing."""


def hostile_pairs() -> list[HostilePair]:
    """300 of them, of all kinds and languages."""
    found = list(dict.fromkeys(_all()))
    step = len(found) / 300
    return [found[int(number * step)] for number in range(300)]


def _all() -> Iterator[HostilePair]:
    for language, kinds in FRAMES.items():
        for kind, frames in kinds.items():
            for frame, gaps in frames:
                for before in POLITE[language]:
                    yield from _pairs(kind, language, frame, gaps, before)


def _pairs(kind: str, language: str, frame: str, gaps: str, before: str) -> Iterator[HostilePair]:
    for gap in gaps.split("; "):
        one, two = gap.split("/")
        first, second = (one,), (two,)
        if kind == "swaps":
            first, second = (one, two), (two, one)
        yield HostilePair(kind, language, frame.format(*first), before + frame.format(*second))
