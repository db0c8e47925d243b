"""The catalogue without a node: the same answers, from the facts shipped with this program.

Knows regions' facts and the messages of CatalogueService. Must not know screens.
"""

from datetime import datetime

from nodes.cli.exits import Exit
from nodes.cli.failures import Problem, failure
from nodes.cli.words import both
from nodes.codec.catalogue import explanation_view, matters_view
from regions import explain as explaining
from regions.directory import ApplicantFacts
from regions.errors import FactError
from tongban.v1 import catalogue_service_pb2 as answers


def list_matters(request: answers.CatalogueServiceListRequest) -> answers.CatalogueServiceListResponse:
    """The matters that fit the filter, by code."""
    return matters_view(request)


def explain(request: answers.ExplainRequest, now: datetime) -> answers.ExplainResponse:
    """Who decides, how long, what is needed. Raises Failure that names the flag at fault."""
    said = {field.name: value for field, value in request.places.ListFields()}
    try:
        found = explaining.explain(request.matter, ApplicantFacts.of(said), request.origin_area, now)
    except FactError as error:
        raise _refused(error) from None
    return explanation_view(found)


def _refused(error: FactError) -> Exception:
    flag = {"matter": "MATTER", "filing": "--origin"}.get(error.field, f"--place {error.field}")
    end = Exit.NOT_FOUND if error.reason == "unknown_matter" else Exit.REFUSED
    key = f"wrong.{error.reason}"
    problem = Problem(flag, error.reason.upper(), both(key))
    return failure(end, "bad_fact", problems=[problem])
