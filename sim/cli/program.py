"""The program's edge: the language it speaks, the options all verbs share, its streams and its exit codes.

Exit codes: 0 done, 1 a bug of ours, 2 invalid input, 3 some runs failed, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NoReturn, TypeVar

import click
from click.core import ParameterSource

from sim.cli import INTERRUPTED
from sim.errors import Problem, ScenarioError, SimError
from sim.presentation.catalogue import Lang, clean, error, known, language, text

__all__ = ["Option", "Program", "Verb", "VerbGroup", "Voice", "common", "file", "option", "refuse_others"]

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass
class Voice:
    """How the program speaks to this user: language, and what goes where."""

    lang: Lang
    quiet: bool = False
    json: bool = False

    def text(self, key: str, **values: object) -> str:
        """A text of the command line."""
        return text(f"cli.{key}", self.lang, **values)

    def say(self, line: str) -> None:
        """A line of the result, on standard output."""
        click.echo(line)

    def note(self, line: str) -> None:
        """A message on standard error, unless they are not wanted."""
        if not self.quiet:
            click.echo(line, err=True)

    def problem(self, found: Problem) -> str:
        """A problem as a line, in the user's language."""
        from sim.scenario.messages import in_language

        said = in_language(found, self.lang)
        if said.severity != "error":
            said = replace(said, message=self.text("warning", message=said.message))
        return str(said)

    def warn(self, found: Iterable[Problem]) -> None:
        """Warnings of a scenario."""
        for problem in found:
            self.note(self.problem(problem))

    def give(self, data: Mapping[str, Any] | Sequence[Any]) -> None:
        """The result for machines: one JSON document on standard output, never NaN."""
        plain = "utf" not in (sys.stdout.encoding or "").lower()
        click.echo(json.dumps(data, ensure_ascii=plain, allow_nan=False, indent=2))


def _voice(ctx: click.Context) -> Voice:
    root = ctx.find_root()
    if not isinstance(root.obj, Voice):  # shell completion asks without running
        root.obj = Voice(language())
    return root.obj


class Option(click.Option):
    """An option whose help is in the catalogue."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Names and help, in the user's language."""
        self.help = _voice(ctx).text(f"option.{self.name}")
        return super().get_help_record(ctx)


class Verb(click.Command):
    """A verb whose help is in the catalogue, under its name."""

    def _told(self, lang: Lang) -> str:
        return text(f"cli.verb.{self.name}", lang)

    def get_short_help_str(self, limit: int = 45) -> str:
        """The line beside the verb's name."""
        ctx = click.get_current_context(silent=True)
        return self._told(_voice(ctx).lang if ctx else language())

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The first line of the help."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, _voice(ctx).text("usage") + " ")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the verb does, and more of it if the catalogue has it."""
        voice = _voice(ctx)
        for said in (self._told(voice.lang), known(f"cli.more.{self.name}", voice.lang)):
            if said:
                formatter.write_paragraph()
                with formatter.indentation():
                    for line in said.strip().splitlines():
                        formatter.write(f"{'':>{formatter.current_indent}}{line}".rstrip() + "\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options with their help; the verbs of a group."""
        voice = _voice(ctx)
        if verbs := self._verbs(ctx):
            with formatter.section(voice.text("verbs")):
                formatter.write_dl([(name, verb.get_short_help_str()) for name, verb in verbs])
        with formatter.section(voice.text("options")):
            params = (p for p in self.get_params(ctx) if isinstance(p, click.Option))
            formatter.write_dl([record for p in params if (record := p.get_help_record(ctx))])

    def _verbs(self, ctx: click.Context) -> list[tuple[str, click.Command]]:
        return []

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """``--help``, said in the user's language."""
        found = super().get_help_option(ctx)
        if found:
            found.help = _voice(ctx).text("option.help")
        return found


class VerbGroup(Verb, click.Group):
    """Verbs under one name."""

    def _verbs(self, ctx: click.Context) -> list[tuple[str, click.Command]]:
        return list(self.commands.items())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the work, not of the alphabet."""
        return list(self.commands)


class Program(VerbGroup):
    """The command: what happens at its edge, whatever the verb."""

    def main(self, args: Any = None, prog_name: str | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run, and leave with the exit code; a user's mistake is a message, never a traceback."""
        words = list(sys.argv[1:] if args is None else args)
        voice = Voice(_spoken(words))
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        try:
            code = self._run(words, prog_name or "sim", voice, extra)
        except BrokenPipeError:
            _hang_up()
            code = 0
        sys.exit(code)

    def _run(self, words: list[str], prog_name: str, voice: Voice, extra: dict[str, Any]) -> int:
        extra.pop("standalone_mode", None)
        try:
            self._main_shell_completion(extra, prog_name)
            with self.make_context(prog_name, words, obj=voice, **extra) as ctx:
                self.invoke(ctx)
            sys.stdout.flush()
        except click.exceptions.Exit as left:
            sys.stdout.flush()
            return left.exit_code
        except click.exceptions.NoArgsIsHelpError as empty:
            click.echo(empty.format_message())
        except click.ClickException as mistake:
            return _complain(voice, _usage(mistake, voice))
        except ScenarioError as wrong:
            return _complain(voice, *map(voice.problem, wrong.problems))
        except SimError as wrong:
            return _complain(voice, voice.text("error", message=error(str(wrong), voice.lang)), code=wrong.exit_code)
        except MemoryError:
            return _complain(voice, voice.text("memory"), code=3)
        except (KeyboardInterrupt, click.Abort):
            return _complain(voice, voice.text("interrupted"), code=INTERRUPTED)
        except BrokenPipeError:
            raise
        except Exception as bug:
            if os.environ.get("SIM_DEBUG"):
                traceback.print_exc()
            what = clean(f"{type(bug).__name__}: {bug}"[:500])
            return _complain(voice, voice.text("bug", what=what, command=clean(" ".join(["sim", *words]))), code=1)
        return 0


def _spoken(words: Sequence[str]) -> Lang:
    """The language of the whole program, help included: of the last ``--lang`` that is one, else the locale's."""
    given = [w.removeprefix("--lang=") for w in words if w.startswith("--lang=")]
    given += [after for word, after in pairwise(words) if word == "--lang"]
    return language(next((w for w in reversed(given) if w in ("zh", "en")), None))


def _hang_up() -> None:
    """Nobody reads any more: what is still in the buffer goes nowhere, so that Python has nothing to complain of."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _complain(voice: Voice, *lines: str, code: int = 2) -> int:
    sys.stdout.flush()
    for line in lines:
        click.echo(line, err=True)
    return code


def _usage(mistake: click.ClickException, voice: Voice) -> str:
    """A wrong command line: what is wrong, and where the right one is described."""
    said = mistake.format_message()
    if voice.lang == "zh":
        said = _in_chinese(mistake) or said
    ctx = getattr(mistake, "ctx", None)
    return voice.text("usage_error", message=clean(said), command=ctx.command_path if ctx else "sim")


def _in_chinese(mistake: click.ClickException) -> str:
    """The commonest of click's own messages; it has no Chinese."""
    lang: Lang = "zh"
    param = getattr(mistake, "param", None)
    name = (param.opts[0] if isinstance(param, click.Option) else param.human_readable_name) if param else ""
    if isinstance(mistake, click.NoSuchOption):
        near = "、".join(mistake.possibilities or ())
        said = text("cli.no_such_option", lang, name=mistake.option_name)
        return said + (text("cli.near", lang, names=near) if near else "")
    if isinstance(mistake, click.MissingParameter):
        return text("cli.missing", lang, name=name)
    if isinstance(mistake, click.BadParameter) and name:
        return text("cli.bad_value", lang, name=name, message=mistake.message)
    return ""


def option(*names: str, **attributes: Any) -> Callable[[_F], _F]:
    """An option whose help is in the catalogue, under its name."""
    return click.option(*names, cls=Option, **attributes)


def file(name: str = "file", **attributes: Any) -> Callable[[_F], _F]:
    """A file argument; the loader says what is wrong with a file."""
    return click.argument(name, type=click.Path(), **attributes)


def _heard(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        setattr(_voice(ctx), str(param.name), value)


def refuse_others(ctx: click.Context, key: str, *kept: str, **values: object) -> None:
    """Refuse options that would have no meaning: all that were given but `kept` and those that all verbs share.

    Raises
    ------
    click.UsageError
        With the text `key`, filled with `values` and the `option`.
    """
    for param in ctx.command.params:
        given = ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
        if given and param.name in ctx.params and param.name not in kept:
            raise click.UsageError(ctx.obj.text(key, option=param.opts[0], **values))


def common(verb: _F) -> _F:
    """The options that stand before or after any verb."""
    kept: dict[str, Any] = {"expose_value": False, "callback": _heard}
    verb = option("--json", is_flag=True, **kept)(verb)
    verb = option("--quiet", "-q", is_flag=True, **kept)(verb)
    return option("--lang", type=click.Choice(["zh", "en"]), **kept)(verb)
