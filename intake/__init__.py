"""How mail comes in and is understood.

fields.py reads a header block byte by byte; parse.py makes a Mail of any bytes; automatic.py tells person from machine.
mailbox.py (IMAP) and listener.py (LMTP, SMTP) hand over raw bytes and never decide. Start at parse.py.
"""
