"""Settings, wiring and the running daemon: the only place with threads, clocks and randomness.

pipeline.py names the steps in order; daemon.py runs them; settings.py reads config.toml.
"""
