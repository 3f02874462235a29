"""The first minute: a morning of mail played through a real daemon, and a mail client for trying out.

The morning is data (morning.py), made into mails (letters.py), handed to a door (post.py) of a daemon (daemon.py) in a
folder of its own (place.py), and told from the ledger (fates.py, words.py) and the written mail (inbox.py). Start with
play.py. Nothing here judges, decides or stores mail: that is the daemon's, as in real life.
"""
