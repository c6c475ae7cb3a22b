"""What an event is about, in one word of a short list, by the words that tell it. Pure."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from rag.text import content_terms, terms

OTHER = "Other"
TITLE = 0.5
"""What a word of the article's title counts, against one of the sentence."""

# Of words that fit two topics each has the one that readers would look under.
_WORDS = {
    "Markets": """
        share shares stock stocks index indices market markets nasdaq dow s&p stoxx nikkei topix dax closed
        closing trading traded sell-off selloff rally rebound slump tumbled plunged slid sank investors investor
        shareholders fund funds futures bond yield gold bitcoin currency dollar yen valuation capitalisation
        wiped lost gained fell rose climbed dropped record wall street listing listed ipo billionaires fortune
        fortunes wealth analyst analysts
        """,
    "Models": """
        model models release released reasoning benchmark benchmarks parameters tokens token trained training
        paper weights open-source open-weight distilled distillation chatbot version preview r1 v2 v3 v4 o1
        o3-mini gpt llama qwen doubao kimi ernie gemini claude grok mistral small library code architecture
        mixture experts attention reinforcement learning researchers reproduction launched unveiled introduced
        upgrade api
        """,
    "Policy": """
        government ban banned bans bill act law rule rules senator congress house committee president trump
        biden minister ministry ministries premier regulator regulators regulation authority authorities
        commission commissioner export exports controls control licence licences license licensing restrict
        restrictions tariff tariffs court prosecutors charges order ordered prohibited governor agencies agency
        federal state states administration white washington beijing pentagon department commerce bis
        investigation probe fine
        """,
    "Security": """
        attack attacks cyberattack cyberattacks botnets botnet database exposed password passwords leak leaked
        hackers hacked vulnerability vulnerabilities encryption privacy data personal jailbreak jailbreaks
        safety harmful censorship censored refused login security outage malicious registrations prompts
        """,
    "Companies": """
        spend spending invest investment billion capital price prices pricing discount discounts cut customers
        users downloads app revenue profit results quarter chip chips gpus data-centre centres cloud azure
        hosting service services offer offered stake funding round raised hired staff employees engineers
        founded registered company companies start-up startup partnership deal project orders sold suppliers
        factory adopted integrate integrated
        """,
    "Voices": """
        said says told wrote called argued interview essay podcast post tweeted statement admitted praised
        disputed claimed warned x linkedin blog question-and-answer asked compared predicted doubted remarks
        speech
        """,
}
TOPICS = (*_WORDS, OTHER)

# That somebody is quoted is soonest true of any event, and so weighs least.
_WEIGHTS = {"Voices": 0.8, "Companies": 0.8}


@cache
def _topics_of() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for topic, words in _WORDS.items():
        for term in {term for word in words.split() for term in terms(word)}:
            found.setdefault(term, []).append(topic)
    return found


def topic_of(text: str, title: str = "") -> str:
    """The topic of `TOPICS` that most words of a sentence belong to, those of its article's title counting less.

    >>> topic_of("Nvidia shares fell 17% and the Nasdaq Composite closed 3.1% lower.")
    'Markets'
    >>> topic_of("Australia banned DeepSeek from all federal government systems and devices.")
    'Policy'
    """
    known = _topics_of()
    counted: defaultdict[str, float] = defaultdict(float)
    for words, weight in ((content_terms(text), 1.0), (content_terms(title), TITLE)):
        for term in set(words):
            for topic in known.get(term, ()):
                counted[topic] += weight * _WEIGHTS.get(topic, 1.0) / len(known[term])
    return max(TOPICS[:-1], key=lambda topic: counted[topic]) if counted else OTHER
