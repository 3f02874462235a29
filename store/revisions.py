"""Which migrations this program has. They are known by their files' names: Alembic takes longer to load than to ask."""

from pathlib import Path

FOLDER = Path(__file__).with_name("migrations")


def known() -> list[str]:
    """The revisions, oldest first. The name of a migration's file begins with its own, and they sort in their order."""
    return sorted(file.name.partition("_")[0] for file in FOLDER.glob("versions/[0-9]*_*.py"))


def head() -> str:
    """The revision whose schema is the declared tables."""
    return known()[-1]
