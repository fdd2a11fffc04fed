"""100 pairs that look alike and are not the same, written when the gate was done and before any of
them was tried on it: seven passed. Two of those ("up" and "down", a Portuguese "não") were mended
afterwards; the five of `PASSING` are the judge's to tell.
"""

PASSING = {
    "How long is a mile?",
    "How much data is 5 GB?",
    "Is there anything I should eat?",
    "Can cats eat dog food?",
    "Wie schalte ich den Ton ein?",
}

TEXT = """
en|Can I cancel up to 24 hours before?|Can I cancel up to 48 hours before?
en|How many calories are in two eggs?|How many calories are in three eggs?
en|What is the third planet from the sun?|What is the fourth planet from the sun?
en|How do I cook rice for six?|How do I cook rice for sixteen?
en|Is a fever of 38.5 dangerous?|Is a fever of 39.5 dangerous?
en|What is the square root of 144?|What is the cube root of 144?
en|What happened on 9 November 1989?|What happened on 9 November 1938?
en|Which songs were popular in the 80s?|Which songs were popular in the 90s?
en|Can I check in at noon?|Can I check in at midnight?
en|What was on the menu last week?|What is on the menu next week?
en|How much is 20 dollars in yen?|How much is 20 pounds in yen?
en|How long is a mile?|How long is a nautical mile?
en|Can I carry 100 ml of gel on board?|Can I carry 100 g of gel on board?
en|How much data is 5 GB?|How much data is 5 Gb?
en|Do I need a visa for Chad?|Don't I need a visa for Chad?
en|Which plans include support?|Which plans exclude support?
en|Can I enter with a passport?|Can I enter without a passport?
en|Who is eligible for the grant?|Who is ineligible for the grant?
en|Is there anything I should eat?|Is there anything I should avoid eating?
en|Why can I log in?|Why can I no longer log in?
en|How do I turn the heating up?|How do I turn the heating down?
en|How do I mute my microphone?|How do I unmute my microphone?
en|What is the cheapest plan?|What is the dearest plan?
en|How do I add a member to a team?|How do I remove a member from a team?
en|Is the glass half full?|Is the glass half empty?
en|How do I freeze my account?|How do I unfreeze my account?
en|What is the lowest bid I can make?|What is the highest bid I can make?
en|How do I import contacts?|How do I export contacts?
en|Who borrows from the bank?|Who lends to the bank?
en|How do I subscribe to the letter?|How do I unsubscribe from the letter?
en|Did Germany beat Brazil?|Did Brazil beat Germany?
en|How do I move files from Mac to PC?|How do I move files from PC to Mac?
en|Is tea better than coffee?|Is coffee better than tea?
en|How do I convert PDF to Word?|How do I convert Word to PDF?
en|Can cats eat dog food?|Can dogs eat cat food?
en|What does my mother owe my father?|What does my father owe my mother?
en|What is the population of Austin?|What is the population of Boston?
en|Who directed Alien?|Who directed Aliens?
en|How do I reset an iPhone 12?|How do I reset an iPhone 12 Pro?
en|How tall is Mount Blanc?|How tall is Mount Logan?
en|What does a lawyer earn?|What does a paralegal earn?
en|What is a stack in C?|What is a stack in C#?
en|How do I delete a branch in git?|How do I delete a tag in git?
en|What does `a == b` mean?|What does `a = b` mean?
en|What does ls -l print?|What does ls -a print?
en|Is "affect" a noun?|Is "effect" a noun?
en|How do I say "hello" in Thai?|How do I say "hell" in Thai?
en|Who may use the pool?|When may I use the pool?
en|How do I treat a burn?|How do I treat a bum?
en|Is my daughter covered?|Is my son covered?
de|Wie lange hält Milch 3 Tage offen?|Wie lange hält Milch 5 Tage offen?
de|Gilt der Rabatt ab zehn Stück?|Gilt der Rabatt ab zwanzig Stück?
de|Hat der Laden am Samstag offen?|Hat der Laden am Sonntag offen?
de|Wie war das Wetter gestern?|Wie wird das Wetter morgen?
de|Wie viel sind 5 Fuß?|Wie viel sind 5 Zoll?
de|Darf ich hier parken?|Darf ich hier nicht parken?
de|Was kostet es mit Frühstück?|Was kostet es ohne Frühstück?
de|Ist der Pilz essbar?|Ist der Pilz giftig?
de|Wie schalte ich den Ton ein?|Wie schalte ich den Ton aus?
de|Wie kündige ich den Vertrag?|Wie verlängere ich den Vertrag?
de|Wer ist älter, Anna oder ihr Bruder?|Wer ist jünger, Anna oder ihr Bruder?
de|Übersetze Hund von Deutsch in Latein|Übersetze Hund von Latein in Deutsch
de|Wie weit ist es von Köln nach Bonn?|Wie weit ist es von Köln nach Ulm?
fr|Puis-je annuler sous 14 jours ?|Puis-je annuler sous 30 jours ?
fr|Combien de places pour deux adultes ?|Combien de places pour quatre adultes ?
fr|Le musée ouvre-t-il en juin ?|Le musée ouvre-t-il en juillet ?
fr|Combien font 3 livres ?|Combien font 3 litres ?
fr|Pourquoi mon colis est-il arrivé ?|Pourquoi mon colis n'est-il pas arrivé ?
fr|Puis-je payer avec une carte ?|Puis-je payer sans carte ?
fr|Comment allumer la lampe ?|Comment éteindre la lampe ?
fr|Comment ajouter un ami ?|Comment supprimer un ami ?
fr|Qui est le plus grand, Paul ou Luc ?|Qui est le plus petit, Paul ou Luc ?
fr|Quel train va de Lyon à Nice ?|Quel train va de Nice à Lyon ?
fr|Quel est le maire de Lille ?|Quel est le maire de Lens ?
es|¿Puedo devolverlo en 15 días?|¿Puedo devolverlo en 50 días?
es|¿Cuántos huevos para tres personas?|¿Cuántos huevos para trece personas?
es|¿Abren el martes?|¿Abren el jueves?
es|¿Cuánto son 8 onzas?|¿Cuánto son 8 libras?
es|¿Por qué puedo entrar?|¿Por qué ya no puedo entrar?
es|¿Se puede viajar con perro?|¿Se puede viajar sin perro?
es|¿Cómo subo el volumen?|¿Cómo bajo el volumen?
es|¿Cómo agrego un usuario?|¿Cómo elimino un usuario?
es|¿Qué tren va de Cádiz a Jaén?|¿Qué tren va de Jaén a Cádiz?
es|¿Quién pintó Guernica?|¿Quién pintó Las Meninas?
it|Posso restituirlo entro 10 giorni?|Posso restituirlo entro 20 giorni?
it|Siete aperti a Natale?|Siete aperti a Pasqua?
it|Quanto sono 2 pollici?|Quanto sono 2 piedi?
it|Perché posso pagare?|Perché non posso pagare?
it|Si può entrare con il cane?|Si può entrare senza cane?
it|Come accendo il forno?|Come spengo il forno?
it|Come aggiungo un contatto?|Come elimino un contatto?
it|Quale treno va da Bari a Pisa?|Quale treno va da Pisa a Bari?
it|Chi ha scritto Il Gattopardo?|Chi ha scritto Il Decameron?
pt|Posso trocar em 5 dias?|Posso trocar em 15 dias?
pt|Vocês abrem na sexta?|Vocês abrem no sábado?
pt|Quanto são 4 polegadas?|Quanto são 4 pés?
pt|Por que consigo entrar?|Por que não consigo entrar?
pt|Como aumento o brilho?|Como diminuo o brilho?
pt|Como adiciono um amigo?|Como removo um amigo?
pt|Qual ônibus vai de Braga a Faro?|Qual ônibus vai de Faro a Braga?
"""


def unseen_pairs() -> list[tuple[str, str]]:
    return [tuple(line.split("|")[1:]) for line in TEXT.split("\n") if line]
