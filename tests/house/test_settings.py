"""docs/settings.md says what the settings are, no more and no less."""

import re
from pathlib import Path

from nodes.settings import PREFIX, Settings, document

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_every_setting_is_documented_as_the_code_describes_it() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| `{PREFIX}")]
    assert rows == document().splitlines(), "write the table anew: python -m nodes.settings"


def test_the_page_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(rf"{PREFIX}([A-Z_]*[A-Z])", PAGE.read_text("utf-8")))
    assert {name.lower() for name in named} == set(Settings.model_fields)


def test_every_setting_has_words() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith(".") or field.description.endswith(("…", "}")), name
