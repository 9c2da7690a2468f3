"""Whether an account is automated: the score of its latest post, and what a person said. Only columns that are null: on
SQLite they are added without making the table anew, which would lose the triggers of the search.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0013_corrections_and_moods'),
    ]

    operations = [
        migrations.AddField(
            model_name='handle',
            name='bot_reasons',
            field=models.TextField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='handle',
            name='bot_score',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='handle',
            name='bot_word',
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='handle',
            name='bot_word_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='handle',
            name='bot_word_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
    ]
