"""Where a mail belongs: language, department by scored rules, and the request whose thread it continues.

Pure: a lookup is passed in. rules.py reads the rules, classify.py judges, thread.py follows replies.
"""
