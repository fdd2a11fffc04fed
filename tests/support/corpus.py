"""Texts of many kinds to count tokens of: the shipped conversations, and generated ones."""

import base64
import json
import random
from collections.abc import Iterator

from .conversations import load

WORDS = tuple(
    "the of and to in a is that for it as was with be by on not he his but at are this have from "
    "or had an they which one you all her she there would their we him been has when who will no "
    "more if out so up said what its about than into them can other time new some could these two "
    "may first then do any like my now over such our man me even most made after".split()
)
SENTENCES = {
    "german": "Die Warteschlange enthält Aufträge, die noch nicht begonnen wurden, "
    "und jeder Auftrag gehört einem Benutzer. ",
    "french": "La file de travail contient des tâches qui ne sont pas encore commencées, "
    "chacune à un utilisateur. ",
    "russian": "Очередь содержит задания, которые ещё не начаты, "
    "и каждое задание принадлежит пользователю. ",
    "arabic": "تحتوي قائمة الانتظار على مهام لم تبدأ بعد، وكل مهمة تخص مستخدما واحدا. ",
    "hindi": "कतार में वे कार्य हैं जो अभी शुरू नहीं हुए हैं, और प्रत्येक कार्य एक उपयोगकर्ता का है। ",
    "chinese": "队列里是尚未开始的任务。每个任务属于一个用户。",
    "japanese": "キューにはまだ始まっていないタスクがあり、それぞれが一人のユーザーのものです。",
    "korean": "대기열에는 아직 시작되지 않은 작업이 있으며 각 작업은 한 사용자의 것입니다. ",
    "thai": "คิวมีงานที่ยังไม่เริ่ม และแต่ละงานเป็นของผู้ใช้หนึ่งคน ",
    "greek": "η ουρά περιέχει εργασίες που δεν έχουν αρχίσει ακόμα. ",
    "hebrew": "התור מכיל משימות שעדיין לא התחילו, וכל משימה שייכת למשתמש אחד. ",
    "tamil": "வரிசையில் இன்னும் தொடங்காத பணிகள் உள்ளன. ",
    "bengali": "সারিতে এমন কাজ আছে যা এখনও শুরু হয়নি। ",
    "georgian": "რიგში არის დავალებები, რომლებიც ჯერ არ დაწყებულა. ",
    "amharic": "ወረፋው ገና ያልተጀመሩ ስራዎችን ይዟል። ",
    "vietnamese": "Hàng đợi chứa các công việc chưa bắt đầu, mỗi việc của một người dùng. ",
}
KINDS = (
    "english",
    "code",
    "json",
    "digits",
    "hex",
    "base64",
    "emoji",
    "letters",
    "mixed",
    *SENTENCES,
)


def shipped() -> Iterator[list[dict]]:
    """The messages of every conversation in the repository."""
    yield from (each["request"]["messages"] for each in load())


def generated(seed: int, count: int) -> Iterator[list[dict]]:
    """One message of 300 to 3,000 characters, each kind in turn."""
    chance = random.Random(seed)
    for number in range(count):
        text = _text(KINDS[number % len(KINDS)], chance)
        yield [{"role": "user", "content": text[: chance.randint(300, 3000)]}]


def _text(kind: str, chance: random.Random) -> str:
    if kind in SENTENCES:
        return SENTENCES[kind] * 40
    if kind == "mixed":
        return "\n".join(
            _text(chance.choice([each for each in KINDS if each != "mixed"]), chance)[:400]
            for _ in range(8)
        )
    makers = {
        "english": lambda: " ".join(chance.choices(WORDS, k=700)).capitalize() + ".",
        "code": lambda: "\n".join(
            f"def f{n}(x: int) -> int:\n    return x * {n} if x > {n % 7} else -x\n"
            for n in range(60)
        ),
        "json": lambda: json.dumps(
            [
                {"id": chance.getrandbits(24), "name": chance.choice(WORDS), "ok": True}
                for _ in range(90)
            ]
        ),
        "digits": lambda: "".join(chance.choices("0123456789", k=3000)),
        "hex": lambda: chance.randbytes(1500).hex(),
        "base64": lambda: base64.b64encode(chance.randbytes(2250)).decode(),
        "emoji": lambda: "".join(chance.choices("😀🚀🎉🧪🦊👩‍🔬🇪🇺✨", k=3000)),
        "letters": lambda: "".join(chance.choices("abcdefghijklmnopqrstuvwxyz ", k=3000)),
    }
    return makers[kind]()
