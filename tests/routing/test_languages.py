"""A dozen short mails a language are told; what is too short, too mixed or foreign is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.languages import detect

MAILS = {
    "en": """
        My laptop does not start since this morning, could you please help?
        Hi, I forgot my password and cannot sign in.
        The printer on the second floor is out of toner again.
        Please send me the payslip for May, I have not received it.
        I would like to take two weeks of leave in August.
        Is there any free parking space for my new car?
        Dear colleagues, the light above my desk is broken.
        Hello, who can tell me when the training will be?
        We need a new monitor for our colleague, thanks!
        It is too cold in the office, can someone check the heating?
        Good morning, the VPN does not work from home today.
        Thank you, that solved it. You can close the request.
    """,
    "pl": """
        Dzień dobry, drukarka na drugim piętrze nie działa od rana.
        Cześć, zapomniałem hasła i nie mogę się zalogować.
        Prosze o nowe haslo, poniewaz nie moge sie zalogowac.
        Nie dostałam jeszcze paska za maj, kiedy będzie?
        Chciałabym wziąć dwa tygodnie urlopu w sierpniu.
        Czy jest wolne miejsce na parkingu dla mojego samochodu?
        Szanowni Państwo, lampa nad moim biurkiem jest zepsuta.
        W biurze jest bardzo zimno, proszę sprawdzić ogrzewanie.
        Witam, od wczoraj nie mam dostępu do folderu.
        Potrzebujemy monitora dla nowej koleżanki, dziękuję!
        Kto może mi powiedzieć, kiedy jest szkolenie?
        Dziękuję, już działa, można zamknąć zgłoszenie.
    """,
    "it": """
        Buongiorno, la stampante del secondo piano non funziona.
        Ho dimenticato la password e non riesco ad accedere.
        Non ho ancora ricevuto la busta paga di maggio.
        Vorrei prendere due settimane di ferie ad agosto.
        C'è un posto auto libero nel parcheggio per la mia macchina?
        Gentili colleghi, la lampada sopra la mia scrivania è rotta.
        In ufficio fa troppo freddo, qualcuno può controllare?
        Salve, da ieri non vedo più la cartella condivisa.
        Abbiamo bisogno di uno schermo per la nuova collega, grazie!
        Quando sarà il corso di formazione per i nuovi assunti?
        Il mio portatile non si accende da questa mattina.
        Grazie mille, adesso funziona, potete chiudere la richiesta.
    """,
    "de": """
        Guten Morgen, der Drucker im zweiten Stock geht nicht mehr.
        Ich habe mein Passwort vergessen und kann mich nicht anmelden.
        Die Abrechnung für Mai habe ich noch nicht bekommen.
        Ich möchte im August zwei Wochen Urlaub nehmen.
        Gibt es noch einen freien Parkplatz für mein Auto?
        Sehr geehrte Damen und Herren, die Lampe über meinem Tisch ist kaputt.
        Im Büro ist es zu kalt, kann das jemand prüfen?
        Hallo, seit gestern sehe ich den Ordner nicht mehr.
        Wir brauchen einen Bildschirm für unsere neue Kollegin, danke!
        Wann ist die nächste Schulung und wer darf kommen?
        Mein Rechner startet seit heute Morgen nicht.
        Vielen Dank, es geht wieder, bitte schließen.
    """,
    "fr": """
        Bonjour, l'imprimante du deuxième étage ne fonctionne plus.
        J'ai oublié mon mot de passe et je ne peux pas me connecter.
        Je n'ai pas encore reçu la fiche de paie de mai.
        Je voudrais prendre deux semaines de congé en août.
        Y a-t-il une place de parking pour ma voiture ?
        Chers collègues, la lampe au-dessus de mon bureau est cassée.
        Il fait trop froid dans le bureau, merci de vérifier.
        Depuis hier je ne vois plus le dossier partagé.
        Nous avons besoin d'un écran pour notre nouvelle collègue, merci !
        Quand est la formation et qui peut venir ?
        Mon ordinateur ne démarre pas depuis ce matin.
        Merci beaucoup, cela marche, vous pouvez fermer la demande.
    """,
    "es": """
        Buenos días, la impresora del segundo piso no funciona.
        He olvidado mi contraseña y no puedo entrar.
        Todavía no he recibido la nómina de mayo.
        Quisiera tomar dos semanas de vacaciones en agosto.
        ¿Hay una plaza de aparcamiento para mi coche?
        Estimados compañeros, la lámpara de mi mesa está rota.
        Hace mucho frío en la oficina, ¿alguien puede mirar?
        Hola, desde ayer no veo la carpeta compartida.
        Necesitamos una pantalla para la nueva compañera, ¡gracias!
        ¿Cuándo es el curso y quién puede ir?
        Mi ordenador no arranca desde esta mañana.
        Muchas gracias, ya funciona, pueden cerrar la solicitud.
    """,
    "nl": """
        Goedemorgen, de printer op de tweede verdieping werkt niet meer.
        Ik ben mijn wachtwoord vergeten en kan niet inloggen.
        Ik heb de loonstrook van mei nog niet gekregen.
        Graag wil ik in augustus twee weken vrij.
        Is er een parkeerplaats voor mijn nieuwe auto?
        Beste collega's, de lamp boven mijn bureau is kapot.
    """,
    "pt": """
        Bom dia, a impressora do segundo andar não funciona.
        Esqueci a minha senha e não consigo entrar.
        Ainda não recebi o recibo de maio, podem ajudar?
        Gostaria de tirar duas semanas de férias em agosto.
        Há um lugar de estacionamento para o meu carro?
        Olá, desde ontem não vejo a pasta da equipe, obrigado.
    """,
    "cs": """
        Dobrý den, tiskárna ve druhém patře nefunguje.
        Zapomněl jsem heslo a nemůžu se přihlásit.
        Ještě jsem nedostala výplatní pásku za květen.
        Chtěla bych si vzít dva týdny dovolené v srpnu.
        Je volné parkovací místo pro moje auto?
        Děkuji, už to funguje, můžete požadavek uzavřít.
    """,
    "ja": """
        2階のプリンターが動きません。
        パスワードを忘れました。
        5月分の給与明細が届いていません。
        8月に有給休暇を取得したいです。
        駐車場は空いていますか。
        机の上の照明が切れています。
        会議室がとても寒いです。
        Excel が起動しないので、Windows Update の後から困っています。
        昨日から共有フォルダが見えません。
        新しいモニターをお願いします。
        研修はいつですか。
        ありがとうございます。解決しました。
    """,
    "ar": """
        الطابعة في الطابق الثاني لا تعمل.
        نسيت كلمة المرور ولا أستطيع الدخول.
        لم أستلم قسيمة الراتب لشهر مايو.
        أرغب في إجازة لمدة أسبوعين في أغسطس.
        هل يوجد موقف لسيارتي؟
        المصباح فوق مكتبي معطل.
        الجو بارد جداً في المكتب.
        منذ أمس لا أرى المجلد المشترك.
        نحتاج إلى شاشة لزميلتنا الجديدة.
        متى موعد التدريب؟
        جهازي لا يعمل منذ الصباح.
        شكراً، تم حل المشكلة.
    """,
    "uk": """
        Доброго дня, принтер на другому поверсі не працює.
        Я забув пароль і не можу увійти.
        Потрібна відпустка в серпні.
    """,
    "ru": """
        Добрый день, принтер на втором этаже не работает.
        Я забыл пароль и не могу войти.
        Где получить справку?
    """,
    "fa": """
        چاپگر طبقه دوم کار نمی‌کند.
        رمز عبور خود را فراموش کرده‌ام، لطفاً کمک کنید.
    """,
    "ko": """
        프린터가 작동하지 않습니다.
        비밀번호를 잊어버렸습니다.
    """,
    "zh": """
        二楼的打印机坏了，请帮忙看一下。
        忘记密码了，无法登录公司邮箱系统。
        請問什麼時候發薪水？
    """,
    "he": """
        המדפסת בקומה השנייה לא עובדת.
    """,
    "el": """
        Ο εκτυπωτής στον δεύτερο όροφο δεν λειτουργεί.
    """,
}
CASES = [(tag, line.strip()) for tag, lines in MAILS.items() for line in lines.strip().splitlines()]


@pytest.mark.parametrize(("language", "text"), CASES)
def test_a_short_mail_tells_its_language(language, text):
    assert detect(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "12345 !!! :-)",
        "😀",
        "ok",
        "VPN",
        "Printer",
        "Laptop kaputt",
        "Thanks!",
        "Drukarka",
        "Grazie",
        "Re: Fwd: Excel",
        "Monitor, Toner",
        "会議室予約",
        "出張申請",
        "Hei, tulostimeni ei toimi. Voisitteko auttaa minua tänään?",
        "Merhaba, yazıcım çalışmıyor, bugün yardım edebilir misiniz?",
        "Jó napot, a nyomtató reggel óta nem működik, kérem segítsen.",
        "Hej, min skrivare fungerar inte längre. Kan ni hjälpa mig idag? Tack på förhand",
        "ERROR 0x80070005 svchost.exe C:\\Windows\\System32 kernel32.dll",
    ],
)
def test_what_does_not_tell_its_language_has_none(text):
    assert detect(text) is None


@pytest.mark.parametrize(
    ("text", "known", "language"),
    [
        ("ok", "pl", "pl"),
        ("", "ja", "ja"),
        ("Laptop kaputt", "de", "de"),
        ("会議室予約", "ja", "ja"),
        ("принтер", "uk", "uk"),
        ("принтер", "pl", "ru"),
        ("принтер і сканер", "ru", "uk"),
        ("مدير", "ar", "ar"),
        ("سلام", "fa", "fa"),
        ("سلام", None, "ar"),
        ("プリンター", "en", "ja"),
        ("The printer does not work, please help me.", "pl", "en"),
        ("hello world мир", "en", "en"),
    ],
)
def test_what_is_known_of_the_sender_decides_where_the_text_does_not(text, known, language):
    assert detect(text, known=known) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("プリンター HP LaserJet Pro MFP が動かない", "ja"),
        ("VPN GlobalProtect لا يعمل منذ الصباح", "ar"),
        ("Windows Server 2022 не работает после обновления", "ru"),
        ("Nie działa Microsoft Teams, proszę o pomoc", "pl"),
        ("NIE MOGĘ SIĘ ZALOGOWAĆ, PROSZĘ O POMOC", "pl"),
        ("Proszę o nowe hasło", "pl"),
        ("会議室の予約", "ja"),
    ],
)
def test_product_names_and_capitals_do_not_change_the_language(text, language):
    assert detect(text) == language


def test_decomposed_letters_tell_as_much_as_composed_ones():
    assert detect("Prosze\u0328 o pomoc, nie moge\u0328 sie\u0328 zalogowac\u0301") == "pl"


def test_only_the_beginning_of_a_long_text_is_judged():
    assert detect("The printer does not work, can you help me please? " * 30 + "プリンター" * 5000) == "en"


@given(st.text(max_size=80), st.sampled_from(["pl", "xx", None]))
def test_any_text_has_a_language_or_none(text, known):
    assert detect(text, known=known) in {*MAILS, known, None}
