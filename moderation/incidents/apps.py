from pathlib import Path

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "moderation.incidents"
    label = "incidents"

    def ready(self) -> None:
        from django.conf import settings

        from chatbot.core.erasure import erases
        from moderation import screen
        from moderation.incidents import jobs, services  # noqa: F401  jobs registers the sweeps of this app

        erases("incidents", services.person_forget)
        # An operator's policy that can't be used stops the start here, by the line that is wrong (4.10).
        if settings.POLICY_FILE:
            screen.configure(policy_file=Path(settings.POLICY_FILE))
