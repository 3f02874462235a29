"""What a daemon does from time to time, beside the mail: each round looks whether something is due, and does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.asides import AsideNews
from service.evening import EveningReport, Evenings
from service.house import House
from service.retention import Retention
from service.settings import Settings
from service.transactions import Transactions
from store.database import Database


@dataclass(frozen=True, slots=True)
class Round:
    """A step, and the seconds after which it looks again where it had nothing to do."""

    name: str
    seconds: float
    step: Callable[[datetime], bool]


class Rounds:
    """The rounds of one installation."""

    def __init__(self, database: Database, transactions: Transactions, settings: Settings, house: House) -> None:
        evening = EveningReport(transactions, house, Evenings(settings.evening_report, settings.admins))
        asides = AsideNews(database, transactions, house)
        retention = Retention(database, transactions, house)
        self._tenants = (evening, asides, retention)
        self.every: Sequence[Round] = (
            Round("evening", 20.0, evening.step),
            Round("asides", 1.0, asides.step),
            Round("retention", 30.0, retention.step),
        )

    def move_into(self, house: House) -> None:
        """From now on they go by that house."""
        for tenant in self._tenants:
            tenant.move_into(house)
