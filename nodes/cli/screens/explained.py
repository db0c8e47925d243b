"""`explain`: the answer in words, and what to say next."""

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.text import Text

from nodes.cli.filing.paths import flag_of
from nodes.cli.screens.kit import bullet, command_line
from nodes.cli.terminal import clean
from nodes.cli.words import Words
from tongban.v1.catalogue_service_pb2 import ExplainResponse


def explained_screen(
    answer: ExplainResponse, words: Words, said: Mapping[str, str]
) -> Iterator[RenderableType]:
    """Headings and sentences as the guide gives them; then the open questions with the flags that answer, or
    the command that files it. `said`: the columns that are known already.
    """
    for line in answer.text_zh if words.lang == "zh" else answer.text_en:
        if line.endswith(("。", "？", ".", "?")):
            yield bullet(line)
        else:
            yield Text(f"\n{clean(line)}", style="bold")
    yield Text()
    for choice in answer.choices:
        flag = flag_of(f"places.{choice.field.rpartition('.')[2]}") or choice.field
        yield Text(words("explain.choose", flag=clean(flag)), style="cyan")
    if not answer.choices:
        yield Text(words("explain.next"), style="cyan")
        yield command_line(f"  {_filing(answer, said)}")


def _filing(answer: ExplainResponse, said: Mapping[str, str]) -> str:
    """The command that files it, what only the applicant knows left open."""
    flags = [
        f"{flag.partition('=')[0]}={value}" if "=" in flag else f"{flag} {value}"
        for flag, value in ((flag_of(column), value) for column, value in said.items())
    ]
    needed = [f"--material {item.code}=…" for item in answer.terms.materials if item.required]
    open_flags = ["--name …", "--id …", "--consent …"]
    return " ".join(["tongban file", *flags, *open_flags, *needed])
