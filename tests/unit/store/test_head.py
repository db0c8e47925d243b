"""The newest revision is told from the files' names; Alembic, which reads the files, says the same."""

from alembic.script import ScriptDirectory

from nodes.store.migrate import _config, head


def test_the_newest_revision_is_the_one_that_alembic_finds() -> None:
    assert head() == ScriptDirectory.from_config(_config()).get_current_head()
