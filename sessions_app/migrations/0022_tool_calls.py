"""What access keys are for, and what users' programs have asked for by MCP. The version before makes keys for tokens
alone, and knows nothing of calls."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0019_files_told_apart"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="accesskey",
            name="use",
            field=models.CharField(
                choices=[
                    ("tokens", "Get tokens to talk with Gemini"),
                    ("mcp", "Read and ask, by MCP"),
                ],
                db_default="tokens",
                default="tokens",
                max_length=6,
            ),
        ),
        migrations.CreateModel(
            name="ToolCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key_name",
                    models.CharField(
                        blank=True, help_text="What the key was called, also when it is gone.", max_length=60
                    ),
                ),
                ("transport", models.CharField(help_text="http or stdio.", max_length=5)),
                ("tool", models.CharField(max_length=40)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                            ("left", "Left"),
                            ("too long", "Too Long"),
                            ("right ended", "Right Ended"),
                        ],
                        default="running",
                        max_length=11,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "duration_ms",
                    models.PositiveIntegerField(blank=True, help_text="None while it runs, or was cut off.", null=True),
                ),
                (
                    "access_key",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="By which it was asked for; none for one that was revoked, or a program that was started without.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tool_calls",
                        to="sessions_app.accesskey",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tool_calls",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "call by MCP",
                "verbose_name_plural": "calls by MCP",
                "ordering": ["-at", "-id"],
                "indexes": [
                    models.Index(fields=["user", "-at"], name="tool_call_of_user"),
                    models.Index(fields=["at"], name="tool_call_at"),
                ],
            },
        ),
    ]
