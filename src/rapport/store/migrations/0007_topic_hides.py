from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0006_words_that_are_found"),
    ]

    operations = [
        migrations.AddField(
            model_name="topic",
            name="hides",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
