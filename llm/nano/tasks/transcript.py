"""Transcripts as segments: the exact text of a conversation, cut where the engine appends parts.

The strings follow the prompt encoder (DSML) and the agent's prompt; `record` replays the same plan
through the real loop, and the two must agree byte for byte.
"""

import functools
import json
import pathlib

BEGIN = "<｜begin▁of▁sentence｜>"
END = "<｜end▁of▁sentence｜>"
USER = "<｜User｜>"
ASSISTANT = "<｜Assistant｜></think>"
DSML = "｜DSML｜"
DATA_LOSS = 0.3

PROMPT_FOLDER = pathlib.Path(__file__).parent / "prompt"


@functools.cache
def system_prompt():
    """Everything up to the first user turn."""
    text = (PROMPT_FOLDER / "system.txt").read_text().removesuffix("\n")
    block = (PROMPT_FOLDER / "tools.txt").read_text()
    schemas = json.loads((PROMPT_FOLDER / "schemas.json").read_text())
    return BEGIN + text + block % "\n".join(json.dumps(s, ensure_ascii=False) for s in schemas)


def repository_part(files):
    """The first part of the user's turn."""
    shown = "".join("=== %s\n%s" % (path, files[path]) for path in sorted(files))
    return "# Repository\n\n" + shown


def issue_part(issue, command, report):
    """The second part: issue, test command, and what the tests say now."""
    return "\n# Issue\n\n%s\n\n# Tests\n\n`%s`\n%s" % (issue.strip(), command, report)


class Call:
    """A tool call: name, ordered arguments, and whether to learn its values."""

    def __init__(self, name, arguments=(), learn=True):
        self.name = name
        self.arguments = list(arguments)  # [(parameter, text)]
        self.learn = learn


class Transcript:
    """Grows segment by segment."""

    def __init__(self):
        self.segments = []
        self.turns = []  # the teacher's calls, turn by turn
        self.tries = 0  # wrong edits made

    def add(self, text, role, markup=False, loss=0):
        self.segments.append({"text": text, "markup": markup, "loss": loss, "role": role})

    def markup(self, text, role="user", loss=0):
        self.add(text, role, markup=True, loss=loss)

    def opening(self, files, issue, command, report, full=True):
        if full:
            self.markup(system_prompt(), "system")
            self.markup(USER)
            self.add(repository_part(files), "repo", loss=DATA_LOSS)
        else:
            self.markup(BEGIN, "system")
            self.markup(USER)
        self.add(issue_part(issue, command, report), "issue", loss=DATA_LOSS)
        self.markup(ASSISTANT)

    def calls(self, calls):
        """One turn of the assistant."""
        self.turns.append(
            [{"name": c.name, "arguments": dict(c.arguments), "learn": c.learn} for c in calls]
        )
        scaffold = "\n\n<%stool_calls>" % DSML
        for call in calls:
            scaffold += '\n<%sinvoke name="%s">\n' % (DSML, call.name)
            for name, value in call.arguments:
                scaffold += '<%sparameter name="%s" string="true">' % (DSML, name)
                self.markup(scaffold, "assistant", 1)
                self.add(value, "assistant", loss=1 if call.learn else 0)
                scaffold = "</%sparameter>\n" % DSML
            scaffold += "</%sinvoke>" % DSML
        self.markup(scaffold + "\n</%stool_calls>" % DSML + END, "assistant", 1)

    def results(self, results):
        """The user's turn that carries tool results."""
        lead = USER + "<tool_result>"
        for index, result in enumerate(results):
            self.markup(lead if index == 0 else "</tool_result>\n\n<tool_result>")
            self.add(result, "result", loss=DATA_LOSS)
        self.markup("</tool_result>" + ASSISTANT)

    def text(self):
        return "".join(segment["text"] for segment in self.segments)
