"""A person's copy, asked for, made and fetched as a browser does."""

from __future__ import annotations

from django.test import Client

from chatbot.me.jobs import export
from chatbot.me.models import Export, ExportState


def asked(client: Client) -> None:
    assert client.post("/me/export/").status_code == 302


def fetched(client: Client, form: str = "json") -> str:
    response = client.get(f"/me/export/abraco.{form}")
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode("utf-8")  # type: ignore[arg-type]


def work() -> None:
    """The job, for whatever was asked."""
    for export_id in Export.objects.filter(state=ExportState.ASKED).values_list("id", flat=True):
        export(str(export_id))


def copy_of(client: Client, form: str = "json") -> str:
    """Ask, let the job run, fetch."""
    asked(client)
    work()
    return fetched(client, form)
