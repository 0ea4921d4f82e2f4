"""What GitHub and the network between do wrong."""

import json

from bot import Bot, check, test

BRANCH = "dsv4-agent/issue-7"
ALL = [("GET", "/permission"), ("GET", r"/comments\?"), ("POST", r"/issues/7/comments$"),
       ("GET", "/git/ref/"), ("POST", "/git/blobs"), ("POST", "/git/trees"),
       ("POST", "/git/commits"), ("POST", "/git/refs"), ("GET", r"/pulls\?"), ("POST", "/pulls$"),
       ("POST", "/labels")]


def published(bot, ended):
    """One of everything, whatever happened on the way."""
    ended.ends(0, "passed")
    check(bot.state.git.ref(BRANCH), "no branch")
    check(len(bot.state.pulls) == 1, bot.state.pulls)
    own = [each for each in bot.state.comments if each["user"]["type"] == "Bot"]
    check(len(own) == 1, own)
    check(bot.state.pulls[0]["labels"] == ["bot"], bot.state.pulls)


@test
def rate_limits_are_waited_for():
    with Bot() as bot:
        bot.leave()
        for method, path in ALL:
            bot.state.fault(method, path, "status", status=429, headers={"Retry-After": 0},
                            message="API rate limit exceeded")
            bot.state.fault(method, path, "status", status=403, headers={"Retry-After": 0},
                            message="You have exceeded a secondary rate limit")
            bot.state.fault(method, path, "status", status=403,
                            headers={"x-ratelimit-remaining": 0, "x-ratelimit-reset": 1})
        ended = bot.run("publish", labels="bot")
        published(bot, ended)
        check(ended.said.count("; again in") == 3 * len(ALL), ended.said)
        # More than anybody would wait for.
        bot.state.fault("GET", "/permission", "status", status=429, headers={"Retry-After": 7200})
        bot.run("publish").ends(2, "failed", "rate limit")


@test
def lost_replies_do_nothing_twice():
    with Bot() as bot:
        bot.leave()
        for method, path in ALL:
            bot.state.fault(method, path, "lost")
        published(bot, bot.run("publish", labels="bot"))


@test
def broken_and_slow_replies_do_no_harm():
    with Bot() as bot:
        bot.leave()
        for method, path in ALL:
            bot.state.fault(method, path, "half")
        published(bot, bot.run("publish", labels="bot"))
    with Bot() as bot:
        bot.leave()
        bot.state.fault("*", ".", "slow", times=1000)
        published(bot, bot.run("publish", labels="bot"))


@test
def errors_of_the_server_are_tried_again():
    with Bot() as bot:
        bot.leave()
        for method, path in ALL:
            bot.state.fault(method, path, "status", status=502, body="<html>Bad gateway</html>")
        published(bot, bot.run("publish", labels="bot"))


@test
def what_does_not_get_better_ends_with_a_sentence():
    with Bot() as bot:
        bot.leave()
        bot.state.fault("POST", "/git/blobs", "nonsense", times=100)
        bot.run("publish").ends(2, "not_published", "not the JSON")
        bot.state.faults.clear()
        bot.state.fault("POST", "/git/trees", "status", status=201, body=json.dumps({"sha": "1" * 40}))
        bot.run("publish").ends(2, "not_published", "another tree")
        check(not bot.state.git.ref(BRANCH), "a branch")
        bot.state.fault("GET", r"/comments\?", "status", status=200, body="[]",
                        headers={"Link": '<https://elsewhere.example/x>; rel="next"'})
        check("on another server" in bot.run("publish").said, "it went there")
        bot.run("publish", GITHUB_API_URL=bot.server.url.replace("http:", "https:")).ends(
            3, "failed", "not reached")
        bot.run("publish", GITHUB_API_URL="http://github.example").ends(3, "failed")


@test
def progress_that_fails_does_not_hold_up_a_run():
    with Bot() as bot:
        bot.state.fault("*", "/comments", "status", times=1000, status=503,
                        headers={"Retry-After": 60})
        bot.run("run").ends(0, "passed")
    with Bot() as bot:
        bot.state.fault("*", "/comments", "close", times=1000)
        bot.run("run").ends(0, "passed")
