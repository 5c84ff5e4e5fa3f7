#!/usr/bin/env python3
"""Django's command line for Abraço."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # its sentence says what to change
        sys.exit(str(error))


if __name__ == "__main__":
    main()
