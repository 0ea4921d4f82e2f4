"""Events that start nothing."""

import subprocess

from bot import Bot, check, git, test


def nothing_ran(bot):
    check(not (bot.results / "meta.json").exists(), "there are results")
    check(not bot.state.comments, "it wrote a comment")
    check(not (bot.scratch / "state/dsv4-agent/runs").exists(), "a run was begun")


@test
def events_about_something_else_end_green():
    with Bot() as bot:
        for name, payload, words in [
                ("issues", bot.labeled(label={"name": "bug"}), "the label is 'bug'"),
                ("issues", bot.labeled(action="edited"), "was edited"),
                ("issue_comment", bot.commented("please fix"), "no line of the comment"),
                ("issue_comment", bot.commented("> /dsv4 fix"), "no line of the comment"),
                ("issue_comment", bot.commented(action="edited"), "was edited"),
                ("push", bot.payload(), "the event is 'push'")]:
            bot.run("run", name, payload).ends(0, "skipped", words)
        check(not bot.state.requests, "it asked GitHub")
        nothing_ran(bot)


@test
def who_may_not_start_a_run_is_refused():
    def bad(name, kind="User"):
        return {"login": name, "type": kind}
    with Bot() as bot:
        for sender, words in [(bad("reader"), "reader has no write access"),
                              (bad("stranger"), "stranger has no write access"),
                              (bad("helper[bot]", "Bot"), "is a bot"),
                              (bad("helper[bot]"), "is a bot"),
                              (bad("a/../b"), "no valid name")]:
            ended = bot.run("run", payload=bot.labeled(sender=sender))
            ended.ends(2, "failed" if "/" in sender["login"] else "refused", words)
        bot.run("run", allowed_actors="alice, bob").ends(2, "refused", "not one of the input")
        bot.state.people["maintainer"] = "read"
        bot.run("publish").ends(2, "refused", "no write access")
        nothing_ran(bot)
        bot.run("run", payload=bot.labeled(sender=bad("helper[bot]", "Bot")), test="false",
                attempts="1", max_turns="1", allowed_actors="Helper[bot]").ends(1, "gave_up")


@test
def issues_that_are_not_to_be_worked_on_are_refused():
    with Bot() as bot:
        closed = {**bot.state.issues[7], "state": "closed"}
        pull = {**bot.state.issues[7], "pull_request": {}}
        bot.run("run", payload=bot.labeled(issue=closed)).ends(2, "refused", "#7 is closed")
        bot.run("run", "issue_comment", bot.commented(issue=pull)).ends(2, "refused",
                                                                        "is a pull request")
        bot.run("run", "workflow_dispatch", bot.manual(inputs={"issue": "8"})).ends(
            2, "failed", "cannot read issue #8", "issues: read")
        bot.run("run", "workflow_dispatch", bot.manual(inputs={"issue": "7; id"})).ends(
            2, "failed", "names no issue")
        bot.run("run", "workflow_dispatch", bot.manual(ref="refs/tags/v1")).ends(2, "refused")
        bot.state.issues[7]["state"] = "closed"  # meanwhile
        bot.run("run", payload=bot.labeled(issue={**closed, "state": "open"})).ends(
            2, "refused", "#7 is closed")
        bot.state.issues[7] = pull
        bot.run("run", "workflow_dispatch", bot.manual()).ends(2, "refused", "pull request")
        nothing_ran(bot)


@test
def a_job_that_is_not_as_it_should_be_is_refused():
    with Bot() as bot:
        for payload in ["", "{", "[]", "{}", '{"repository": 3}', "\0"]:
            bot.run("run", payload=payload).ends(2, "failed", "event")
        bot.run("run", GITHUB_REPOSITORY="octo/other").ends(2, "failed", "octo/other")
        bot.run("run", GITHUB_EVENT_PATH="/nowhere").ends(2, "failed", "cannot be read")
        bot.run("run", GITHUB_TOKEN="").ends(2, "failed", "there is no token")
        bot.run("run", GITHUB_TOKEN="of another").ends(2, "failed", "does not take the token")
        bot.run("run", GITHUB_WORKSPACE=str(bot.temp)).ends(2, "failed", "actions/checkout")
        bot.run("run", out=str(bot.workspace / "out")).ends(2, "failed", "outside of the checkout")
        bot.run("run", repo="../..").ends(2, "failed", "inside the checkout")
        nothing_ran(bot)
        done = subprocess.run([bot.build / "dsv4-agent", "github"], capture_output=True, text=True,
                              check=False)
        check(done.returncode == 2 and "github run" in done.stderr, done.stderr)


@test
def only_the_commit_of_the_event_is_worked_on():
    with Bot() as bot:
        (bot.workspace / "more.py").write_text("x = 1\n")
        git(bot.workspace, "add", "-A")
        git(bot.workspace, "commit", "-q", "-m", "more")
        bot.run("run").ends(2, "refused", "check out the commit of the event")
        # On another branch: what is in it may be worked on, what is not may not.
        newer = git(bot.workspace, "rev-parse", "HEAD")
        git(bot.scratch / "github.git", "fetch", "-q", str(bot.workspace), "+HEAD:next")
        bot.run("run", base_branch="main").ends(2, "refused", "not part of the branch main")
        bot.run("run", base_branch="next").ends(0, "passed", newer)
        bot.run("publish", base_branch="next").ends(0, "passed")
        check(bot.state.pulls[0]["base"]["ref"] == "next", bot.state.pulls)
        bot.run("publish").ends(2, "failed", "'branch' is not main")


@test
def a_checkout_that_keeps_a_token_is_refused():
    with Bot() as bot:
        for key, value in [("http.https://github.com/.extraheader", "AUTHORIZATION: basic x"),
                           ("url.https://x:word@github.com/.insteadOf", "https://github.com/"),
                           ("remote.origin.url", "https://x:word@github.com/octo/shop")]:
            before = git(bot.workspace, "config", "remote.origin.url")
            git(bot.workspace, "config", key, value)
            ended = bot.run("run").ends(2, "refused", "persist-credentials: false")
            check("word" not in ended.said, ended.said)
            git(bot.workspace, "config", "--unset", key)
            git(bot.workspace, "config", "remote.origin.url", before)
        nothing_ran(bot)
