"""Text to vectors."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rag import inference
from rag.embed import WEIGHTS_SHA256, WINDOW, MiniLM, check_weights
from rag.errors import EmbedderError

TEXTS = [
    "Nvidia lost $589 billion.",
    "Who founded DeepSeek, and when?",
    "A long text about mixture of experts. " * 60,
    "株価が下落した。",
]


def test_vectors_are_those_of_sentence_transformers(embedder: MiniLM) -> None:
    """The quick path must give nearly what the reference library gives for the weights, long texts clipped alike."""
    model = embedder.load_reference()
    model.max_seq_length = WINDOW
    expected = model.encode(TEXTS, normalize_embeddings=True)
    cosines = (embedder.embed(TEXTS) * expected).sum(axis=1)
    assert cosines.mean() > inference.LEAST_COSINE
    assert cosines.min() > 0.98


def test_a_text_has_the_same_vector_alone_and_among_others(embedder: MiniLM) -> None:
    """Batching and padding must not change a vector, or a re-ingest would move answers."""
    together = embedder.embed(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        np.testing.assert_array_equal(embedder.embed([text])[0], vector)


def test_span_vectors_know_their_context(embedder: MiniLM) -> None:
    """A sentence's vector comes from its place in the passage: the same words elsewhere get another one."""
    text = "Nvidia fell sharply. It lost a sixth of its value."
    other = "The reservoir fell sharply. It lost a sixth of its value."
    start = text.index("It lost")
    first, second = embedder.embed_with_spans(
        [text, other], [[(0, start - 1), (start, len(text))], [(other.index("It lost"), len(other))]]
    )
    spans, others = first.spans, second.spans
    assert spans.shape == (2, 384)
    np.testing.assert_allclose(np.linalg.norm(spans, axis=1), 1, atol=1e-5)
    question = embedder.embed(["How much of its value did Nvidia lose?"])[0]
    assert spans[1] @ question > others[0] @ question + 0.1


def test_tokens_of_content_are_kept_by_stretch(embedder: MiniLM) -> None:
    """Late interaction needs each word of content once, and the stretch that it stands in; function words only cost."""
    text = "Title\nNvidia fell. It lost a sixth."
    (made,) = embedder.embed_with_spans([text], [[(6, 18), (19, len(text))]])
    assert made.tokens[:, 0].tolist() == [0, 1, 1, 1, 1, 2, 2]  # title; n-vid-ia fell; lost sixth
    question = embedder.embed_question("What did Nvidia lose?")
    assert question.tokens.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(question.tokens, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(question.vector, embedder.embed(["What did Nvidia lose?"])[0])


def test_a_question_of_function_words_has_tokens(embedder: MiniLM) -> None:
    """A question without any word of content must still be searched for."""
    assert len(embedder.embed_question("Who is it?").tokens) > 0


def test_a_broken_inference_file_is_made_again(embedder: MiniLM) -> None:
    """A file cut short by a full disk costs time once, and never an answer."""
    expected = embedder.embed(TEXTS)
    path = inference.inference_path("embedder", WEIGHTS_SHA256)
    path.write_bytes(path.read_bytes()[:1000])
    np.testing.assert_allclose(MiniLM().embed(TEXTS), expected, atol=1e-5)
    assert path.stat().st_size > 30_000_000


def test_without_an_inference_file_the_reference_serves(
    embedder: MiniLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file can't be written, vectors are made more slowly, and are nearly the same."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr("rag.embed.inference_path", lambda *_: blocked / "embedder.onnx")
    cosines = (MiniLM().embed(TEXTS) * embedder.embed(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.98


def test_a_file_that_disagrees_with_the_reference_is_not_kept(
    embedder: MiniLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exporter that gets the model wrong must not decide what readers find."""
    monkeypatch.setattr(inference, "LEAST_COSINE", 1.5)
    path = tmp_path / "embedder.onnx"
    assert inference.fast(path, embedder.load_reference, lambda _: [101, 102]) is None
    assert list(tmp_path.iterdir()) == []


def test_wrong_or_missing_weights_are_refused(tmp_path: Path) -> None:
    """Weights that were tampered with or cut short must not be used, and the message says what to do."""
    weights = tmp_path / "model.safetensors"
    with pytest.raises(EmbedderError, match=r"cannot be read .*pip install --force-reinstall"):
        check_weights(weights)
    weights.write_bytes(b"other")
    with pytest.raises(EmbedderError, match="are not the official ones"):
        check_weights(weights)


def test_tokens_are_counted_as_the_model_counts_them(embedder: MiniLM) -> None:
    """Chunks are sized by this count; it must not be clipped at the window."""
    assert embedder.count_tokens(["Nvidia", "word " * 1000]) == [3, 1000]


@pytest.fixture(scope="module")
def tokenizer(embedder: MiniLM) -> Any:
    tokenizer = Tokenizer.from_file(str(embedder.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@given(
    st.lists(
        st.text(st.sampled_from("aé\u0301日 \t\n\x85\u2028'-.[SEP]##9") | st.characters(codec="utf-8")), max_size=5
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_remembered_lengths_are_the_tokenizers(embedder: MiniLM, tokenizer: Any, texts: list[str]) -> None:
    """Counting word by word must give what the tokenizer makes of the whole text, or chunks would be clipped."""
    expected = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]
    assert embedder.count_tokens(texts) == embedder.count_tokens(texts) == expected


def test_langchain_gets_lists(embedder: MiniLM) -> None:
    """The embedder can stand wherever LangChain expects embeddings."""
    (document,) = embedder.embed_documents(["Nvidia fell."])
    assert document == pytest.approx(embedder.embed_query("Nvidia fell."))
    assert len(document) == 384


def test_nothing_is_recorded_for_others_to_collect(embedder: MiniLM, tmp_path: Path) -> None:
    """ONNX Runtime's builds queue telemetry under the user's home, from native code that no socket check sees."""
    embedder.embed(["The inference file is there."])
    cache = tmp_path / "aftershock"
    cache.symlink_to(inference.inference_path("embedder", WEIGHTS_SHA256).parent)
    places = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    script = "from rag.embed import MiniLM; MiniLM().embed(['Who?']); import sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], env=os.environ | places, check=True)
    assert list(tmp_path.rglob("*")) == [cache]
