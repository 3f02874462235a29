"""The demo tells of its mails in the house that its daemon is in."""

from datetime import UTC, datetime
from pathlib import Path

from service.demo.place import ready_place
from service.demo.stage import house_of
from service.installation import begin
from store import routing
from store.database import Database
from store.routing import Authorship, Origin


def test_an_imported_routing_is_that_of_the_demo_too(tmp_path: Path) -> None:
    """The daemon reads it, and routing.toml no more."""
    place = ready_place(tmp_path / "demo")
    assert house_of(place).departments["it"].names["en"] == "IT support"
    database = Database(place.settings.database.url)
    begin(database, place.settings)
    changed = (place.folder / "routing.toml").read_text(encoding="utf-8").replace("IT support", "The desk")
    with database.write() as connection:
        now = datetime(2026, 3, 2, tzinfo=UTC)
        routing.add(connection, changed, Authorship("anna", Origin.IMPORT, ""), base=0, now=now)
    database.close()
    assert house_of(place).departments["it"].names["en"] == "The desk"
