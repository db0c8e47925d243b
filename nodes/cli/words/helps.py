"""What --help says of commands and common flags."""

from typing import Final

HELPS: Final[dict[str, tuple[str, str]]] = {
    "help.tongban": (
        "通办：在一地收件，由另一省的主管部门办结。命令通过 gRPC 与节点通信。",
        "Tongban (通办): file in one city, settled by another province's authority. Commands speak gRPC.",
    ),
    "help.epilog": (
        "退出码：0 完成，2 用法有误，3 被拒绝，4 未找到，6 无法连接；全部见 tongban help-exit-codes。",
        "Exit codes: 0 done, 2 usage, 3 refused, 4 not found, 6 unreachable; all: tongban help-exit-codes.",
    ),
    "help.demo": (
        "演练：随附的全部办件经四个节点办理，并与预期逐项核对。",
        "The rehearsal: every shipped filing through four nodes, held against what must come of it.",
    ),
    "help.serve": ("运行一个省的节点，直到收到停止信号。", "Run one region's node until a signal stops it."),
    "help.help-exit-codes": ("列出全部退出码。", "List all exit codes."),
    "help.matters": ("事项目录：有哪些事项可以办。", "The catalogue: which matters there are."),
    "help.explain": (
        "说明某事项由谁决定、要多久、需要什么、为什么。",
        "Who decides a matter for this person, how long it takes, what is needed, and why.",
    ),
    "help.areas": ("查区划代码：市和县(市、区)。", "Look up area codes: cities and counties."),
    "help.file": (
        "收件：按参数提交一件，或用 --from 提交一个文件中的多件(可续办)。",
        "File one case from flags, or with --from a file of many (a second run goes on).",
    ),
    "help.track": (
        "查办件：现在谁手里、在哪里、到什么时候、灯色、下一步能做什么。",
        "One case: who holds it, where, until when, its light, and what can be done next.",
    ),
    "help.cases": ("列出本节点的办件。", "List the cases of a node."),
    "help.act": (
        "对办件执行一个动作(受理、补正、审批等)。",
        "Perform a verb of the transition table on a case.",
    ),
    "help.trace": (
        "画出办件在各省之间的全程轨迹及每段用时。",
        "Draw the whole trace of a case over all provinces, with the time of each hop.",
    ),
    "help.dead": ("被搁置的消息：查看、重放、放弃。", "Messages put aside: list, show, replay, drop."),
    "help.dead.list": ("列出被搁置的消息。", "List messages put aside, newest first."),
    "help.dead.show": ("查看一条被搁置的消息。", "Show one message put aside."),
    "help.dead.replay": ("重新处理一条消息。", "Try a message again."),
    "help.dead.drop": (
        "放弃一条消息；若为主办方事件，则向其索取快照。",
        "Drop a message; of an owner's event, ask the owner for a snapshot.",
    ),
    "help.topics": ("建立并核对总线上的主题。", "Create and check the topics on the bus."),
    "help.migrate": ("把数据库升级到本版本的结构。", "Bring a database to the schema of this version."),
    "help.backup": (
        "备份一个节点：数据库和材料；节点可照常运行。",
        "Back a node up: its database and its materials; it may run meanwhile.",
    ),
    "help.restore": (
        "用备份恢复一个节点；节点须已停止。启动后它先向其他地区取回之后的记录，再办理。",
        "Put a node's backup back; the node must not run. Started, it first fetches back what it did since.",
    ),
    "help.backup.to": (
        "存放备份的文件夹，或以 .tar 结尾的文件。",
        "Folder that takes the backup, or a file whose name ends in .tar.",
    ),
    "help.backup.materials": ("存放材料的文件夹。", "Folder where the node's materials lie."),
    "help.restore.from": (
        "备份所在的文件夹(多份时取最新的)或 .tar 文件。",
        "Folder of the backup (of several, the newest is taken), or the .tar file.",
    ),
    "help.restore.replace": (
        "数据库中已有的内容可以丢弃。",
        "What is in the database already may go.",
    ),
    "help.restore.noted": (
        "已用其他工具恢复数据库，只作登记。",
        "The database was put back by other means; only note it.",
    ),
    "help.doctor": (
        "体检：哪些可达、哪些滞后、时钟差多少、版本多少。",
        "What is reachable, what lags, whose clock is off, which versions run.",
    ),
    "help.version": ("显示版本后退出。", "Show the version and leave."),
    "help.help": ("显示本说明后退出。", "Show this help and leave."),
    "help.node": (
        "节点地址 host:port；不给则用设置或正在运行的节点。",
        "Node to talk to, host:port; else by the settings or the nodes that run here.",
    ),
    "help.region": (
        "省份：31 沪，32 苏，33 浙，34 皖。",
        "Region: 31 Shanghai, 32 Jiangsu, 33 Zhejiang, 34 Anhui.",
    ),
    "help.timeout": (
        "每次调用最多等待的秒数；0 为按设置。",
        "Seconds a call may take; 0: as the settings say.",
    ),
    "help.json": ("以 JSON 输出结果。", "Write the result as JSON."),
    "help.lang": ("语言：zh 或 en。", "Language: zh or en."),
    "help.as": (
        "以何种身份：applicant, window, officer, head, operator。",
        "Role: applicant, window, officer, head or operator.",
    ),
    "help.account": ("操作账号(不含个人信息)。", "Account that acts (no personal data)."),
    "help.authority": (
        "所代表的主管部门代码，如 police-310101。",
        "Authority that the actor belongs to, such as police-310101.",
    ),
    "help.client": (
        "调用方名称，请求编号在其内唯一。",
        "Name of the caller; request ids are unique within it.",
    ),
    "help.case": ("办件编号，可带连字符或空格。", "Case number; hyphens and spaces do not matter."),
    "help.request_id": (
        "请求编号；重复提交，只生效一次。",
        "Request id; the same one again takes effect once.",
    ),
    "help.expect_version": (
        "办件处于该版本，才执行。",
        "Act only if the case has this version; 0: any.",
    ),
    "help.limit": ("每页条数，1 至 200。", "Lines a page, 1 to 200."),
    "help.cursor": ("上一页给出的游标。", "Cursor that the page before gave."),
    "help.bus_url": ("总线地址，如 sqlite:///var/bus.db。", "The bus, such as sqlite:///var/bus.db."),
    "help.database_url": (
        "数据库地址，如 sqlite:///var/32/node.db。",
        "The database, such as sqlite:///var/32/node.db.",
    ),
    "help.topics.check": ("只核对，不建立。", "Only check, create nothing."),
    "help.migrate.sql": (
        "不执行，只打印 SQL：sqlite 或 postgresql。",
        "Run nothing, print the SQL: sqlite or postgresql.",
    ),
    "help.matters.text": ("名称或代码的一部分。", "A part of the name or code."),
    "help.matters.domain": ("领域，如 housing_fund。", "Domain, such as housing_fund."),
    "help.matters.mode": (
        "办理模式：full_online、collect_on_behalf、joint。",
        "Mode: full_online, collect_on_behalf or joint.",
    ),
    "help.matters.all": ("也列出未启用的事项。", "Also the matters that are switched off."),
    "help.areas.text": ("名称或代码的一部分。", "A part of the name or code."),
    "help.track.watch": ("持续显示变化，直到办件终结。", "Follow every change until the case ends."),
    "help.track.resume": ("从该标记之后继续。", "Go on after this token."),
    "help.cases.state": ("状态，可重复，如 in_review。", "State, may be repeated, such as in_review."),
    "help.cases.matter": ("事项代码。", "Matter code."),
    "help.cases.origin": ("收件省份。", "Region where it was filed."),
    "help.cases.competent": ("办理省份。", "Region that decides."),
    "help.cases.owner": ("当前主办省份。", "Region that owns it now."),
    "help.cases.authority": ("主管部门代码。", "Authority that decides."),
    "help.cases.light": ("灯色：green、yellow、red。", "Light: green, yellow or red."),
    "help.cases.lead": ("联办主件编号：列出其各部分。", "Number of a joint case: its parts."),
    "help.cases.open": ("只列未终结的。", "Only open cases."),
    "help.cases.all": ("翻到最后一页。", "Every page to the last."),
    "help.dead.id": ("消息编号。", "Id of the message."),
    "help.dead.settled": ("也列出已重放或已放弃的。", "Also those replayed or dropped."),
    "help.dead.reason": ("放弃的理由，会被记录。", "Why; it is recorded."),
}
