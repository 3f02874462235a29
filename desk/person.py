"""Somebody of our own: their addresses, and how they like to be written to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """One person by their main address; aliases lead to the same person. Addresses are folded, "" is unknown.

    language: a tag such as "pl". zone: an IANA name. country: ISO 3166, two letters. manager: an address.
    """

    address: str
    aliases: tuple[str, ...] = ()
    language: str = ""
    zone: str = ""
    country: str = ""
    manager: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The main address and the aliases."""
        return (self.address, *self.aliases)
