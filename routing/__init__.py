"""Where a mail belongs: language, department by scored rules, and the request whose thread it continues.

Pure: a lookup is passed in. Start at classify.py for the verdict and at starter.toml for what a company begins with;
rules.py holds the values, reading.py reads them from TOML, matcher.py finds all keywords in one pass, text.py is the
form in which words are compared, languages.py tells the language, thread.py follows replies.
"""
