"""An editor opens a file, sees what is wrong, mends it and sees it gone, all over standard input and output."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading

import pytest

pytest.importorskip("pygls", reason="pygls is not installed")

LEAK = '''\
"""Größe 😀."""
from sqlalchemy import create_engine, delete
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def forget_price(article):
    note = "😀"; session = SessionLocal()
    session.execute(delete(article))
    session.commit()
    session.close()


def forget_stock(article):
    session = SessionLocal()
    session.execute(delete(article))
    session.commit()
    session.close()
'''
COMMAND = "import sys; from flake8_dbsession.editor.server import main; sys.exit(main(['--stdio']))"


class Editor:
    """A client that speaks the protocol by hand."""

    def __init__(self, root):
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root
        )
        self.inbox: queue.Queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.number = 0
        self.other: list[dict] = []
        self.root = root

    def _read(self):
        stream = self.process.stdout
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            self.inbox.put(json.loads(stream.read(length)))

    def send(self, method, params, number=None):
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def receive(self, wanted):
        """The next message for which ``wanted`` holds; the others are kept."""
        for message in list(self.other):
            if wanted(message):
                self.other.remove(message)
                return message
        while True:
            message = self.inbox.get(timeout=30)
            if wanted(message):
                return message
            self.other.append(message)

    def ask(self, method, params):
        self.number += 1
        self.send(method, params, self.number)
        return self.receive(lambda message: message.get("id") == self.number and "method" not in message)["result"]

    def start(self, **capabilities):
        return self.ask("initialize", {"processId": None, "rootUri": self.root.as_uri(), "capabilities": capabilities})

    def diagnostics(self, uri, version=None):
        """What the server shows for a version of a file."""

        def wanted(message):
            params = message.get("params", {})
            is_shown = message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == uri
            return is_shown and (version is None or params.get("version") == version)

        return self.receive(wanted)["params"]["diagnostics"]

    def open(self, path, text=None):
        text = path.read_text("utf-8") if text is None else text
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": document})
        return self.diagnostics(path.as_uri(), 1)

    def change(self, path, version, text):
        document = {"uri": path.as_uri(), "version": version}
        self.send("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def actions(self, path, place, **context):
        params = {"textDocument": {"uri": path.as_uri()}, "range": place}
        return self.ask("textDocument/codeAction", params | {"context": {"diagnostics": [], **context}})

    def leave(self):
        self.ask("shutdown", None)
        self.send("exit", None)
        return self.process.wait(timeout=20)


@pytest.fixture
def editor(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.dbsession]\nselect = ["ORM101", "ORM102"]\n')
    client = Editor(tmp_path)
    yield client
    client.process.kill()
    client.process.wait()


def units(text, place):
    """The text of a range, with columns in UTF-16 units, as the protocol counts by default."""
    assert place["start"]["line"] == place["end"]["line"]
    line = text.splitlines()[place["start"]["line"]].encode("utf-16-le")
    return line[2 * place["start"]["character"] : 2 * place["end"]["character"]].decode("utf-16-le")


def applied(text, action):
    """The text after an action, carried out as an editor does."""
    (change,) = action["edit"]["documentChanges"]
    lines = [line.encode("utf-16-le") for line in text.splitlines(keepends=True)]
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    data = b"".join(lines)

    def offset(position):
        return starts[position["line"]] + 2 * position["character"]

    for edit in sorted(change["edits"], key=lambda edit: offset(edit["range"]["start"]), reverse=True):
        start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
        data = data[:start] + edit["newText"].encode("utf-16-le") + data[end:]
    return data.decode("utf-16-le")


def test_a_session(editor, tmp_path):
    path = tmp_path / "shop.py"
    path.write_text(LEAK, "utf-8")
    capabilities = editor.start()["capabilities"]
    assert capabilities["codeActionProvider"]["codeActionKinds"] == ["quickfix", "source.fixAll.dbsession"]
    editor.send("initialized", {})

    first, second = editor.open(path)
    assert (first["code"], first["source"], first["severity"]) == ("ORM102", "dbsession", 2)
    assert units(LEAK, first["range"]) == "SessionLocal()"
    assert "session" in first["message"]
    told = {note["message"]: note["location"] for note in first["relatedInformation"]}
    taken = next(place for sentence, place in told.items() if "takes a connection" in sentence)
    assert taken["uri"] == path.as_uri()
    assert units(LEAK, taken["range"]) == "session.execute(delete(article))"

    fix, comment = editor.actions(path, second["range"])
    assert (fix["kind"], fix["isPreferred"]) == ("quickfix", True)
    assert fix["diagnostics"][0]["range"] == second["range"]
    mended = applied(LEAK, fix)
    assert "    with SessionLocal() as session:\n        session.execute(delete(article))\n" in mended
    assert applied(LEAK, comment) == LEAK.replace(
        "    session = SessionLocal()\n", "    session = SessionLocal()  # noqa: ORM102\n"
    )

    editor.change(path, 2, mended)
    (left,) = editor.diagnostics(path.as_uri(), 2)
    assert left["range"] == first["range"]
    path.write_text(mended, "utf-8")
    editor.send("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}})
    assert editor.diagnostics(path.as_uri(), 2) == [left]

    editor.send("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
    assert editor.diagnostics(path.as_uri()) == []
    assert editor.leave() == 0


def test_all_safe_fixes_at_once(editor, tmp_path):
    path = tmp_path / "shop.py"
    editor.start()
    editor.open(path, LEAK)
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    assert editor.actions(path, whole) == []
    (action,) = editor.actions(path, whole, only=["source.fixAll"])
    mended = applied(LEAK, action)
    assert mended.count("with SessionLocal() as session:") >= 1
    editor.change(path, 2, mended)
    left = editor.diagnostics(path.as_uri(), 2)
    assert len(left) == 2 - mended.count("with SessionLocal() as session:")


def test_a_file_that_is_being_typed_keeps_what_it_had(editor, tmp_path):
    path = tmp_path / "shop.py"
    editor.start()
    editor.open(path, LEAK)
    editor.change(path, 2, LEAK + "def half(")
    editor.change(path, 3, LEAK + "def whole(): pass\n")
    assert len(editor.diagnostics(path.as_uri(), 3)) == 2
    assert not [m for m in editor.other if m.get("params", {}).get("version") == 2]


def test_what_another_file_says_counts_after_a_save(editor, tmp_path):
    helper, path = tmp_path / "helper.py", tmp_path / "shop.py"
    helper.write_text("def finish(session):\n    print(1)\n")
    text = LEAK.replace("    session.close()\n", "    finish(session)\n").replace("import sess", "import Session, sess")
    text = "from helper import finish\n" + text.replace("    session.commit()\n", "")
    editor.start()
    assert [diagnostic["code"] for diagnostic in editor.open(path, text)] == ["ORM101", "ORM101"]
    helper.write_text("def finish(session):\n    session.close()\n")
    editor.send("workspace/didChangeWatchedFiles", {"changes": [{"uri": helper.as_uri(), "type": 2}]})
    assert [diagnostic["code"] for diagnostic in editor.diagnostics(path.as_uri(), 1)] == ["ORM102", "ORM102"]


def test_a_wrong_configuration_is_told(editor, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.dbsession]\nselekt = []\n")
    editor.start()
    editor.open(tmp_path / "shop.py", "x = 1\n")
    told = editor.receive(lambda message: message.get("method") == "window/showMessage")["params"]
    assert "selekt" in told["message"]


def test_excluded_files_and_comments_are_heeded(editor, tmp_path):
    editor.start()
    (tmp_path / "build").mkdir()
    assert editor.open(tmp_path / "build" / "shop.py", LEAK) == []
    silenced = LEAK.replace("= SessionLocal()", "= SessionLocal()  # noqa: ORM102")
    assert editor.open(tmp_path / "shop.py", silenced) == []


def test_without_pygls_it_says_what_to_install():
    code = (
        "import sys; sys.modules['pygls'] = None; from flake8_dbsession.editor.server import main; sys.exit(main([]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "pip install 'flake8-dbsession[lsp]'" in done.stderr
    assert done.stdout == ""
