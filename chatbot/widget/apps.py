from django.apps import AppConfig


class WidgetConfig(AppConfig):
    name = "chatbot.widget"
    label = "widget"

    def ready(self) -> None:
        from chatbot.core.erasure import erases
        from chatbot.widget.services import person_forget

        erases("widget", person_forget)
