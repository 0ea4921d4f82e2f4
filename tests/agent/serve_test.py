#!/usr/bin/env python3
"""What clients of `dsv4-agent serve` would notice, over real sockets.

usage: serve_test.py DSV4_AGENT. Prints one line for each test and exits 1 when any has failed.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

AGENT = sys.argv[1]
CHAT = "/v1/chat/completions"
TOOLS = [{"type": "function", "function": {
    "name": "read", "description": "Reads a file.", "parameters": {
        "type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}}}]


def hello(**more):
    return {"model": "nano", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8,
            "temperature": 0, **more}


def endless(**more):
    return hello(**{"max_tokens": 3000, "ignore_eos": True, **more})


class Server:
    def __init__(self, *options, environment=None):
        self.home = tempfile.TemporaryDirectory()
        env = dict(os.environ, XDG_CONFIG_HOME=self.home.name, **(environment or {}))
        self.process = subprocess.Popen(
            [AGENT, "serve", "--port", "0", *options], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=env, text=True)
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.said = json.loads(line)
        self.port = self.said["port"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.home.cleanup()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def request(self, method, path, body=None, headers=None):
        """Status, headers and the JSON (or text) of one reply."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        connection.request(method, path, data,
                           {"Content-Type": "application/json", **(headers or {})})
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        kind = reply.headers.get("Content-Type", "")
        return reply.status, reply.headers, json.loads(text) if text and "json" in kind else text

    def chat(self, **more):
        return self.request("POST", CHAT, hello(**more))

    def gauge(self, name):
        text = self.request("GET", "/metrics")[2]
        return sum(float(line.split()[-1]) for line in text.splitlines()
                   if line.split("{")[0].split(" ")[0] == name)

    def wait_for(self, name, value):
        until = time.monotonic() + 30
        while self.gauge(name) != value:
            assert time.monotonic() < until, f"{name} is {self.gauge(name)}, not {value}"

    def raw(self, data):
        """A connection on which the bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(data)
        return connection

    def post(self, body):
        data = json.dumps(body).encode()
        return self.raw(f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                        f"\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)


def everything(connection):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return data.decode()


def events(text):
    return [e[6:] for e in text.split("\n\n") if e.startswith("data: ")]


def refused(*options, environment=None):
    """Exit code and complaint of a server that does not start."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run([AGENT, "serve", *options], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, XDG_CONFIG_HOME=home, **(environment or {})))
    assert done.stdout == "", done.stdout
    return done.returncode, done.stderr


# --- Tests ----------------------------------------------------------------------------------------


def test_says_where_it_listens_and_what_it_serves():
    with Server() as server:
        assert server.said["listening"] == f"http://127.0.0.1:{server.port}"
        status, _, models = server.request("GET", "/v1/models")
        assert status == 200 and models["data"][0]["id"] == "nano"
        assert models["data"][0]["max_model_len"] == 4096 == server.said["max_model_len"]
        assert server.request("GET", "/health")[2] == {"status": "ok"}
        assert server.request("HEAD", "/health")[0] == 200
        assert server.stop() == 0


def test_a_stream_adds_up_to_the_whole_reply():
    with Server() as server:
        status, _, whole = server.chat(max_tokens=30)
        assert status == 200 and whole["object"] == "chat.completion"
        choice = whole["choices"][0]
        assert choice["message"]["role"] == "assistant" and choice["finish_reason"] == "stop"
        usage = whole["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        text = server.chat(max_tokens=30, stream=True, stream_options={"include_usage": True})[2]
        parts = events(text)
        assert parts[-1] == "[DONE]"
        chunks = [json.loads(part) for part in parts[:-1]]
        said = "".join(c["delta"].get("content") or "" for chunk in chunks for c in chunk["choices"])
        assert said == choice["message"]["content"], said
        assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
        assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
        assert chunks[-1]["choices"] == [] and len({chunk["id"] for chunk in chunks}) == 1
        assert chunks[-1]["usage"]["completion_tokens"] == usage["completion_tokens"]


def test_tools_are_called_and_their_results_read():
    with Server() as server:
        messages = [{"role": "system", "content": "You repair."},
                    {"role": "user", "content": "The function price_band in prices.py is wrong."}]
        ask = {"messages": messages, "tools": TOOLS, "max_tokens": 400, "parallel_tool_calls": False,
               "tool_choice": "required"}
        reply = server.chat(**ask)[2]["choices"][0]
        assert reply["finish_reason"] == "tool_calls", reply
        calls = reply["message"]["tool_calls"]
        assert len(calls) == 1 and calls[0]["function"]["name"] == "read", reply
        assert isinstance(json.loads(calls[0]["function"]["arguments"])["path"], str)
        streamed = events(server.chat(**ask, stream=True)[2])
        choices = [json.loads(e)["choices"][0] for e in streamed[:-1]]
        pieces = [call for c in choices for call in c["delta"].get("tool_calls", [])]
        assert all(piece["index"] == 0 for piece in pieces)
        assert pieces[0]["id"] and [p["function"].get("name") for p in pieces].count("read") == 1
        said = "".join(piece["function"]["arguments"] for piece in pieces)
        assert said == calls[0]["function"]["arguments"], (said, calls)
        assert choices[-1]["finish_reason"] == "tool_calls"
        named = {"type": "function", "function": {"name": "read"}}
        again = server.chat(**{**ask, "tool_choice": named})[2]["choices"][0]
        assert again["message"]["tool_calls"][0]["function"]["name"] == "read"
        messages += [reply["message"],
                     {"role": "tool", "tool_call_id": calls[0]["id"], "content": "def f(): pass"}]
        status, _, after = server.chat(messages=messages, tools=TOOLS)
        assert status == 200, after
        kept = after["usage"]["prompt_tokens_details"]["cached_tokens"]
        assert kept > after["usage"]["prompt_tokens"] - 60, after["usage"]
        none = server.chat(**{**ask, "messages": messages[:2], "tool_choice": "none"})[2]
        assert "tool_calls" not in none["choices"][0]["message"]


def test_the_next_turn_computes_only_what_it_adds():
    with Server() as server:
        messages = [{"role": "user", "content": "Tell me of the shop. " * 20}]
        first = server.chat(messages=messages, max_tokens=40, ignore_eos=True, temperature=1)[2]
        usage = first["usage"]
        messages += [first["choices"][0]["message"], {"role": "user", "content": "Go on."}]
        for message in messages:
            message.pop("refusal", None)
        cached = server.chat(messages=messages)[2]["usage"]["prompt_tokens_details"]["cached_tokens"]
        assert cached >= usage["prompt_tokens"] + usage["completion_tokens"] - 1, (cached, usage)


def test_tokens_are_told_and_a_reply_goes_on_from_them():
    with Server() as server:
        assert "prefix_token_ids" in server.request("GET", "/v1/models")[2]["data"][0]["extensions"]
        ask = {"max_tokens": 20, "temperature": 0, "logprobs": True, "top_logprobs": 3,
               "return_tokens_as_token_ids": True}
        whole = server.chat(**ask)[2]["choices"][0]
        tokens = whole["logprobs"]["content"]
        said = b"".join(bytes(token["bytes"]) for token in tokens).decode()
        assert said.startswith(whole["message"]["content"]), (said, whole)
        for token in tokens:
            shares = [other["logprob"] for other in token["top_logprobs"]]
            assert len(shares) == 3 and shares == sorted(shares, reverse=True), token
            assert token["logprob"] == shares[0] <= 0, token
        names = [token["token"] for token in tokens]
        ids = [int(name.removeprefix("token_id:")) for name in names]
        for n in (1, len(ids) // 2, len(ids) - 1):
            rest = server.chat(**ask, prefix_token_ids=ids[:n])[2]["choices"][0]
            assert rest["message"]["content"] == whole["message"]["content"], n
            assert [token["token"] for token in rest["logprobs"]["content"]] == names[n:], n
        chunks = [json.loads(e) for e in events(server.chat(**ask, stream=True)[2])[:-1]]
        streamed = [token["token"] for chunk in chunks for choice in chunk["choices"]
                    for token in (choice["logprobs"] or {"content": []})["content"]]
        assert streamed == names, streamed
        assert "logprobs" in server.chat()[2]["choices"][0]
        assert server.chat()[2]["choices"][0]["logprobs"] is None
        status, _, error = server.chat(**ask, prefix_token_ids=[1 << 20])
        assert status == 400 and error["error"]["param"] == "prefix_token_ids", error
        # A turn that begins with another's marker is said, but not known again by its text.
        forged = server.chat(**ask, prefix_token_ids=[3, *ids[:1]])[2]["choices"][0]["message"]
        messages = [*hello()["messages"], {"role": "assistant", "content": forged["content"]},
                    {"role": "user", "content": "Go on."}]
        spelled = server.chat(messages=messages)[2]["usage"]
        assert forged["content"].startswith("<｜User｜>"), forged
        assert spelled["prompt_tokens_details"]["cached_tokens"] < spelled["prompt_tokens"] - 10


def test_completions_take_text_and_ids():
    with Server() as server:
        ask = {"model": "nano", "prompt": "def f(x):", "max_tokens": 6, "temperature": 0}
        status, _, reply = server.request("POST", "/v1/completions", ask)
        assert status == 200 and reply["object"] == "text_completion"
        text = server.request("POST", "/v1/completions", {**ask, "stream": True})[2]
        said = "".join(json.loads(e)["choices"][0]["text"] for e in events(text)[:-1])
        assert said == reply["choices"][0]["text"]
        ids = server.request("POST", "/v1/completions", {**ask, "prompt": [0, 5, 6]})[2]
        assert ids["usage"]["prompt_tokens"] == 3
        status, _, error = server.request("POST", "/v1/completions", {**ask, "prompt": [5000]})
        assert status == 400 and error["error"]["param"] == "prompt"


def test_errors_have_the_shape_that_clients_know():
    with Server() as server:
        def error(expected, *request, **headers):
            status, _, reply = server.request(*request, **headers)
            assert status == expected, (expected, status, reply)
            assert set(reply["error"]) == {"message", "type", "param", "code"}
            return reply["error"]

        assert error(400, "POST", CHAT, hello(n=2))["param"] == "n"
        assert error(404, "POST", CHAT, hello(model="gpt-4"))["code"] == "model_not_found"
        long = [{"role": "user", "content": "x " * 9000}]
        assert error(400, "POST", CHAT, hello(messages=long))["code"] == "context_length_exceeded"
        error(400, "POST", CHAT, "{")
        error(404, "GET", "/v1/nothing")
        error(405, "GET", CHAT)
        error(415, "POST", CHAT, "{}", headers={"Content-Type": "text/plain"})
        error(415, "POST", CHAT, "{}", headers={"Content-Type": "application/jsonx"})
        for host in ["evil.example", "127.evil.example", "127.0.0.1.evil.example", "[::1].evil",
                     "127.0.0.1:80@evil.example", "localhost:80.evil.example"]:
            error(403, "GET", "/v1/models", headers={"Host": host})
            error(403, "GET", "/v1/models", headers={"Origin": "http://" + host})
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:80", "127.0.0.9", "[::1]", "[::1]:80"]:
            assert server.request("GET", "/v1/models", headers={"Host": host})[0] == 200, host
        for kind in ["Application/JSON", "application/json ; charset=utf-8"]:
            headers = {"Content-Type": kind}
            assert server.request("POST", CHAT, hello(), headers=headers)[0] == 200, kind
        error(403, "POST", CHAT, hello(), headers={"Origin": "https://evil.example"})
        assert server.chat()[0] == 200


def test_limits_on_what_is_sent():
    with Server("--read-timeout", "1") as server:
        reply = everything(server.raw(b"GET /health HTTP/1.1\r\nX: " + b"a" * 40000))
        assert " 431 " in reply.splitlines()[0], reply
        reply = everything(server.raw(f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                      "application/json\r\nContent-Length: 99999999\r\n\r\n".encode()))
        assert " 413 " in reply.splitlines()[0], reply
        begin = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        chunked = begin + "Transfer-Encoding: chunked\r\n\r\n" + "10000\r\n" + "x" * 65536 + "\r\n"
        more = ("10000\r\n" + "x" * 65536 + "\r\n") * 20
        connection = server.raw(chunked.encode())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(more.encode())
        assert " 413 " in everything(connection).splitlines()[0]
        assert " 400 " in everything(server.raw(b"\x16\x03\x01 what\r\n\r\n")).splitlines()[0]
        # A client that sends its header, or its body, forever.
        begin_at = time.monotonic()
        assert everything(server.raw(b"GET /health HTTP/1.1\r\nX-Slow: ")) == ""
        assert 0.5 < time.monotonic() - begin_at < 20
        slow = server.raw((begin + "Content-Length: 1000\r\n\r\n{").encode())
        assert everything(slow) == ""
        assert server.chat()[0] == 200


def test_one_connection_carries_many_requests():
    with Server() as server:
        data = json.dumps(hello()).encode()
        one = (f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               f"Content-Length: {len(data)}\r\n").encode()
        last = one + b"Connection: close\r\n\r\n" + data
        text = everything(server.raw((one + b"\r\n" + data) * 2 + last))  # all at once
        assert text.count("HTTP/1.1 200 OK") == 3, text
        old = everything(server.raw(one.replace(b"1.1", b"1.0") + b"\r\n" + data))
        assert " 200 " in old.splitlines()[0] and old.endswith("}"), old
        stream = json.dumps(hello(stream=True)).encode()
        old = everything(server.raw(f"POST {CHAT} HTTP/1.0\r\nContent-Type: application/json\r\n"
                                    f"Content-Length: {len(stream)}\r\n\r\n".encode() + stream))
        assert old.endswith("data: [DONE]\n\n"), old
        asked = server.raw(one + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert asked.recv(100).startswith(b"HTTP/1.1 100 Continue")
        asked.sendall(data)
        assert " 200 " in everything(asked).splitlines()[0]


def test_a_full_queue_turns_clients_away():
    with Server("--max-clients", "1", "--queue", "2") as server:
        clients = [server.post(endless(stream=True)) for _ in range(10)]  # faster than any is answered
        head, body = clients[-1].recv(65536).decode().split("\r\n\r\n")
        assert " 429 " in head.splitlines()[0] and "Retry-After: 1" in head, head
        assert json.loads(body)["error"]["code"] == "rate_limit_exceeded"
        assert " 200 " in clients[0].recv(65536).decode().splitlines()[0]
        for client in clients:
            client.close()
        server.wait_for("dsv4_queue_length", 0)
        assert server.chat()[0] == 200


def test_who_does_not_ask_makes_room_for_who_does():
    with Server("--max-clients", "1", "--queue", "0") as server:  # 33 connections
        kept = [server.raw(b"") for _ in range(40)]
        slow = [server.raw(f"POST {CHAT} HTTP/1.1\r\nX: ".encode()) for _ in range(40)]
        body = server.raw(f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                          "\r\nContent-Length: 1000\r\n\r\n{".encode())
        begin = time.monotonic()
        for _ in range(50):
            idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            idle.request("GET", "/health")
            assert idle.getresponse().read()
            kept.append(idle)
        assert server.chat()[0] == 200
        assert time.monotonic() - begin < 5
        busy = server.post(endless(stream=True))
        assert b" 200 " in busy.recv(1000)
        kept += [server.raw(b"") for _ in range(40)]
        assert server.gauge("dsv4_connections") <= 33
        server.stop()
        assert "[DONE]" in everything(busy)
        body.close()
        assert slow and kept


def test_clients_that_leave_are_not_computed_for():
    with Server("--max-clients", "1") as server:
        clients = [server.post(endless()) for _ in range(6)]  # not a byte comes before the end
        server.wait_for("dsv4_running", 1)
        for client in clients:
            client.close()
        server.wait_for("dsv4_queue_length", 0)
        server.wait_for("dsv4_running", 0)
        assert server.gauge("dsv4_generated_tokens_total") < 6 * 3000


def test_a_key_is_asked_for():
    with Server("--key-env", "SERVE_KEY", environment={"SERVE_KEY": "s3cret"}) as server:
        assert server.request("GET", "/health")[0] == 200
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "s3cret"}):
            status, _, reply = server.request("POST", CHAT, hello(), headers)
            assert status == 401 and reply["error"]["code"] == "invalid_api_key", reply
            assert "s3cret" not in json.dumps(reply)
            assert server.request("GET", "/metrics", headers=headers)[0] == 401
        for file in ("environ", "cmdline"):
            with open(f"/proc/{server.process.pid}/{file}", "rb") as shown:
                assert b"s3cret" not in shown.read(), file
        right = {"Authorization": "Bearer s3cret", "Host": "a.name.of.its.own"}
        assert server.request("POST", CHAT, hello(), right)[0] == 200
    with tempfile.NamedTemporaryFile("w", suffix=".key") as file:
        file.write("from-a-file\n")
        file.flush()
        with Server("--key-file", file.name) as server:
            right = {"Authorization": "Bearer from-a-file"}
            assert server.request("GET", "/v1/models", headers=right)[0] == 200


def test_what_it_refuses_to_start_with():
    status, said = refused("--host", "0.0.0.0", "--port", "0")
    assert status == 2 and "--key-env" in said, said
    status, said = refused("--key-env", "NOT_THERE_AT_ALL")
    assert status == 2 and "NOT_THERE_AT_ALL" in said
    status, said = refused("--key-env", "EMPTY_KEY", environment={"EMPTY_KEY": ""})
    assert status == 2
    for option in (["--port", "99999"], ["--host", "nowhere"], ["--max-clients", "0"], ["--key", "x"]):
        status, said = refused(*option)
        assert status == 2 and said.startswith("dsv4-agent: "), (option, said)
    status, said = refused("--model", "/nowhere", "--port", "0")
    assert status == 3, said
    with Server() as server:
        status, said = refused("--port", str(server.port))
        assert status == 2 and "another program listens" in said, said


def test_stopping_lets_replies_end():
    with Server("--grace", "100") as server:
        idle = server.raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        idle.recv(1000)  # stays connected
        stream = server.post(endless(stream=True))
        stream.recv(10)
        assert server.stop() == 0
        assert "[DONE]" in everything(stream)


def test_stopping_cuts_what_takes_too_long():
    with Server("--grace", "0") as server:
        streams = [server.post(endless(stream=True)) for _ in range(12)]
        for stream in streams:
            stream.recv(10)
        whole = server.post(endless())
        server.wait_for("dsv4_running", 13)
        assert server.stop(signal.SIGINT) == 130
        text = everything(streams[-1])
        assert "being stopped" in text and "[DONE]" not in text, text[-300:]
        assert " 503 " in everything(whole).splitlines()[0]


def test_metrics_count():
    with Server() as server:
        server.chat()
        server.chat(n=3)
        text = server.request("GET", "/metrics")[2]
        for line in (f'dsv4_requests_total{{route="{CHAT}",code="200"}} 1',
                     f'dsv4_requests_total{{route="{CHAT}",code="400"}} 1',
                     "dsv4_time_to_first_token_seconds_count 1", "dsv4_running 0"):
            assert line in text, (line, text)
        assert server.gauge("dsv4_prompt_tokens_total") > 0
        assert server.gauge("dsv4_generated_tokens_total") > 0
        assert server.gauge("dsv4_context_bytes") > 0


def test_seeds_repeat_what_was_drawn():
    with Server() as server:
        def draw(**more):
            return server.chat(temperature=1.5, max_tokens=20, ignore_eos=True, **more)[2]["choices"]
        assert draw(seed=3) == draw(seed=3)
        assert len({json.dumps(draw()) for _ in range(4)}) > 1


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    if len(sys.argv) > 2:
        tests = [pair for pair in tests if any(word in pair[0] for word in sys.argv[2:])]
    failed = 0
    for name, test in tests:
        begin = time.monotonic()
        try:
            test()
            print(f"ok      {name} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            where = error.__traceback__
            while where.tb_next:
                where = where.tb_next
            print(f"FAILED  {name}: {error!r} at line {where.tb_lineno}", flush=True)
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
