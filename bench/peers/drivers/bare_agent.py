"""The least a coding agent in Python can be: standard library, four tools, one keep-alive connection.

usage: python -I -S bare_agent.py BASE_URL TASK   (works in the current directory)
"""

import json
import socket
import subprocess
import sys


def fn(name, *params):
    """An OpenAI function tool with string parameters."""
    schema = {
        "type": "object",
        "properties": {p: {"type": "string"} for p in params},
        "required": list(params),
    }
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [
    fn("read_file", "path"),
    fn("write_file", "path", "content"),
    fn("edit_file", "path", "old", "new"),
    fn("bash", "command"),
]


def call(name, args):
    """Run one tool."""
    if name == "bash":
        done = subprocess.run(
            args["command"], shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        return f"exit {done.returncode}\n{done.stdout.decode()}"
    if name == "read_file":
        return open(args["path"]).read()
    if name == "edit_file":
        text = open(args["path"]).read()
        if text.count(args["old"]) != 1:
            return "error: old text not found once"
        open(args["path"], "w").write(text.replace(args["old"], args["new"]))
    else:
        open(args["path"], "w").write(args["content"])
    return "ok"


class Client:
    """One HTTP/1.1 connection."""

    def __init__(self, url):
        host, _, self.path = url.removeprefix("http://").partition("/")
        name, port = host.split(":")
        self.host = host
        self.sock = socket.create_connection((name, int(port)))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")

    def post(self, body):
        data = json.dumps(body).encode()
        head = f"POST /{self.path}/chat/completions HTTP/1.1\r\nhost: {self.host}\r\ncontent-length: {len(data)}\r\n\r\n"
        self.sock.sendall(head.encode() + data)
        size = 0
        while (line := self.file.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        return json.loads(self.file.read(size))


def main():
    client = Client(sys.argv[1])
    messages = [{"role": "user", "content": sys.argv[2]}]
    while True:
        answer = client.post({"model": "scripted", "messages": messages, "tools": TOOLS})[
            "choices"
        ][0]["message"]
        messages.append(answer)
        if not answer.get("tool_calls"):
            print(answer["content"])
            return
        for c in answer["tool_calls"]:
            result = call(c["function"]["name"], json.loads(c["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": c["id"], "content": result})


main()
