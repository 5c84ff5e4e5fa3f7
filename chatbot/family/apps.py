from django.apps import AppConfig


class FamilyConfig(AppConfig):
    name = "chatbot.family"
    label = "family"

    def ready(self) -> None:
        from chatbot.family import jobs
        from moderation.incidents.adults import adults_by

        adults_by(jobs.ALERT)
