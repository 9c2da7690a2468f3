"""How promises were kept is counted on the index alone: one stretch for a basket and kind, nothing sorted."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0019_the_desk_and_the_gate'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='promise',
            name='promises_kept',
        ),
        migrations.AddIndex(
            model_name='promise',
            index=models.Index(condition=models.Q(('broken_at__isnull', True), ('done', True)), fields=['workspace', 'basket', 'kind', 'ended_at'], name='kept_promises'),
        ),
        migrations.AddIndex(
            model_name='promise',
            index=models.Index(condition=models.Q(('broken_at__isnull', False), ('ended_at__isnull', True)), fields=['workspace', 'basket', 'kind'], name='promises_late'),
        ),
    ]
