"""A morning's mail, the same for the same number: short and long texts, HTML beside text, some attachments."""

import random
from collections.abc import Iterator
from email.message import EmailMessage

_WORDS = {
    "en": "the printer on our floor does not print since this morning and the screen stays dark please help thanks",
    "pl": "drukarka na naszym piętrze nie drukuje od rana a ekran jest ciemny proszę o pomoc dziękuję bardzo",
    "it": "la stampante del nostro piano non stampa da stamattina e lo schermo resta scuro vi prego di aiutarmi grazie",
    "ar": "الطابعة في طابقنا لا تعمل منذ هذا الصباح والشاشة سوداء أرجو المساعدة في أقرب وقت شكرا لكم",
    "ja": "今朝から この階の プリンターが 印刷できません 画面も 暗いままです ご対応を よろしく お願いします",
}
_ATTACHED = (0, 0, 0, 0, 0, 0, 0, 20_000, 200_000)
"""Octets of an attachment, how often."""


def mails(count: int, *, seed: int) -> Iterator[bytes]:
    """As many mails to help@corp.example, each by a person of its own with a Message-ID of its own; CRLF line ends."""
    chance = random.Random(seed)
    for number in range(count):
        language = chance.choice(list(_WORDS))
        words = _WORDS[language].split()
        lines = [" ".join(chance.choices(words, k=10)) for _ in range(chance.choice((3, 12, 60)))]
        mail = EmailMessage()
        mail["From"] = f"Person {number} <person{number}@corp.example>"
        mail["To"] = "help@corp.example"
        mail["Subject"] = " ".join(chance.choices(words, k=4))
        mail["Message-ID"] = f"<{seed}.{number}@corp.example>"
        mail["Date"] = "Mon, 23 Nov 2026 09:00:00 +0100"
        mail.set_content("\n".join(lines))
        if chance.random() < 0.5:
            mail.add_alternative("".join(f"<p>{line}</p>" for line in lines), subtype="html")
        if size := chance.choice(_ATTACHED):
            mail.add_attachment(chance.randbytes(size), maintype="image", subtype="png", filename="screen.png")
        yield mail.as_bytes().replace(b"\n", b"\r\n")
