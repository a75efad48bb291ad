"""What is said about scenario files, in English and Chinese: one template for each thing that can be wrong.

A `Problem` is written in English and remembers its template and arguments, so that it can be said in Chinese later.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from sim.errors import Problem

if TYPE_CHECKING:
    from sim.scenario.source import Place

__all__ = ["MESSAGES", "in_language", "nearest", "problem"]

NONE: Mapping[str, object] = MappingProxyType({})
"""No arguments."""

MESSAGES: dict[str, tuple[str, str]] = {
    # the file
    "missing_file": ("there is no file {file}", "找不到文件 {file}"),
    "folder": ("{file} is a folder, not a file", "{file} 是文件夹，不是文件"),
    "not_a_file": ("{file} is a pipe or a device, not a regular file", "{file} 是管道或设备，不是普通文件"),
    "no_permission": ("no permission to read {file}", "没有读取 {file} 的权限"),
    "unreadable": ("{file} cannot be read", "无法读取 {file}"),
    "too_large": ("{file} is larger than {limit}, too large for a scenario", "{file} 超过 {limit}，不像场景文件"),
    "utf16": ("the file is in UTF-16 or UTF-32; save it as UTF-8", "文件是 UTF-16 或 UTF-32 编码，请另存为 UTF-8"),
    "gbk": ("not UTF-8; it looks like GBK: save it as UTF-8", "不是 UTF-8，看起来是 GBK 编码：请另存为 UTF-8"),
    "not_utf8": ("not UTF-8; save the file as UTF-8", "不是 UTF-8 编码，请另存为 UTF-8"),
    "stray": ("control or invisible character {character} is not allowed", "不允许控制字符或不可见字符 {character}"),
    "not_a_scenario": (
        'give a scenario: sim.load("file.yaml") (got {found})',
        '应给出情景：sim.load("file.yaml")（实为 {found}）',
    ),
    # YAML
    "no_value": ("has no value; write null if none is meant", "没有值；如果确实表示“没有”，请写 null"),
    "syntax": ("not valid YAML: {reason}", "不是合法的 YAML：{reason}"),
    "tab": ("a tab indents this line; use spaces", "此行用制表符（Tab）缩进，请改用空格"),
    "wide_colon": (
        "full-width colon “：”; write “: ” (half-width, then a space)",
        "全角冒号“：”，请改为半角冒号加空格“: ”",
    ),
    "wide_colon_at": (
        "must be a mapping of keys (got {found}); the colon is full-width: write “: ”",
        "应为“键: 值”的映射（实为 {found}）；冒号是全角的，请改为半角冒号加空格“: ”",
    ),
    "not_a_mapping": ("must be a mapping of keys (got {found})", "应为“键: 值”的映射（实为 {found}）"),
    "two_documents": ("a second document starts here; one file holds one", "这里开始了第二个文档；一个文件只能有一个"),
    "directive": ("only YAML 1.2 without %TAG is read", "只读取 YAML 1.2，且不带 %TAG"),
    "tag": ("tag {tag} is not allowed: scenarios are plain data", "不允许标签 {tag}：场景文件只含普通数据"),
    "odd_key": ("a key must be plain text", "键必须是普通文字"),
    "duplicate_key": ("key {key} is given twice; first on line {line}", "键 {key} 重复，首次出现在第 {line} 行"),
    "unknown_alias": ("alias {name} has no anchor before it", "别名 {name} 之前没有对应的锚点"),
    "recursive_alias": ("alias {name} stands inside what it names", "别名 {name} 引用了它自身"),
    "too_deep": ("nested more than {limit} deep", "嵌套超过 {limit} 层"),
    "too_many_nodes": ("more than {limit} values, aliases written out", "展开别名后超过 {limit} 个值"),
    "ambiguous_octal": (
        "{found} is ambiguous: decimal or octal? Drop the leading zero, or quote it if it is text",
        "{found} 有歧义：十进制还是八进制？请去掉前导零；若是文字请加引号",
    ),
    "not_finite": ("must be a finite number (got {found})", "必须是有限的数（实为 {found}）"),
    "too_big": ("whole number beyond 64 bits (got {found})", "整数超出 64 位（实为 {found}）"),
    # extends
    "path_leaves": (
        "{found} leads out of the folder of the scenario; use a relative path inside it",
        "{found} 指向场景文件夹之外，请用文件夹之内的相对路径",
    ),
    "circle": ("circle: {chain}", "循环引用：{chain}"),
    "needs_path": ("give the path of a scenario file (got {found})", "应给出情景文件的路径（实为 {found}）"),
    "needs_changes": (
        "give changes by path, such as {{'chain.incubator.places': 80}} (got {found})",
        "应按路径给出改动，如 {{'chain.incubator.places': 80}}（实为 {found}）",
    ),
    "needs_text": ("must be a file name (got {found})", "应为文件名（实为 {found}）"),
    "item_needs_id": ("each entry needs an id", "每一项都要有 id"),
    "nothing_to_remove": ("nothing called {found} to remove{near}", "没有名为 {found} 的项可删{near}"),
    "no_neighbour": ("there is no {found} to stand next to{near}", "没有名为 {found} 的相邻项{near}"),
    "empty_list": (
        "an empty list changes nothing of what it extends; write `{key}: null` for none at all",
        "空列表不会改变所继承的内容；若要全部去掉，请写 `{key}: null`",
    ),
    "duplicate_id": ("id {found} is given twice; first on line {line}", "id {found} 重复，首次出现在第 {line} 行"),
    # instruments of the scenario's own
    "component_form": (
        "must be module:Class, such as my_grant:VillageGrant for my_grant.py beside this file (got {found}){hint}",
        "应写作 模块:类名，如本文件旁 my_grant.py 中的 my_grant:VillageGrant（实为 {found}）{hint}",
    ),
    "component_missing": (
        "there is no file {file} beside this one, and no module {module} is installed{near}",
        "本文件旁没有 {file}，也没有安装名为 {module} 的模块{near}",
    ),
    "component_broken": ("{at} cannot be used: {reason}{hint}", "{at} 无法使用：{reason}{hint}"),
    "component_no_class": ("{file} holds no class {found}{near}", "{file} 中没有类 {found}{near}"),
    "component_no_instrument": (
        "{at}: {name} is no instrument; write `class {name}(PolicyInstrument)`, imported from sim.policy",
        "{at}：{name} 不是政策工具；请写 `class {name}(PolicyInstrument)`，并从 sim.policy 导入",
    ),
    "component_no_type": (
        '{at}: {name} needs a name for scenario files: `type: Literal["{example}"] = "{example}"`',
        '{at}：{name} 需要一个供情景文件使用的名称：`type: Literal["{example}"] = "{example}"`',
    ),
    "component_built_in": (
        "{at}: the type {found} comes with the program; give {name} another",
        "{at}：类型 {found} 是程序自带的，请给 {name} 另起类型名",
    ),
    "component_twice": (
        "there is another instrument of type {found} ({other}); give one of them another type",
        "类型 {found} 另有一个政策工具（{other}），请给其中一个改名",
    ),
    "component_config": (
        "{at}: {name} changes `model_config`; instruments stay frozen and strict",
        "{at}：{name} 改动了 `model_config`；政策工具必须保持冻结和严格校验",
    ),
    "component_hides": (
        "{at}: the parameter {found} of {name} hides the method of that name; call it otherwise",
        "{at}：{name} 的参数 {found} 与同名方法冲突，请换一个名称",
    ),
    "component_lacks": (
        "{at}: {name} does not say its `{found}`: write `def {found}(...)`, or `def act(...)` for all",
        "{at}：{name} 缺少 `{found}`：请写 `def {found}(...)`，或整个写在 `def act(...)` 里",
    ),
    "component_remembers": (
        "{at}: `remembers` of {name} must map names to one of {choices}",
        "{at}：{name} 的 `remembers` 应为“名称: 类型”，类型为 {choices} 之一",
    ),
    "component_list": (
        "{at}: the parameter {found} of {name} is a list; write tuple[..., ...], since instruments do not change",
        "{at}：{name} 的参数 {found} 是可变列表；政策工具不可变，请写 tuple[..., ...]",
    ),
    "component_figure": (
        "{at}: the parameter {parameter} of {name} cites {found}, and no figure is called so{near}",
        "{at}：{name} 的参数 {parameter} 引用了 {found}，但没有这项数据{near}",
    ),
    "component_in_python": (
        "`components` is for files; in Python, give `policy` the objects: policy=(VillageGrant(id=...),)",
        "`components` 用于情景文件；在 Python 中请直接把对象放入 `policy`：policy=(VillageGrant(id=...),)",
    ),
    # keys and values
    "unknown_key": ("unknown key{near}", "未知的键{near}"),
    "unknown_key_wide": (
        "unknown key; the colon is full-width: write “: ” (half-width, then a space)",
        "未知的键；冒号是全角的，请改为半角冒号加空格“: ”",
    ),
    "unknown_key_merge": (
        "YAML 1.2 has no merge keys; use `extends`", "YAML 1.2 没有合并键 <<，请用 `extends`",
    ),
    "unknown_path": ("unknown path{near}", "未知的路径{near}"),
    "not_an_assignment": ("{found} is not path=value", "{found} 不是 路径=值 的形式"),
    "unknown_type": ("there is no instrument of type {found}{near}", "没有类型为 {found} 的政策工具{near}"),
    "missing": ("is required{near}", "必须填写{near}"),
    "whole": ("must be a whole number{unit} (got {found}){hint}", "必须是整数{unit}（实为 {found}）{hint}"),
    "number": ("must be a number{unit} (got {found}){hint}", "必须是数{unit}（实为 {found}）{hint}"),
    "bool": ("must be true or false (got {found}){hint}", "必须是 true 或 false（实为 {found}）{hint}"),
    "text": ("must be text (got {found}){hint}", "必须是文字（实为 {found}）{hint}"),
    "mapping": ("must be a mapping of keys (got {found})", "应为“键: 值”的映射（实为 {found}）"),
    "not_an_entry": (
        "must be a mapping of keys (got {found}); to take it out, set {path}.remove=true",
        "应为“键: 值”的映射（实为 {found}）；若要去掉它，请设 {path}.remove=true",
    ),
    "list": ("must be a list (got {found})", "应为列表（实为 {found}）"),
    "bound": ("must be {bound}{unit} (got {found})", "必须 {bound}{unit}（实为 {found}）"),
    "one_of": ("must be {choices} (got {found}){near}", "必须是 {choices}（实为 {found}）{near}"),
    "month": ("must be a month such as 2024-04 (got {found})", "应为月份，如 2024-04（实为 {found}）"),
    "id_form": (
        "must be lower-case letters, digits and _ (got {found})", "只能用小写字母、数字和下划线（实为 {found}）",
    ),
    "length": ("must have {bound} entries (got {found})", "项数必须 {bound}（实为 {found}）"),
    "text_length": ("must have at most {bound} characters", "最多 {bound} 个字符"),
    "other": ("{reason}", "{reason}"),
    # quantities and figures
    "no_figure": ("no figure is called {found}{near}", "没有名为 {found} 的数据{near}"),
    "unusable_figure": ("{reason}", "数据不可用：{reason}"),
    "unit": ("unit {found} does not fit {unit}", "单位 {found} 与 {unit} 不符"),
    "quantity_key": (
        "unknown key of a quantity{near} (quote text that holds a comma)",
        "数量中未知的键{near}（含逗号的文字请加引号）",
    ),
    "quantity_both": (
        "give either `evidence` or `assumed`, not both", "`evidence` 与 `assumed` 只能写一个",
    ),
    "quantity_value": ("a quantity needs `value` or `evidence`", "数量需要 `value` 或 `evidence`"),
    "differs_from_figure": (
        "{found} is not what figure {figure} says ({published}); give it as `assumed`",
        "{found} 与数据 {figure}（{published}）不符；请改用 `assumed`",
    ),
    "range_form": ("range must be [low, high]{unit}", "range 应为 [下限, 上限]{unit}"),
    # combinations
    "shares_sum": ("shares must add to 1 (they add to {total})", "份额之和必须为 1（实为 {total}）"),
    "first_open": (
        "the first stage must be open to all: `places: null`, `threshold: 0` and no other condition",
        "第一阶段必须对所有人开放：`places: null`、`threshold: 0`，且无其他条件",
    ),
    "reserved_id": (
        "{found} names those who trade outside the chain; choose another id",
        "{found} 专指链条之外的经营者，请换一个 id",
    ),
    "unknown_lever": ("the policy has no instrument {found}{near}", "政策中没有名为 {found} 的工具{near}"),
    "covers_a_fund": (
        "{found} is a fund; a fund pays for instruments only", "{found} 本身是资金池；资金池只能覆盖政策工具",
    ),
    "unknown_stage": ("the chain has no stage {found}{near}", "链条中没有阶段 {found}{near}"),
    "nobody_has": (
        "nobody who arrives has this education: arrivals.education.{education} is 0",
        "来者中没有人是这一学历：arrivals.education.{education} 为 0",
    ),
    "needs_burn_in": ("has a meaning only with `kind: burn_in`", "只有在 `kind: burn_in` 时才有意义"),
    "needs_entities": ("has a meaning only with `entities`", "只有给出 `entities` 时才有意义"),
    "too_many_houses": (
        "must have at most {most} houses in all, outside included (got {found})",
        "全部场所（含链外）最多 {most} 处（实为 {found}）",
    ),
    "until_before_since": ("ends before it starts ({since})", "结束早于开始（{since}）"),
    "differs_from_base": (
        "is {found} here and {base} in the base scenario; make them the same: only `chain` and `policy` may differ, or "
        "it would not be the same people that are compared",
        "此处为 {found}，基准情景为 {base}；请改为一致：只有 `chain` 和 `policy` 可以不同，否则比较的就不是同一批人",
    ),
    "front_loaded": (
        "front_loaded spreads three payments: write payments: 3, or doctor: equal",
        "front_loaded 把总额分三次发放：请写 payments: 3，或改为 doctor: equal",
    ),
    "uptake": (
        "uptake must be below ceiling (got {uptake} and {ceiling})",
        "半年使用率应低于使用率上限（实为 {uptake} 与 {ceiling}）",
    ),
    # studies
    "given_twice": ("{found} is given twice", "{found} 重复出现"),
    "fitted_and_held": (
        "{found} is a target too: what is fitted cannot be held out",
        "{found} 同时是拟合目标：拟合过的不能再作留出检验",
    ),
    "fitted_and_scored": (
        "the fact {found} is scored: what is scored is never fitted",
        "事实 {found} 用于评分：评分用的不能拿来拟合",
    ),
    "target_source": (
        "a target needs `evidence` in its value, a `source`, or a `why`",
        "目标要有出处：在 value 里写 `evidence`，或写 `source`、`why`",
    ),
    "no_source": ("no source is called {found}{near}", "没有名为 {found} 的来源{near}"),
    "needs_range": (
        "has no plausible range; say `range: [low, high]` here", "没有合理范围，请在此写 `range: [下限, 上限]`",
    ),
    "range_elsewhere": (
        "{found} lies outside its plausible range {range}, which was meant for another value; say `range: [low, high]`",
        "{found} 不在合理范围 {range} 之内，该范围是为另一取值写的；请写 `range: [下限, 上限]`",
    ),
    "unknown_outcome": ("there is no outcome {found}{near}", "没有名为 {found} 的结果{near}"),
    "runs_too_short": (
        "{found} cannot be known: the runs are {months} months long",
        "{found} 无从得知：模拟只有 {months} 个月",
    ),
    "not_a_lever": (
        "{found} cannot vary: it is no part of the city",
        "{found} 不能作为变量：它不属于城市本身",
    ),
    "study_wide": (
        "{found} is the whole study's: write it as `{write}` at the top level",
        "{found} 由整个研究统一规定：请在最上层写成 `{write}`",
    ),
    "not_single": ("holds more than a single value", "不是单一的值"),
    "single_value": ("must be a single value", "必须是单一的值"),
    "values_or_range": (
        "a lever needs `values: [...]` or `range: [low, high]`",
        "政策变量要写 `values: [...]` 或 `range: [下限, 上限]`",
    ),
    "needs_values": (
        "a grid needs `values: [...]`; for a range, choose a design that fills it, such as `latin_hypercube`",
        "网格设计需要 `values: [...]`；若只有范围，请改用铺满空间的设计，如 `latin_hypercube`",
    ),
    "nothing_varies": (
        "nothing varies: give `levers` or `uncertainties`",
        "没有任何变量：请写 `levers`（政策变量）或 `uncertainties`（不确定的数）",
    ),
    "power_of_two": (
        "must be a power of 2: {below} or {above} (got {found})",
        "必须是 2 的幂：{below} 或 {above}（实为 {found}）",
    ),
    "even": ("must be even (got {found})", "必须是偶数（实为 {found}）"),
    "too_many_points": (
        "makes {found} points; at most {most}: give fewer values, or a design that fills the space",
        "共有 {found} 个点，最多 {most} 个：请减少取值，或改用铺满空间的设计",
    ),
    "many_runs": (
        "makes {found} runs of {points} points; is that meant?",
        "共 {points} 个点、{found} 次运行，确实需要这么多吗？",
    ),
    "cost_source": (
        "a cost needs a source: `evidence` or `assumed` with the amount, or `assumed` beside it",
        "费用要有出处：在金额里写 `evidence` 或 `assumed`，或在旁边写 `assumed`",
    ),
    "table_form": ("must be a .csv or .parquet file (got {found})", "必须是 .csv 或 .parquet 文件（实为 {found}）"),
    "table_broken": ("the table cannot be read: {reason}", "无法读取表格：{reason}"),
    "table_empty": (
        "the table is empty: a first line of paths, and a row for each point",
        "表格是空的：第一行写路径，其后每行一个点",
    ),
    "table_row": ("has {found} cells, and the first line has {most}", "有 {found} 格，而首行有 {most} 格"),
    "no_column": ("the table has no column {found}{near}", "表格没有 {found} 这一列{near}"),
    "calendar_year": ("{found} is not a calendar year between 1978 and 2100", "{found} 不是 1978 至 2100 之间的年份"),
    "above_zero": ("must be above 0{unit} (got {found})", "必须大于 0{unit}（实为 {found}）"),
    # warnings
    "no_effect": ("has no effect here: {reason}", "在此不起作用：{reason_zh}"),
    "factor": (
        "{found} is {factor} times the published {published} ({figure}); a slip of units (万 = 10,000)?",
        "{found} 是公布值 {published}（{figure}）的 {factor} 倍；单位写错了吗（万 = 10000）？",
    ),
    "other_scale": (
        "{found} is far below the published {published} ({figure}); in {scale}? Then write {meant}",
        "{found} 远低于公布值 {published}（{figure}）；是否以{scale}为单位？那么请写 {meant}",
    ),
    "spent_at_once": (
        "{found} is gone within the first month: without limits it would take about {need} a month, {whole} {span}"
        "{hint}; raise it or narrow who is eligible; if it is meant, say why (`assumed:`)",
        "{found} 第一个月就会用完：不设上限每月约需 {need}，{span}约 {whole}{hint}；请提高预算或收窄对象；"
        "若确实如此，请写明理由（`assumed:`）",
    ),
    "hardly_used": (
        "of {found}, at most {share} % can be used: all that is asked for comes to about {whole} {span}; lower it, or "
        "widen who is eligible",
        "{found} 最多只能用掉 {share}%：{span}的全部需求约 {whole}；请降低预算或放宽对象",
    ),
    "beyond_fund": (
        "{ids} would take about {total} a year by planner's arithmetic, and the fund holds {fund}: some will be "
        "refused; lower amounts or shares, or raise the fund",
        "按粗略估算，{ids} 每年约需 {total}，而资金池只有 {fund}：部分申请将被拒；请降低金额或比例，或增加资金",
    ),
    "beyond_published": (
        "{ids}: about {total} a year in cash by planner's arithmetic, more than the city's published special fund of "
        "{fund} ({figure}; meant for bases, storage and training); lower amounts or shares, set a `budget`, or let an "
        "instrument of `type: fund` cover them",
        "按粗略估算，{ids} 每年发放现金约 {total}，超过全市公布的专项资金 {fund}"
        "（{figure}，原定用于直播基地、仓储和培训）；请降低金额或比例、设 `budget`，或用 `type: fund` 的资金池覆盖",
    ),
    "only_before": (
        "ends before the horizon starts ({start}): it acts in the burn-in only",
        "结束于模拟期开始（{start}）之前：只在预热期起作用",
    ),
    "acts_from_start": (
        "the horizon starts in {start}, and what comes before it does not have this instrument: it acts from {start} "
        "on, not from {since}",
        "模拟期从 {start} 开始，此前没有这一工具：它从 {start} 起作用，而不是 {since}",
    ),
    "implausible": ("{found} lies outside the plausible range {range}{unit}", "{found} 超出合理范围 {range}{unit}"),
    "threshold_falls": (
        "the threshold falls along the chain: {found} after {before} at {stage}",
        "门槛沿链条下降：{stage} 为 {before}，此处为 {found}",
    ),
}  # fmt: skip

_FRAGMENTS: dict[str, tuple[str, str]] = {
    "in": (", in {}", "，单位 {}"),
    "near": ("; did you mean {}?", "；是否想写 {}？"),
    "remove_quotes": ("; remove the quotes", "；请去掉引号"),
    "wide_digits": ("; the digits are full-width: write 0-9", "；数字是全角的，请用半角 0-9"),
    "no_comma": ("; write 1000 or 1_000, without commas", "；请写 1000 或 1_000，不用逗号"),
    "percent": ("; write 5% as 0.05", "；5% 请写作 0.05"),
    "wan": ("; write 5万 as 50_000 and 1亿 as 100_000_000", "；5万 请写作 50_000，1亿 写作 100_000_000"),
    "yes_no": ("; in YAML 1.2 {} is text: write {}", "；在 YAML 1.2 中 {} 是文字：请写 {}"),
    "component": (
        "; if it is your own, name its file under `components:`",
        "；如果是自己写的，请在 `components:` 中写明所在文件",
    ),
    "a_year": ("a year", "全年"),
    "in_all": ("in the horizon", "整个模拟期"),
    "in_ten_thousands": ("; is it in 万 (10,000)? Then write {}", "；是否以万为单位？那么请写 {}"),
    "half_colon": ("; the colon is full-width: write “:”", "；冒号是全角的，请写半角“:”"),
    "one_file": (
        "; a component is one file: put what it needs into it, or install that",
        "；一个组件只能是一个文件：请把所需代码写进去，或安装为软件包",
    ),
    "no_suffix": ("; leave out .py", "；请去掉 .py"),
    "quote": ("; put it in quotes", "；请加引号"),
}


def problem(
    place: Place, path: str, key: str, arguments: Mapping[str, object] = NONE, severity: str = "error"
) -> Problem:
    """A problem, said in English. An argument is text, a number, or a fragment as `(name, *arguments)`."""
    return Problem(
        place.file, place.line, place.column, path, _say(key, arguments, 0), severity, key, tuple(arguments.items())
    )


def in_language(found: Problem, lang: str) -> Problem:
    """The same problem, said in `lang` (``zh`` or ``en``)."""
    if not found.key:
        return found
    return replace(found, message=_say(found.key, dict(found.arguments), 1 if lang.startswith("zh") else 0))


def nearest(name: object, known: Iterable[str]) -> tuple[str, ...] | str:
    """The fragment that suggests the known name nearest to `name`; empty if none is near."""
    close = difflib.get_close_matches(str(name)[:100], list(known), n=1, cutoff=0.5)
    return ("near", close[0]) if close else ""


def _say(key: str, arguments: Mapping[str, object], language: int) -> str:
    said = {name: _fragment(value, language) for name, value in arguments.items()}
    return MESSAGES[key][language].format(**said)


def _fragment(value: object, language: int) -> object:
    if isinstance(value, tuple) and value[0] == "money":
        return _money(float(value[1]), language)
    if isinstance(value, tuple):
        return _FRAGMENTS[str(value[0])][language].format(*value[1:])
    return value


def _money(amount: float, language: int) -> str:
    """An amount as one says it, to three digits: 1.54 亿元, 154 million CNY."""
    scales = ((1e8, " 亿元"), (1e4, " 万元")) if language else ((1e9, " bn CNY"), (1e6, " million CNY"))
    size, unit = next((s for s in scales if amount >= s[0]), (1.0, " 元" if language else " CNY"))
    said = amount / size
    return (f"{said:,.0f}" if said >= 100 else f"{said:.3g}") + unit
