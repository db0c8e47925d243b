"""Every sentence of the command line in both languages: one table, key -> (Chinese, English).

Knows words. Must not know what is said when. `{name}` in a sentence is filled by the caller; a key that is
not in the table is a mistake of the program and raises KeyError.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from nodes.cli.words.failures import FAILURES
from nodes.cli.words.forms import FORMS
from nodes.cli.words.helps import HELPS
from nodes.cli.words.names import NAMES
from nodes.cli.words.notes import NOTES
from nodes.cli.words.screens import SCREENS
from nodes.cli.words.verbs import VERBS

Lang = Literal["zh", "en"]
Said = tuple[str, str]
"""A sentence in Chinese and in English."""

TABLE: Final[Mapping[str, Said]] = MappingProxyType(
    {**HELPS, **FORMS, **VERBS, **SCREENS, **NOTES, **NAMES, **FAILURES}
)


def both(key: str, **values: object) -> Said:
    """The sentence of `key` in both languages, filled. KeyError for an unknown key."""
    zh, en = TABLE[key]
    return zh.format(**values), en.format(**values)


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences in one language."""

    lang: Lang

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of `key`, filled."""
        return self.pick(both(key, **values))

    def pick(self, said: Said) -> str:
        """This language's half; the other where this one is empty."""
        zh, en = said
        return (zh or en) if self.lang == "zh" else (en or zh)

    def name(self, kind: str, code: str) -> str:
        """The word for a code of the contract such as state in_review; the code itself when unknown."""
        said = TABLE.get(f"{kind}.{code}")
        return self.pick(said) if said else code


def words(lang: str) -> Words:
    """Chinese for "zh", English for anything else."""
    return Words("zh" if lang == "zh" else "en")
