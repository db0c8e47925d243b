"""What --help says of the flags of `file`, `serve` and `demo`, and the titles of the groups of flags."""

from typing import Final

FORMS: Final[dict[str, tuple[str, str]]] = {
    "panel.options": ("选项", "Options"),
    "panel.arguments": ("参数", "Arguments"),
    "panel.common": ("通用选项", "Common options"),
    "panel.actor": ("操作者", "Who acts"),
    "panel.start": ("开始", "Start here"),
    "panel.facts": ("事项与区划", "Matters and places"),
    "panel.cases": ("办件", "Cases"),
    "panel.operator": ("运维", "For operators"),
    "panel.verbs": ("动作", "Verbs"),
    "help.file.from": (
        "含多件的文件：.csv 或 .jsonl，各列见 docs/cli.md。",
        "File of many: .csv or .jsonl; docs/cli.md describes the columns.",
    ),
    "help.file.results": (
        "结果文件；不给则为输入文件名加 .results.jsonl。",
        "File of results; else the input's name with .results.jsonl.",
    ),
    "help.file.matter": (
        "事项代码，如 HF-006(tongban matters 可查)。",
        "Matter code, such as HF-006 (see: tongban matters).",
    ),
    "help.file.origin": (
        "收件地六位区划代码(tongban areas 可查)。",
        "Area where it is filed, six digits (see: tongban areas).",
    ),
    "help.file.name": ("申请人姓名或单位名称。", "Name of the applicant, person or firm."),
    "help.file.id": ("申请人证件号码。", "Number of the applicant's document."),
    "help.file.id_type": (
        "证件类型：identity_card、credit_code、passport。",
        "Kind of document: identity_card, credit_code, passport and others",
    ),
    "help.file.kind": ("申请人类型：person 或 enterprise。", "Kind of applicant: person or enterprise."),
    "help.file.phone": ("申请人电话。", "Telephone of the applicant."),
    "help.file.address": ("申请人地址。", "Postal address of the applicant."),
    "help.file.place": (
        "相关地点：名称=区划代码，可重复，如 household=330106。",
        "A place that matters, NAME=AREA, may be repeated: household=330106.",
    ),
    "help.file.fact": ("其他事实：名称=值，可重复。", "Another fact, NAME=VALUE, may be repeated."),
    "help.file.part_area": (
        "联办某部分在何处办理：序号=区划代码。",
        "Where a part of a joint matter is handled, N=AREA.",
    ),
    "help.file.material": (
        "材料：代码=文件路径，可重复；先上传并计算 SHA-256。",
        "A material, CODE=PATH, may be repeated; it is hashed and uploaded first.",
    ),
    "help.file.agent": ("代办人姓名。", "Name of the agent who files."),
    "help.file.agent_id": ("代办人证件号码。", "Number of the agent's document."),
    "help.file.agent_id_type": ("代办人证件类型。", "Kind of the agent's document."),
    "help.file.agent_phone": ("代办人电话。", "Telephone of the agent."),
    "help.file.mandate": ("委托书编号；有代办人时必填。", "Reference of the mandate; needed with an agent."),
    "help.file.consent": ("已签署的同意书编号。", "Reference of the signed consent."),
    "help.file.deliver": (
        "送达方式：electronic、courier、pickup。",
        "How the result comes: electronic, courier or pickup.",
    ),
    "help.file.deliver_to": ("寄送地址。", "Where a courier brings it."),
    "help.file.guide": ("所见办事指南的版本。", "Version of the guide that was shown."),
    "help.file.believed": (
        "申请人认为的主管部门代码；不符则拒绝并说明应去哪里。",
        "Authority that the applicant believes competent; a wrong one is refused, with where to go.",
    ),
    "help.file.reuse": (
        "同意使用收件地已存有的材料。",
        "Use again what the origin already holds of the applicant (with consent).",
    ),
    "help.file.window": ("由收件地窗口提交。", "Filed by the window of the origin."),
    "help.serve.listen": ("gRPC 地址 host:port。", "Address of the gRPC face, host:port."),
    "help.serve.insecure": ("允许监听本机以外的地址。", "Allow an address that is not loopback."),
    "help.serve.materials": ("存放材料的目录。", "Directory of materials."),
    "help.serve.peer": (
        "其他省的节点，31=host:port，可重复。",
        "Node of another region, 31=host:port, may be repeated.",
    ),
    "help.serve.process": ("本进程的固定名称。", "Lasting name of this process."),
    "help.serve.metrics": ("Prometheus 指标端口；0 为不开。", "Port of the Prometheus metrics; 0: none."),
    "help.serve.otlp": (
        "轨迹收集器，如 http://host:4317。",
        "Collector for traces, such as http://host:4317.",
    ),
    "help.serve.log_format": ("日志格式：json 或 console。", "Form of log lines: json or console."),
    "help.demo.input": ("演练输入文件；不给则用随附的。", "Input of the rehearsal; else the shipped one."),
    "help.demo.database": ("各省数据库的地址。", "Databases of the regions."),
    "help.demo.day": ("一个工作日演练多少秒。", "Seconds that a working day takes in the rehearsal."),
    "help.demo.dir": ("存放演练数据的目录。", "Directory for the rehearsal's data."),
    "help.demo.case": ("详述哪一件。", "Which case is told in full."),
}
