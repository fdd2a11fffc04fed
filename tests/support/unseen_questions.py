"""Pairs that look alike and are not the same, written before any of them was tried on the gate.

Of the first 100 seven passed, and one does since their classes were mended (units told apart by
capitals, verbs that negate, order of words with endings, particles of verbs). Then the second 60
were written: of those 7 passed the gate as it was before that, 4 the mended one, and 2 since units
count where an amount is asked for. What passes is the judge's to tell.
"""

PASSING = {
    "How long is a mile?",
    "Which foods raise iron levels?",
    "Como empresto um livro à biblioteca?",
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


SECOND = """
en|Can I return shoes that I wore twice?|Can I return shoes that I wore once?
en|Is a discount given for more than 15 seats?|Is a discount given for more than 50 seats?
en|Which phones still receive updates?|Which phones receive updates no longer?
en|Can a tenant sue a landlord?|Can a landlord sue a tenant?
en|How do I pin a message?|How do I unpin a message?
en|Where is the consulate of Peru in Chile?|Where is the consulate of Chile in Peru?
en|Will 200 Mb per second be enough?|Will 200 MB per second be enough?
en|Are you open on Easter Sunday?|Are you open on Easter Monday?
en|What does git reset --soft do?|What does git reset --hard do?
en|Which foods raise iron levels?|Which foods block iron absorption?
de|Wie viel kostet ein Paket bis 2 kg?|Wie viel kostet ein Paket bis 5 kg?
de|Darf mein Vermieter die Wohnung betreten?|Darf mein Vermieter die Wohnung nicht betreten?
de|Wie übersetze ich vom Deutschen ins Polnische?|Wie übersetze ich vom Polnischen ins Deutsche?
de|Wie hänge ich eine Datei an?|Wie hänge ich eine Datei ab?
de|Wann fährt der letzte Zug nach Bonn?|Wann fährt der erste Zug nach Bonn?
de|Ist das Museum im Januar geöffnet?|Ist das Museum im Juni geöffnet?
de|Wie viele Milliliter hat eine Tasse?|Wie viele Liter hat eine Tasse?
de|Was bedeutet "halb drei"?|Was bedeutet "halb vier"?
de|Wie melde ich einen Mitarbeiter an?|Wie melde ich einen Mitarbeiter ab?
de|Hilft Honig gegen Husten?|Hilft Honig gegen Heuschnupfen?
fr|Puis-je annuler dans les 14 jours?|Puis-je annuler dans les 40 jours?
fr|Mon chien peut manger du chocolat?|Mon chien ne peut pas manger de chocolat?
fr|Comment convertir des euros en francs suisses?|Comment convertir des francs suisses en euros?
fr|Comment augmenter le contraste?|Comment diminuer le contraste?
fr|Quelle est la population de Lyon?|Quelle est la population de Lille?
fr|Combien de mètres fait un mille?|Combien de kilomètres fait un mille?
fr|Êtes-vous ouverts le lundi matin?|Êtes-vous ouverts le mardi matin?
fr|Que fait la commande `cp -r`?|Que fait la commande `cp -p`?
fr|Qui peut voir mes photos?|Qui ne peut plus voir mes photos?
fr|Comment ajouter un lecteur au groupe?|Comment retirer un lecteur du groupe?
es|¿Cuánto cuesta enviar 3 cajas?|¿Cuánto cuesta enviar 8 cajas?
es|¿Puedo viajar con visado?|¿Puedo viajar sin visado?
es|¿Cómo paso de Android a iPhone?|¿Cómo paso de iPhone a Android?
es|¿Cómo enciendo la luz?|¿Cómo apago la luz?
es|¿Quién ganó el mundial de 1998?|¿Quién ganó el mundial de 1989?
es|¿Dónde está el hotel Colón?|¿Dónde está el hotel Cortés?
es|¿Cuántos gramos son una onza?|¿Cuántos kilos son una onza?
es|¿Abren los sábados por la tarde?|¿Abren los domingos por la tarde?
es|¿Qué significa el error E102?|¿Qué significa el error E201?
es|¿Por qué acepta mi tarjeta la tienda?|¿Por qué rechaza mi tarjeta la tienda?
it|Quanti punti servono per 2 biglietti?|Quanti punti servono per 12 biglietti?
it|Posso portare il cane?|Non posso portare il cane?
it|Come traduco dall'italiano al greco?|Come traduco dal greco all'italiano?
it|Come alzo la temperatura?|Come abbasso la temperatura?
it|Quanto dista Parma da Modena?|Quanto dista Parma da Mantova?
it|Quante ore dura il corso?|Quanti giorni dura il corso?
it|Siete chiusi a marzo?|Siete chiusi a maggio?
it|Che cosa fa il tasto F2?|Che cosa fa il tasto F12?
it|Come blocco un contatto?|Come sblocco un contatto?
it|La garanzia copre i graffi?|La garanzia esclude i graffi?
pt|O plano inclui 4 linhas?|O plano inclui 14 linhas?
pt|Posso pagar com cartão?|Posso pagar sem cartão?
pt|Como passo da conta corrente à poupança?|Como passo da poupança à conta corrente?
pt|Como ligo as notificações?|Como desligo as notificações?
pt|Qual é a capital da Guiana?|Qual é a capital da Guiné?
pt|Quantas milhas tem o percurso?|Quantos metros tem o percurso?
pt|A loja abre em setembro?|A loja abre em dezembro?
pt|O que faz a função `trim()`?|O que faz a função `strip()`?
pt|Quem pode entrar na sala?|Quem já não pode entrar na sala?
pt|Como empresto um livro à biblioteca?|Como peço emprestado um livro à biblioteca?
"""


def unseen_pairs() -> list[tuple[str, str]]:
    return [tuple(line.split("|")[1:]) for line in (TEXT + SECOND).split("\n") if line]
