"""Connections to PostgreSQL, by psycopg 3.

Each session waits no longer than SQLite would for a lock, is ended by the server when its daemon stops speaking in the
middle of a transaction, and never reports a commit that is not on the disk. Statements are not prepared on the server:
what they were planned for may be changed beside a running daemon, by a migration.
"""

import sys
from functools import cache
from typing import Any

from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event

from desk.errors import UserError

_SESSION = """
SET TIME ZONE 'UTC';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '30s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
_CONNECTION = {
    "application_name": "deskbell",
    "client_encoding": "utf8",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""libpq's parameters where the URL does not say otherwise: a silent server is noticed within half a minute."""


class DriverMissing(UserError):
    """psycopg is not installed."""


def engine_for(url: URL) -> Engine:
    """An engine for the database; no connection is made yet. Raises DriverMissing."""
    parameters = {name: value for name, value in _CONNECTION.items() if name not in url.query}
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={**parameters, "prepare_threshold": None},
        )
    except ImportError:  # no mail is in hand: nothing has been started
        raise DriverMissing(
            f"PostgreSQL needs one more library: {sys.executable} -m pip install 'psycopg[binary]>=3.2'"
        ) from None
    event.listen(engine, "connect", _begin_session)
    event.listen(engine, "handle_error", _without_values)
    return engine


def _begin_session(driver: Any, _record: object) -> None:
    driver.adapters.register_dumper(str, _without_nul())
    driver.execute(_SESSION)
    driver.commit()


@cache
def _without_nul() -> type:
    """How psycopg writes a text. PostgreSQL takes every character but NUL, and no mail shall fail for one."""
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415 - an extra: not everybody has it

    class Dumper(StrDumperUnknown):  # type: ignore[misc,unused-ignore]  # as far as the library is typed
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    return Dumper


def silence_values(error: BaseException) -> None:
    """The error says what was refused and no more: PostgreSQL's details quote the row, which may be of a mail."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    if primary:
        error.args = (primary,)


def _without_values(context: ExceptionContext) -> None:
    said = str(context.original_exception)
    silence_values(context.original_exception)
    if wrapped := context.sqlalchemy_exception:
        wrapped.args = tuple(
            one.replace(said, str(context.original_exception)) if isinstance(one, str) else one for one in wrapped.args
        )


def name_of(url: URL) -> str:
    """The database in words that hold no password."""
    place = url.host or url.query.get("host") or "this machine"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database or url.username or 'of this user'} at {place}{port}"
