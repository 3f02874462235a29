"""What happens to a simulated world: mail comes, comes again, is renumbered, clocks jump, the relay goes away."""

from collections.abc import Callable
from datetime import timedelta

from tests.simulator.letters import Kind, Matter, answer, by_another_hop, first_mail
from tests.simulator.mailserver import MailServer
from tests.simulator.relay import Relay
from tests.simulator.world import World

FIRST_KINDS = {
    Kind.PERSON: 10,
    Kind.BOTH: 2,
    Kind.NAMELESS: 3,
    Kind.ROBOT: 1,
    Kind.POISON: 1,
    Kind.KILLER: 1,
    Kind.LARGE: 1,
}
ANSWERS = (Kind.REPLY, Kind.REPLY, Kind.AWAY, Kind.RETURNED)
JUMPS = (timedelta(hours=-1), timedelta(hours=1), timedelta(days=1), timedelta(days=-1))
APART = 3600
"""Seconds after which equal mails without Message-ID are two."""


class Story:
    """What may still happen; each event at most as often as its budget says."""

    def __init__(self, world: World, server: MailServer, relay: Relay) -> None:
        self._world, self._server, self._relay = world, server, relay
        self._number = 0
        self._left = world.random.randint(1, 6)
        self._copies = world.random.randint(0, 3)
        self._renumberings = world.random.choice((0, 0, 1, 2))
        self._later = world.random.choice((0, 0, 0, 1))
        self.matters: list[Matter] = []
        events: tuple[tuple[float, Callable[[], None]], ...] = (
            (0.35, self.new_mail),
            (0.10, self.copy),
            (0.03, self.renumbering),
            (0.05, lambda: world.jump(world.random.choice(JUMPS))),
            (0.03, lambda: relay.go_down(world.random.randint(1, 90))),
            (0.02, self.expunge),
            (0.03, self.much_later),
        )
        self._events = events

    def before_the_watch(self) -> None:
        """Mail is there already when deskbell comes."""
        for _ in range(self._world.random.choice((0, 0, 1, 2))):
            self._deliver_first(Kind.OLD)
        self._world.passes(60)

    def goes_on(self) -> None:
        """Some time passes, and something may happen in it."""
        self._world.passes(self._world.random.choice((0, 1, 5, 30)))
        for probability, event in self._events:
            if self._world.random.random() < probability:
                event()

    def ends(self) -> None:
        """What was still to come comes."""
        while self._left:
            self.new_mail()

    def new_mail(self) -> None:
        """A mail nobody sent before."""
        if not self._left:
            return
        self._left -= 1
        if self._relay.accepted and self._world.random.random() < 0.5 and self._answer():
            return
        kinds = list(FIRST_KINDS)
        self._deliver_first(self._world.random.choices(kinds, list(FIRST_KINDS.values()))[0])

    def copy(self) -> None:
        """A mail comes again at once, byte for byte or by another hop."""
        known = [one for one in self._server.box.values() if one.matter.kind is not Kind.OLD]
        if not self._copies or not known:
            return
        self._copies -= 1
        one = self._world.random.choice(known)
        # Without Message-ID, what tells two mails apart is when they came.
        raw = by_another_hop(one.raw, self._copies) if self._world.random.random() < 0.5 else one.raw
        self._server.deliver(one.matter, raw, one.date if one.matter.kind is Kind.NAMELESS else None)

    def much_later(self) -> None:
        """The same words without Message-ID come again an hour later: another matter."""
        nameless = [one for one in self.matters if one.kind is Kind.NAMELESS]
        if not self._later or not nameless:
            return
        self._later -= 1
        self._world.passes(APART)
        again = self._world.random.choice(nameless)
        self._deliver(Matter(Kind.NAMELESS, again.raw, again.sender))

    def renumbering(self) -> None:
        """UIDVALIDITY changes."""
        if self._renumberings:
            self._renumberings -= 1
            self._server.renumber()

    def expunge(self) -> None:
        """Somebody deletes a mail, whether it was read by us or not."""
        if len(self._server.box) > 2:
            self._server.expunge(self._world.random.choice(list(self._server.box)))

    def _deliver_first(self, kind: Kind) -> None:
        self._number += 1
        self._deliver(first_mail(kind, self._number))

    def _deliver(self, matter: Matter) -> None:
        self.matters.append(matter)
        self._server.deliver(matter, matter.raw)

    def _answer(self) -> bool:
        """A receipt that went out is answered, by a person or a program, or comes back itself."""
        found = self._some_receipt()
        if found is None:
            return False
        parent, receipt_id, content = found
        kind = self._world.random.choice(ANSWERS)
        self._number += 1
        if kind is Kind.RETURNED and all(content != one.raw for one in self.matters):
            self._deliver(Matter(kind, content, parent.sender, parent))
        else:
            kind = Kind.REPLY if kind is Kind.RETURNED else kind  # it came back before
            self._deliver(answer(kind, self._number, parent=parent, receipt_id=receipt_id))
        return True

    def _some_receipt(self) -> tuple[Matter, str, bytes] | None:
        receipts = [sent[0] for message_id, sent in self._relay.accepted.items() if message_id.startswith("<receipt.")]
        if not receipts:
            return None
        receipt = self._world.random.choice(receipts)
        parent = next((one for one in self.matters if _is_answered_by(one, receipt.content)), None)
        return None if parent is None else (parent, receipt.message_id, receipt.content)


def _is_answered_by(matter: Matter, receipt: bytes) -> bool:
    """By the Message-ID that the receipt names; a mail that has none is not answered in this story."""
    name = matter.raw.partition(b"Message-ID: ")[2].partition(b"\r\n")[0]
    return matter.kind in (Kind.PERSON, Kind.BOTH) and b"In-Reply-To: " + name in receipt
