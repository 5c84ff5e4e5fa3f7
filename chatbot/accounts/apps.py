from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "chatbot.accounts"
    label = "accounts"

    def ready(self) -> None:
        from chatbot.accounts import devices, erasure  # noqa: F401  register the sign-in note and the sweep
