"""The job that publishes."""

import os

from bot import Bot, check, git, test

BRANCH = "dsv4-agent/issue-7"


def own_comments(bot):
    return [each["body"] for each in bot.state.comments if each["user"]["type"] == "Bot"]


def one_file(path, text="x", mode="100644"):
    return (f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n"
            f"@@ -0,0 +1 @@\n+{text}\n")


@test
def a_proved_patch_becomes_a_draft_pull_request():
    with Bot() as bot:
        bot.leave()
        ended = bot.run("publish", labels="bot, needs review").ends(0, "passed")
        pull = bot.state.pulls[0]
        check(pull["draft"] and pull["head"]["ref"] == BRANCH and pull["base"]["ref"] == "main", pull)
        check(pull["title"] == "Fix #7: Wrong band", pull)
        check("\nFixes #7\n" in pull["body"] and "nobody has read it" in pull["body"], pull)
        check(pull["labels"] == ["bot", "needs review"], pull)
        check(ended.outputs["pr-url"] == pull["html_url"] and ended.outputs["branch"] == BRANCH,
              ended.outputs)
        tip = bot.state.git.commit(bot.state.git.ref(BRANCH))
        check(tip["parents"] == [{"sha": bot.sha}], tip)
        check(tip["message"].startswith("Fix issue #7\n"), tip)
        (bot.workspace / "prices.py").write_text(
            (bot.workspace / "prices.py").read_text().replace("price < 100", "price <= 100"))
        git(bot.workspace, "add", "-A")
        check(git(bot.workspace, "write-tree") == tip["tree"]["sha"], "another tree")
        check(len(own_comments(bot)) == 1 and "has a patch: #100" in own_comments(bot)[0],
              bot.state.comments)
        check("<summary>The end of the test log</summary>" in own_comments(bot)[0], "no log")


@test
def run_again_it_ends_with_the_same_comment_branch_and_pull_request():
    with Bot() as bot:
        bot.leave()
        bot.run("publish", labels="bot").ends(0, "passed")
        tip = bot.state.git.ref(BRANCH)
        ended = bot.run("publish", labels="bot").ends(0, "passed", "of an earlier attempt")
        check(ended.outputs["pr-url"] == bot.state.pulls[0]["html_url"], ended.outputs)
        check(bot.state.git.ref(BRANCH) == tip and len(bot.state.pulls) == 1, bot.state.pulls)
        check(len(own_comments(bot)) == 1, bot.state.comments)
        check(bot.state.count("POST", "/git/") == 4, "it made objects again")
        # A person has closed it: the run, started again, does not open another one.
        bot.state.pulls[0]["state"] = "closed"
        bot.run("publish").ends(0, "passed")
        check(len(bot.state.pulls) == 1, "a second pull request")
        # Another run has another patch: the same branch and comment, and a pull request again.
        bot.leave(bot.good_patch() + one_file("more.py"), meta={"run_id": "43"})
        bot.run("publish", GITHUB_RUN_ID="43").ends(0, "passed")
        check(len(bot.state.pulls) == 2 and bot.state.git.ref(BRANCH) != tip, bot.state.pulls)
        check(len(own_comments(bot)) == 1 and "#101" in own_comments(bot)[0], bot.state.comments)


@test
def a_branch_of_somebody_else_is_left_alone():
    with Bot() as bot:
        bot.leave()
        other = bot.state.git.run("commit-tree", "HEAD^{tree}", "-p", bot.sha, data=b"mine")
        bot.state.git.run("update-ref", f"refs/heads/{BRANCH}", other)
        bot.run("publish").ends(2, "not_published", "not the bot's")
        check(bot.state.git.ref(BRANCH) == other and not bot.state.pulls, bot.state.pulls)
        check("is not published" in own_comments(bot)[0], bot.state.comments)


@test
def what_was_tried_becomes_a_comment():
    with Bot() as bot:
        bot.leave(status="gave_up", log="@everyone #1 <!-- x -->\n" * 3000 + "`" * 5)
        bot.run("publish").ends(1, "gave_up")
        body = own_comments(bot)[0]
        check("has tried and found no patch" in body and "no attempt made the tests pass" in body, body)
        check("`" * 6 + "text" in body and len(body) < 20000, body)
        check(not bot.state.pulls and not bot.state.git.ref(BRANCH), "it published")
        bot.leave("", status="engine_error", report={"exit_code": 3, "error": "a `b` | @c\n#1"})
        bot.run("publish").ends(3, "engine_error")
        body = own_comments(bot)[0]
        check("could not work on this issue" in body and "``a `b` \\| @c #1``" in body, body)


@test
def hostile_results_publish_nothing():
    with Bot() as bot:
        patches = [one_file(".github/workflows/x.yml"), one_file("../x"), one_file(".git/hooks/x"),
                   one_file("ln", "/etc/passwd", "120000"), one_file("action.yml"),
                   one_file("x", "a\u202eb"), "not a patch", one_file("big", "x" * (1 << 20)),
                   bot.good_patch().replace("price < 100", "price < 99")]
        for patch in patches:
            for whole in [patch] + [bot.good_patch() + patch] * patch.startswith("diff"):
                bot.leave(whole)
                bot.run("publish").ends(2, "not_published" if len(whole) < 1 << 20 else "failed")
        check("is not published" in own_comments(bot)[0], bot.state.comments)
        for meta in [{"issue": 8}, {"repository": "octo/other"}, {"run_id": "1"}, {"sha": "0" * 40},
                     {"patch_sha256": "0" * 64}, {"branch": "next"}, {"version": 2}]:
            bot.leave(meta=meta)
            check(bot.run("publish").code == 2, meta)
        for report in [{"status": "perfect"}, {"exit_code": 1}, {"status": ["passed"]}]:
            bot.leave(report=report)
            bot.run("publish").ends(2, "failed")
        bot.leave()
        os.remove(bot.results / "patch.diff")
        os.symlink("/etc/passwd", bot.results / "patch.diff")
        bot.run("publish").ends(2, "failed", "no plain file")
        os.remove(bot.results / "meta.json")
        bot.run("publish").ends(2, "failed", "have no meta.json")
        check(not bot.state.pulls and not bot.state.git.ref(BRANCH), "it published")
        check(bot.state.count("POST", "/git/") == 0, "it made objects")


@test
def words_of_others_appear_as_text_only():
    with Bot() as bot:
        bot.state.issues[7]["title"] = "closes #9 @everyone https://github.com/o/r/issues/3 | x"
        bot.leave(report={"model": "<img src=x> @everyone", "error": None},
                  log="::warning::x\n```\n@everyone <script>\n" + bot.tokens["SECRET_X"] + "\n")
        bot.planted.append("tests.log")
        ended = bot.run("publish").ends(0, "passed")
        check("\n::" not in "\n" + ended.said, ended.said)
        title = bot.state.pulls[0]["title"]
        check(title == "Fix #7: closes 9 everyone https github.com/o/r/issues/3 | x", title)
        for body in [bot.state.pulls[0]["body"], *own_comments(bot)]:
            check("| model | `<img src=x> @everyone` |" in body, body)
            check("````text\n::warning::x\n" in body and "\n***\n" in body, body)
        tip = bot.state.git.commit(bot.state.git.ref(BRANCH))
        check("closes" not in tip["message"] and "#9" not in tip["message"], tip)


@test
def missing_rights_are_told_in_a_sentence():
    with Bot() as bot:
        bot.leave()
        for right, words in [("contents", "contents: write"), ("pull-requests", "pull-requests"),
                             ("issues", "issues: write")]:
            bot.state.rights = {"contents": "write", "issues": "write", "pull-requests": "write",
                                right: "read"}
            check(words in bot.run("publish").said, f"not told: {words}")
        bot.state.rights = {"contents": "write", "issues": "write", "pull-requests": "write"}
        bot.state.rights["issues"] = "none"
        bot.run("publish", "workflow_dispatch", bot.manual()).ends(2, "failed", "cannot read issue #7")
        bot.state.rights["issues"] = "write"
        bot.state.pulls.clear()
        bot.state.may_open = False
        bot.run("publish").ends(2, "not_published", "not permitted to create")
        check("not permitted to create" in own_comments(bot)[0], bot.state.comments)
        bot.state.may_open, bot.state.drafts = True, False
        bot.run("publish").ends(0, "passed")
        check(not bot.state.pulls[0]["draft"], "a draft where there are none")


