"""How mail goes out: compose writes the bytes, retry decides when to try again, transports send, the courier drains.

Unknown failure counts as temporary, and after the final dot only a complete reply is believed. Start at courier.py.
"""
