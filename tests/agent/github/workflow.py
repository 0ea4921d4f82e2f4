"""action.yml, the example workflow and their documentation; and both jobs from end to end."""

import re
import shutil
import subprocess

from bot import Bot, check, git, test
from runner import Runner, load

BRANCH = "dsv4-agent/issue-7"
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # \S")


def files():
    source = Bot.source
    return [source / "action.yml", source / ".github/examples/dsv4-agent.yml"]


def steps():
    action, example = (load(path) for path in files())
    yield from action["runs"]["steps"]
    for job in example["jobs"].values():
        yield from job["steps"]


@test
def no_text_of_others_becomes_a_script_and_every_action_is_pinned():
    for step in steps():
        check("${{" not in step.get("run", ""), step)
        check("github.event" not in str(step.get("env", "")), step)
    for path in files():
        for line in path.read_text().splitlines():
            # By the commit, with the release beside it for people.
            if "uses:" in line:
                check(PINNED.search(line), line)
    example = load(files()[1])
    check(example["permissions"] == {}, "the workflow's own permissions")
    jobs = example["jobs"]
    check(jobs["agent"]["permissions"] == {"contents": "read", "issues": "read"}, jobs["agent"])
    check(jobs["publish"]["permissions"] == {"contents": "write", "issues": "write",
                                             "pull-requests": "write"}, jobs["publish"])
    for job in jobs.values():
        checkouts = [step for step in job["steps"] if step["uses"].startswith("actions/checkout@")]
        check(len(checkouts) == 1 and checkouts[0]["with"]["persist-credentials"] is False, job)
        check("run" not in str([list(step) for step in job["steps"]]), "the example runs a script")
    # True is how YAML reads `on`.
    check(set(example[True]) == {"issues", "issue_comment", "workflow_dispatch"}, example[True])


@test
def inputs_and_outputs_are_the_same_everywhere():
    action = load(files()[0])
    text = (Bot.source / "agent/github/README.md").read_text()
    table = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", text, re.M))
    check(list(table) == [*action["inputs"], *action["outputs"]], list(table))
    for name, row in {**action["inputs"], **action["outputs"]}.items():
        check(table[name].endswith(row["description"]), f"{name}: {table[name]}")
        if row.get("default"):
            check(f"`{row['default']}`" in table[name], f"{name}: {table[name]}")
    help_text = subprocess.run([Bot.build / "dsv4-agent", "github", "--help"], check=True,
                               capture_output=True, text=True).stdout
    told = dict(re.findall(r"^  ([a-z-]+) +(\S.*)$", help_text, re.M))
    own = {"mode", "token", "program", "cache"}  # of the action alone
    job = next(step for step in action["runs"]["steps"] if step.get("id") == "job")
    for name in set(action["inputs"]) - own:
        check(told.get(name) == action["inputs"][name]["description"], f"{name} in --help: {told}")
        variable = "INPUT_" + name.upper().replace("-", "_")
        check(job["env"].get(variable) == f"${{{{ inputs.{name} }}}}", f"{name} is not handed over")
    check(set(told) == set(action["inputs"]) - own, set(told) ^ set(action["inputs"]))
    check(set(action["outputs"]) == {"status", "exit-code", "patch-file", "branch", "pr-url",
                                     "report", "tests-passed"}, action["outputs"])
    for name, row in action["outputs"].items():
        check(row["value"] == f"${{{{ steps.job.outputs.{name} }}}}", row)


def carry_out(bot, name, payload, **inputs):
    """Both jobs of the example, with the program that is here in place of a build."""
    workflow = load(files()[1])
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if step["uses"].startswith("dsv4-agent/"):
                step["with"].update({"program": str(bot.build / "dsv4-agent"),
                                     "time-limit": "10m", **inputs})

    def checkout(directory):
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run(["git", "clone", "-q", bot.scratch / "origin", directory], check=True)
        git(directory, "checkout", "-q", bot.sha)

    def token_of_job(permissions):
        bot.state.rights = dict(permissions)

    runner = Runner(bot.scratch, bot.source, payload, bot.environment(name, payload), checkout,
                    token_of_job)
    ends = runner.run(workflow)
    bot.look_for_tokens(runner.log + str(runner.jobs))
    return ends, runner


@test
def both_jobs_end_with_a_draft_pull_request():
    with Bot() as bot:
        for name, payload in [("issues", bot.labeled()), ("issue_comment", bot.commented()),
                              ("workflow_dispatch", bot.manual())]:
            ends, runner = carry_out(bot, name, payload)
            check(ends == {"agent": "success", "publish": "success"}, runner.log)
            built = [step for step in runner.ran if "Build" in step or "cache" in step]
            check(not built, built)
        # Three runs of one issue, with the same patch: one of everything.
        check(len(bot.state.pulls) == 1 and bot.state.pulls[0]["draft"], bot.state.pulls)
        check(len(bot.state.comments) == 1, bot.state.comments)
        tip = bot.state.git.ref(BRANCH)
        check(bot.state.git.commit(tip)["parents"] == [{"sha": bot.sha}], tip)
        git(bot.workspace, "fetch", "-q", str(bot.scratch / "github.git"), BRANCH)
        git(bot.workspace, "checkout", "-q", "FETCH_HEAD")
        fixed = subprocess.run(["python3", "test_prices.py"], cwd=bot.workspace, check=False,
                               capture_output=True)
        check(fixed.returncode == 0, fixed.stderr)
        # Nothing but the repair: the tree is the one that a person would have made.
        check(git(bot.workspace, "diff", "--stat", bot.sha).startswith("prices.py | 2 +-"), "more")
        git(bot.workspace, "checkout", "-q", bot.sha)
        file = bot.workspace / "prices.py"
        file.write_text(file.read_text().replace("price < 100", "price <= 100"))
        git(bot.workspace, "add", "-A")
        check(git(bot.workspace, "write-tree") == bot.state.git.commit(tip)["tree"]["sha"], "tree")


@test
def both_jobs_end_with_a_comment_when_nothing_was_found():
    with Bot() as bot:
        ends, runner = carry_out(bot, "issues", bot.labeled(), test="false", attempts="1",
                                 **{"max-turns": "3"})
        check(ends == {"agent": "success", "publish": "failure"}, runner.log)
        check(not bot.state.pulls and not bot.state.git.ref(BRANCH), "it published")
        check(len(bot.state.comments) == 1, bot.state.comments)
        check("has tried and found no patch" in bot.state.comments[0]["body"], bot.state.comments)
        ends, runner = carry_out(bot, "issues", bot.labeled(), test="no-such-program")
        check(ends == {"agent": "success", "publish": "failure"}, runner.log)
        check("could not work on this issue" in bot.state.comments[0]["body"], bot.state.comments)


@test
def the_second_job_stays_away_when_there_is_nothing_to_publish():
    with Bot() as bot:
        quoted = bot.commented("> /dsv4 fix\nis what to say")
        ends, _ = carry_out(bot, "issue_comment", quoted)
        check(ends == {"agent": "success", "publish": "skipped"}, ends)
        ends, _ = carry_out(bot, "issues", bot.labeled(label={"name": "bug"}))
        check(ends == {"agent": "skipped", "publish": "skipped"}, ends)
        ends, runner = carry_out(bot, "issues", bot.labeled(sender={"login": "reader", "type": "User"}))
        check(ends == {"agent": "failure", "publish": "skipped"}, ends)
        check("reader has no write access" in runner.log, runner.log)
        check(not bot.state.comments and not bot.state.pulls, "it wrote something")


@test
def a_job_that_was_taken_over_publishes_nothing_else():
    with Bot() as bot:
        ends, runner = carry_out(bot, "issues", bot.labeled())
        check(ends["publish"] == "success", runner.log)
        bot.state.git.run("update-ref", "-d", f"refs/heads/{BRANCH}")
        bot.state.pulls.clear()
        # What came out of the sandbox has changed the results on their way.
        artifact = runner.artifacts["dsv4-agent"]
        patch = (artifact / "patch.diff").read_text()
        (artifact / "patch.diff").write_text(
            patch + "diff --git a/.github/workflows/x.yml b/.github/workflows/x.yml\n"
            "new file mode 100644\n--- /dev/null\n+++ b/.github/workflows/x.yml\n@@ -0,0 +1 @@\n+x\n")
        workflow = load(files()[1])
        publish = workflow["jobs"]["publish"]
        publish["steps"][-1]["with"]["program"] = str(bot.build / "dsv4-agent")
        check(runner.run_job("publish", publish, {"github": runner.github(),
                                                  "needs": runner.jobs}) == "failure", runner.log)
        check("are not of this run" in runner.log, runner.log)
        check(not bot.state.pulls and not bot.state.git.ref(BRANCH), "it published")
