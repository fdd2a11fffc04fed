"""Texts of fourteen languages, in all encodings that can say them."""

from collections.abc import Iterator
from typing import NamedTuple


class Language(NamedTuple):
    encodings: str
    """Those that its texts are in, when they are not in one for all languages."""
    texts: tuple[str, ...]
    """Two short ones and one of some sentences."""


class Encoded(NamedTuple):
    encoding: str
    language: str
    text: str

    @property
    def data(self) -> bytes:
        return self.text.encode(self.encoding)

    @property
    def is_at_home(self) -> bool:
        return self.encoding in (*UNICODE, *LANGUAGES[self.language].encodings.split())


UNICODE = "utf_8 utf_8_sig utf_7 utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be".split()
OTHERS = "cp1257 iso8859_13".split()
LANGUAGES = {
    "Russian": Language(
        "cp1251 koi8_r iso8859_5 cp866 mac_cyrillic",
        (
            "Мы получили ваше письмо и благодарим за быстрый ответ. Оплата поступит до конца "
            "месяца.",
            "Поезд в Москву отправляется в восемь часов. Возьмите тёплую одежду, будет холодно.",
            "Рано утром рыбаки покинули гавань. Над водой лежал густой туман, и никто не видел "
            "берега. Самый старый из них, молчаливый человек по имени Игорь, знал каждое "
            "течение. Ещё ребёнком он научился наблюдать за птицами. Когда чайки летали низко, "
            "погода портилась. В тот день они летали выше обычного. Позже, около полудня, туман "
            "рассеялся, и сети стали тяжёлыми. В деревне уже ждали торговцы, которые охотно "
            "платили за хороший товар.",
        ),
    ),
    "Polish": Language(
        "cp1250 iso8859_2 cp852 mac_latin2",
        (
            "Dziękujemy za wiadomość. Umowa została podpisana, a płatność zostanie zrealizowana "
            "do końca.",
            "Pociąg do Łodzi odjeżdża o ósmej. Proszę zabrać ciepłe ubrania, będzie zimno.",
            "Wczesnym rankiem rybacy opuścili port. Nad wodą leżała gęsta mgła i nikt nie "
            "widział brzegu. Najstarszy z nich, milczący mężczyzna imieniem Józef, znał każdy "
            "prąd. Już jako dziecko nauczył się obserwować ptaki. Kiedy mewy latały nisko, "
            "pogoda się psuła. Tego dnia latały wyżej niż zwykle. Później, około południa, mgła "
            "się rozeszła, a sieci były ciężkie. We wsi czekali już kupcy, którzy chętnie "
            "płacili za dobry towar. Wieczorem wszyscy siedzieli w gospodzie i opowiadali, jak "
            "było dawniej.",
        ),
    ),
    "Czech": Language(
        "cp1250 iso8859_2 cp852 mac_latin2",
        (
            "Děkujeme za zprávu. Smlouva byla včera podepsána a platba bude provedena do konce "
            "měsíce.",
            "Babička peče každou neděli jablečný koláč. Kuchyně pak voní skořicí.",
            "Časně ráno opustili rybáři přístav. Nad vodou ležela hustá mlha a nikdo neviděl "
            "pobřeží. Nejstarší z nich, mlčenlivý muž jménem Jiří, znal každý proud. Už jako "
            "dítě se naučil pozorovat ptáky. Když racci létali nízko, počasí se zhoršovalo. Toho "
            "dne létali výše než obvykle. Později, kolem poledne, se mlha rozplynula a sítě byly "
            "těžké. Ve vesnici už čekali obchodníci, kteří za dobré zboží rádi platili.",
        ),
    ),
    "German": Language(
        "cp1252 iso8859_1 iso8859_15 cp850 mac_roman",
        (
            "Wir danken für die Nachricht. Der Vertrag ist unterschrieben, die Zahlung folgt "
            "über das Büro.",
            "Größe: 42, Farbe: grün. Rückgabe binnen vierzehn Tagen möglich.",
            "Am frühen Morgen verließen die Fischer den Hafen. Über dem Wasser lag dichter "
            "Nebel, und niemand konnte die Küste sehen. Der älteste von ihnen, ein schweigsamer "
            "Mann namens Jürgen, kannte jede Strömung. Er hatte schon als Kind gelernt, die "
            "Vögel zu beobachten. Wenn die Möwen tief flogen, wurde das Wetter schlecht. An "
            "diesem Tag flogen sie höher als sonst. Später, gegen Mittag, löste sich der Nebel "
            "auf, und die Netze waren schwer. Zurück im Dorf warteten die Händler, die für gute "
            "Ware gern zahlten. Abends saßen alle in der Wirtschaft und erzählten, was früher "
            "gewesen war.",
        ),
    ),
    "French": Language(
        "cp1252 iso8859_1 iso8859_15 cp850 mac_roman",
        (
            "Nous vous remercions de votre réponse. Le contrat a été signé, le paiement sera "
            "fait à la fin.",
            "Le train pour Orléans part à huit heures. Prévoyez des vêtements chauds, il fera "
            "très froid là-bas.",
            "Au petit matin, les pêcheurs quittèrent le port. Un épais brouillard couvrait la "
            "mer et personne ne voyait la côte. Le plus âgé d'entre eux, un homme taciturne "
            "appelé Jérôme, connaissait chaque courant. Dès son enfance, il avait appris à "
            "observer les oiseaux. Quand les mouettes volaient bas, le temps se gâtait. Ce "
            "jour-là, elles volaient plus haut que d'habitude. Plus tard, vers midi, le "
            "brouillard se leva et les filets étaient lourds. De retour au village, les "
            "marchands attendaient déjà, prêts à payer le prix fort pour une pêche de qualité.",
        ),
    ),
    "Spanish": Language(
        "cp1252 iso8859_1 iso8859_15 cp850 mac_roman",
        (
            "El tren a Málaga sale a las ocho. Mañana hará frío, así que lleve un abrigo.",
            "¿Dónde está la reunión? En el salón pequeño, después del almuerzo.",
            "Al amanecer, los pescadores salieron del puerto. Una niebla espesa cubría el mar y "
            "nadie podía ver la costa. El más viejo, un hombre callado llamado Íñigo, conocía "
            "cada corriente. De niño había aprendido a observar los pájaros. Cuando las gaviotas "
            "volaban bajo, el tiempo empeoraba. Aquel día volaban más alto que de costumbre. "
            "Después, hacia el mediodía, la niebla se levantó y las redes pesaban mucho. En el "
            "pueblo esperaban ya los comerciantes, que pagaban bien.",
        ),
    ),
    "Greek": Language(
        "cp1253 iso8859_7",
        (
            "Σας ευχαριστούμε για το μήνυμά σας. Η πληρωμή θα γίνει μέχρι το τέλος του μήνα.",
            "Η γιαγιά ψήνει μηλόπιτα κάθε Κυριακή. Η κουζίνα μυρίζει κανέλα.",
            "Νωρίς το πρωί οι ψαράδες άφησαν το λιμάνι. Πάνω από το νερό υπήρχε πυκνή ομίχλη και "
            "κανείς δεν έβλεπε την ακτή. Ο μεγαλύτερος από αυτούς, ένας σιωπηλός άντρας που τον "
            "έλεγαν Γιώργο, γνώριζε κάθε ρεύμα. Από παιδί είχε μάθει να παρατηρεί τα πουλιά. "
            "Όταν οι γλάροι πετούσαν χαμηλά, ο καιρός χαλούσε. Εκείνη την ημέρα πετούσαν "
            "ψηλότερα από ό,τι συνήθως.",
        ),
    ),
    "Turkish": Language(
        "cp1254 iso8859_9",
        (
            "Mesajınız için teşekkür ederiz. Sözleşme imzalandı ve ödeme ay sonuna kadar "
            "yapılacaktır.",
            "Tren saat sekizde İzmir'e kalkıyor. Lütfen kalın giysiler getirin, hava soğuk olacak.",
            "Sabahın erken saatlerinde balıkçılar limandan ayrıldı. Suyun üzerinde yoğun bir sis "
            "vardı ve kimse kıyıyı göremiyordu. En yaşlıları, İsmail adında sessiz bir adam, her "
            "akıntıyı bilirdi. Daha çocukken kuşları gözlemeyi öğrenmişti. Martılar alçaktan "
            "uçtuğunda hava bozardı. O gün her zamankinden daha yüksekten uçuyorlardı. Öğleye "
            "doğru sis dağıldı, ağlar ağırlaştı.",
        ),
    ),
    "Hebrew": Language(
        "cp1255 iso8859_8",
        (
            "סבתא אופה עוגת תפוחים בכל שבת. המטבח מלא בריח קינמון.",
            "הרכבת לחיפה יוצאת בשמונה. נא להביא בגדים חמים, יהיה קר.",
            "מוקדם בבוקר עזבו הדייגים את הנמל. מעל המים היה ערפל כבד ואיש לא ראה את החוף. הזקן "
            "שבהם, אדם שקט בשם יוסף, הכיר כל זרם. עוד בילדותו למד להתבונן בציפורים. כאשר השחפים "
            "עפו נמוך, מזג האוויר התקלקל. באותו יום הם עפו גבוה מהרגיל.",
        ),
    ),
    "Arabic": Language(
        "cp1256 iso8859_6",
        (
            "يغادر القطار إلى القاهرة في الساعة الثامنة. يرجى إحضار ملابس دافئة لأن الجو بارد.",
            "تخبز جدتي كعكة التفاح كل يوم جمعة. رائحة القرفة تملأ المطبخ.",
            "في الصباح الباكر غادر الصيادون الميناء. كان الضباب كثيفا فوق الماء ولم ير أحد "
            "الساحل. كان أكبرهم سنا رجلا صامتا يدعى يوسف يعرف كل تيار. تعلم منذ طفولته مراقبة "
            "الطيور. عندما كانت النوارس تطير منخفضة كان الطقس يسوء. في ذلك اليوم طارت أعلى من "
            "المعتاد.",
        ),
    ),
    "Japanese": Language(
        "shift_jis cp932 euc_jp iso2022_jp",
        (
            "お返事ありがとうございます。契約書は昨日署名されました。支払いは月末までに行われます"
            "。",
            "祖母は毎週日曜日にりんごのケーキを焼きます。台所はシナモンの香りでいっぱいです。",
            "早朝、漁師たちは港を出ました。海の上には濃い霧がかかっていて、誰も岸を見ることができ"
            "ませんでした。一番年上の男は無口で、すべての潮の流れを知っていました。子供のころから"
            "鳥を観察することを学んでいたのです。かもめが低く飛ぶと天気が悪くなります。その日はい"
            "つもより高く飛んでいました。昼ごろ霧が晴れ、網は重くなりました。",
        ),
    ),
    "Chinese": Language(
        "gbk gb18030 hz",
        (
            "感谢您的来信。合同已于昨天签署，付款将在月底前完成。如有任何问题，请与我们联系。",
            "奶奶每个星期天都烤苹果蛋糕。厨房里充满了肉桂的香味。",
            "清晨，渔民们离开了港口。水面上笼罩着浓雾，谁也看不见海岸。他们中最年长的是一个沉默寡"
            "言的人，他熟悉每一股海流。他从小就学会了观察鸟类。海鸥低飞的时候，天气就会变坏。那一"
            "天它们飞得比平时高。后来到了中午，雾散了，渔网变得很重。村里的商人已经在等候，他们愿"
            "意为好货付钱。",
        ),
    ),
    "Korean": Language(
        "euc_kr cp949 johab iso2022_kr",
        (
            "답장 주셔서 감사합니다. 계약서는 어제 서명되었으며 대금은 월말까지 지급될 것입니다.",
            "할머니는 일요일마다 사과 케이크를 구워요. 부엌에 계피 향이 가득합니다.",
            "이른 아침 어부들은 항구를 떠났다. 물 위에는 짙은 안개가 끼어 아무도 해안을 볼 수 "
            "없었다. 그중 가장 나이 많은 사람은 말이 없는 남자였고 모든 물살을 알고 있었다. 그는 "
            "어릴 때부터 새를 관찰하는 법을 배웠다. 갈매기가 낮게 날면 날씨가 나빠졌다. 그날은 "
            "평소보다 높이 날았다.",
        ),
    ),
    "Traditional Chinese": Language(
        "big5",
        (
            "往高雄的火車八點出發。請帶上保暖的衣服，天氣會很冷。",
            "奶奶每個星期天都烤蘋果蛋糕。廚房裡充滿了肉桂的香味。",
            "清晨，漁民們離開了港口。水面上籠罩著濃霧，誰也看不見海岸。他們中最年長的是一個沉默寡"
            "言的人，他熟悉每一股海流。他從小就學會了觀察鳥類。海鷗低飛的時候，天氣就會變壞。那一"
            "天牠們飛得比平時高。後來到了中午，霧散了，漁網變得很重。",
        ),
    ),
}
ENCODINGS = sorted({each for one in LANGUAGES.values() for each in one.encodings.split()})


def encoded() -> Iterator[Encoded]:
    for encoding in (*UNICODE, *OTHERS, *ENCODINGS):
        for language, (_, texts) in LANGUAGES.items():
            for text in texts:
                if _can(encoding, text):
                    yield Encoded(encoding, language, text)


def _can(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
