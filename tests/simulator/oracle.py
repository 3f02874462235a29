"""What must be true of a simulated world in the end, whatever was done to it; each sentence here could be false."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from desk.acknowledge import Mode
from service.house import House
from service.pipeline import MAX_ATTEMPTS
from tests.simulator.ledger import Ledger
from tests.simulator.letters import MAILBOX, Kind, Matter
from tests.simulator.mailserver import MailServer, marked
from tests.simulator.relay import Relay

FATES = {
    Kind.PERSON: "opened",
    Kind.BOTH: "opened",
    Kind.NAMELESS: "opened",
    Kind.ROBOT: "opened",
    Kind.REPLY: "appended",
    Kind.AWAY: "absorbed",
    Kind.RETURNED: "absorbed",
    Kind.OLD: "backfilled",
}
"""Of the first copy; every other one is a duplicate."""
EVERY_COPY = {Kind.POISON: "quarantined", Kind.KILLER: "quarantined", Kind.LARGE: "oversize"}
ENTRIES = {"opened": 1, "appended": 1, "absorbed": 1}
DEATHS = MAX_ATTEMPTS - 1
"""A mail that was left by an earlier start counts as having been tried there, whether it was or not."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A world after its end."""

    ledger: Ledger
    server: MailServer
    relay: Relay
    house: House
    matters: list[Matter]


class Oracle:
    """Compares what was stored and sent with what was delivered."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._arrivals = list(scene.ledger.records("arrival"))
        contents = {row["outbox_id"]: row["content"] for row in scene.ledger.records("outbox_content")}
        self._outbox = {
            row["message_id"]: row | {"content": contents[row["id"]]} for row in scene.ledger.records("outbox")
        }
        self._floors = dict(scene.ledger.rows("select uidvalidity, floor_uid from folder"))

    def complaints(self) -> list[str]:
        """Every broken promise, in words."""
        checks = (
            self._conservation,
            self._bytes,
            self._fates,
            self._requests,
            self._parts,
            self._history,
            self._owed_mail,
            self._sent_mail,
            self._marks,
            self._journal,
            self._evenings,
            self._asides,
        )
        return [words for check in checks for words in check()]

    def innocents(self) -> int:
        """Mails set aside because the process kept dying while they were in hand."""
        return sum(self._is_innocent(row) for row in self._arrivals)

    def _matter(self, row: dict[str, Any]) -> Matter:
        return self._scene.server.history[row["uidvalidity"], row["uid"]].matter

    def _conservation(self) -> Iterator[str]:
        server = self._scene.server
        positions = Counter((row["uidvalidity"], row["uid"]) for row in self._arrivals)
        floor = self._floors.get(server.uidvalidity)
        if floor is None:
            yield "the folder is not watched"
            return
        ours = [uid for uid, one in server.box.items() if uid > floor or one.matter.kind is not Kind.OLD]
        yield from (f"lost: {uid}" for uid in ours if (server.uidvalidity, uid) not in positions)
        for position, times in positions.items():
            if times > 1:
                yield f"duplicated: {position}"
            if position not in server.history:
                yield f"unexpected: {position}"

    def _bytes(self) -> Iterator[str]:
        stored = dict(self._scene.ledger.rows("select digest, size from raw"))
        for row in self._arrivals:
            raw = self._scene.server.history[row["uidvalidity"], row["uid"]].raw
            kept = raw if row["complete"] else raw.partition(b"\r\n\r\n")[0]
            if row["size"] != len(raw) or stored.get(sha256(kept).hexdigest()) != len(kept):
                yield f"the bytes of arrival {row['id']} are not those of the server"

    def _is_innocent(self, row: dict[str, Any]) -> bool:
        """Quarantined without being poison, and the process died often enough to suspect it."""
        if row["fate"] != "quarantined" or self._matter(row).kind in (Kind.POISON, Kind.KILLER):
            return False
        server = self._scene.server
        return server.deaths - server.begun[row["uidvalidity"], row["uid"]] >= DEATHS

    def _fates(self) -> Iterator[str]:
        fates: dict[Matter, list[str]] = {matter: [] for matter in self._scene.matters}
        for row in self._arrivals:
            if not self._is_innocent(row):
                fates[self._matter(row)].append(row["fate"])
        for matter, found in fates.items():
            if matter.kind in EVERY_COPY:
                expected = [EVERY_COPY[matter.kind]] * len(found)
            else:
                expected = [FATES[matter.kind]] + ["duplicate"] * (len(found) - 1) if found else []
            if sorted(found) != sorted(expected):
                yield f"{matter.kind} ended as {found}, not {expected}"

    def _requests(self) -> Iterator[str]:
        opened = sorted(row["request_number"] or 0 for row in self._arrivals if row["fate"] == "opened")
        numbers = [number for (number,) in self._scene.ledger.rows("select number from request order by number")]
        if opened != numbers:
            yield f"requests {numbers} for arrivals {opened}"
        numbers_of = {self._matter(row): row["request_number"] for row in self._arrivals if row["fate"] == "opened"}
        for row in self._arrivals:
            parent = self._matter(row).parent
            if row["fate"] in ("appended", "absorbed") and parent and row["request_number"] != numbers_of.get(parent):
                yield f"the answer {row['id']} is in request {row['request_number']}, not {numbers_of.get(parent)}"

    def _history(self) -> Iterator[str]:
        entries = Counter(arrival for (arrival,) in self._scene.ledger.rows("select arrival_id from entry"))
        for row in self._arrivals:
            expected = 0 if self._matter(row).kind is Kind.RETURNED else ENTRIES.get(row["fate"], 0)
            if entries[row["id"]] != expected:
                yield f"{entries[row['id']]} entries for arrival {row['id']}, which is {row['fate']}"

    def _owed_mail(self) -> Iterator[str]:
        """Each request is told in one receipt, each news in its notification; nothing else is written to anybody."""
        due = [(kind, row) for row in self._arrivals for kind in self._due(row)]
        owed = Counter(kind for kind, _ in due)
        found = Counter(row["kind"] for row in self._outbox.values())
        if found["notification"] != owed["notification"] or found["receipt"] > owed["receipt"]:
            yield f"owed {dict(found)}, not {dict(owed)}"
        names = {self._receipt_id(row) for kind, row in due if kind == "receipt"}
        if unknown := {row["message_id"] for row in self._outbox.values() if row["kind"] == "receipt"} - names:
            yield f"receipts of nobody's: {unknown}"
        yield from self._told([row for kind, row in due if kind == "receipt"])

    def _told(self, opened: list[dict[str, Any]]) -> Iterator[str]:
        """Both promises of a request stand once each, in a receipt to its writer that names it; nobody else's do."""
        by_id = {row["id"]: row for row in self._outbox.values()}
        told: dict[int, list[tuple[str, str]]] = {}
        for promise in self._scene.ledger.records("promise"):
            receipt = by_id[promise["outbox_id"]]
            told.setdefault(promise["request_number"], []).append((promise["kind"], receipt["recipient"]))
            if receipt["kind"] != "receipt" or f"R-{promise['request_number']} ".encode() not in receipt["content"]:
                yield f"{receipt['message_id']} does not name request {promise['request_number']}"
        for row in opened:
            sender = self._matter(row).sender
            found = sorted(told.pop(row["request_number"], []))
            if found != [("first-response", sender), ("resolution", sender)]:
                yield f"request {row['request_number']} of {sender} is told as {found}"
        if told:
            yield f"promised without being due: {told}"

    def _due(self, row: dict[str, Any]) -> Iterator[str]:
        kind = self._matter(row).kind
        observes = self._scene.house.mailboxes[MAILBOX].mode is Mode.OBSERVE
        if row["fate"] == "opened" and kind in (Kind.PERSON, Kind.BOTH, Kind.NAMELESS) and not observes:
            yield "receipt"
        if row["fate"] in ("opened", "appended") and self._scene.house.mailboxes[MAILBOX].mode is Mode.FULL:
            yield from ["notification"] * len(self._departments(row))

    def _departments(self, row: dict[str, Any]) -> set[str]:
        """Those that have the request of a mail, told by whom it was written to."""
        matter = self._matter(row)
        return {"it", "hr"} if Kind.BOTH in (matter.kind, matter.parent and matter.parent.kind) else {"it"}

    def _parts(self) -> Iterator[str]:
        """A request is of the departments whose mailboxes its first mail names."""
        further = set(self._scene.ledger.rows("select request_number, department from part"))
        opened = [row for row in self._arrivals if row["fate"] == "opened"]
        expected = {(row["request_number"], one) for row in opened for one in self._departments(row) - {"it"}}
        if further != expected:
            yield f"further parts {further}, not {expected}"

    def _receipt_id(self, row: dict[str, Any]) -> str:
        key, sender = row["content_key"] or "none", self._matter(row).sender
        if row["message_id"] is None:
            key += f" {self._scene.server.history[row['uidvalidity'], row['uid']].date.isoformat()}"
        return self._scene.house.keyring.message_id("receipt", content_key=key, recipient=sender, domain="corp.example")

    def _sent_mail(self) -> Iterator[str]:
        relay = self._scene.relay
        for message_id, row in self._outbox.items():
            accepted = relay.accepted.get(message_id, [])
            doubts = relay.reached[message_id] - relay.known[message_id]
            if row["state"] == "sent" and not accepted:
                yield f"{message_id} counts as sent, and nobody accepted it"
            if row["state"] != "sent" and not (row["state"] == "refused" and message_id in relay.refused):
                yield f"{message_id} ended as {row['state']}"
            if len(accepted) > 1 + doubts:
                yield f"{message_id} was accepted {len(accepted)} times with {doubts} doubts"
            if row["ambiguous"] != doubts:
                yield f"{message_id} was perhaps sent {doubts} times, {row['ambiguous']} are counted"
            if len({one.content for one in accepted}) > 1:
                yield f"{message_id} was sent with different bytes"
        if unknown := set(relay.accepted) - set(self._outbox):
            yield f"sent without being owed: {unknown}"

    def _marks(self) -> Iterator[str]:
        server = self._scene.server
        for uid, one in server.box.items():
            if marked(one) != (uid > self._floors.get(server.uidvalidity, 0)):
                yield f"UID {uid} is {'' if marked(one) else 'not '}marked"

    def _journal(self) -> Iterator[str]:
        query = "select arrival_id from journal where event in ('settled', 'quarantined')"
        settled = Counter(arrival for (arrival,) in self._scene.ledger.rows(query))
        for row in self._arrivals:
            if settled[row["id"]] != 1:
                yield f"arrival {row['id']} is settled {settled[row['id']]} times in the journal"

    def _evenings(self) -> Iterator[str]:
        """A mail that somebody has to look at is told once, with the first report after it was set aside."""
        reports = [row["content"].decode("ascii") for row in self._outbox.values() if row["kind"] == "evening"]
        kept = self._scene.ledger.rows(f"select value from meta where key = 'evening {MAILBOX}'")
        told = int(kept[0][0].rpartition(" ")[2]) if kept else 0
        query = "select arrival_id, id from journal where event in ('settled', 'quarantined')"
        records = dict(self._scene.ledger.rows(query))
        for row in self._arrivals:
            found = sum(f"({row['id']})" in report for report in reports)
            due = row["fate"] in ("quarantined", "oversize") and records[row["id"]] <= told
            if found != due and self._scene.house.mailboxes[MAILBOX].mode is not Mode.OBSERVE:
                yield f"arrival {row['id']}, which is {row['fate']}, stands in {found} reports"

    def _asides(self) -> Iterator[str]:
        """A mail that was set aside is told to its department once, or is still to be told."""
        words = [row["content"].decode("ascii") for row in self._outbox.values() if row["kind"] == "set-aside"]
        waiting = {arrival for (arrival,) in self._scene.ledger.rows("select arrival_id from set_aside")}
        silent = self._scene.house.mailboxes[MAILBOX].mode is Mode.OBSERVE
        for row in self._arrivals:
            told = sum(f"Mail {row['id']}, " in word for word in words) + (row["id"] in waiting)
            due = row["fate"] in ("quarantined", "oversize") and not row["before_floor"] and not silent
            if told != due:
                yield f"arrival {row['id']}, which is {row['fate']}, is told {told} times to its department"
