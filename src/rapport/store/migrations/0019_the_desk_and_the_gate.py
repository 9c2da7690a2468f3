"""The desk and the gate: tags, presence, claims, deeds, views, holds, fields and notes of people, consent, suppressions,
campaigns, articles, allowances, offers, surveys, threads of several posts, images, limits of channels and what they cost.

New tables, and columns that may be null, so that a worker or sender of before it goes on as it did. Of the tables that
exist only approvals and deliveries are made anew on SQLite, because an act may have no conversation; neither has a
trigger of the search, and their partial indexes come along.
"""

import django.db.models.deletion
from django.db import migrations, models


#: SQLite: what its planner knows of an index, which dropping the index drops (0006_words_that_are_found)
BEFORE, AFTER = "400000 200000 40000 10000", "400000 200000 40000 10000 1"
#: SQLite: columns with a handful of rows for each value. Not knowing that, it takes every index for equally narrow, and
#: reads all notes of a workspace where it could read those of one conversation.
NARROW = {
    "store_note": ("conversation_id",),
    "store_draft": ("conversation_id",),
    "store_task": ("conversation_id", "person_id"),
    "store_approval": ("conversation_id", "target_id", "handle_id", "subject_id"),
    "store_delivery": ("conversation_id", "approval_id"),
    "store_attempt": ("delivery_id",),
}
A_HANDFUL = "1000000 3"


def estimate(rows, narrow):
    def know(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            return
        known = [("store_conversation", "assigned", rows)]
        with schema_editor.connection.cursor() as cursor:
            for table, columns in NARROW.items():
                cursor.execute("SELECT name FROM pragma_index_list(%s) WHERE NOT partial", [table])
                for (index,) in cursor.fetchall():
                    cursor.execute("SELECT group_concat(name) FROM pragma_index_info(%s)", [index])
                    if cursor.fetchone()[0] in columns:
                        known.append((table, index, A_HANDFUL if narrow else None))
            for table, index, stat in known:
                cursor.execute("DELETE FROM sqlite_stat1 WHERE tbl = %s AND idx = %s", [table, index])
                if stat:
                    cursor.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", [table, index, stat])

    return know


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0018_rules_routes_and_promises'),
    ]

    operations = [
        migrations.AddField(
            model_name='approval',
            name='asked_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='approval',
            name='erased_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='approval',
            name='fingerprint',
            field=models.BinaryField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='approval',
            name='form',
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='approval',
            name='handle',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.handle'),
        ),
        migrations.AddField(
            model_name='approval',
            name='kind',
            field=models.CharField(blank=True, choices=[('post', 'Post'), ('like', 'Like'), ('unlike', 'Unlike'), ('boost', 'Boost'), ('unboost', 'Unboost'), ('follow', 'Follow'), ('unfollow', 'Unfollow'), ('delete', 'Delete'), ('edit', 'Edit'), ('handover', 'Handover'), ('settle', 'Settle'), ('release', 'Release'), ('erase', 'Erase')], max_length=12, null=True),
        ),
        migrations.AddField(
            model_name='approval',
            name='media',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='approval',
            name='parts',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='approval',
            name='subject',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='acts', to='store.delivery'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='cents',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='held_by',
            field=models.CharField(blank=True, max_length=24, null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='let_through_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='settled_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='unknown_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='draft',
            name='confirmed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='draft',
            name='model',
            field=models.CharField(blank=True, max_length=64, null=True),
        ),
        migrations.AddField(
            model_name='draft',
            name='origin',
            field=models.TextField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='draft',
            name='shared',
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='draft',
            name='source',
            field=models.CharField(blank=True, choices=[('own', 'Own'), ('rule', 'Rule'), ('snippet', 'Snippet'), ('alike', 'Alike'), ('article', 'Article'), ('service', 'Service'), ('campaign', 'Campaign')], max_length=12, null=True),
        ),
        migrations.AddField(
            model_name='note',
            name='edited_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='note',
            name='key',
            field=models.CharField(blank=True, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='note',
            name='removed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='preparedreply',
            name='changed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='preparedreply',
            name='language',
            field=models.CharField(blank=True, max_length=16, null=True),
        ),
        migrations.AddField(
            model_name='preparedreply',
            name='used',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='after',
            field=models.CharField(blank=True, max_length=8, null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='keys',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='notification',
            name='push_left',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='approval',
            name='conversation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='approvals', to='store.conversation'),
        ),
        migrations.AlterField(
            model_name='approval',
            name='target',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='store.post'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='conversation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='store.conversation'),
        ),
        migrations.AddIndex(
            model_name='approval',
            index=models.Index(fields=['workspace', '-approved_at'], name='approved_lately'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ['queued', 'sending', 'unconfirmed'])), fields=['conversation', 'id'], name='in_line'),
        ),
        migrations.AddConstraint(
            model_name='approval',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at__isnull', False), models.Q(('conversation__isnull', False), ('kind__isnull', True), ('target__isnull', False)), models.Q(('kind__in', ['like', 'unlike', 'boost', 'unboost', 'handover']), ('kind__isnull', False), ('target__isnull', False)), models.Q(('kind__in', ['post', 'follow', 'unfollow', 'delete', 'edit', 'settle', 'release', 'erase']), ('kind__isnull', False), ('target__isnull', True)), _connector='OR'), name='answers_or_acts'),
        ),
        migrations.AddConstraint(
            model_name='note',
            constraint=models.UniqueConstraint(condition=models.Q(('key__isnull', False)), fields=('conversation', 'key'), name='one_note_a_form'),
        ),
        migrations.CreateModel(
            name='Allowance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(max_length=16)),
                ('what', models.CharField(max_length=63)),
                ('most', models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='allowances', to='store.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'role', 'what'), name='one_allowance')],
            },
        ),
        migrations.CreateModel(
            name='ApprovalRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(default=0)),
                ('role', models.CharField(blank=True, max_length=16)),
                ('condition', models.CharField(blank=True, max_length=2000)),
                ('approver', models.CharField(choices=[('lead', 'Lead'), ('admin', 'Admin')], default='lead', max_length=16)),
                ('four_eyes', models.BooleanField(default=True)),
                ('active', models.BooleanField(default=True)),
                ('changed_at', models.DateTimeField()),
                ('basket', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.basket')),
                ('changed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('channel', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.channel')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='approval_rules', to='store.workspace')),
            ],
            options={
                'ordering': ['position', 'id'],
                'indexes': [models.Index(fields=['workspace', 'position'], name='approval_rules_in_order')],
            },
        ),
        migrations.CreateModel(
            name='Article',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('policy', 'Policy'), ('help', 'Help')], default='policy', max_length=8)),
                ('title', models.CharField(max_length=200)),
                ('text', models.TextField()),
                ('link', models.TextField(blank=True)),
                ('language', models.CharField(blank=True, max_length=16)),
                ('active', models.BooleanField(default=True)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='articles', to='store.workspace')),
            ],
            options={
                'ordering': ['title'],
                'indexes': [models.Index(fields=['workspace', 'kind', 'title'], name='articles_by_title')],
            },
        ),
        migrations.CreateModel(
            name='ArticleTopic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('article', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='topics', to='store.article')),
                ('topic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.topic')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('article', 'topic'), name='one_topic_of_an_article')],
            },
        ),
        migrations.CreateModel(
            name='PostDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(blank=True)),
                ('channels', models.JSONField(default=list)),
                ('visibility', models.CharField(default='public', max_length=16)),
                ('signed', models.BooleanField(default=False)),
                ('proposed', models.BooleanField(default=False)),
                ('returned', models.CharField(blank=True, max_length=300)),
                ('version', models.PositiveIntegerField(default=1)),
                ('updated_at', models.DateTimeField()),
                ('author', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('stored', models.CharField(max_length=64, unique=True)),
                ('mime', models.CharField(max_length=40)),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('size', models.PositiveIntegerField()),
                ('alt', models.TextField(blank=True)),
                ('no_alt', models.BooleanField(default=False)),
                ('at', models.DateTimeField()),
                ('approval', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='attachments', to='store.approval')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('conversation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='store.conversation')),
                ('own_post', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='images', to='store.postdraft')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('approval__isnull', True)), fields=['at'], name='attachments_unsent')],
            },
        ),
        migrations.CreateModel(
            name='BrandHandle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network', models.CharField(max_length=32)),
                ('key', models.CharField(max_length=500)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='brand_handles', to='store.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'network', 'key'), name='one_brand_handle')],
            },
        ),
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('query', models.TextField(blank=True)),
                ('since', models.DateTimeField(blank=True, null=True)),
                ('until', models.DateTimeField(blank=True, null=True)),
                ('per_person', models.PositiveSmallIntegerField(default=1)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('running', 'Running'), ('stopped', 'Stopped'), ('done', 'Done')], default='draft', max_length=8)),
                ('stop_reason', models.CharField(blank=True, max_length=300)),
                ('looked', models.JSONField(blank=True, null=True)),
                ('at', models.DateTimeField()),
                ('channel', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.channel')),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('topic', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.topic')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='campaigns', to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', '-at'], name='campaigns_by_time')],
            },
        ),
        migrations.CreateModel(
            name='ChannelPolicy',
            fields=[
                ('channel', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='policy', serialize=False, to='store.channel')),
                ('numbers', models.JSONField(blank=True, default=dict)),
                ('day_cents', models.PositiveIntegerField(blank=True, null=True)),
                ('month_cents', models.PositiveIntegerField(blank=True, null=True)),
                ('replies', models.CharField(blank=True, choices=[('', 'Shipped'), ('addressed', 'Addressed'), ('anyone', 'Anyone')], default='', max_length=10)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='ComposerClaim',
            fields=[
                ('conversation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='composer_claim', serialize=False, to='store.conversation')),
                ('token', models.CharField(max_length=32)),
                ('claimed_at', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('contact', 'Contact'), ('survey', 'Survey'), ('quote', 'Quote'), ('newsletter', 'Newsletter')], max_length=16)),
                ('given', models.BooleanField()),
                ('source', models.CharField(max_length=300)),
                ('at', models.DateTimeField()),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='store.person')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['person', '-at'], name='consents_of')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('person', 'purpose'), name='one_consent')],
            },
        ),
        migrations.CreateModel(
            name='ConversationTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=63)),
                ('rule', models.CharField(blank=True, max_length=200)),
                ('at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(blank=True, null=True)),
                ('by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('conversation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='store.conversation')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('removed_at__isnull', True)), fields=['workspace', 'name', 'conversation'], name='tagged')],
                'constraints': [models.UniqueConstraint(fields=('conversation', 'name'), name='one_tag_of_a_name')],
            },
        ),
        migrations.CreateModel(
            name='Deed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(max_length=64)),
                ('rows', models.JSONField(default=list)),
                ('at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deeds', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['by', '-at'], name='deeds_of'), models.Index(fields=['at'], name='deeds_age')],
            },
        ),
        migrations.CreateModel(
            name='DeliveryPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('key', models.CharField(max_length=64, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('pushed', 'Pushed'), ('sent', 'Sent')], default='waiting', max_length=12)),
                ('pushed_at', models.DateTimeField(blank=True, null=True)),
                ('external_id', models.CharField(blank=True, max_length=500)),
                ('url', models.TextField(blank=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('delivery', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='store.delivery')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('delivery', 'number'), name='one_part_of_a_number')],
            },
        ),
        migrations.CreateModel(
            name='DraftingSettings',
            fields=[
                ('workspace', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='drafting_settings', serialize=False, to='store.workspace')),
                ('enabled', models.BooleanField(default=False)),
                ('url', models.TextField(blank=True)),
                ('key', models.TextField(blank=True)),
                ('model', models.CharField(blank=True, max_length=120)),
                ('prompt', models.TextField(blank=True)),
                ('baskets', models.JSONField(blank=True, default=list)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
            ],
        ),
        migrations.CreateModel(
            name='DraftUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('own', 'Own'), ('rule', 'Rule'), ('snippet', 'Snippet'), ('alike', 'Alike'), ('article', 'Article'), ('service', 'Service'), ('campaign', 'Campaign')], max_length=12)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('outcome', models.CharField(choices=[('as_is', 'As Is'), ('edited', 'Edited'), ('thrown', 'Thrown'), ('unused', 'Unused')], max_length=8)),
                ('distance', models.FloatField(blank=True, null=True)),
                ('at', models.DateTimeField()),
                ('approval', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.approval')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.conversation')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', 'source', 'at'], name='drafts_by_source')],
            },
        ),
        migrations.CreateModel(
            name='DraftVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('source', models.CharField(choices=[('own', 'Own'), ('rule', 'Rule'), ('snippet', 'Snippet'), ('alike', 'Alike'), ('article', 'Article'), ('service', 'Service'), ('campaign', 'Campaign')], max_length=12)),
                ('at', models.DateTimeField()),
                ('author', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.membership')),
                ('conversation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='draft_versions', to='store.conversation')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['conversation', '-id'], name='draft_history'), models.Index(fields=['at'], name='draft_history_age')],
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('began_at', models.DateTimeField()),
                ('via', models.CharField(choices=[('desk', 'Desk'), ('api', 'Api'), ('cli', 'Cli')], default='desk', max_length=8)),
                ('reason', models.CharField(max_length=300)),
                ('known', models.TextField(blank=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('ended_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='holds', to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', '-began_at'], name='holds_by_time')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('workspace',), name='one_hold_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='NoteMention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('membership', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='mentions', to='store.membership')),
                ('note', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='mentions', to='store.note')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['membership', '-note'], name='mentions_of')],
                'constraints': [models.UniqueConstraint(fields=('note', 'membership'), name='one_mention_a_note')],
            },
        ),
        migrations.CreateModel(
            name='Offer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(max_length=63)),
                ('amount', models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('state', models.CharField(choices=[('asked', 'Asked'), ('allowed', 'Allowed'), ('refused', 'Refused'), ('offered', 'Offered'), ('agreed', 'Agreed'), ('declined', 'Declined'), ('kept', 'Kept'), ('broken', 'Broken')], max_length=8)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision', models.CharField(blank=True, max_length=300)),
                ('agreed_at', models.DateTimeField(blank=True, null=True)),
                ('ask_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(blank=True, max_length=300)),
                ('outcome_at', models.DateTimeField(blank=True, null=True)),
                ('approval', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='offers', to='store.approval')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('conversation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='offers', to='store.conversation')),
                ('decided_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('person', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='offers', to='store.person')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='offers', to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', 'state', 'ask_at'], name='offers_waiting'), models.Index(fields=['workspace', '-at'], name='offers_by_time')],
            },
        ),
        migrations.CreateModel(
            name='PersonField',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=63)),
                ('name', models.CharField(max_length=120)),
                ('kind', models.CharField(choices=[('text', 'Text'), ('number', 'Number'), ('date', 'Date'), ('choice', 'Choice'), ('flag', 'Flag'), ('link', 'Link')], default='text', max_length=8)),
                ('choices', models.JSONField(blank=True, default=list)),
                ('position', models.PositiveIntegerField(default=0)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='person_fields', to='store.workspace')),
            ],
            options={
                'ordering': ['position', 'name'],
                'constraints': [models.UniqueConstraint(fields=('workspace', 'slug'), name='one_person_field_slug')],
            },
        ),
        migrations.CreateModel(
            name='PersonJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('person', models.BigIntegerField()),
                ('kind', models.CharField(choices=[('export', 'Export'), ('erase', 'Erase')], max_length=8)),
                ('reason', models.CharField(max_length=300)),
                ('asked_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='waiting', max_length=8)),
                ('claimed_by', models.CharField(blank=True, max_length=64)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('report', models.JSONField(blank=True, default=dict)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('path', models.CharField(blank=True, max_length=200)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('asked_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='person_jobs', to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'asked_at'], name='jobs_waiting'), models.Index(fields=['workspace', '-asked_at'], name='jobs_by_time')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['waiting', 'running'])), fields=('workspace', 'person', 'kind'), name='one_job_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='PersonNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(blank=True, null=True)),
                ('author', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='store.person')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['person', '-at'], name='notes_on_a_person')],
            },
        ),
        migrations.CreateModel(
            name='PersonValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', models.CharField(max_length=500)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('field', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='values', to='store.personfield')),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='values', to='store.person')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['field', 'value'], name='people_by_value')],
                'constraints': [models.UniqueConstraint(fields=('person', 'field'), name='one_person_value')],
            },
        ),
        migrations.CreateModel(
            name='Presence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seen_at', models.DateTimeField()),
                ('writing_at', models.DateTimeField(blank=True, null=True)),
                ('conversation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='present', to='store.conversation')),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['seen_at'], name='presence_age')],
                'constraints': [models.UniqueConstraint(fields=('conversation', 'membership'), name='one_presence')],
            },
        ),
        migrations.CreateModel(
            name='ReplyBasket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('basket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.basket')),
                ('reply', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='baskets', to='store.preparedreply')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('reply', 'basket'), name='one_basket_of_a_reply')],
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('asked', models.JSONField(default=dict)),
                ('position', models.PositiveIntegerField(default=0)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('owner', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to='store.workspace')),
            ],
            options={
                'ordering': ['position', 'name'],
                'constraints': [models.UniqueConstraint(fields=('workspace', 'owner', 'name'), name='one_view_of_a_name'), models.UniqueConstraint(condition=models.Q(('owner__isnull', True)), fields=('workspace', 'name'), name='one_shared_view_of_a_name')],
            },
        ),
        migrations.CreateModel(
            name='Spend',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('kind', models.CharField(max_length=12)),
                ('count', models.PositiveIntegerField(default=0)),
                ('cents', models.PositiveIntegerField(default=0)),
                ('channel', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='spend', to='store.channel')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('channel', 'day', 'kind'), name='one_spend')],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('reason', models.CharField(max_length=300)),
                ('source', models.CharField(choices=[('word', 'Word'), ('colleague', 'Colleague'), ('network', 'Network')], max_length=16)),
                ('at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
                ('lift_reason', models.CharField(blank=True, max_length=300)),
                ('by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('lifted_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', 'digest', '-at'], name='suppressions_of')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('workspace', 'digest'), name='one_suppression')],
            },
        ),
        migrations.CreateModel(
            name='Survey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=63)),
                ('name', models.CharField(max_length=120)),
                ('language', models.CharField(blank=True, max_length=16)),
                ('questions', models.JSONField(default=list)),
                ('thanks', models.TextField(blank=True)),
                ('active', models.BooleanField(default=True)),
                ('days', models.PositiveSmallIntegerField(default=14)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='surveys', to='store.workspace')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('workspace', 'slug'), name='one_survey_slug')],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('questions', models.JSONField(default=list)),
                ('made_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('void_at', models.DateTimeField(blank=True, null=True)),
                ('approval', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.approval')),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='store.conversation')),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='store.person')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
                ('survey', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='store.survey')),
            ],
            options={
                'indexes': [models.Index(fields=['survey', '-made_at'], name='invitations_by_time')],
            },
        ),
        migrations.CreateModel(
            name='SurveyAnswer',
            fields=[
                ('invitation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='answer', serialize=False, to='store.invitation')),
                ('score', models.SmallIntegerField(blank=True, null=True)),
                ('answers', models.JSONField(default=list)),
                ('at', models.DateTimeField()),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', 'at'], name='survey_answers_by_time')],
            },
        ),
        migrations.CreateModel(
            name='Variant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40)),
                ('text', models.TextField()),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='variants', to='store.campaign')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('campaign', 'name'), name='one_variant_of_a_name')],
            },
        ),
        migrations.CreateModel(
            name='CampaignPost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('skipped', 'Skipped'), ('sent', 'Sent'), ('held', 'Held'), ('refused', 'Refused')], default='waiting', max_length=8)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('approval', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='campaign_post', to='store.approval')),
                ('assignee', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='posts', to='store.campaign')),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='campaign_posts', to='store.conversation')),
                ('post', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.post')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='store.workspace')),
                ('variant', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='posts', to='store.variant')),
            ],
            options={
                'indexes': [models.Index(fields=['campaign', 'state', 'assignee'], name='campaign_posts_waiting')],
                'constraints': [models.UniqueConstraint(fields=('campaign', 'post'), name='one_campaign_post')],
            },
        ),
        migrations.AddIndex(
            model_name='promise',
            index=models.Index(condition=models.Q(('broken_at__isnull', True), ('done', True)), fields=['workspace', 'ended_at', 'basket', 'kind'], name='promises_kept'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('done_at__isnull', False)), fields=['workspace', '-done_at'], name='tasks_done'),
        ),
        migrations.CreateModel(
            name='StepPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('steps', models.JSONField(default=list)),
                ('until_word', models.BooleanField(default=True)),
                ('active', models.BooleanField(default=True)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.membership')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='step_plans', to='store.workspace')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='one_step_plan')],
            },
        ),
        migrations.AddField(
            model_name='task',
            name='offer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tasks', to='store.offer'),
        ),
        migrations.AddField(
            model_name='task',
            name='plan',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to='store.stepplan'),
        ),
        migrations.AddField(
            model_name='task',
            name='until_word',
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('done_at__isnull', True), ('until_word', True)), fields=['workspace'], name='tasks_until_word'),
        ),
        migrations.RunPython(migrations.RunPython.noop, estimate(BEFORE, False)),
        migrations.RemoveIndex('conversation', 'assigned'),
        migrations.AddIndex(
            'conversation', models.Index(fields=['workspace', 'assignee', 'state', 'last_post_at'], name='assigned')
        ),
        migrations.RunPython(estimate(AFTER, True), migrations.RunPython.noop),
    ]
