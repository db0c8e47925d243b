"""The verbs of the contract as flags: one table, verb -> who usually does it, and a flag for each field.

Knows tongban.v1.Command; a test holds the table against it. Must not know when a verb is allowed: the node
says so.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "texts", "flag", "number", "time", "materials", "defects", "values"]


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. name: without dashes; path: dotted field of the verb's message; negative: of a flag that
    says no; `help.act.NAME` (or key) explains it.
    """

    name: str
    path: str
    kind: Kind = "text"
    required: bool = False
    negative: str = ""
    key: str = ""

    @property
    def help(self) -> str:
        """Key of its explanation."""
        return self.key or f"help.act.{self.name.replace('-', '_')}"


@dataclass(frozen=True, slots=True)
class VerbForm:
    """One verb. role: who acts when --as is not given."""

    role: str
    flags: tuple[Flag, ...] = ()


_REASON: Final = Flag("reason", "reason", required=True)
_SHIPMENT: Final = (
    Flag("shipment-id", "shipment.id", required=True),
    Flag("direction", "shipment.direction"),
    Flag("carrier", "shipment.carrier"),
    Flag("waybill", "shipment.waybill"),
    Flag("sent-at", "shipment.sent_at", "time"),
    Flag("item", "shipment.items", "texts", key="help.act.items"),
)
_SHIPMENT_ID: Final = Flag("shipment-id", "shipment_id", required=True)
_MATERIALS: Final = Flag("material", "materials", "materials", key="help.file.material")

VERBS: Final[dict[str, VerbForm]] = {
    "pre_check": VerbForm("officer", (Flag("note", "note"),)),
    "request_correction": VerbForm("officer", (Flag("defect", "defects", "defects", required=True),)),
    "correct": VerbForm("applicant", (_MATERIALS, Flag("value", "values", "values"))),
    "accept": VerbForm("officer"),
    "accept_with_lack": VerbForm("officer", (Flag("lack", "lacks", "texts", required=True),)),
    "refuse": VerbForm(
        "officer", (_REASON, Flag("text", "text", required=True), Flag("elsewhere", "elsewhere"))
    ),
    "supply_lack": VerbForm("applicant", (_MATERIALS,)),
    "revoke": VerbForm("officer", (_REASON,)),
    "start_review": VerbForm("officer"),
    "finish_step": VerbForm(
        "officer", (Flag("outcome", "outcome", required=True), Flag("opinion", "opinion"))
    ),
    "open_special": VerbForm(
        "officer",
        (
            Flag("kind", "kind", required=True),
            Flag("basis", "basis", required=True),
            Flag("approver", "approver", required=True),
        ),
    ),
    "end_special": VerbForm("officer", (Flag("result", "result", required=True),)),
    "extend": VerbForm("head", (_REASON,)),
    "pass_up": VerbForm("officer", (Flag("to-authority", "to_authority", required=True), _REASON)),
    "take_up": VerbForm("officer"),
    "decide": VerbForm(
        "officer",
        (
            Flag("grant", "decision.granted", "flag", required=True, negative="deny"),
            Flag("reasons", "decision.reasons"),
            Flag("remedy", "decision.remedy"),
            Flag("document", "decision.document"),
            Flag("rule", "decision.rule"),
        ),
    ),
    "join": VerbForm("node", (Flag("lapse", "lapse", "flag"), Flag("reason", "reason"))),
    "dispatch": VerbForm("officer", _SHIPMENT),
    "confirm_delivery": VerbForm("applicant", (Flag("received-by", "received_by"),)),
    "report_lost": VerbForm("officer", (_SHIPMENT_ID,)),
    "take_custody": VerbForm(
        "window",
        (
            Flag("item", "custody.item", required=True),
            Flag("holder", "custody.holder", required=True),
            Flag("place", "custody.place"),
            Flag("since", "custody.since", "time"),
        ),
    ),
    "return_original": VerbForm("window", (Flag("item", "item", required=True), Flag("at", "at", "time"))),
    "ship": VerbForm("window", _SHIPMENT),
    "shipment_arrived": VerbForm("officer", (_SHIPMENT_ID, Flag("at", "at", "time"))),
    "close": VerbForm("node"),
    "rate": VerbForm(
        "applicant",
        (
            Flag("target", "rating.target", required=True),
            Flag("stars", "rating.stars", "number", required=True),
            Flag("indicator", "rating.indicators", "texts"),
            Flag("text", "rating.text", key="help.act.rating_text"),
        ),
    ),
    "answer_rating": VerbForm(
        "officer", (Flag("target", "target", required=True), Flag("result", "result", required=True))
    ),
    "withdraw": VerbForm("applicant", (Flag("reason", "reason"), Flag("mandate", "mandate"))),
    "suspend": VerbForm("operator", (_REASON, Flag("court-order", "court_order", "flag"))),
    "resume": VerbForm("operator"),
    "reinstate": VerbForm(
        "node", (Flag("received-at", "received_at", "time"), _MATERIALS, Flag("value", "values", "values"))
    ),
    "hand_over": VerbForm(
        "node", (Flag("to", "to", required=True), Flag("authority-there", "authority", required=True))
    ),
    "detach_part": VerbForm("operator", (Flag("index", "index", "number", required=True), _REASON)),
}
"""Every member of Command.verb."""

UNFLAGGED: Final = frozenset(
    {
        "dispatch.shipment.arrived_at",  # shipment-arrived
        "dispatch.shipment.lost_at",  # report-lost
        "ship.shipment.arrived_at",
        "ship.shipment.lost_at",
        "rate.rating.at",  # the node's own time
        "take_custody.custody.returned_at",  # an attestation of its own: return-original
    }
)
"""Fields that another verb or the node itself fills."""
