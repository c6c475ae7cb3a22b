"""Question to ranked passages: vectors and words together, at the level of passages and of their sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import Embedder
from rag.english import is_word
from rag.facets import Wanted, parts
from rag.index import Index
from rag.looking import Asked, Wording, look, promising, wording
from rag.postings import bm25, highest, rarity
from rag.preference import HAS, cover_parts, prefer, preference
from rag.ranking import Measured, Pool, measure, scores
from rag.records import Evidence, Passage, Sentence, Source
from rag.spelling import MOST_SLIPS, likeliest, respelt, unusual
from rag.stored import Prospects
from rag.text import content_terms, terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOL = 60
"""Passages taken from each of the two searches into the common ranking, where no more are asked for."""
KEPT = 48
"""So many of them are looked at closely."""
PREFERRED = 16
"""And so many of the others that have what the question names."""
SAME_WORDS = 0.8
"""Passages that share this much of their words (Jaccard) tell the same: they become one with several sources."""
TRIM = 0.5
"""A passage ends where no sentence any more matches the question at least this well, compared with the best one."""
_DIFFERENT = (1 - SAME_WORDS) / (1 + SAME_WORDS) + 1e-9
"""So much of the number of their words only one of two such passages has, at most: quicker to see of bits for words."""
_BITS = 512
_SHARE_OF_WORDS = 0.25
_beside = ThreadPoolExecutor(8, "search")
"""For the half of a search that goes beside the other; more searches than that wait for each other anyhow."""
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Token:
    """A token of content of a question: the word that it is of, and how much it counts; all of them sum to 1."""

    word: str
    weight: float


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was found for a question, best first.

    Args:
        evidence: the passages.
        weights: the question's content terms and their inverse document frequencies.
        tokens: its tokens of content, in the order of `Evidence.matches`.
        vector: its unit vector, shape (384,); None where nobody needs it.
    """

    evidence: tuple[Evidence, ...]
    weights: dict[str, float]
    tokens: tuple[Token, ...] = ()
    vector: NDArray[np.float32] | None = None


def search(
    question: str, index: Index, embedder: Embedder, k: int, wanted: Sequence[Wanted] = (), *, whole: bool = False
) -> tuple[str, Retrieval]:
    """The question as the articles would spell it, and the `k` passages that best answer it.

    What slips may be meant for stands in the passages that the other words find; with it, they are looked for again.

    Args:
        whole: with what stands at their ends and has nothing to do with the question.
    """
    found = retrieve(question, index, embedder, k, wanted, whole=whole)
    nowhere = rarity(0, index.counts()[1])
    unknown = frozenset(term for term, weight in found.weights.items() if weight >= nowhere)
    rare = unusual(question, unknown)
    # What the model has a token of its own for is a word, though not one of the articles; it knows names, too.
    sizes = embedder.count_tokens(rare)
    slips = [word for word, tokens in zip(rare, sizes, strict=True) if tokens > 1 and not is_word(word)]
    slips = slips if len(slips) <= MOST_SLIPS else []
    meant = _meant(question, slips, index, embedder)
    if meant:
        question = re.sub("|".join(rf"\b{slip}\b" for slip in meant), lambda found: meant[found[0]], question)
        found = retrieve(question, index, embedder, k, wanted, whole=whole)
    others = [slip for slip in slips if slip not in meant]
    spelt = respelt(question, others, (f"{e.passage.title}\n{e.passage.text}" for e in found.evidence))
    if spelt.casefold() != question.casefold():
        found = retrieve(spelt, index, embedder, k, wanted, whole=whole)
    return spelt, found


def _meant(question: str, slips: Sequence[str], index: Index, embedder: Embedder) -> dict[str, str]:
    """What those of the slips are meant for of which that can be said without having found a passage that says it."""

    def frequency(words: Sequence[str]) -> list[int]:
        return [one.frequency for one in index.occurrences([terms(word)[-1] for word in words])]

    found = {
        slip: likeliest(slip, frequency, embedder.count_tokens, slip[0].isupper() and not question.startswith(slip))
        for slip in slips
    }
    return {slip: word for slip, word in found.items() if word}


def retrieve(
    question: str, index: Index, embedder: Embedder, k: int, wanted: Sequence[Wanted] = (), *, whole: bool = False
) -> Retrieval:
    """The `k` passages that best answer the question; those that have what it names (`wanted`) are preferred."""
    pool = gather(question, index, embedder, max(KEPT, k), wanted)
    order, measured = _ordered(pool)
    # Sentences only of what is kept, a fifth of all.
    bare = [Evidence(pool.candidates[place].passage.scored(score), ()) for place, score in order]
    kept = merge_copies(cover_parts(prefer(bare, wanted), parts(question, wanted)), k)
    places = {_start(c.passage): place for place, c in enumerate(pool.candidates)}
    found = [_evidence(pool, measured, places[_start(evidence.passage)], evidence.passage) for evidence in kept]
    return retrieved(found if whole else trim(found), pool.asked)


def retrieved(found: Sequence[Evidence], asked: Asked) -> Retrieval:
    """What was found, with the question's terms and tokens. Pure."""
    tokens = tuple(map(Token, asked.token_words, asked.token_weights.tolist()))
    return Retrieval(tuple(found), asked.weights, tokens, asked.vector)


def best_of_articles(found: Retrieval) -> dict[str, float]:
    """The score of the best passage of each article, by the article's id. Pure."""
    best: dict[str, float] = {}
    for evidence in found.evidence:
        best.setdefault(evidence.passage.article_id, evidence.passage.score)
    return best


def gather(question: str, index: Index, embedder: Embedder, limit: int = KEPT, wanted: Sequence[Wanted] = ()) -> Pool:
    """Of the passages nearest to the question and those with most of its words the most promising, at most `limit`.

    What the question names can lift a passage from far below: a few of the others that have it come with them.
    """
    # Neither search needs the other, and what takes the time in both lets Python go on. The model runs in this thread:
    # on a core that was at rest it takes half as long again.
    searched = max(POOL, limit)
    by_words = _beside.submit(_find_by_words, question, index, searched)
    try:
        embedded = embedder.embed_question(question)
        near = index.nearest(embedded.vector, searched)
    finally:
        wait([by_words])  # whatever happens: who closes the index next must find nobody in it
    own = by_words.result()
    others = index.prospects([i for i in near if i not in own.prospects.ids])
    prospects, found = own.prospects + others, own.found + wording(own.weights, others)
    of_tokens = _token_weights(embedded.words, own.weights)
    asked = Asked(question, embedded.vector, embedded.tokens, embedded.words, of_tokens, own.weights)
    looked = look(asked, prospects, found, own.lexical[list(prospects.ids)])
    order = promising(looked)
    candidates = index.candidates([prospects.ids[place] for place in (order if wanted else order[:limit])])
    preferred = preference(wanted)
    having = [place for place in range(limit, len(candidates)) if preferred(candidates[place].passage) >= HAS]
    kept = [*range(min(limit, len(candidates))), *having[:PREFERRED]]
    return Pool(asked, looked.of(order[kept]), tuple(candidates[place] for place in kept))


@dataclass(frozen=True, slots=True)
class _ByWords:
    """What a search for a question's words finds.

    Args:
        weights: the question's content terms and their inverse document frequencies.
        lexical: the BM25 scores of the passages, by their numbers.
        prospects: those with the highest ones.
        found: what these hold of the question.
    """

    weights: dict[str, float]
    lexical: NDArray[np.float32]
    prospects: Prospects
    found: Wording


def _find_by_words(question: str, index: Index, most: int) -> _ByWords:
    question_terms = content_terms(question)
    occurrences = index.occurrences(question_terms)
    passages = index.counts()[1]
    weights = {t: rarity(o.frequency, passages) for t, o in zip(question_terms, occurrences, strict=True)}
    lexical = bm25(occurrences, index.lengths)
    prospects = index.prospects(highest(lexical, most))
    return _ByWords(weights, lexical, prospects, wording(weights, prospects))


def rank(pool: Pool) -> list[Evidence]:
    """The candidates, best first, each with the scores of its sentences. Pure."""
    order, measured = _ordered(pool)
    return [_evidence(pool, measured, i, pool.candidates[i].passage.scored(score)) for i, score in order]


def _ordered(pool: Pool) -> tuple[list[tuple[int, float]], Measured | None]:
    """The places of the candidates and their scores, best first, and what was measured of them.

    Of those with equal scores, which are mostly copies, the one that stands first in its article comes first.
    """
    if not pool.candidates:
        return [], None
    measured = measure(pool)
    found = scores(measured).tolist()
    order = sorted(range(len(found)), key=lambda place: (-found[place], _start(pool.candidates[place].passage)))
    return [(place, found[place]) for place in order], measured


def trim(ranked: Sequence[Evidence], closer: float = 0.0) -> list[Evidence]:
    """The passages without what stands at their ends and has nothing to do with the question. Pure.

    What stays reaches from one sentence before the first that matches the question to one after the last.

    Args:
        closer: by so much better than others the sentences of a passage have to match that surely doesn't answer.
    """
    matches = [[s.dense + _SHARE_OF_WORDS * s.lexical for s in evidence.sentences] for evidence in ranked]
    best = max((max(own) for own in matches), default=0.0)
    trimmed = []
    for evidence, own in zip(ranked, matches, strict=True):
        least = min((TRIM + closer * (1 - evidence.passage.score)) * best, max(own))
        places = [place for place, match in enumerate(own) if match >= least]
        first = max(0, places[0] - 1)
        sentences = evidence.sentences[first : places[-1] + 2]
        kept = evidence.matches[:1] + evidence.matches[1 + first : 1 + first + len(sentences)]
        passage = evidence.passage
        start, end = sentences[0].start, sentences[-1].end
        text = passage.text[start - passage.start : end - passage.start]
        trimmed.append(Evidence(replace(passage, text=text, start=start, end=end), sentences, kept))
    return trimmed


def coverage(terms: Sequence[str], weights: dict[str, float]) -> float:
    """The share of the question's words, weighted by rarity, that stand among `terms`: 0 to 1."""
    total = sum(weights.values())
    present = set(terms)
    return sum(weight for term, weight in weights.items() if term in present) / total if total else 0.0


def merge_copies(ranked: Sequence[Evidence], k: int) -> list[Evidence]:
    """The best `k`, near-identical passages of other articles merged into the best one as further sources. Pure.

    Passages with different figures stay apart, however alike they are: that is what a reader has to see.
    """
    kept: list[Evidence] = []
    signatures: list[tuple[int, int]] = []
    for evidence in ranked:
        text = evidence.passage.text
        count, bits = _signature(text)
        alike = (i for i, (n, own) in enumerate(signatures) if (bits ^ own).bit_count() <= _DIFFERENT * (count + n))
        twin = next((i for i in alike if _tell_the_same(_words(text), _words(kept[i].passage.text))), None)
        if twin is not None:
            kept[twin] = replace(kept[twin], passage=_with_sources(kept[twin].passage, evidence.passage))
        elif len(kept) < k:
            kept.append(evidence)
            signatures.append((count, bits))
    return kept


def _with_sources(passage: Passage, copy: Passage) -> Passage:
    def own(p: Passage) -> tuple[Source, ...]:
        return p.sources or (Source(p.outlet, p.title, p.url, p.published),)

    return replace(passage, sources=tuple(dict.fromkeys([*own(passage), *own(copy)])))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())


@lru_cache(maxsize=1024)
def _signature(text: str) -> tuple[int, int]:
    """How many words a text has, and a bit for each, so that two texts differ in no more bits than words."""
    words = _words(text)
    bits = 0
    for word in words:
        bits |= 1 << hash(word) % _BITS
    return len(words), bits


def _tell_the_same(words: frozenset[str], others: frozenset[str]) -> bool:
    shared, every = len(words & others), len(words) + len(others)
    return shared >= SAME_WORDS * (every - shared) and not any(_DIGIT.search(word) for word in words ^ others)


def _token_weights(words: Sequence[str], weights: dict[str, float]) -> NDArray[np.float32]:
    """What each token counts for: the rarity of its word, less where the word has several; they sum to 1."""
    rarity = np.array(
        [max((weights.get(t, 0.0) for t in terms(word)), default=0.0) / words.count(word) ** 0.5 for word in words],
        np.float32,
    )
    total = rarity.sum()
    return rarity / total if total > 0 else np.full(len(words), 1 / len(words), np.float32)


def _start(passage: Passage) -> tuple[str, int]:
    return passage.article_id, passage.start


def _evidence(pool: Pool, measured: Measured | None, place: int, passage: Passage) -> Evidence:
    """A candidate's sentences with their scores, and `passage`, which is the candidate's in its present form."""
    assert measured is not None
    candidate = pool.candidates[place]
    own = zip(
        pool.looked.cosines[place].tolist(),
        pool.looked.shares[place].tolist(),
        measured.tokens[place].tolist(),
        strict=True,
    )
    sentences = tuple(
        Sentence(candidate.sentence(number), start, end, *values)
        for number, ((start, end), values) in enumerate(zip(candidate.spans, own, strict=False))
    )
    matches = measured.matches[place, : 1 + len(sentences)].tolist()
    return Evidence(passage, sentences, tuple(map(tuple, matches)))
