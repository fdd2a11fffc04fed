"""Data frames and notebooks: batches from and to them, where their libraries are installed."""

import math
import sys
from types import SimpleNamespace

import pytest
from support.progress import progress

from producer.batch_items import Item
from producer.batch_output import COLUMNS, row
from producer.batches import Batch
from producer.contract.errors import InvalidRequest, JobError
from producer.documents import Document, documents_of
from producer.notebooks import shown_until
from producer.prompts import requests_of
from producer.tables import table

ROWS = {"id": ["a", "b", "c"], "text": ["Grüße", None, "x"], "stars": [5.0, None, 1.5]}


@pytest.fixture(params=["pandas", "polars"])
def frames(request):
    """A library whose data frames speak Arrow."""
    pytest.importorskip("pyarrow")
    return pytest.importorskip(request.param)


def content(asked):
    return asked["messages"][0]["content"]


def test_each_row_of_a_frame_is_asked(frames):
    """One in which nothing is there fails alone; none is lost or gets a name that it has not."""
    found = list(requests_of(frames.DataFrame(ROWS), "{text} ({stars})"))
    assert [each["name"] for each in found] == ["a", "b", "c"]
    assert (content(found[0]), content(found[2])) == ("Grüße (5.0)", "x (1.5)")
    assert str(found[1]["wrong"]) == "empty: text, stars"


def test_rows_may_be_requests_themselves(frames):
    asked = [[{"role": "user", "content": "x"}]] * 2
    frame = frames.DataFrame({"messages": asked, "name": ["a", None], "max_tokens": [5, 7]})
    assert list(requests_of(frame, "")) == [
        {"messages": asked[0], "name": "a", "max_tokens": 5},
        {"messages": asked[0], "max_tokens": 7},
    ]


def test_a_column_that_is_not_there_is_told_at_once(frames):
    with pytest.raises(InvalidRequest, match=r"no column 'texts'\. There are: id, text, stars"):
        requests_of(frames.DataFrame(ROWS), "{texts}")


def test_a_column_of_texts_is_documents(frames):
    """What is missing has its reason."""
    found = list(documents_of(frames.DataFrame(ROWS)["text"]))
    assert [each.text for each in found] == ["Grüße", "", "x"]
    assert "documents[1]: no text" in str(found[1].wrong)


def test_a_frame_without_a_column_is_refused(frames):
    with pytest.raises(InvalidRequest, match="pass one of its columns"):
        documents_of(frames.DataFrame(ROWS))


def test_results_become_a_frame(frames):
    items = [Item(0, "a", "b.0", "failed", 1, JobError("x")), Item(1, "", "b.1", "failed", 1, None)]
    made = table(map(row, items), COLUMNS)
    frame = made.to_pandas() if frames.__name__ == "pandas" else frames.from_arrow(made)
    assert list(frame.columns) == list(COLUMNS)
    assert next(iter(frame["message"])) == "x"
    assert list(frame["index"]) == [0, 1]


def test_a_frame_without_the_extra_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    frame = SimpleNamespace(__arrow_c_stream__=None, columns=["text"])
    with pytest.raises(InvalidRequest, match=r"needs the extra: pip install .*tables"):
        list(requests_of(frame, "{text}"))


def test_rows_of_dicts_are_asked_without_any_library():
    found = list(requests_of([{"text": "x"}, 7, {"text": math.nan}, {"other": 1}], "Is it {text}?"))
    assert content(found[0]) == "Is it x?"
    assert [str(each["wrong"])[:12] for each in found[1:]] == [
        "no row: need",
        "empty: text",
        "prompt: ther",
    ]


def test_paths_and_texts_are_documents(tmp_path):
    (tmp_path / "a.txt").write_text("One.")
    (tmp_path / ".hidden").write_text("none")
    found = list(
        documents_of([tmp_path, "Two.", tmp_path / "a.txt", Document("n", "Three."), None])
    )
    taken = [each for each in found if not each.skipped]
    assert [each.text for each in taken] == ["One.", "Two.", "One.", "Three.", ""]
    assert len(list(documents_of(tmp_path / "a.txt"))) == 1
    for one in ("a text", b"bytes"):
        with pytest.raises(InvalidRequest, match="one text"):
            documents_of(one)


def test_progress_renders_in_a_notebook():
    html = progress(done=1, failed=1, held_back="a<b")._repr_html_()
    assert '<progress value="2" max="4">' in html
    assert "&lt;b&gt;: 2 of 4, 1 failed, $0.0000, waiting for a&lt;b" in html
    assert 'max="1"' in progress(total=None)._repr_html_()


@pytest.mark.parametrize("is_notebook", [True, False])
def test_a_notebook_shows_it_in_place(monkeypatch, is_notebook):
    """Outside of a cell IPython gives no handle; without IPython nothing is imported."""
    shown = []
    handle = SimpleNamespace(update=shown.append) if is_notebook else None

    def display(value, display_id):
        shown.append(value)
        return handle

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    looks = iter(range(4))
    assert shown_until(lambda found: found == 3, lambda: next(looks), 0) == 3
    assert shown == ([0, 1, 2, 3] if is_notebook else [0])
    monkeypatch.delitem(sys.modules, "IPython")
    assert shown_until(lambda found: True, lambda: 7, 0) == 7


def test_a_batch_renders_as_its_progress(monkeypatch):
    monkeypatch.setattr(Batch, "progress", lambda self: progress(done=2))
    assert "2 of 4" in Batch("b")._repr_html_()
