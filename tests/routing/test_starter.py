"""The starter file is judged by mails as people write them, in five languages."""

import pytest

from desk.classification import Classification, Priority
from desk.mail import ascii_fold
from routing.classify import Routable, classify
from routing.matcher import Matcher
from routing.reading import read_routing
from routing.rules import starter_text

ROUTING = read_routing(starter_text(), source="starter.toml", default_domain="corp.example")
MATCHER = Matcher(ROUTING.rules)


def judged(subject: str, text: str, *, home: str | None = None) -> Classification:
    return classify(MATCHER, Routable(subject=subject, text=text, mailbox_department=home))


MAILS = [
    ("it", "printer", "Printer on floor 3", "It says paper jam but there is no paper in it."),
    ("it", "login", "Locked out", "I typed my password wrong three times and now I cannot sign in."),
    ("it", "network", "VPN", "Working from home today and the VPN drops every ten minutes."),
    (
        "it",
        "hardware",
        "New screen",
        "My laptop does not see the second monitor since the docking station was replaced.",
    ),
    ("it", "software", "Excel closes by itself", "Excel crashes whenever I open the budget file."),
    ("it", "phone", "Mobile phone", "My mobile phone needs a new SIM card before the trip on Monday."),
    ("it", "printer", "Drukarka na drugim piętrze", "Drukarka nie drukuje, chyba skończył się toner."),
    ("it", "login", "Zapomnialem hasla", "Nie moge sie zalogowac, prosze o nowe haslo."),
    ("it", "network", "Nie działa VPN", "Od rana nie mam połączenia z siecią firmową."),
    ("it", "software", "Instalacja programu", "Proszę o zainstalowanie programu do obróbki zdjęć i licencję."),
    ("it", "printer", "Stampante bloccata", "La stampante dell'amministrazione non stampa più nulla."),
    ("it", "login", "Password scaduta", "Non riesco ad accedere al pc, la password è scaduta."),
    ("it", "hardware", "Portatile lento", "Il mio portatile è lentissimo e lo schermo sfarfalla."),
    ("it", "printer", "الطابعة لا تعمل", "الطابعة في الطابق الثاني لا تطبع والحبر جديد."),
    ("it", "login", "نسيت كلمة المرور", "لا أستطيع تسجيل الدخول منذ الصباح."),
    ("it", "network", "مشكلة في الإنترنت", "الشبكة بطيئة جداً في مكتبنا اليوم."),
    ("it", "printer", "ﾌﾟﾘﾝﾀｰの件", "2階の複合機で印刷できません。紙詰まりのようです。"),
    ("it", "login", "パスワードについて", "パスワードを忘れてしまい、ログインできません。"),
    ("it", "network", "在宅勤務", "自宅からＶＰＮに接続できません。"),
    ("it", "hardware", "パソコンの不具合", "ノートPCの画面が真っ暗で、充電器をつないでも起動しません。"),
    ("hr", "leave", "Leave request", "I would like to take annual leave from 3 to 14 August."),
    ("hr", "sick note", "Sick today", "I am sick, the sick note from my doctor is attached."),
    ("hr", "parental leave", "Question", "How many weeks of parental leave may I take, and when must I tell you?"),
    ("hr", "certificate", "Certificate for the bank", "My landlord wants an employment certificate."),
    ("hr", "leave", "Urlop w sierpniu", "Chciałabym wziąć dwa tygodnie urlopu od 3 sierpnia."),
    ("hr", "certificate", "Zaświadczenie", "Proszę o zaświadczenie o zatrudnieniu dla banku."),
    ("hr", "contract", "Umowa", "Kiedy dostanę przedłużenie umowy o pracę? Obecna kończy się w maju."),
    ("hr", "leave", "Ferie di agosto", "Vorrei chiedere due settimane di ferie dal 3 agosto."),
    ("hr", "sick note", "Malattia", "Sono malata, allego il certificato medico."),
    ("hr", "parental leave", "Richiesta", "Quando devo presentare la domanda di congedo parentale?"),
    ("hr", "leave", "طلب إجازة", "أرغب في أخذ إجازة سنوية لمدة أسبوعين في أغسطس."),
    ("hr", "certificate", "طلب شهادة", "أحتاج إلى شهادة عمل لتقديمها إلى البنك."),
    ("hr", "contract", "تجديد العقد", "متى يتم تجديد العقد؟ عقدي ينتهي في مايو."),
    ("hr", "leave", "有給休暇の申請", "8月3日から5日間、有給を取得したいです。"),
    ("hr", "certificate", "証明書のお願い", "保育園に提出する在籍証明書の発行をお願いします。"),
    ("hr", "onboarding", "来月の入社", "来月入社する新入社員の研修日程を教えてください。"),
    ("payroll", "salary", "Payslip missing", "I have not received my payslip for May."),
    ("payroll", "tax", "Tax", "Where do I find the tax certificate for last year?"),
    ("payroll", "extra pay", "Overtime", "My overtime of last Saturday was not counted."),
    ("payroll", "salary", "Brak wypłaty", "Nie dostałem jeszcze wynagrodzenia za maj."),
    ("payroll", "tax", "PIT-11", "Kiedy otrzymam PIT-11 za ubiegły rok? Muszę rozliczyć podatek."),
    (
        "payroll",
        "extra pay",
        "Zmiana konta",
        "Od czerwca proszę przelewać na nowe konto bankowe, numer konta w załączniku.",
    ),
    ("payroll", "salary", "Busta paga", "Nella busta paga di maggio manca lo stipendio del sabato."),
    ("payroll", "extra pay", "Rimborso spese", "Quando arriva il rimborso della trasferta a Torino?"),
    ("payroll", "salary", "قسيمة الراتب", "لم أستلم راتبي لشهر مايو حتى الآن."),
    ("payroll", "tax", "سؤال", "كيف تم حساب الضريبة هذا الشهر؟"),
    ("payroll", "salary", "給与明細", "5月分の給与明細がまだ届いていません。"),
    ("payroll", "tax", "年末調整の書類", "源泉徴収票を再発行していただけますか。"),
    ("payroll", "extra pay", "残業代", "先月の残業代と交通費が支給されていません。"),
    ("facilities", "heating and cooling", "Too cold", "The heating in room 204 has not come on all week."),
    ("facilities", "access", "Badge", "My badge no longer opens the door to the third floor."),
    ("facilities", "furniture and light", "Lamp", "The light above my desk flickers."),
    ("facilities", "building", "Kitchen", "The coffee machine on the second floor is dirty again."),
    ("facilities", "heating and cooling", "Klimatyzacja", "Klimatyzacja w sali nie działa, jest bardzo gorąco."),
    ("facilities", "access", "Karta do parkingu", "Zgubiłam kartę dostępu i nie mogę wjechać na parking."),
    ("facilities", "furniture and light", "Żarówka", "Nie świeci światło nad moim biurkiem."),
    (
        "facilities",
        "heating and cooling",
        "Aria condizionata",
        "Il condizionatore dell'ufficio 12 fa rumore, fa caldo.",
    ),
    ("facilities", "access", "Posto auto", "Vorrei chiedere un posto auto nel parcheggio."),
    ("facilities", "building", "Ascensore", "L'ascensore è fermo e servirebbe una pulizia."),
    ("facilities", "heating and cooling", "التكييف", "المكيف لا يعمل والغرفة حارة جداً."),
    ("facilities", "access", "بطاقة الدخول", "فقدت بطاقة الدخول ولا أستطيع فتح الباب."),
    ("facilities", "building", "المصعد متعطل", "المصعد لا يعمل منذ أمس ونحتاج إلى صيانة."),
    ("facilities", "heating and cooling", "空調について", "会議室のエアコンが効かず、とても寒いです。"),
    ("facilities", "access", "入館証の紛失", "入館証をなくしてしまい、ドアが開けられません。"),
    ("facilities", "furniture and light", "照明", "机の上の蛍光灯が切れています。"),
]


@pytest.mark.parametrize(("department", "category", "subject", "text"), MAILS)
def test_a_mail_reaches_the_department_that_can_help(department, category, subject, text):
    verdict = judged(subject, text)
    assert (verdict.department, verdict.category) == (department, category)
    assert verdict.margin > 0


@pytest.mark.parametrize(
    ("home", "department", "runner_up", "subject", "text"),
    [
        ("hr", "hr", "it", "New employee on Monday", "Our new employee needs onboarding, and a laptop."),
        ("it", "payroll", "it", "Busta paga", "Non vedo lo stipendio e il portale dice password errata."),
        ("it", "it", "facilities", "Printer", "The printer next to the kitchen has no toner."),
        ("it", "facilities", "it", "Biurko i krzesło", "Mam nowe biurko i krzesło, a monitor stoi na podłodze."),
        ("facilities", "facilities", "payroll", "駐車場", "駐車場の利用料は給与から引かれますか。"),
        ("it", "hr", "it", "إجازة", "طلبت إجازة سنوية لكن البرنامج لا يقبل الطلب."),
    ],
)
def test_a_mail_about_two_things_names_both_departments(home, department, runner_up, subject, text):
    verdict = judged(subject, text, home=home)
    assert (verdict.department, verdict.runner_up) == (department, runner_up)


@pytest.mark.parametrize(
    ("priority", "subject", "text"),
    [
        ("urgent", "URGENT: VPN", "I cannot connect."),
        ("urgent", "Pilne", "Drukarka nie działa."),
        ("urgent", "Urgente: stampante", "Non stampa."),
        ("urgent", "عاجل: الطابعة", "لا تعمل."),
        ("urgent", "【至急】プリンター", "印刷できません。"),
        ("urgent", "Question", "I clicked a suspicious link in a phishing mail."),
        ("urgent", "Kitchen", "There is a water leak under the sink."),
        ("urgent", "Awaria", "Awaria serwera, nikt nie może pracować."),
        ("urgent", "給湯室", "天井から水漏れしています。"),
        ("high", "Laptop", "It does not start and I cannot work."),
        ("high", "Drukarka", "Potrzebuję tego pilnie na spotkanie."),
        ("high", "パソコン", "起動せず、仕事ができません。"),
        ("normal", "Printer", "Please look at it as soon as possible."),
        ("normal", "Emergency contact", "I would like to change my emergency contact."),
        ("normal", "緊急連絡先の変更", "緊急連絡先を変更したいです。"),
        ("normal", "Training", "When is the next phishing training?"),
        ("low", "Chair", "It squeaks. This is not urgent."),
        ("low", "Krzesło", "Skrzypi, ale to nic pilnego."),
        ("low", "Sedia", "Cigola, ma non è urgente."),
        ("low", "الكرسي", "الأمر غير عاجل."),
        ("low", "椅子", "ガタつきますが、急ぎではありません。"),
    ],
)
def test_the_priority_is_what_the_writer_says_and_not_what_politeness_says(priority, subject, text):
    assert judged(subject, text).priority is Priority(priority)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Question", "Please leave the invoice on my table, and thanks for the tax-free taxi tip."),
        ("SSL certificate", "The browser warns about it on our website."),
        ("Windows", "Windows asks for a restart every day."),
        ("Ask the help desk", "Who is responsible for the newsletter?"),
        ("Kontakt", "Proszę o kontakt, mój numer telefonu jest w stopce."),
    ],
)
def test_a_word_that_only_looks_alike_sends_no_mail_away_from_it(subject, text):
    assert judged(subject, text).department == "it"


def test_a_mail_without_any_word_stays_where_it_was_written_to():
    assert judged("Hello", "Can you call me?", home="facilities").department == "facilities"
    assert judged("Hello", "Can you call me?").department == "it"


def test_departments_have_names_in_five_languages_targets_for_all_priorities_and_an_address():
    assert [one.key for one in ROUTING.departments] == ["it", "hr", "payroll", "facilities"]
    for department in ROUTING.departments:
        assert set(department.names) == {"en", "pl", "it", "ar", "ja"}
        assert set(department.targets) == set(Priority)
        assert department.address == f"{department.key}@corp.example"


def test_the_office_works_from_monday_to_friday_in_the_zone_of_the_machine():
    (office,) = ROUTING.calendars
    assert (office.key, office.zone, office.country) == ("office", "system", "")
    assert office.hours == dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-17:00",))


def test_a_department_with_an_own_default_can_be_set_in_the_file():
    changed = starter_text().replace('default = "it"', 'default = "hr"')
    routing = read_routing(changed, source="changed.toml", default_domain="corp.example")
    verdict = classify(Matcher(routing.rules), Routable(subject="Hello", text=""))
    assert verdict.department == "hr"


def test_no_rule_names_an_address_or_a_host_of_somebody():
    found = {word for word in ascii_fold(starter_text()).replace('"', " ").split() if "@" in word}
    assert {word.rstrip(",").rpartition("@")[2] for word in found} == {"corp.example"}
