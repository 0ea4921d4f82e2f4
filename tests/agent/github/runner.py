"""A stand-in for GitHub's runner: carries out the jobs of a workflow one after another, with the
composite steps of action.yml. Of the expression language it knows what those files use."""

import re
import shutil
import subprocess

import yaml

TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<word>[A-Za-z_][\w-]*)|"
                   r"(?P<mark>&&|\|\||==|!=|[!().,]))")


class Expression:
    """Evaluates `a.b == 'c' && f(x)` in a context of nested dictionaries."""

    FUNCTIONS = {"contains": lambda text, part: str(part or "").lower() in str(text or "").lower(),
                 "startsWith": lambda text, part: str(text or "").startswith(str(part))}

    def __init__(self, text, context):
        self.context, self.tokens, at = context, [], 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if not match:
                raise ValueError(f"not an expression: {text[at:]!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()

    def value(self):
        result = self.either()
        if self.tokens:
            raise ValueError(f"not understood: {self.tokens}")
        return result

    def take(self, *marks):
        if self.tokens and self.tokens[0] in [("mark", each) for each in marks]:
            return self.tokens.pop(0)[1]
        return None

    def either(self):
        left = self.both()
        while self.take("||"):
            right = self.both()
            left = left or right
        return left

    def both(self):
        left = self.compare()
        while self.take("&&"):
            right = self.compare()
            left = left and right
        return left

    def compare(self):
        left = self.one()
        mark = self.take("==", "!=")
        if not mark:
            return left
        same = (left or "") == (self.one() or "")
        return same if mark == "==" else not same

    def one(self):
        if self.take("!"):
            return not self.one()
        if self.take("("):
            inner = self.either()
            assert self.take(")")
            return inner
        kind, text = self.tokens.pop(0)
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return int(text)
        if self.take("("):
            arguments = [self.either()]
            while self.take(","):
                arguments.append(self.either())
            assert self.take(")")
            return self.FUNCTIONS[text](*arguments)
        value = self.context[text]  # a context that is not known is a mistake
        while self.take("."):
            name = self.tokens.pop(0)[1]
            value = value.get(name) if isinstance(value, dict) else None
        return value


def fill(text, context):
    """The text with its ${{ }} replaced."""
    def evaluated(match):
        value = Expression(match[1], context).value()
        return {True: "true", False: "false", None: ""}.get(value, str(value))
    return re.sub(r"\$\{\{(.*?)\}\}", evaluated, str(text), flags=re.S)


def holds(step, context):
    if "if" not in step:
        return True
    text = str(step["if"]).strip()
    return bool(Expression(text.removeprefix("${{").removesuffix("}}"), context).value())


class StepFailed(Exception):
    pass


class Runner:
    """`environment` is what a job's steps begin with; `checkout(directory)` puts the commit of the
    event into a directory as actions/checkout does without credentials."""

    def __init__(self, scratch, action, event, environment, checkout, token_of_job):
        self.scratch, self.action, self.event = scratch, action, event
        self.environment, self.checkout, self.token_of_job = environment, checkout, token_of_job
        self.artifacts, self.jobs, self.log, self.ran = {}, {}, "", []

    def run(self, workflow):
        """Returns {job: "success", "failure" or "skipped"}."""
        ends = {}
        for name, job in workflow["jobs"].items():
            needs = job.get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            context = {"github": self.github(), "needs": {each: self.jobs.get(each, {})
                                                          for each in needs}}
            if any(ends[each] != "success" for each in needs) or not holds(job, context):
                ends[name] = "skipped"
                continue
            ends[name] = self.run_job(name, job, context)
        return ends

    def github(self):
        names = {"event_name": "GITHUB_EVENT_NAME", "sha": "GITHUB_SHA", "run_id": "GITHUB_RUN_ID",
                 "repository": "GITHUB_REPOSITORY"}
        return {**{key: self.environment[value] for key, value in names.items()},
                "event": self.event, "action_path": str(self.action),
                "token": self.environment["GITHUB_TOKEN"]}

    def run_job(self, name, job, context):
        self.token_of_job(job["permissions"])
        place = self.scratch / "jobs" / name
        shutil.rmtree(place, ignore_errors=True)
        (place / "temp").mkdir(parents=True)
        workspace = place / "work"
        context = {**context, "runner": {"temp": str(place / "temp")}, "steps": {}}
        # A job's token is in a step's environment only where the step puts it there.
        plain = {key: value for key, value in self.environment.items() if key != "GITHUB_TOKEN"}
        environment = {**plain, "GITHUB_WORKSPACE": str(workspace),
                       "RUNNER_TEMP": str(place / "temp"), "RUNNER_OS": "Linux",
                       "RUNNER_ARCH": "X64"}
        try:
            for step in job["steps"]:
                self.run_step(step, context, environment, workspace, [name])
            end = "success"
        except StepFailed as failed:
            self.log += f"{name}: {failed}\n"
            end = "failure"
        outputs = {key: fill(value, context) for key, value in job.get("outputs", {}).items()}
        self.jobs[name] = {"outputs": outputs, "result": end}
        return end

    def run_step(self, step, context, environment, workspace, trail):
        if not holds(step, context):
            return
        self.ran.append(" / ".join(trail + [step.get("name") or step.get("id") or step["uses"]]))
        given = {key: fill(value, context) for key, value in step.get("with", {}).items()}
        outputs = {}
        try:
            if "run" in step:
                outputs = self.run_script(step, context, environment, workspace)
            else:
                outputs = self.use(step["uses"], given, context, environment, workspace, trail)
        finally:
            if "id" in step:
                context["steps"][step["id"]] = {"outputs": outputs}

    def use(self, name, given, context, environment, workspace, trail):
        action, _, _ = name.partition("@")
        if action == "actions/checkout":
            assert given["persist-credentials"] == "false" or given["persist-credentials"] == "False"
            assert given["ref"] == self.environment["GITHUB_SHA"]
            self.checkout(workspace)
        elif action == "actions/upload-artifact":
            place = self.scratch / "artifacts" / given["name"]
            shutil.rmtree(place, ignore_errors=True)
            self.artifacts[given["name"]] = shutil.copytree(given["path"], place)
        elif action == "actions/download-artifact":
            shutil.copytree(self.artifacts[given["name"]], given["path"], dirs_exist_ok=True)
        elif action == "dsv4-agent/dsv4-agent":
            return self.use_composite(given, context, environment, workspace, trail)
        else:
            raise ValueError(f"no stand-in for {name}")
        return {}

    def use_composite(self, given, context, environment, workspace, trail):
        action = yaml.safe_load((self.action / "action.yml").read_text())
        inputs = {}
        for name, row in action["inputs"].items():
            assert name in given or not row.get("required"), name
            inputs[name] = given.get(name, fill(row.get("default", ""), context))
        assert set(given) <= set(inputs), given
        inner = {**context, "inputs": inputs, "steps": {}}
        inner_environment = {**environment, "GITHUB_ACTION_PATH": str(self.action)}
        for step in action["runs"]["steps"]:
            self.run_step(step, inner, inner_environment, workspace, trail + ["dsv4-agent"])
        return {name: fill(row["value"], inner) for name, row in action["outputs"].items()}

    def run_script(self, step, context, environment, workspace):
        assert "${{" not in step["run"], "text of others would become a script"
        files = {}
        for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY", "GITHUB_PATH"):
            files[name] = self.scratch / f"{name.lower()}-{len(self.ran)}"
            files[name].write_text("")
        extra = {key: fill(value, context) for key, value in step.get("env", {}).items()}
        assert step["shell"] == "bash"
        script = self.scratch / "step.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script], cwd=workspace,
            env={**environment, **extra, **{key: str(value) for key, value in files.items()}},
            capture_output=True, text=True, timeout=500, check=False)
        self.log += done.stdout + done.stderr + files["GITHUB_STEP_SUMMARY"].read_text()
        assert not files["GITHUB_ENV"].read_text() and not files["GITHUB_PATH"].read_text()
        if done.returncode:
            raise StepFailed(f"{step.get('name')} ended with {done.returncode}")
        return dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())


def load(path):
    return yaml.safe_load(path.read_text())
