"""The decision rules that come with the federation, each for a real matter.

Knows when the facts suffice. Must not know nodes. Every rule can leave the case: a person
decides wherever registers disagree, an agent acts, or discretion is asked for.
"""

from datetime import date

from regions.errors import IdentifierError
from regions.identifiers import parse_identity
from regions.rules import DecisionRule, FilingFacts, Verdict, decision_rule, deny, grant, leave
from regions.wording import Reason

_AGENT = Reason(
    "agent_acts", "由代办人提出，须人工核对委托。", "An agent files: the mandate is to be looked at."
)
_UNCLEAR = Reason(
    "register_unclear",
    "登记信息不明确或者相互矛盾，须人工核查。",
    "The registers are unclear or contradict each other: an officer has to look.",
)


@decision_rule("identity_upgrade", needs=("fund.id_no", "fund.name", "fund.accounts"))
def identity_upgrade(facts: FilingFacts) -> Verdict:
    """HF-005: the fund still holds 15 digits. GB 11643 upgrade, name and birth must agree.

    Correcting what is already correct changes nothing and is granted again.
    """
    if facts.registers["fund.accounts"] != "1":
        return leave(
            Reason("several_accounts", "名下不止一个账户，须先合并。", "There is more than one account.")
        )
    if facts.registers["fund.name"] != facts.applicant_name:
        return leave(Reason("name_differs", "姓名与账户登记不一致。", "The name differs from the account's."))
    try:
        held = parse_identity(facts.registers["fund.id_no"], facts.today)
    except IdentifierError:
        return leave(_UNCLEAR)
    if held.normalised != facts.id_no or held.birth != facts.birth:
        return leave(
            Reason(
                "numbers_differ",
                "账户登记的号码升位后与现号码不一致。",
                "The number held, upgraded, is not the present one.",
            )
        )
    return grant(changed="no" if held.given.strip().upper() == facts.id_no else "yes")


@decision_rule("loan_repaid", needs=("fund.loan",))
def loan_repaid(facts: FilingFacts) -> Verdict:
    """HF-007: a certificate only for a loan that this centre has on record as repaid."""
    match facts.registers["fund.loan"]:
        case "repaid":
            return grant(document="loan_repaid_certificate")
        case "open":
            return deny(
                Reason("loan_open", "贷款尚未还清。", "The loan is not yet repaid."),
                "还清后再申请；提前还清可办理“提前还清住房公积金贷款”(HF-008)。",
                "Apply once it is repaid; early repayment is matter HF-008.",
            )
        case "none":
            return deny(
                Reason(
                    "no_loan_here",
                    "本中心没有该申请人的贷款记录。",
                    "This centre has no loan of the applicant.",
                ),
                "请向发放贷款的公积金中心申请。",
                "Please apply to the centre that gave the loan.",
            )
        case _:
            return leave(_UNCLEAR)


@decision_rule("household_certificate", needs=("police.household",))
def household_certificate(facts: FilingFacts) -> Verdict:
    """PS-001: the register shows it, or the certificate is refused with the ticked reason."""
    match facts.answers.get("purpose"):
        case "shown_by_document":
            return deny(
                Reason(
                    "provable_by_documents",
                    "户口簿、身份证或者护照已能证明。",
                    "The household booklet, identity card or passport proves it already.",
                ),
                "请直接出示相应证件；对方仍要求证明的，可持不予出具证明告知书说明。",
                "Show the document itself; the notice of refusal tells whoever still asks.",
            )
        case "other_body":
            return deny(
                Reason("other_body", "应由其他部门出具。", "Another body has to certify this."),
                "请向主管该事实的部门申请。",
                "Please apply to the body in charge of that fact.",
            )
        case "item_changed" | "cancelled" | "kinship":
            pass
        case _:
            return leave(
                Reason("purpose_open", "证明内容须人工判断。", "What is to be proved needs an officer.")
            )
    if facts.by_agent:
        return leave(_AGENT)
    match facts.registers["police.household"]:
        case "found":
            return grant(document="household_certificate")
        case "not_found":
            return deny(
                Reason(
                    "not_in_register",
                    "户籍档案中未查到相关记载。",
                    "The household files hold no such record.",
                ),
                "可补充线索后重新申请，或者向当时户籍所在地查询。",
                "Apply again with more particulars, or ask the place of the former household.",
            )
        case _:
            return leave(_UNCLEAR)


@decision_rule("criminal_record", needs=("police.record",))
def criminal_record(facts: FilingFacts) -> Verdict:
    """PS-002: none, or sealed juvenile records only, is certified; a record found is refused."""
    if facts.by_agent and "mandate" not in facts.materials:
        return leave(_AGENT)
    match facts.registers["police.record"]:
        case "none" | "sealed":
            return grant(document="no_criminal_record_certificate")
        case "found":
            return deny(
                Reason("record_found", "查询到犯罪记录。", "A criminal record was found."),
                "对结果有异议的，可向出具机关申请复核。",
                "Who objects to the result may ask the same body for a review.",
            )
        case _:
            return leave(_UNCLEAR)


@decision_rule("unemployment", needs=("social.employment",))
def unemployment(facts: FilingFacts) -> Verdict:
    """LB-001: of working age, and no employer insures the person any more."""
    if facts.birth is None:
        return leave(_UNCLEAR)
    age = _age(facts.birth, facts.today)
    if age < 16:
        return deny(
            Reason("under_working_age", "未满16周岁。", "Under 16 years of age."),
            "年满16周岁后再登记。",
            "Register once 16 years old.",
        )
    if age >= 50:
        # The retirement age depends on sex, post and year of birth.
        return leave(
            Reason("near_retirement", "须核对是否达到退休年龄。", "The retirement age is to be checked.")
        )
    match facts.registers["social.employment"]:
        case "none":
            return grant(document="unemployment_registration")
        case "insured":
            return deny(
                Reason(
                    "still_insured",
                    "仍由用人单位参加社会保险。",
                    "An employer still insures the applicant.",
                ),
                "请原单位办理停保；单位不办的，可凭解除劳动关系证明人工处理。",
                "Ask the former employer to end the insurance, or bring proof that the job has ended.",
            )
        case _:
            return leave(_UNCLEAR)


@decision_rule("archive_extract", needs=("archives.record", "archives.person"))
def archive_extract(facts: FilingFacts) -> Verdict:
    """CA-004 to 006: only for the person recorded."""
    if facts.by_agent:
        return leave(_AGENT)
    match facts.registers["archives.record"]:
        case "found" if facts.registers["archives.person"] == "applicant":
            return grant(document="archive_copy")
        case "found":
            return deny(
                Reason("not_the_person", "档案不是申请人本人的。", "The record is of another person."),
                "请由档案所载本人申请，或者由其书面委托。",
                "The person recorded has to apply, or to give a written mandate.",
            )
        case "not_found":
            return deny(
                Reason("no_record", "本馆未查到档案。", "This archive holds no such record."),
                "请核对登记地和年份，或者向形成档案的机关查询。",
                "Check place and year, or ask the body that made the record.",
            )
        case _:
            return leave(_UNCLEAR)


@decision_rule("record_extract", needs=("query.record",))
def record_extract(facts: FilingFacts) -> Verdict:
    """Queries of one's own record: shown when the register has it."""
    if facts.by_agent:
        return leave(_AGENT)
    match facts.registers["query.record"]:
        case "found":
            return grant(document="record_extract")
        case "none":
            return deny(
                Reason(
                    "no_record",
                    "登记系统中没有申请人的记录。",
                    "The register has no record of the applicant.",
                ),
                "请核对办理地是否正确；确有记录的，可申请核查更正。",
                "Check that the place is right; if there should be a record, ask for a correction.",
            )
        case _:
            return leave(_UNCLEAR)


@decision_rule("tax_paid", needs=("tax.paid_in_period",))
def tax_paid(facts: FilingFacts) -> Verdict:
    """TX-005: certified what was paid in the period named; nothing paid, nothing certified."""
    if "period" not in facts.answers:
        return leave(Reason("period_open", "未写明所属期间。", "The period is not named."))
    match facts.registers["tax.paid_in_period"]:
        case "yes":
            return grant(document="tax_paid_certificate", period=facts.answers["period"])
        case "no":
            return deny(
                Reason("nothing_paid", "该期间没有入库税款。", "No tax was paid in that period."),
                "请核对所属期间和主管税务机关。",
                "Check the period and the tax authority.",
            )
        case _:
            return leave(_UNCLEAR)


def _age(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


SHIPPED: tuple[DecisionRule, ...] = (
    identity_upgrade,
    loan_repaid,
    household_certificate,
    criminal_record,
    unemployment,
    archive_extract,
    record_extract,
    tax_paid,
)
