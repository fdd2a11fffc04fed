"""Sentences of ten languages in the encodings that can say them."""

SENTENCES = {
    "Russian": "Мы получили ваше письмо и благодарим за быстрый ответ. "
    "Оплата поступит до конца месяца.",
    "Polish": "Dziękujemy za wiadomość. "
    "Umowa została podpisana, a płatność zostanie zrealizowana do końca.",
    "Czech": "Děkujeme za zprávu. "
    "Smlouva byla včera podepsána a platba bude provedena do konce měsíce.",
    "German": "Wir danken für die Nachricht. "
    "Der Vertrag ist unterschrieben, die Zahlung folgt über das Büro.",
    "French": "Nous vous remercions de votre réponse. "
    "Le contrat a été signé, le paiement sera fait à la fin.",
    "Greek": "Σας ευχαριστούμε για το μήνυμά σας. Η πληρωμή θα γίνει μέχρι το τέλος του μήνα.",
    "Turkish": "Mesajınız için teşekkür ederiz. "
    "Sözleşme imzalandı ve ödeme ay sonuna kadar yapılacaktır.",
    "Japanese": "お返事ありがとうございます。"
    "契約書は昨日署名されました。支払いは月末までに行われます。",
    "Chinese": "感谢您的来信。合同已于昨天签署，付款将在月底前完成。如有任何问题，请与我们联系。",
    "Korean": "답장 주셔서 감사합니다. 계약서는 어제 서명되었으며 대금은 월말까지 지급될 것입니다.",
}
ENCODINGS = (
    "cp1250 cp1251 cp1252 cp1253 cp1254 cp1257 iso8859_1 iso8859_2 iso8859_5 iso8859_7 iso8859_9 "
    "iso8859_15 koi8_r cp866 cp850 cp852 mac_roman mac_cyrillic mac_latin2 cp932 euc_jp "
    "iso2022_jp gbk gb18030 hz euc_kr johab iso2022_kr big5"
).split()


def encoded():
    """(encoding, language, bytes, text) of each that can be."""
    for encoding in ENCODINGS:
        for language, text in SENTENCES.items():
            try:
                yield encoding, language, text.encode(encoding), text
            except UnicodeEncodeError:
                continue
