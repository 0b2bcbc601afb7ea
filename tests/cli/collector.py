# SPDX-License-Identifier: GPL-2.0-or-later
"""A collector as ClickHouse is one over HTTP, that misbehaves as the file MODE says.

    collector.py DIR [PORT [CERTIFICATE [CA]]]
                        DIR/port gets its port; DIR/mode is read for each request; DIR/rows has what
                        it keeps, the newest version of each row, DIR/sent the lines as
                        they came; DIR/log a line for each request.
                        CERTIFICATE, with its key: it speaks TLS; CA: who sends has one of this
"""
import gzip
import http.server
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse

place = sys.argv[1]
rows = {}
answered = []
one_at_a_time = threading.Lock()


def path(name):
    return os.path.join(place, name)


if os.path.exists(path("rows")):
    with open(path("rows")) as kept:
        for row in map(json.loads, kept):
            rows[row["ledger"], row["id"], row["us"]] = row


def keep(lines):
    with one_at_a_time:
        with open(path("sent"), "ab") as out:
            out.write(lines)
        for row in map(json.loads, lines.splitlines()):
            key = (row["ledger"], row["id"], row["us"])
            if key not in rows or rows[key]["version"] <= row["version"]:
                rows[key] = row
        with open(path("rows.new"), "w") as out:
            for key in sorted(rows):
                out.write(json.dumps(rows[key], sort_keys=True) + "\n")
        os.rename(path("rows.new"), path("rows"))


def note(*words):
    with open(path("log"), "a") as out:
        print(*words, file=out)


def wait_for_end():
    """Until who sends is gone, which nobody tells this thread."""
    while True:
        time.sleep(60)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, text=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        with open(path("mode")) as f:
            mode = f.read().strip()
        size = int(self.headers["Content-Length"])
        if mode != "next":
            answered.clear()
        if mode == "half":
            self.rfile.read(size // 2)
            note(mode)
            wait_for_end()
        if mode == "cut":
            self.rfile.read(size // 2)
            self.connection.close()
            return
        body = self.rfile.read(size)
        lines = gzip.decompress(body)
        count = lines.count(b"\n")
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        if mode == "kept":
            keep(lines)
        note(mode, self.headers.get("Content-Encoding"), count, query["query"][0],
             self.headers.get("Authorization"))
        if mode in ("hold", "kept") or (mode == "next" and answered):
            wait_for_end()
        elif mode in ("ok", "next"):
            answered.append(mode)
            keep(lines)
            self.answer(200)
        elif mode == "few" and count > 300:
            self.answer(413, b"too large")
        elif mode == "few":
            keep(lines)
            self.answer(200)
        elif mode == "unanswered":
            keep(lines)
            self.connection.close()
        elif mode == "slow":
            time.sleep(3)
            keep(lines)
            self.answer(200)
        elif mode == "page":
            self.answer(200, b"<html>Log in to the hotel's network\x1b[31m\xc2\x9b2J\xff"
                        b"\xe2\x80\xae\r\nforged</html>")
        elif mode == "table":
            self.answer(404, b"Code: 60, e.displayText() = DB::Exception: Table doesn't exist")
        elif mode == "password":
            self.answer(401, b"Code: 193, e.displayText() = DB::Exception: Wrong password")
        else:
            self.answer(int(mode), b"no")

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client):
        pass


server = Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
if len(sys.argv) > 3:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[3])
    if len(sys.argv) > 4:
        tls.load_verify_locations(sys.argv[4])
        tls.verify_mode = ssl.CERT_REQUIRED
    server.socket = tls.wrap_socket(server.socket, server_side=True,
                                    do_handshake_on_connect=False)
with open(path("port.new"), "w") as f:
    print(server.server_port, file=f)
os.rename(path("port.new"), path("port"))
server.serve_forever()
