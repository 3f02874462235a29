"""In which zone a writer reads the clock, as far as their mail tells."""

from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_WIDEST = timedelta(hours=14)


def zone_of_writer(written: datetime | None, department: ZoneInfo) -> tzinfo:
    """The department's zone, unless the mail's Date was written at another offset: then that offset.

    An offset of zero tells nothing, because Microsoft 365 and many programs write every Date in UTC.
    """
    offset = written.utcoffset() if written is not None else None
    if written is None or not offset or abs(offset) > _WIDEST:
        return department
    try:
        at_home = offset == written.astimezone(department).utcoffset()
    except OverflowError:  # a Date at the end of all calendars tells nothing
        return department
    return department if at_home else timezone(offset)
