"""The scenes: each new mail is read as it was meant, in five languages, by the departments of the demo."""

from datetime import UTC, datetime

import pytest

from desk.arrival import Arrival, Fate, Source
from desk.mail import AutomaticKind
from intake.parse import parse
from service.demo.letters import Moment, letter
from service.demo.morning import SCENES, Kind, Scene
from service.demo.place import ready_place
from service.house import UNSIGNED, House, Surroundings, build_house
from service.judged import Judged, judge

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NEW = [scene for scene in SCENES if scene.kind is Kind.NEW]
LANGUAGES = {"laptop": "en", "payslip": "pl", "parental-leave": "it", "air-conditioning": "ar", "new-colleague": "ja"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    place = ready_place(tmp_path_factory.mktemp("demo") / "morning")
    return build_house(place.settings, Surroundings(UNSIGNED, "UTC"))


def judged(scene: Scene, house: House) -> Judged:
    raw = letter(scene, Moment(NOON, "<one@corp.example>"), None).raw
    return judge(Arrival(scene.to[0], Source.SMTP, NOON, raw), parse(raw), house)


@pytest.mark.parametrize("scene", NEW, ids=lambda scene: scene.key)
def test_a_new_mail_is_of_a_person_and_without_defects(scene: Scene, house: House) -> None:
    mail = judged(scene, house).mail
    assert (mail.automatic.kind, mail.defects) == (AutomaticKind.PERSON, ())
    assert (mail.sender.name, mail.sender.address) == (scene.writer.name, scene.writer.address)
    assert mail.subject == scene.subject


@pytest.mark.parametrize("scene", NEW, ids=lambda scene: scene.key)
def test_a_new_mail_is_understood_in_its_language(scene: Scene, house: House) -> None:
    assert judged(scene, house).language == LANGUAGES[scene.key]


@pytest.mark.parametrize("scene", NEW, ids=lambda scene: scene.key)
def test_a_new_mail_goes_to_its_department_clearly(scene: Scene, house: House) -> None:
    found = judged(scene, house)
    each = [share.classification for share in found.division.shares] if found.division else [found.classification]
    assert ", ".join(one.department for one in each) == scene.expected[0].department
    assert found.division or found.classification.margin >= 1


def test_the_date_of_a_mail_is_on_the_clock_of_its_writer(house: House) -> None:
    hours = {scene.key: judged(scene, house).mail.date.utcoffset().total_seconds() / 3600 for scene in NEW}
    assert hours == {"laptop": 1, "payslip": 1, "parental-leave": 1, "air-conditioning": 4, "new-colleague": 9}


def test_each_scene_answers_an_earlier_one_and_expects_something_for_each_mailbox() -> None:
    keys = [scene.key for scene in SCENES]
    assert len(set(keys)) == len(keys)
    for number, scene in enumerate(SCENES):
        assert len(scene.expected) == len(scene.to)
        assert (scene.kind is Kind.NEW) != (scene.answers in keys[:number])
        assert all(one.of in ("", *keys[:number]) for one in scene.expected)


def test_no_department_reads_at_a_mailbox_that_is_watched(house: House) -> None:
    assert not [one.address for one in house.departments.values() if house.mailbox_of(one.address)]


def test_every_kind_of_fate_that_a_normal_day_has_is_played() -> None:
    fates = {one.fate for scene in SCENES for one in scene.expected}
    assert fates >= {Fate.OPENED, Fate.APPENDED, Fate.ABSORBED}
