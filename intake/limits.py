"""What one peer, and all of them together, may take of the door."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """What one peer, and all of them together, may take of us.

    max_octets: the largest mail, announced as SIZE (RFC 1870). connections, per_peer: sessions at a time, in all and by
    address. line: octets of the longest line. command_timeout: seconds between two commands, and for keeping a mail.
    data_timeout: seconds for the whole of DATA. held_octets: of mail in all sessions together.
    """

    max_octets: int
    connections: int = 200
    per_peer: int = 50
    recipients: int = 100
    line: int = 64 * 1024
    command_timeout: float = 300
    data_timeout: float = 600
    held_octets: int = 256 * 1024 * 1024

    def __post_init__(self) -> None:
        """Refuse limits under which no mail, or not the largest one, could ever come in."""
        numbers = (self.max_octets, self.connections, self.per_peer, self.recipients, self.line)
        if min(*numbers, self.command_timeout, self.data_timeout) <= 0 or self.held_octets < self.max_octets:
            raise ValueError("limits of a door are above zero, and held_octets is at least max_octets")
