import chatbot.core.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0002_helpline_check'),
    ]

    operations = [
        migrations.AddField(
            model_name='incident',
            name='answered_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='incident',
            name='claimed_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='incident',
            name='decided_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='incident',
            name='outcome',
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name='incident',
            name='second_look',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='incidentevent',
            name='note',
            field=chatbot.core.fields.EncryptedTextField(null=True),
        ),
    ]
