"""The morning as data: who writes what to whom, and what is expected to become of it.

Each mail is in the language, tone and zone of its writer. What is expected is only compared with the ledger, never
told: the telling comes from what deskbell recorded.
"""

from dataclasses import dataclass
from enum import StrEnum

from desk.arrival import Fate

DOMAIN = "corp.example"
HELP, HR = f"help@{DOMAIN}", f"hr@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Person:
    """Who writes, from which zone (IANA name)."""

    name: str
    address: str
    zone: str


class Kind(StrEnum):
    """What a mail is to the one it is about."""

    NEW = "new"
    REPLY = "reply"
    """A person answers a mail and quotes it."""
    ABSENCE = "absence"
    """A machine answers for an absent person (RFC 3834)."""
    BOUNCE = "bounce"
    """A mail server reports that a mail could not be delivered (RFC 3464)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What becomes of one copy: its fate, the rule about the receipt, and whose request it belongs to.

    of is the key of the scene that opened the request, empty for a new one; department where it is a new one, of
    several with commas.
    """

    fate: Fate
    rule: str = "own-person"
    of: str = ""
    department: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One mail of the morning. about says in English what it is, for a reader of any language."""

    key: str
    writer: Person
    about: str
    subject: str
    text: str
    expected: tuple[Expected, ...]
    """One for each mailbox in to."""
    to: tuple[str, ...] = (HELP,)
    kind: Kind = Kind.NEW
    answers: str = ""
    """The scene whose receipt (or what seen_by got) this answers."""
    seen_by: str = ""
    """Who reads the mail that is answered, where that is not the writer; empty for the writer."""


EMMA = Person("Emma Clarke", f"emma.clarke@{DOMAIN}", "Europe/Warsaw")
ZOFIA = Person("Zofia Wiśniewska", f"zofia.wisniewska@{DOMAIN}", "Europe/Warsaw")
LUCA = Person("Luca Ferrari", f"luca.ferrari@{DOMAIN}", "Europe/Rome")
LAYLA = Person("ليلى حسن", f"layla.hassan@{DOMAIN}", "Asia/Dubai")
MISAKI = Person("田中 美咲", f"misaki.tanaka@{DOMAIN}", "Asia/Tokyo")
BEN = Person("Ben Okafor", f"ben.okafor@{DOMAIN}", "Europe/Warsaw")
POSTMASTER = Person("Mail Delivery System", f"MAILER-DAEMON@mx.{DOMAIN}", "UTC")
IT_TEAM = f"it-team@{DOMAIN}"

_LAPTOP = """\
Hi,

my laptop does not start this morning. When I press the power button the fan turns for a second and the screen
stays black. I have tried another charger and held the button for half a minute: no change.

It is the grey one from spring, the label says NB-0417. I have a call with a client at eleven, so a spare one
would already help.

Thanks,
Emma

--\x20
Emma Clarke
Sales, second floor, ext. 2207
"""

_PAYSLIP = """\
Dzień dobry,

na ostatnim pasku płacowym nie widzę dodatku za dyżur w weekend. Godziny są zatwierdzone w systemie, a mimo to kwota
netto jest niższa niż miesiąc wcześniej.

Czy mogliby Państwo sprawdzić, czy dodatek zostanie doliczony w następnym miesiącu?

Pozdrawiam
Zofia Wiśniewska
Dział logistyki
"""

_PARENTAL_LEAVE = """\
Buongiorno,

tra tre mesi nascerà nostra figlia e vorrei prendere il congedo parentale per le prime otto settimane. Potete dirmi
quali documenti servono e con quanto anticipo devo presentare la domanda?

Mi sarebbe utile sapere anche se posso dividere il periodo in due parti.

Grazie mille e buona giornata,
Luca Ferrari
Ufficio acquisti, Milano
"""

_AIR_CONDITIONING = """\
السلام عليكم،

مكيف الهواء في قاعة الاجتماعات بالطابق الثالث لا يعمل منذ صباح اليوم، والحرارة في القاعة مرتفعة، ولدينا اجتماع مع
عملاء بعد الظهر.

أرجو إرسال فني، أو إبلاغي إن كان من الأفضل نقل الاجتماع إلى قاعة أخرى.

مع الشكر،
ليلى حسن
مكتب دبي
"""

_ORANGE_LIGHT = """\
Hello,

one more thing that may help: with the charger plugged in, the light beside the power button now blinks orange,
three times and then a pause.

I am at desk 2.14 until eleven.

Emma
"""

_ABSENCE = """\
Grazie per il messaggio.

Sono fuori ufficio e leggerò la posta lunedì prossimo, al mio rientro. Per gli ordini in corso potete scrivere a
acquisti@corp.example.

Luca Ferrari
"""

_REPAIRED = """\
Hello Emma,

three orange blinks mean that the memory module sits loose; with this model it happens in a bag. I have pushed it
back in and it starts again. It is waiting for you at the IT counter on the ground floor.

Ben
IT support
"""

_FULL_MAILBOX = "552 5.2.2 <layla.hassan@corp.example>: the mailbox is full"

_NEW_COLLEAGUE = """\
ITサポート、人事部のご担当者様

お疲れ様です。東京支社の田中です。

来月一日付で、私のチームに佐藤健太さんが新入社員として入社します。
つきましては、次の準備をお願いできますでしょうか。

・ITサポート様　ノートパソコン一台と社内アカウントの用意
・人事部様　　　雇用契約書の送付と入社手続きの案内

ご不明な点がございましたら、ご連絡ください。
どうぞよろしくお願いいたします。

田中 美咲
東京支社 営業部
"""

_THANKS = """\
Ben, thank you! It starts, everything is still there, and I am in time for my call. You saved my morning.

Emma
"""

SCENES: tuple[Scene, ...] = (
    Scene(
        key="laptop",
        writer=EMMA,
        about="her laptop does not start",
        subject="My laptop does not start",
        text=_LAPTOP,
        expected=(Expected(Fate.OPENED, department="it"),),
    ),
    Scene(
        key="payslip",
        writer=ZOFIA,
        about="something is missing on her payslip",
        subject="Pasek płacowy: brak dodatku za dyżur",
        text=_PAYSLIP,
        to=(HR,),
        expected=(Expected(Fate.OPENED, department="payroll"),),
    ),
    Scene(
        key="parental-leave",
        writer=LUCA,
        about="he asks about parental leave",
        subject="Domanda sul congedo parentale",
        text=_PARENTAL_LEAVE,
        to=(HR,),
        expected=(Expected(Fate.OPENED, department="hr"),),
    ),
    Scene(
        key="air-conditioning",
        writer=LAYLA,
        about="the air conditioning of the meeting room is broken",
        subject="مكيف قاعة الاجتماعات لا يعمل",
        text=_AIR_CONDITIONING,
        expected=(Expected(Fate.OPENED, department="facilities"),),
    ),
    Scene(
        key="reply",
        writer=EMMA,
        about="she replies to her receipt: a light blinks orange",
        subject="",
        text=_ORANGE_LIGHT,
        kind=Kind.REPLY,
        answers="laptop",
        expected=(Expected(Fate.APPENDED, rule="follow-up", of="laptop"),),
    ),
    Scene(
        key="out-of-office",
        writer=LUCA,
        about="his mail program answers the receipt: he is away",
        subject="Risposta automatica: ",
        text=_ABSENCE,
        to=(HR,),
        kind=Kind.ABSENCE,
        answers="parental-leave",
        expected=(Expected(Fate.ABSORBED, rule="automatic-mail", of="parental-leave"),),
    ),
    Scene(
        key="answer",
        writer=BEN,
        about="he works in IT and answers Emma from his own mail program",
        subject="",
        text=_REPAIRED,
        to=(HELP,),
        kind=Kind.REPLY,
        answers="laptop",
        seen_by=IT_TEAM,
        expected=(Expected(Fate.APPENDED, rule="follow-up", of="laptop"),),
    ),
    Scene(
        key="bounce",
        writer=POSTMASTER,
        about="a mail server returns a receipt: the mailbox is full",
        subject="Undeliverable: ",
        text=_FULL_MAILBOX,
        kind=Kind.BOUNCE,
        answers="air-conditioning",
        seen_by=LAYLA.address,
        expected=(Expected(Fate.ABSORBED, rule="automatic-mail", of="air-conditioning"),),
    ),
    Scene(
        key="new-colleague",
        writer=MISAKI,
        about="a new colleague needs a computer and a contract: one mail to both mailboxes",
        subject="新入社員の受け入れ準備について",
        text=_NEW_COLLEAGUE,
        to=(HELP, HR),
        expected=(Expected(Fate.OPENED, department="it, hr"), Expected(Fate.DUPLICATE, rule="other-mailbox")),
    ),
    Scene(
        key="thanks",
        writer=EMMA,
        about="she thanks Ben",
        subject="",
        text=_THANKS,
        kind=Kind.REPLY,
        answers="answer",
        expected=(Expected(Fate.APPENDED, rule="follow-up", of="laptop"),),
    ),
)
