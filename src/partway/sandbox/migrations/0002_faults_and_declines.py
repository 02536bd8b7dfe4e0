"""The currency that was taken, which need not be the one asked for; how often was declined; more that goes wrong."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F


def _as_asked(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """What was captured before was captured in the currency that was asked for."""
    captured = apps.get_model("sandbox", "Checkout").objects.filter(captured_minor__isnull=False)
    captured.update(captured_currency=F("currency"))


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0001_initial")]

    operations = [
        migrations.AddField("callback", "names", models.CharField(blank=True, max_length=40)),
        migrations.AddField("checkout", "captured_currency", models.CharField(blank=True, max_length=3)),
        migrations.AddField("checkout", "declines", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("fault", "currency", models.CharField(default="CAD", max_length=3)),
        migrations.RunPython(_as_asked, migrations.RunPython.noop),
    ]
