"""Groups of commands: like cli.py they parse arguments, call service and print; they decide nothing."""
