"""What came of a filing: the receipt of one, a line for each of many."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from nodes.cli.names import authority_name, due, region_name
from nodes.cli.screens.kit import bullet, facts, heading, number
from nodes.cli.terminal import clean
from nodes.cli.words import Words
from tongban.v1.case_service_pb2 import FileResponse

STYLES = {"filed": "green", "refused": "yellow", "invalid": "red"}


def filed_screen(answer: FileResponse, words: Words) -> Iterator[RenderableType]:
    """The receipt: number, who decides and why, until when one will hear."""
    yield heading(words("filed.head", number=number(answer.case_number)))
    yield facts(
        [
            (words("filed.receipt"), "" if answer.receipt == answer.case_number else answer.receipt),
            (words("filed.competent"), region_name(answer.competent, words)),
            (words("filed.authority"), authority_name(answer.authority, words)),
            (words("filed.notice"), due(answer.notice_due)),
            (words("filed.guide"), answer.guide_version),
            (words("filed.reused"), words("mark.list").join(answer.reused)),
        ]
    )
    reasons = answer.reasons_zh if words.lang == "zh" else answer.reasons_en
    if reasons:
        yield Text(words("filed.why"), style="bold")
        for reason in reasons:
            yield bullet(reason)
    for warning in answer.warnings:
        said = words.pick((warning.message_zh, warning.message_en)) or warning.code
        yield Text(f"! {clean(warning.field)}{words('mark.colon')}{clean(said)}", style="yellow")
    yield Text(words("filed.next", number=answer.case_number), style="cyan")


def result_line(result: Mapping[str, Any], words: Words) -> Text:
    """One line of many: its number, what came of it, the case number or the reasons."""
    line = Text(overflow="fold")
    line.append(words("filed.line", line=result["line"]), style="dim")
    line.append(words.name("outcome", result["outcome"]), style=STYLES[result["outcome"]])
    if result["outcome"] == "filed":
        told = words("filed.brief", competent=result["competent"], due=result["notice_due"])
        line.append(f"  {result['case_number']}  {told}")
        return line
    for item in result["fields"]:
        said = words.pick((item["message_zh"], item["message_en"])) or item["code"]
        name = item["column"] or item["field"]
        where = f"{name}{words('mark.colon')}" if name else ""
        line.append(clean(f"  {where}{said}"))
    return line
