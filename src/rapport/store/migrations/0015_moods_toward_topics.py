"""The mood toward a topic beside its match. It can be null and has no default, so that SQLite adds it in place."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0014_accounts_that_are_machines")]

    operations = [
        migrations.AddField("topicmatch", "mood", models.SmallIntegerField(blank=True, null=True)),
    ]
