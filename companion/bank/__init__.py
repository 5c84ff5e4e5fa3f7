"""What the companion can say: exchanges written by people, by language, in YAML files beside this module."""

from companion.bank.book import Bank, BankError, BankLine, Exchange, opening
from companion.bank.load import bank_digest, bank_for, bank_load, languages_written

__all__ = [
    "Bank",
    "BankError",
    "BankLine",
    "Exchange",
    "bank_digest",
    "bank_for",
    "bank_load",
    "languages_written",
    "opening",
]
