"""Mails as people have them, and what must become of each."""

from base64 import b64encode
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from support import made_documents as made
from support.case import Case
from support.made_documents import PAGE, TEXT

BASE64 = "\n".join(["TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsgYW5kIHNoaXBzIG1ha2UgaGFyYm91cnMu"] * 40)

MAIL = b"""From: Ida <ida@example.org>\r
To: ole@example.org\r
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r
Date: Mon, 2 Nov 2026 10:00:00 +0000\r
MIME-Version: 1.0\r
Content-Type: text/html; charset="koi8-r"\r
Content-Transfer-Encoding: base64\r
\r
""" + b64encode(f"<p>{TEXT} Привет</p>".encode("koi8-r"))

SAVED = f"""From: <Saved by Blink>\r
Subject: Harbour log\r
MIME-Version: 1.0\r
Content-Type: multipart/related; boundary="b"\r
\r
--b\r
Content-Type: text/html; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
{PAGE}\r
--b\r
Content-Type: image/png\r
Content-Transfer-Encoding: base64\r
Content-Location: https://example.org/pier.png\r
\r
{BASE64}\r
--b--\r
""".encode()


def message(*parts, subject="Ships"):
    """With parts: texts, messages, and (name, type, data)."""
    made_message = EmailMessage()
    made_message["From"] = "Ida <ida@example.org>"
    made_message["Subject"] = subject
    made_message.make_mixed()
    for part in parts:
        if isinstance(part, str):
            inner = EmailMessage()
            inner.set_content(part)
            made_message.attach(inner)
        elif isinstance(part, EmailMessage):
            made_message.add_attachment(part)
        else:
            name, kind, data = part
            maintype, subtype = kind.split("/")
            if maintype == "message":
                made_message.add_attachment(message_from_bytes(data, policy=default), filename=name)
            else:
                made_message.add_attachment(data, maintype, subtype, filename=name)
    return made_message


def alternatives(plain, html):
    made_message = EmailMessage()
    made_message["From"] = "Ida"
    made_message.set_content(plain)
    made_message.add_alternative(html, subtype="html")
    return made_message.as_bytes()


def nested(depth):
    inner = message("The innermost text")
    for level in range(depth):
        inner = message(f"Level {level}", inner)
    return inner.as_bytes()


PDF_FILE = ("report.pdf", "application/pdf", made.pdf((TEXT,)))
LOCKED = ("locked.pdf", "application/pdf", made.pdf((TEXT,), password="x"))
MAIL_WITH_PDF = message("Enclosed", PDF_FILE).as_bytes()
MBOX = b"".join(
    b"From ida@example.org Mon Nov  2 10:00:00 2026\n" + each + b"\n\n"
    for each in (
        b"Subject: First\nFrom: a\n\n" + TEXT.encode(),
        "Subject: Second\nFrom: a\n\nGrüße\n\nFrom time to time".encode(),
    )
)
PGP = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"
TWO = b"".join(
    f"From a@x Mon Nov  2 10:0{n}:00 2026\nFrom: a\nSubject: {n}\n\n{text}\n\n".encode()
    for n, text in ((1, "one"), (2, "two"))
)
MIXED = 'From: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
INNER = f"Subject: inner\nFrom: a\n\n{TEXT}\n"
ENCODED = (
    f"{MIXED}--b\nContent-Type: text/plain\n\nSee\n--b\nContent-Type: message/rfc822\n"
    f"Content-Transfer-Encoding: base64\n\n{b64encode(INNER.encode()).decode()}\n--b--\n"
).encode()
REPORT = (
    f"{MIXED}--b\nContent-Type: text/plain\n\nNot delivered\n--b\n"
    "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\n\n--b\n"
    f"Content-Type: message/rfc822\n\n{INNER}\n--b--\n"
).encode()
HTML = f"<p>{TEXT} " + "More of it. " * 30 + "</p>"

MAILS = [
    Case("mail", "letter.eml", made.mail(), ("übermorgen", TEXT, "Grüße"), ("<p>",), "pier.png"),
    Case("mail", "html.eml", MAIL, ("Ida", "Grüße", TEXT, "Привет"), ("<p>",)),
    Case("mail", "letter", made.mail(), ("übermorgen", TEXT), told="pier.png"),
    Case("mail", "saved.mhtml", SAVED, ("Harbour log", TEXT), ("HIDDEN", "TWFueSBo"), "image/png"),
    Case("mail", "plain.eml", f"Subject: x\nFrom: a\n\n{TEXT}".encode(), (TEXT,)),
]
MAILS += [
    Case("mail", "pdf.eml", message("See", PDF_FILE).as_bytes(), ("/report.pdf:", TEXT)),
    Case(
        "mail",
        "locked.eml",
        message("See", LOCKED).as_bytes(),
        ("See",),
        told="attachment locked.pdf: encrypted",
    ),
    Case(
        "mail",
        "forwarded.eml",
        message("See below", message("Inner", PDF_FILE)).as_bytes(),
        (
            "See below",
            "Attachment a message",
            "From: Ida",
            "Inner",
            "forwarded.eml/report.pdf:",
            TEXT,
        ),
    ),
    Case("mail", "deep.eml", nested(4), ("Level 3", "Level 0", "The innermost text")),
    Case("mail", "too deep.eml", nested(9), ("Level 8",), ("innermost",), "attachment"),
    Case("mail", "between.eml", message("First", PDF_FILE, "Last").as_bytes(), ("First", "Last")),
    Case(
        "mail",
        "twice.eml",
        message("See", PDF_FILE, ("a/../report.pdf", *PDF_FILE[1:]), PDF_FILE).as_bytes(),
        ("/report.pdf:", TEXT, "/a_.._report.pdf:", TEXT, "/report (2).pdf:", TEXT),
    ),
    Case(
        "mail",
        "saved and attached.eml",
        message("See", ("old.eml", "message/rfc822", MAIL_WITH_PDF)).as_bytes(),
        ("See", "attached.eml/old.eml:", "Enclosed", "attached.eml/old.eml/report.pdf:", TEXT),
    ),
    Case(
        "mail",
        "named as a text.eml",
        message("See", ("a.txt", "application/octet-stream", TEXT.encode())).as_bytes(),
        ("See", TEXT),
    ),
    Case(
        "mail",
        "key.eml",
        message("See", ("id", "text/plain", made.KEY.encode())).as_bytes(),
        ("See",),
        ("b3Bl",),
        "attachment id: holds a private key",
    ),
    Case("mail", "stub.eml", alternatives("See the page", HTML), (TEXT,), ("See the page",)),
    Case("mail", "blank.eml", alternatives(" ", HTML), (TEXT,)),
    Case(
        "mail",
        "many.mbox",
        MBOX,
        ("First", TEXT, "Subject: Second", "Grüße"),
    ),
    Case("mail", "two mails", TWO, ("Subject: 1", "one", "Subject: 2", "two"), ("From a@x",)),
    Case("mail", "no parts.eml", f"{MIXED}{TEXT}".encode(), (TEXT,)),
    Case(
        "mail",
        "encrypted.eml",
        message("See", ("a.asc", "text/plain", PGP)).as_bytes(),
        ("See",),
        ("hQEMA",),
        "attachment a.asc: no document but encrypted (PGP)",
    ),
    Case("mail", "encoded.eml", ENCODED, ("See", "Attachment a message", TEXT)),
    Case("mail", "report.eml", REPORT, ("Not delivered", "Action: failed", TEXT)),
    Case("mail", "apple.emlx", b"999\n" + MAIL, ("Ida", TEXT)),
]
