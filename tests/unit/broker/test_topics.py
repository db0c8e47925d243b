"""Names and specs of topics, and what is refused about them."""

import pytest

from broker.bus import Difference, MessageRefused, TopicReport, TopicSpec
from broker.limits import check_specs
from broker.topics import AddressRefused, RetentionTooShort, TopicPlan, check, dead, inbox, specs


def test_an_address_has_an_inbox_and_a_dead_letter_topic() -> None:
    made = specs(["31", "32"], TopicPlan(partitions=3, replication=3, min_insync=2))
    assert [spec.name for spec in made] == [
        "tongban.inbox.31",
        "tongban.dead.31",
        "tongban.inbox.32",
        "tongban.dead.32",
        "tongban.directory",
    ]
    assert {spec.partitions for spec in made[:-1]} == {3}
    assert {(spec.replication, spec.min_insync) for spec in made} == {(3, 2)}
    assert made[-1] == TopicSpec("tongban.directory", 1, None, compacted=True, replication=3, min_insync=2)
    check_specs(made)


@pytest.mark.parametrize("address", ["", "3 2", "32.dead", "SU", "\uff13\uff12", "x" * 33, "32\n"])
def test_what_is_no_address_is_refused(address: str) -> None:
    for topic in (inbox, dead):
        with pytest.raises(AddressRefused):
            topic(address)


def test_retention_must_exceed_the_promised_outage() -> None:
    with pytest.raises(RetentionTooShort, match="retention_ms: 1000 of"):
        specs(["31"], TopicPlan(retention_ms=1000, promised_outage_ms=1000))
    specs(["31"], TopicPlan(retention_ms=1001, promised_outage_ms=1000))


def test_an_existing_topic_that_forgets_too_soon_is_refused() -> None:
    plan = TopicPlan()
    [spec, *_] = specs(["31"], plan)
    brief = Difference("retention_ms", plan.retention_ms, plan.promised_outage_ms)
    for_ever = Difference("retention_ms", plan.retention_ms, None)
    check([TopicReport(spec, "i", False, ()), TopicReport(spec, "", False, ())], plan)
    check([TopicReport(spec, "i", False, (for_ever,))], plan)
    with pytest.raises(RetentionTooShort):
        check([TopicReport(spec, "i", False, (brief,))], plan)


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("name", TopicSpec("", 1, 1)),
        ("name", TopicSpec("..", 1, 1)),
        ("name", TopicSpec("a/b", 1, 1)),
        ("partitions", TopicSpec("a", 0, 1)),
        ("retention_ms", TopicSpec("a", 1, 0)),
        ("min_insync", TopicSpec("a", 1, 1, min_insync=2)),
        ("min_insync", TopicSpec("a", 1, 1, replication=3, min_insync=0)),
    ],
)
def test_a_spec_that_no_broker_could_make_is_refused(field: str, spec: TopicSpec) -> None:
    with pytest.raises(MessageRefused) as error:
        check_specs([spec])
    assert error.value.field == field
