"""The obvious way, to measure against: the standard library alone, one mail after the other, one commit for each.

It stores each mail, decides nothing, and answers every one with the same few lines.

    python -m tests.bench.plain IMAP_PORT USER PASSWORD SMTP_PORT DATABASE
"""

import imaplib
import smtplib
import sqlite3
import sys
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

_POLL_SECONDS = 0.05


def main() -> None:
    """Serve the inbox until killed."""
    imap_port, user, password, smtp_port, path = sys.argv[1:]
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE mail (id INTEGER PRIMARY KEY, message_id TEXT, subject TEXT, text TEXT, raw BLOB)")
    box = imaplib.IMAP4("127.0.0.1", int(imap_port))
    box.login(user, password)
    box.select("INBOX")
    print("ready", file=sys.stderr, flush=True)
    while True:
        box.noop()
        for uid in box.uid("SEARCH", "UNSEEN")[1][0].split():
            raw = box.uid("FETCH", uid, "(RFC822)")[1][0][1]
            serve(raw, database, int(smtp_port))
        time.sleep(_POLL_SECONDS)


def serve(raw: bytes, database: sqlite3.Connection, smtp_port: int) -> None:
    """The mail is stored, and then answered."""
    mail = message_from_bytes(raw, policy=policy.default)
    body = mail.get_body(("plain", "html"))
    row = (mail["Message-ID"], mail["Subject"], body.get_content() if body else "", raw)
    with database:
        database.execute("INSERT INTO mail (message_id, subject, text, raw) VALUES (?, ?, ?, ?)", row)
    with smtplib.SMTP("127.0.0.1", smtp_port) as smtp:
        smtp.send_message(answer(mail))


def answer(mail: EmailMessage) -> EmailMessage:
    """A receipt that promises nothing."""
    receipt = EmailMessage()
    receipt["From"], receipt["To"] = "help@corp.example", mail["From"]
    receipt["Subject"] = f"Re: {mail['Subject']}"
    receipt["In-Reply-To"] = receipt["References"] = mail["Message-ID"]
    receipt["Auto-Submitted"] = "auto-replied"
    receipt.set_content("Thank you. We have received your message.\n")
    return receipt


if __name__ == "__main__":
    main()
