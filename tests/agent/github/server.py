"""A stand-in for the REST API of GitHub: the endpoints that the bot uses, with the fields that are
documented for them (version 2022-11-28), on a git repository of its own. Rights, pages, rate limits
and faults are there to be set; every request is kept."""

import base64
import http.server
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

PAGE = 30  # items of a page where a request names no number
BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}


class Refusal(Exception):
    def __init__(self, status, message, errors=None, headers=None):
        super().__init__(message)
        self.status, self.headers = status, headers or {}
        self.body = {"message": message, "documentation_url": "https://docs.github.com/rest",
                     "status": str(status)}
        if errors:
            self.body["errors"] = errors


class Git:
    """A bare repository that objects are put into, as GitHub has one behind its Git data API."""

    def __init__(self, path, origin):
        self.path = path
        subprocess.run(["git", "clone", "-q", "--bare", origin, path], check=True)

    def run(self, *arguments, data=None, environment=None):
        done = subprocess.run(
            ["git", "-C", self.path, *arguments], input=data, capture_output=True, check=False,
            env={**os.environ, "GIT_AUTHOR_NAME": "bot", "GIT_AUTHOR_EMAIL": "bot@localhost",
                 "GIT_COMMITTER_NAME": "bot", "GIT_COMMITTER_EMAIL": "bot@localhost",
                 **(environment or {})})
        if done.returncode:
            raise Refusal(422, done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace").strip()

    def tree(self, base, entries):
        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": os.path.join(scratch, "index")}
            if base:
                self.run("read-tree", base, environment=index)
            for entry in entries:
                if entry["sha"] is None:
                    self.run("update-index", "--force-remove", entry["path"], environment=index)
                else:
                    self.run("update-index", "--add", "--cacheinfo",
                             f"{entry['mode']},{entry['sha']},{entry['path']}", environment=index)
            return self.run("write-tree", environment=index)

    def commit(self, sha):
        tree, *parents = self.run("show", "-s", "--format=%T %P", sha).split()
        return {"sha": sha, "tree": {"sha": tree}, "parents": [{"sha": each} for each in parents],
                "message": self.run("show", "-s", "--format=%B", sha)}

    def ref(self, name):
        """The commit of a branch, or nothing."""
        done = subprocess.run(["git", "-C", self.path, "rev-parse", "-q", "--verify",
                               f"refs/heads/{name}"], capture_output=True, text=True, check=False)
        return done.stdout.strip() or None


class State:
    """One repository, octo/shop, as GitHub has it."""

    def __init__(self, git, token):
        self.git, self.token = git, token
        self.rights = {"contents": "write", "issues": "write", "pull-requests": "write"}
        self.people = {"maintainer": "write", "admin": "admin", "reader": "read"}
        self.issues = {7: {"number": 7, "title": "Wrong band", "body": "", "state": "open",
                           "user": {"login": "reporter", "type": "User"}}}
        self.comments, self.pulls = [], []
        self.drafts, self.may_open = True, True
        self.faults = []  # {"method", "path" (pattern), "kind", "times", ...}
        self.requests = []  # (method, path, headers, body)
        self.lock = threading.RLock()
        self.next_id = 1000

    def new_id(self):
        self.next_id += 1
        return self.next_id

    def add_comment(self, user, body):
        comment = {"id": self.new_id(), "body": body, "user": user,
                   "created_at": "2026-01-01T00:00:00Z"}
        self.comments.append(comment)
        return comment

    def fault(self, method, pattern, kind, times=1, **more):
        self.faults.append({"method": method, "path": pattern, "kind": kind, "times": times, **more})

    def take_fault(self, method, path):
        with self.lock:
            for fault in self.faults:
                if fault["times"] and fault["method"] in (method, "*") and \
                        re.search(fault["path"], path):
                    fault["times"] -= 1
                    return fault
        return None

    def count(self, method, pattern):
        return sum(1 for verb, path, _, _ in self.requests
                   if verb == method and re.search(pattern, path))


def need(state, right):
    """What a token of a job gets to hear when its permissions do not have this."""
    name, level = right
    have = state.rights.get(name, "none")
    if have == "none" and level == "read":
        raise Refusal(404, "Not Found")
    if have != "write" and level == "write":
        raise Refusal(403, "Resource not accessible by integration")


def permission(state, _, user):
    if user not in state.people:
        raise Refusal(404, f"{user} is not a user")
    return {"permission": state.people[user], "role_name": state.people[user],
            "user": {"login": user, "type": "User"}}


def get_issue(state, _, number):
    need(state, ("issues", "read"))
    if int(number) not in state.issues:
        raise Refusal(404, "Not Found")
    return state.issues[int(number)]


def get_comments(state, _, number):
    need(state, ("issues", "read"))
    get_issue(state, None, number)
    return list(state.comments)


def post_comment(state, body, number):
    need(state, ("issues", "write"))
    get_issue(state, None, number)
    if len(body["body"]) > 65536:
        raise Refusal(422, "Validation Failed", [{"message": "body is too long"}])
    return 201, state.add_comment(BOT, body["body"])


def patch_comment(state, body, number):
    need(state, ("issues", "write"))
    for comment in state.comments:
        if comment["id"] == int(number):
            comment["body"] = body["body"]
            return comment
    raise Refusal(404, "Not Found")


def reference(name, sha):
    return {"ref": f"refs/heads/{name}", "object": {"type": "commit", "sha": sha}}


def get_ref(state, _, name):
    need(state, ("contents", "read"))
    sha = state.git.ref(name)
    if not sha:
        raise Refusal(404, "Not Found")
    return reference(name, sha)


def post_ref(state, body):
    need(state, ("contents", "write"))
    name = body["ref"].removeprefix("refs/heads/")
    if state.git.ref(name):
        raise Refusal(422, "Reference already exists")
    state.git.run("update-ref", body["ref"], body["sha"])
    return 201, reference(name, body["sha"])


def patch_ref(state, body, name):
    need(state, ("contents", "write"))
    if not state.git.ref(name):
        raise Refusal(422, "Reference does not exist")
    if not body.get("force"):
        raise Refusal(422, "Update is not a fast forward")
    state.git.run("update-ref", f"refs/heads/{name}", body["sha"])
    return reference(name, body["sha"])


def post_blob(state, body):
    need(state, ("contents", "write"))
    assert body["encoding"] == "base64"
    data = base64.b64decode(body["content"], validate=True)
    return 201, {"sha": state.git.run("hash-object", "-w", "--stdin", data=data)}


def post_tree(state, body):
    need(state, ("contents", "write"))
    return 201, {"sha": state.git.tree(body.get("base_tree"), body["tree"]), "tree": []}


def post_commit(state, body):
    need(state, ("contents", "write"))
    parents = [part for sha in body["parents"] for part in ("-p", sha)]
    sha = state.git.run("commit-tree", body["tree"], *parents, data=body["message"].encode())
    return 201, state.git.commit(sha)


def get_commit(state, _, sha):
    need(state, ("contents", "read"))
    return state.git.commit(sha)


def compare(state, _, base, head):
    need(state, ("contents", "read"))
    tip = state.git.ref(base)
    if not tip:
        raise Refusal(404, "Not Found")
    ahead = int(state.git.run("rev-list", "--count", f"{tip}..{head}"))
    behind = int(state.git.run("rev-list", "--count", f"{head}..{tip}"))
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind",
              (True, True): "diverged"}[(ahead > 0, behind > 0)]
    return {"status": status, "ahead_by": ahead, "behind_by": behind}


def get_pulls(state, query):
    need(state, ("pull-requests", "read"))
    owner, _, branch = query.get("head", "").partition(":")
    assert owner == "octo"
    return [pull for pull in state.pulls if pull["head"]["ref"] == branch and
            query.get("state", "open") in (pull["state"], "all")]


def post_pull(state, body):
    need(state, ("pull-requests", "write"))
    if not state.may_open:
        raise Refusal(403, "GitHub Actions is not permitted to create or approve pull requests.")
    if body.get("draft") and not state.drafts:
        raise Refusal(422, "Validation Failed", [
            {"message": "Draft pull requests are not supported in this repository."}])
    if any(pull["head"]["ref"] == body["head"] and pull["state"] == "open" for pull in state.pulls):
        raise Refusal(422, "Validation Failed", [
            {"message": f"A pull request already exists for octo:{body['head']}."}])
    if not state.git.ref(body["head"]) or not state.git.ref(body["base"]):
        raise Refusal(422, "Validation Failed", [{"message": "head or base is invalid"}])
    number = 100 + len(state.pulls)
    pull = {"number": number, "state": "open", "draft": body.get("draft", False),
            "title": body["title"], "body": body["body"], "user": BOT, "labels": [],
            "html_url": f"https://github.example/octo/shop/pull/{number}",
            "head": {"ref": body["head"]}, "base": {"ref": body["base"]}}
    state.pulls.append(pull)
    return 201, pull


def patch_pull(state, body, number):
    need(state, ("pull-requests", "write"))
    for pull in state.pulls:
        if pull["number"] == int(number):
            pull.update(body)
            return pull
    raise Refusal(404, "Not Found")


def post_labels(state, body, number):
    need(state, ("issues", "write"))
    for pull in state.pulls:
        if pull["number"] == int(number):
            pull["labels"] += [each for each in body["labels"] if each not in pull["labels"]]
            return [{"name": each} for each in pull["labels"]]
    raise Refusal(404, "Not Found")


def user(state, _):
    raise Refusal(403, "Resource not accessible by integration")


ROOT = "/repos/octo/shop"
ROUTES = [
    ("GET", "/user", user),
    ("GET", ROOT + "/collaborators/([^/]+)/permission", permission),
    ("GET", ROOT + r"/issues/(\d+)", get_issue),
    ("GET", ROOT + r"/issues/(\d+)/comments", get_comments),
    ("POST", ROOT + r"/issues/(\d+)/comments", post_comment),
    ("PATCH", ROOT + r"/issues/comments/(\d+)", patch_comment),
    ("POST", ROOT + r"/issues/(\d+)/labels", post_labels),
    ("GET", ROOT + "/git/ref/heads/(.+)", get_ref),
    ("POST", ROOT + "/git/refs", post_ref),
    ("PATCH", ROOT + "/git/refs/heads/(.+)", patch_ref),
    ("POST", ROOT + "/git/blobs", post_blob),
    ("POST", ROOT + "/git/trees", post_tree),
    ("POST", ROOT + "/git/commits", post_commit),
    ("GET", ROOT + "/git/commits/([0-9a-f]{40})", get_commit),
    ("GET", ROOT + r"/compare/([^/]+?)\.\.\.(.+)", compare),
    ("GET", ROOT + "/pulls", get_pulls),
    ("POST", ROOT + "/pulls", post_pull),
    ("PATCH", ROOT + r"/pulls/(\d+)", patch_pull),
]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        state = self.server.state
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state.requests.append((self.command, self.path, dict(self.headers), data.decode()))
        fault = state.take_fault(self.command, self.path) or {"kind": None}
        if fault["kind"] == "close":
            return self.hang_up()
        if fault["kind"] == "status":
            text = fault.get("body", json.dumps({"message": fault.get("message", "No")}))
            return self.reply(fault["status"], text, fault.get("headers", {}))
        try:
            with state.lock:
                status, value, headers = self.work(state, data)
        except Refusal as refusal:
            status, value, headers = refusal.status, refusal.body, refusal.headers
        text = json.dumps(value)
        if fault["kind"] == "lost":  # done, but nobody gets to know
            return self.hang_up()
        if fault["kind"] == "half":
            return self.reply(status, text[:len(text) // 2], headers, length=len(text))
        if fault["kind"] == "nonsense":
            return self.reply(status, "<html>not what you wanted</html>", headers)
        return self.reply(status, text, headers, slow=fault["kind"] == "slow")

    do_GET = do_POST = do_PATCH = answer

    def work(self, state, data):
        for name in ("User-Agent", "Accept", "X-GitHub-Api-Version"):
            if not self.headers.get(name):
                raise Refusal(400, f"{name} is missing")
        if self.headers.get("Authorization") != f"Bearer {state.token}":
            raise Refusal(401, "Bad credentials")
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        for method, pattern, function in ROUTES:
            match = re.fullmatch(pattern, path)
            if method == self.command and match:
                value = function(state, json.loads(data) if data else query, *match.groups())
                status, value = value if isinstance(value, tuple) else (200, value)
                paged = isinstance(value, list) and self.command == "GET"
                return (status, *(self.page(value, url, query) if paged else (value, {})))
        raise Refusal(404, "Not Found")

    def page(self, items, url, query):
        size = min(int(query.get("per_page", PAGE)), self.server.state.__dict__.get("page", 100))
        number = int(query.get("page", 1))
        last = max(1, -(-len(items) // size))
        host = f"http://{self.headers['Host']}{url.path}"

        def link(page, name):
            return f'<{host}?{urllib.parse.urlencode({**query, "page": page})}>; rel="{name}"'

        links = []
        if number > 1:
            links += [link(number - 1, "prev"), link(1, "first")]
        if number < last:
            links += [link(number + 1, "next"), link(last, "last")]
        headers = {"Link": ", ".join(links)} if links else {}
        return items[(number - 1) * size:number * size], headers

    def reply(self, status, text, headers, length=None, slow=False):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(length or len(data)))
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        if slow:
            for at in range(0, len(data), 40):
                self.wfile.write(data[at:at + 40])
                self.wfile.flush()
                time.sleep(0.01)
        else:
            self.wfile.write(data)
        if length:
            self.hang_up()

    def hang_up(self):
        self.close_connection = True
        self.wfile.flush()
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Server:
    """Serves a State on a port of this machine until close()."""

    def __init__(self, state):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.state = state
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
