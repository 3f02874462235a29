"""What deskbell says: one folder per notice kind, one file set per language, rendered strictly.

Text of a mail is a value here, never a template. Start at render.py.
"""
