"""A workspace's own model of the readings, and from which certainty readings count for it: two new tables."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0015_moods_toward_topics'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReadingSettings',
            fields=[
                ('workspace', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='reading_settings', serialize=False, to='store.workspace')),
                ('thresholds', models.JSONField(default=dict)),
                ('share', models.FloatField(blank=True, null=True)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
            ],
        ),
        migrations.CreateModel(
            name='TeamModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('made', 'Made'), ('failed', 'Failed')], default='waiting', max_length=8)),
                ('asked_at', models.DateTimeField()),
                ('claimed_by', models.CharField(blank=True, max_length=64)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('progress', models.PositiveSmallIntegerField(default=0)),
                ('step', models.CharField(blank=True, max_length=24)),
                ('made_at', models.DateTimeField(blank=True, null=True)),
                ('beside', models.CharField(blank=True, max_length=64)),
                ('corrections', models.PositiveIntegerField(default=0)),
                ('stood', models.PositiveIntegerField(default=0)),
                ('figures', models.JSONField(default=list)),
                ('weights', models.BinaryField(null=True)),
                ('in_force', models.BooleanField(default=False)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='team_models', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='team_models', to='store.workspace')),
            ],
            options={
                'ordering': ['-version'],
                'constraints': [models.UniqueConstraint(fields=('workspace', 'version'), name='one_team_model_version'), models.UniqueConstraint(condition=models.Q(('in_force', True)), fields=('workspace',), name='one_team_model_in_force'), models.UniqueConstraint(condition=models.Q(('state__in', ['waiting', 'running'])), fields=('workspace',), name='one_team_model_in_the_making')],
            },
        ),
    ]
