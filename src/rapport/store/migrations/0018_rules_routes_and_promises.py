"""Drafts of rules with their trials, effects and tasks, hours and promises of baskets, notifications: new tables; a
nullable column on conversations, which keeps the table and its search as they are."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0017_people_and_machines_apart'),
    ]

    operations = [
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='Acknowledgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('post', models.BigIntegerField()),
                ('text', models.TextField()),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='AcknowledgementSettings',
            fields=[
                ('workspace', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='acknowledgement_settings', serialize=False, to='store.workspace')),
                ('enabled', models.BooleanField(default=False)),
                ('by_rules', models.BooleanField(default=False)),
                ('texts', models.JSONField(default=dict)),
                ('help_links', models.TextField(blank=True)),
                ('baskets', models.JSONField(default=list)),
                ('changed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='BackTest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document', models.TextField()),
                ('against', models.PositiveIntegerField(default=0)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('stopped', 'Stopped'), ('failed', 'Failed')], default='waiting', max_length=8)),
                ('asked_at', models.DateTimeField()),
                ('claimed_by', models.CharField(blank=True, max_length=64)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('seen', models.PositiveBigIntegerField(default=0)),
                ('total', models.PositiveBigIntegerField(default=0)),
                ('report', models.JSONField(blank=True, default=dict)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='DraftReturn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('reason', models.CharField(max_length=300)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Escalation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('post', models.BigIntegerField()),
                ('step', models.CharField(max_length=63)),
                ('rule', models.CharField(max_length=200)),
                ('count', models.PositiveIntegerField(default=0)),
                ('at', models.DateTimeField()),
                ('way', models.CharField(blank=True, choices=[('', 'Open'), ('acknowledged', 'Acknowledged'), ('reported', 'Reported'), ('handed', 'Handed'), ('ignored', 'Ignored')], default='', max_length=12)),
                ('handled_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name='Ignoring',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=300)),
                ('at', models.DateTimeField()),
                ('until', models.DateTimeField(blank=True, null=True)),
                ('review_at', models.DateTimeField(blank=True, null=True)),
                ('reviewed_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(max_length=16)),
                ('bundle', models.CharField(blank=True, max_length=200)),
                ('count', models.PositiveIntegerField(default=1)),
                ('text', models.CharField(max_length=300)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('mail_at', models.DateTimeField(blank=True, null=True)),
                ('mailed_at', models.DateTimeField(blank=True, null=True)),
                ('push_at', models.DateTimeField(blank=True, null=True)),
                ('pushed_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='NotificationSettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ways', models.JSONField(default=dict)),
                ('quiet', models.JSONField(default=dict)),
                ('changed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Promise',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('first', 'First'), ('next', 'Next'), ('resolution', 'Resolution')], max_length=10)),
                ('minutes', models.PositiveIntegerField()),
                ('used', models.FloatField(default=0)),
                ('started_at', models.DateTimeField()),
                ('running_since', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('warn_at', models.DateTimeField(blank=True, null=True)),
                ('warned_at', models.DateTimeField(blank=True, null=True)),
                ('broken_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('done', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='PushSubscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('endpoint', models.TextField()),
                ('digest', models.CharField(max_length=64)),
                ('p256dh', models.CharField(max_length=128)),
                ('auth', models.CharField(max_length=64)),
                ('device', models.CharField(blank=True, max_length=120)),
                ('created_at', models.DateTimeField()),
                ('failures', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='RuleDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=200)),
                ('day', models.DateField()),
                ('fired', models.PositiveIntegerField(default=0)),
                ('overridden', models.PositiveIntegerField(default=0)),
                ('broken', models.PositiveIntegerField(default=0)),
                ('last_at', models.DateTimeField()),
                ('last_post', models.BigIntegerField(blank=True, null=True)),
                ('broken_post', models.BigIntegerField(blank=True, null=True)),
                ('error', models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name='RuleDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('document', models.TextField()),
                ('base', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('revision', models.PositiveIntegerField(default=1)),
                ('shadow_from', models.DateTimeField(blank=True, null=True)),
                ('shadow_until', models.DateTimeField(blank=True, null=True)),
                ('shadow_seen', models.PositiveBigIntegerField(default=0)),
                ('shadow_different', models.PositiveBigIntegerField(default=0)),
                ('published_as', models.PositiveIntegerField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-updated_at'],
            },
        ),
        migrations.CreateModel(
            name='RuleEffect',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('post', models.BigIntegerField()),
                ('rule', models.CharField(max_length=200)),
                ('verb', models.CharField(max_length=16)),
                ('argument', models.CharField(blank=True, max_length=500)),
                ('level', models.CharField(max_length=8)),
                ('state', models.CharField(choices=[('noted', 'Noted'), ('proposed', 'Proposed'), ('taken', 'Taken'), ('dismissed', 'Dismissed'), ('done', 'Done'), ('refused', 'Refused')], max_length=10)),
                ('cause', models.CharField(blank=True, max_length=300)),
                ('at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ShadowDifference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=16)),
                ('before', models.CharField(blank=True, max_length=200)),
                ('after', models.CharField(blank=True, max_length=200)),
                ('count', models.PositiveBigIntegerField(default=0)),
                ('examples', models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('task', 'Task'), ('ticket', 'Ticket'), ('idea', 'Idea')], default='task', max_length=8)),
                ('title', models.CharField(max_length=300)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('rule', models.CharField(blank=True, max_length=200)),
                ('made_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('dropped', models.CharField(blank=True, max_length=300)),
                ('reminded_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=63)),
                ('url', models.TextField()),
                ('secret', models.TextField()),
                ('active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
                ('failures', models.PositiveIntegerField(default=0)),
                ('problem', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'ordering': ['slug'],
            },
        ),
        migrations.CreateModel(
            name='WebhookCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64, unique=True)),
                ('body', models.TextField()),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'Failed')], default='queued', max_length=8)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('fence', models.PositiveIntegerField(default=0)),
                ('next_try_at', models.DateTimeField()),
                ('queued_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('cause', models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.AddField(
            model_name='basketmember',
            name='given_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='conversation',
            name='touched_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='basket',
            name='capacity',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='basket',
            name='hours',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='basket',
            name='languages',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='basket',
            name='overflow',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.basket'),
        ),
        migrations.AddField(
            model_name='basket',
            name='overflow_after',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='basket',
            name='promises',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='basket',
            name='purpose',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='basket',
            name='push',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='basket',
            name='return_after',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='basket',
            name='strategy',
            field=models.CharField(default='known', max_length=16),
        ),
        migrations.AddField(
            model_name='conversation',
            name='due_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='membership',
            name='languages',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='membership',
            name='skills',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['workspace', 'basket', 'state', 'due_at'], name='due'),
        ),
        migrations.AddField(
            model_name='absence',
            name='deputy',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='absence',
            name='membership',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='absences', to='store.membership'),
        ),
        migrations.AddField(
            model_name='absence',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='acknowledgement',
            name='conversation',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='acknowledgement', to='store.conversation'),
        ),
        migrations.AddField(
            model_name='acknowledgement',
            name='delivery',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.delivery'),
        ),
        migrations.AddField(
            model_name='acknowledgement',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='acknowledgementsettings',
            name='changed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='backtest',
            name='asked_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='backtest',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='back_tests', to='store.workspace'),
        ),
        migrations.AddField(
            model_name='escalation',
            name='conversation',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.conversation'),
        ),
        migrations.AddField(
            model_name='escalation',
            name='handled_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='escalation',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='escalations', to='store.person'),
        ),
        migrations.AddField(
            model_name='escalation',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='ignoring',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='ignoring',
            name='ended_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='ignoring',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ignorings', to='store.person'),
        ),
        migrations.AddField(
            model_name='ignoring',
            name='reviewed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='ignoring',
            name='task',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='ignoring', to='store.task'),
        ),
        migrations.AddField(
            model_name='ignoring',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='draftreturn',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='draftreturn',
            name='conversation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='returns', to='store.conversation'),
        ),
        migrations.AddField(
            model_name='draftreturn',
            name='author',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='draftreturn',
            name='by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='notification',
            name='conversation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.conversation'),
        ),
        migrations.AddField(
            model_name='notification',
            name='membership',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to='store.membership'),
        ),
        migrations.AddField(
            model_name='notification',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='notificationsettings',
            name='membership',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='notification_settings', to='store.membership'),
        ),
        migrations.AddField(
            model_name='notificationsettings',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='promise',
            name='basket',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.basket'),
        ),
        migrations.AddField(
            model_name='promise',
            name='conversation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='promises', to='store.conversation'),
        ),
        migrations.AddField(
            model_name='promise',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='pushsubscription',
            name='membership',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='push_subscriptions', to='store.membership'),
        ),
        migrations.AddField(
            model_name='pushsubscription',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='ruleday',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='ruledraft',
            name='author',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='ruledraft',
            name='updated_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='ruledraft',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rule_drafts', to='store.workspace'),
        ),
        migrations.AddField(
            model_name='backtest',
            name='draft',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='back_tests', to='store.ruledraft'),
        ),
        migrations.AddField(
            model_name='ruleeffect',
            name='by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='ruleeffect',
            name='conversation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='effects', to='store.conversation'),
        ),
        migrations.AddField(
            model_name='ruleeffect',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='shadowdifference',
            name='draft',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='differences', to='store.ruledraft'),
        ),
        migrations.AddField(
            model_name='shadowdifference',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='task',
            name='assignee',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tasks', to='store.membership'),
        ),
        migrations.AddField(
            model_name='task',
            name='basket',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.basket'),
        ),
        migrations.AddField(
            model_name='task',
            name='conversation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tasks', to='store.conversation'),
        ),
        migrations.AddField(
            model_name='task',
            name='done_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='task',
            name='made_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='task',
            name='person',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tasks', to='store.person'),
        ),
        migrations.AddField(
            model_name='task',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='webhook',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to='store.workspace'),
        ),
        migrations.AddField(
            model_name='webhookcall',
            name='webhook',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='store.webhook'),
        ),
        migrations.AddField(
            model_name='webhookcall',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace'),
        ),
        migrations.AddField(
            model_name='note',
            name='rule',
            field=models.CharField(blank=True, max_length=200, null=True),
        ),
        migrations.AlterField(
            model_name='approval',
            name='person',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='store.membership'),
        ),
        migrations.AddField(
            model_name='approval',
            name='machine',
            field=models.CharField(blank=True, max_length=24, null=True),
        ),
        migrations.AddField(
            model_name='approval',
            name='standing_word',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.membership'),
        ),
        migrations.AddConstraint(
            model_name='approval',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('machine__isnull', True), ('person__isnull', False), ('standing_word__isnull', True)), models.Q(('machine__isnull', False), ('person__isnull', True), ('standing_word__isnull', False)), _connector='OR'), name='one_who_speaks'),
        ),
        migrations.AddIndex(
            model_name='absence',
            index=models.Index(fields=['workspace', 'since'], name='absences'),
        ),
        migrations.AddIndex(
            model_name='escalation',
            index=models.Index(fields=['workspace', 'way', '-at'], name='escalations_open'),
        ),
        migrations.AddConstraint(
            model_name='escalation',
            constraint=models.UniqueConstraint(fields=('person', 'post', 'step'), name='one_escalation'),
        ),
        migrations.AddConstraint(
            model_name='ignoring',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('person',), name='one_ignoring_at_a_time'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(fields=['membership', 'read_at', '-last_at'], name='notices_of'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('mail_at__isnull', False)), fields=['mail_at'], name='notices_to_mail'),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('push_at__isnull', False)), fields=['push_at'], name='notices_to_push'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.UniqueConstraint(condition=models.Q(('read_at__isnull', True)), fields=('membership', 'event', 'bundle'), name='one_unread_bundle'),
        ),
        migrations.AddIndex(
            model_name='promise',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['workspace', 'due_at'], name='promises_running'),
        ),
        migrations.AddIndex(
            model_name='promise',
            index=models.Index(fields=['workspace', '-broken_at'], name='promises_broken'),
        ),
        migrations.AddConstraint(
            model_name='promise',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('conversation', 'kind'), name='one_promise_of_a_kind'),
        ),
        migrations.AddConstraint(
            model_name='pushsubscription',
            constraint=models.UniqueConstraint(fields=('membership', 'digest'), name='one_browser'),
        ),
        migrations.AddConstraint(
            model_name='ruleday',
            constraint=models.UniqueConstraint(fields=('workspace', 'rule', 'day'), name='one_rule_day'),
        ),
        migrations.AddConstraint(
            model_name='ruledraft',
            constraint=models.UniqueConstraint(fields=('workspace', 'name'), name='one_draft_of_a_name'),
        ),
        migrations.AddIndex(
            model_name='backtest',
            index=models.Index(fields=['workspace', '-asked_at'], name='back_tests'),
        ),
        migrations.AddIndex(
            model_name='ruleeffect',
            index=models.Index(fields=['workspace', 'state', '-at'], name='effects_waiting'),
        ),
        migrations.AddConstraint(
            model_name='ruleeffect',
            constraint=models.UniqueConstraint(fields=('conversation', 'verb', 'argument', 'post'), name='one_effect_of_a_post'),
        ),
        migrations.AddConstraint(
            model_name='shadowdifference',
            constraint=models.UniqueConstraint(fields=('draft', 'kind', 'before', 'after'), name='one_shadow_difference'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('done_at__isnull', True)), fields=['workspace', 'assignee', 'due_at'], name='tasks_open'),
        ),
        migrations.AddConstraint(
            model_name='webhook',
            constraint=models.UniqueConstraint(fields=('workspace', 'slug'), name='one_webhook_slug'),
        ),
        migrations.AddIndex(
            model_name='webhookcall',
            index=models.Index(fields=['state', 'next_try_at'], name='calls_waiting'),
        ),
        migrations.AddIndex(
            model_name='draft',
            index=models.Index(condition=models.Q(('proposed', True)), fields=['workspace'], name='proposed'),
        ),
    ]
