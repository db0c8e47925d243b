"""The commands that a face or a peer may send (command.proto).

Knows verb <-> command. Timers and the node's own verbs have no form here: they cannot be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from nodes.cases import commands as k
from nodes.codec.errors import DecodeError, EncodeError
from nodes.codec.kinds import (
    BOOL,
    NEEDED,
    PAIRS,
    POSITIVE,
    PROSE,
    REGION,
    TEXT,
    TIME,
    WORDS,
    many,
    one,
)
from nodes.codec.shape import Shape
from nodes.codec.values import CUSTODY, DECISION, DEFECT, MATERIAL, RATING, SHIPMENT
from tongban.v1 import command_pb2 as pb


def _hand_over(to: str, authority: str) -> k.HandOver:
    """The id of the handover is the desk's to give."""
    return k.HandOver(to, authority, handover_id="")


VERBS: Final[Mapping[str, Shape[Any]]] = MappingProxyType(
    {
        "pre_check": Shape(k.PreCheck, pb.PreCheck, note=PROSE),
        "request_correction": Shape(k.RequestCorrection, pb.RequestCorrection, defects=many(DEFECT)),
        "correct": Shape(k.Correct, pb.Correct, materials=many(MATERIAL), values=PAIRS),
        "accept": Shape(k.Accept, pb.Accept),
        "accept_with_lack": Shape(k.AcceptWithLack, pb.AcceptWithLack, lacks=WORDS),
        "refuse": Shape(k.Refuse, pb.Refuse, reason=TEXT, text=PROSE, elsewhere=TEXT),
        "supply_lack": Shape(k.SupplyLack, pb.SupplyLack, materials=many(MATERIAL)),
        "revoke": Shape(k.Revoke, pb.Revoke, reason=TEXT),
        "start_review": Shape(k.StartReview, pb.StartReview),
        "finish_step": Shape(k.FinishStep, pb.FinishStep, outcome=TEXT, opinion=PROSE),
        "open_special": Shape(k.OpenSpecial, pb.OpenSpecial, kind=NEEDED, basis=TEXT, approver=TEXT),
        "end_special": Shape(k.EndSpecial, pb.EndSpecial, result=TEXT),
        "extend": Shape(k.Extend, pb.Extend, reason=PROSE),
        "pass_up": Shape(k.PassUp, pb.PassUp, to_authority=TEXT, reason=PROSE),
        "take_up": Shape(k.TakeUp, pb.TakeUp),
        "decide": Shape(k.Decide, pb.Decide, decision=one(DECISION)),
        "join": Shape(k.Join, pb.Join, lapse=BOOL, reason=TEXT),
        "dispatch": Shape(k.Dispatch, pb.Dispatch, shipment=one(SHIPMENT)),
        "confirm_delivery": Shape(k.ConfirmDelivery, pb.ConfirmDelivery, received_by=TEXT),
        "report_lost": Shape(k.ReportLost, pb.ReportLost, shipment_id=NEEDED),
        "take_custody": Shape(k.TakeCustody, pb.TakeCustody, custody=one(CUSTODY)),
        "return_original": Shape(k.ReturnOriginal, pb.ReturnOriginal, item=NEEDED, at=TIME),
        "ship": Shape(k.Ship, pb.Ship, shipment=one(SHIPMENT)),
        "shipment_arrived": Shape(k.ShipmentArrived, pb.ShipmentArrived, shipment_id=NEEDED, at=TIME),
        "close": Shape(k.Close, pb.Close),
        "rate": Shape(k.Rate, pb.Rate, rating=one(RATING)),
        "answer_rating": Shape(k.AnswerRating, pb.AnswerRating, target=NEEDED, result=PROSE),
        "withdraw": Shape(k.Withdraw, pb.Withdraw, reason=TEXT, mandate=TEXT),
        "suspend": Shape(k.Suspend, pb.Suspend, reason=TEXT, court_order=BOOL),
        "resume": Shape(k.Resume, pb.Resume),
        "reinstate": Shape(
            k.Reinstate, pb.Reinstate, received_at=TIME, materials=many(MATERIAL), values=PAIRS
        ),
        "hand_over": Shape(_hand_over, pb.HandOver, to=REGION, authority=TEXT),
        "detach_part": Shape(k.DetachPart, pb.DetachPart, index=POSITIVE, reason=TEXT),
    }
)
"""Every verb by its field in the one-of of Command."""

VERB_OF: Final[Mapping[type[Any], str]] = MappingProxyType(
    {k.HandOver: "hand_over"}
    | {shape.domain: verb for verb, shape in VERBS.items() if isinstance(shape.domain, type)}
)
"""The verb of each command class that can be sent."""


class CommandShape:
    """Command as a shape, so that it nests."""

    @staticmethod
    def put(command: k.Command) -> pb.Command:
        """The message of a command; raises what `fill` raises."""
        message = pb.Command()
        CommandShape.fill(message, command)
        return message

    @staticmethod
    def fill(message: pb.Command, command: k.Command) -> None:
        """Writes a command. Raises EncodeError for a timer or one of the node's own verbs."""
        verb = VERB_OF.get(type(command))
        if verb is None:
            raise EncodeError("", "is a command that cannot be sent")
        inner = getattr(message, verb)
        inner.SetInParent()
        VERBS[verb].fill(inner, command)

    @staticmethod
    def take(message: pb.Command) -> k.Command:
        """The command of a message. Raises DecodeError."""
        verb = message.WhichOneof("verb")
        if verb is None:
            raise DecodeError("verb", "is missing, or one that this contract does not have")
        try:
            command: k.Command = VERBS[verb].take(getattr(message, verb))
        except DecodeError as error:
            raise error.under(verb) from None
        return command


COMMAND: Final = CommandShape()
