#!/usr/bin/env python3
"""Django's command line for Abraço."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import DatabaseError
    except ModuleNotFoundError as error:
        sys.exit(f"{error.msg[0].upper()}{error.msg[1:]}. After `make install`: .venv/bin/python manage.py ...")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # its sentence says what to change
        sys.exit(str(error))
    except DatabaseError:
        from chatbot.core.database import migrations_missing
        from chatbot.core.parts import database_wrong

        if wrong := database_wrong():
            sys.exit(f"{wrong[0]} Do this: {wrong[1]}.")
        if not migrations_missing():
            raise
        sys.exit("The database isn't ready for this version. Do this: `python manage.py migrate`, then try again.")


if __name__ == "__main__":
    main()
