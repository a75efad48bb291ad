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
    "needs_text": ("must be a file name (got {found})", "应为文件名（实为 {found}）"),
    "item_needs_id": ("each entry needs an id", "每一项都要有 id"),
    "nothing_to_remove": ("nothing called {found} to remove{near}", "没有名为 {found} 的项可删{near}"),
    "no_neighbour": ("there is no {found} to stand next to{near}", "没有名为 {found} 的相邻项{near}"),
    "empty_list": (
        "an empty list changes nothing of what it extends; write `{key}: null` for none at all",
        "空列表不会改变所继承的内容；若要全部去掉，请写 `{key}: null`",
    ),
    "duplicate_id": ("id {found} is given twice; first on line {line}", "id {found} 重复，首次出现在第 {line} 行"),
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
    "calendar_year": ("{found} is not a calendar year between 1978 and 2100", "{found} 不是 1978 至 2100 之间的年份"),
    "above_zero": ("must be above 0{unit} (got {found})", "必须大于 0{unit}（实为 {found}）"),
    # warnings
    "no_effect": ("has no effect here: {reason}", "在此不起作用：{reason_zh}"),
    "factor": (
        "{found} is {factor} times the published {published} ({figure}); a slip of units (万 = 10,000)?",
        "{found} 是公布值 {published}（{figure}）的 {factor} 倍；单位写错了吗（万 = 10000）？",
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
    if isinstance(value, tuple):
        return _FRAGMENTS[str(value[0])][language].format(*value[1:])
    return value
