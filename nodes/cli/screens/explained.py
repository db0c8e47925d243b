"""`explain`: the answer in words, and what to say next."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from nodes.cli.screens.kit import bullet
from nodes.cli.terminal import clean
from nodes.cli.words import Words
from tongban.v1.catalogue_service_pb2 import ExplainResponse


def explained_screen(answer: ExplainResponse, words: Words) -> Iterator[RenderableType]:
    """Headings and sentences as the guide gives them; then the open questions with the flags that answer."""
    for line in answer.text_zh if words.lang == "zh" else answer.text_en:
        if line.endswith(("。", "？", ".", "?")):
            yield bullet(line)
        else:
            yield Text(f"\n{clean(line)}", style="bold")
    yield Text()
    for choice in answer.choices:
        yield Text(words("explain.choose", field=clean(choice.field.rpartition(".")[2])), style="cyan")
    if not answer.choices:
        yield Text(words("explain.next", matter=clean(answer.matter.code)), style="cyan")
