"""Sign-ins with whose they are, so that nobody has to open everybody's to find one person's."""

import uuid

from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations, models
from django.utils import timezone

SESSION_KEY = "_auth_user_id"


def _person(data):
    try:
        return uuid.UUID(data[SESSION_KEY])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def moved(apps, schema_editor):
    """Whoever is signed in stays so. What has run out, or can't be opened any more, is left behind, and goes."""
    before, sign_in = apps.get_model("sessions", "Session"), apps.get_model("accounts", "SignIn")
    opener, rows = SessionStore(), []
    for row in before.objects.filter(expire_date__gt=timezone.now()).iterator():
        data = opener.decode(row.session_data)
        if data:
            rows.append(sign_in(session_key=row.session_key, session_data=row.session_data,
                                expire_date=row.expire_date, person_id=_person(data)))
    sign_in.objects.bulk_create(rows, batch_size=500)
    # A row that is left there would name somebody for ever: nothing ends it any more.
    before.objects.all().delete()


def moved_back(apps, schema_editor):
    before, sign_in = apps.get_model("sessions", "Session"), apps.get_model("accounts", "SignIn")
    rows = [before(session_key=row.session_key, session_data=row.session_data, expire_date=row.expire_date)
            for row in sign_in.objects.iterator()]
    before.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_skills_off'),
        ('sessions', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SignIn',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                ('person_id', models.UUIDField(blank=True, db_index=True, null=True)),
            ],
            options={
                'verbose_name': 'session',
                'verbose_name_plural': 'sessions',
                'abstract': False,
            },
        ),
        migrations.RunPython(moved, moved_back),
    ]
