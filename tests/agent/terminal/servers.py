"""Models of servers, in a session and as doctor sees them."""

import contextlib
import http.server
import json
import subprocess
import threading

from terminal import DEADLINE, Terminal, check, piped, test


class Server(http.server.BaseHTTPRequestHandler):
    """Serves one model, which says what it was asked with."""

    def log_message(self, *_):
        pass

    def answer(self, kind, body):
        self.server.keys.append(self.headers.get("Authorization"))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer("application/json", json.dumps(
            {"data": [{"id": self.server.model, "max_model_len": 50_000}]}).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        says = {"choices": [{"index": 0, "delta": {"content": f"I am {self.server.model}."},
                             "finish_reason": "stop"}]}
        self.answer("text/event-stream", f"data: {json.dumps(says)}\n\ndata: [DONE]\n\n".encode())


@contextlib.contextmanager
def serving(model):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.model, server.keys = model, []
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@test
def a_session_goes_on_with_the_model_of_a_server():
    with Terminal(columns=120) as terminal, serving("first") as first, serving("second") as second:
        terminal.start(program="dsv4-agent", environment={"DSV4_API_KEY": "secret"})
        terminal.wait("This model holds no conversation")
        terminal.idle()
        terminal.do(f"/model {first.url}", f"model: first at {first.url}, a window of 50,000")
        terminal.do("hello there", "I am first.")
        terminal.do(f"/model {first.url} mine", f"model: mine at {first.url}")
        # The key stays with whom it was for.
        terminal.do(f"/model {second.url}", f"model: second at {second.url}, a window of 50,000")
        check(f"no key is sent to {second.url}" in terminal.screen(), terminal.screen())
        terminal.do("and you?", "I am second.")
        terminal.do("/model http:///v1", "the URL cannot be used")
        terminal.keys("C-l")
        terminal.do("/model", f"model: second at {second.url}")
        terminal.do("/model nano", "model: nano, a window of 4,096 tokens; it repairs")
        check(set(first.keys) == {"Bearer secret"} and set(second.keys) == {None},
              f"{first.keys} {second.keys}")
        check("secret" not in terminal.history(), terminal.history())
    # What comes through a pipe may be somebody else's words.
    with Terminal() as terminal, serving("first") as server:
        ended = piped(terminal, f"/model {server.url}\nhello\n".encode(), program="dsv4-agent")
        check(b"for a person at a terminal" in ended.stderr and ended.returncode == 2, ended)
        check(not server.keys, ended)


@test
def doctor_looks_at_the_configured_server():
    with Terminal() as terminal, serving("first") as server:
        folder = terminal.path / ".config/dsv4-agent"
        folder.mkdir(parents=True)
        def row(url, more=None):
            (folder / "config.toml").write_text(f'[endpoint]\nurl = "{url}"\n')
            ended = subprocess.run([Terminal.build / "dsv4-agent", "doctor", "--json"],
                                   env=terminal.environment(more), stdout=subprocess.PIPE,
                                   timeout=DEADLINE)
            said = json.loads(ended.stdout)
            [check] = [check for check in said["checks"] if check["name"] == "endpoint"]
            return check, ended.returncode
        found, _ = row(server.url)
        check(found["state"] == "ok" and "first, a window of 50000 tokens" in found["detail"]
              and "DSV4_API_KEY is not set" in found["detail"], found)
        check(set(server.keys) == {None}, server.keys)
        server.keys.clear()
        found, _ = row(server.url, {"DSV4_API_KEY": "secret"})
        check(found["state"] == "ok" and "secret" not in str(found), found)
        check(set(server.keys) == {"Bearer secret"}, server.keys)
        found, code = row("http://127.0.0.1:1/v1")
        check(found["state"] == "bad" and "127.0.0.1:1" in found["advice"] and code == 3, found)
