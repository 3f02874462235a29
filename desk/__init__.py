"""The domain: values, lifecycle, targets and decisions. No I/O, no clock, no randomness, nothing of the other packages.

Start at request.py for what is kept, and at acknowledge.py for who is answered.
"""
