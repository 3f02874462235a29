"""What is kept: tables, transactions, migrations. Values that leave are desk's frozen dataclasses.

Each function takes an open connection and does its part of one transaction; database.py opens and ends them.
"""
