"""What is said to an assistant without being a question about the articles: greetings, thanks, orders. Pure."""

from __future__ import annotations

import re

_ABOUT = "I answer questions about the DeepSeek shock of January 2025 from articles, and cite each sentence."
_EXAMPLE = "'Why did Nvidia fall on 27 January 2025?'."
_TRY = f"Ask for example {_EXAMPLE}"

_COURTESY = r"(?:[\s,.!?]*(?:there|again|everyone|all|aftershock|assistant|friend|please|very much|so much|a lot|:\)))*"
_GREETING = re.compile(
    rf"(?:hi|hello|hey|hiya|howdy|greetings|yo|good (?:morning|afternoon|evening|day)|hola|bonjour|hallo|ciao"
    rf"|(?:nice|pleased|good) to meet you)\b{_COURTESY}[\s,.!?]*"
    r"(?:how are you(?: doing)?(?: today)?|how(?:'s| is) it going|what'?s up)?\W*",
    re.IGNORECASE,
)
_FEELING = re.compile(r"(?:how are you(?: doing)?(?: today)?|how(?:'s| is) it going|what'?s up)\W*", re.IGNORECASE)
_THANKS = re.compile(
    r"(?:ok(?:ay)?|great|cool|nice|perfect|wow|good|got it|i see)?[\s,.!]*"
    rf"(?:thanks?(?: you)?|thx|cheers|many thanks|much appreciated|merci|danke|gracias)\b{_COURTESY}"
    r"[\s,.!]*(?:(?:for|that(?:'s|’s| is| was)?|this (?:is|was)|very|you) (?!know\b)[\w' ]{2,30})?\W*",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"(?:ok(?:ay)?|all right|alright|great|cool|nice|perfect|wow|good|got it|i see|yes|yeah|yep|no|nope|sure|fine"
    r"|please|sorry|stop|lol|haha|hm+|test(?:ing)?|interesting|understood|never ?mind"
    r"|(?:i )?don['’]?t (?:know|understand)"
    r"|(?:great|good|nice|bad|wrong) (?:answer|job|work|one|point)|(?:that|this)(?:'s| is| was) (?:wrong|right"
    r"|great|good|bad|nice|cool|interesting|funny|helpful|not true|false|true|amazing|stupid|nonsense|useless)"
    r"|i (?:love|hate|like) (?:you|this|it)|you(?:'re| are) (?:so |very |really |a )?(?:stupid|great|awesome|dumb|bad"
    r"|good|funny|wrong|right|useless|amazing|smart|the best|kind|cute|an idiot|idiot|liar|genius))\b"
    rf"{_COURTESY}\W*",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    rf"(?:bye|goodbye|good night|see you(?: later| soon| tomorrow| around)?|farewell|adieu)\b{_COURTESY}\W*",
    re.IGNORECASE,
)
_ABOUT_ITSELF = re.compile(
    r"(?:(?:so|and|but|hey|hi|hello)[\s,]+)?(?:who|what) are you\b.{0,20}"
    r"|who (?:made|built|created|wrote|trained|programmed|developed) you\b.{0,20}"
    r"|(?:please )?(?:can|could|will) you help(?: me)?\W*"
    r"|what (?:should|can|could|may) i ask\b.{0,20}|(?:ask|tell) me (?:something|anything)\W*"
    r"|(?:which|what|how many) (?:articles?|sources?|documents?|data|topics?|languages?) (?:do|can|are) you\b.{0,30}"
    r"|are you (?:conscious|sentient|alive|there|smart|sure|ok|okay|serious|online|free|single|kidding)\b.{0,12}"
    r"|(?:please )?(?:introduce yourself|help(?: me)?|what(?:'s| is) (?:this|your name))\W*"
    r"|(?:what|how) (?:can|could|do|does) (?:you|this|it) (?:do|work|help|know|answer)\b.{0,30}"
    r"|are you (?:an? )?(?:ai|bot|human|robot|real|person|chatgpt|deepseek|model)\b.{0,20}"
    r"|(?:which|what) (?:ai |language )?model (?:are you|do you use|is this)\b.{0,20}",
    re.IGNORECASE,
)
_POLITE = (
    r"(?:(?:please|now|ok|okay|hey|hi|hello|and|then|can you|could you|would you|will you|i want you to|i need you to)"
    r"[\s,]+)*"
)
_WORK = (
    r"poem|haiku|sonnet|limerick|song|lyrics|rap|(?<!\bthe )story|joke|essay|novel|script|screenplay|speech|tweet"
    r"|letter|e-?mail|recipe|code|program|function|regex|sql|cover letter|blog(?: post)?|advert|slogan"
)
_ORDER = re.compile(
    rf"{_POLITE}(?:"
    r"(?!tell (?:me |us )?the (?:[\w-]+ ){0,4}story\b)"
    r"(?:write|compose|draft|create|make|generate|tell|sing|give|invent)\b(?: (?:me|us|up))?(?: [\w-]+){0,4}"
    rf" (?:{_WORK})s?\b"
    r"|(?:translate|calculate|compute|solve|roleplay|pretend|act as|play (?:a|the)|draw(?! up\b)|paint|repeat after"
    r"|rewrite|rephrase|paraphrase|proofread)\b"
    r"|say (?:hello|hi|something|yes|no|that|after|\W)|do my\b|(?:in|to) (?:german|french|spanish|chinese|italian"
    r"|english|japanese|russian|arabic|hindi|portuguese)(?:,? please)?\W*\Z"
    r"|(?:summari[sz]e|shorten|edit|correct|fix|improve|continue|complete|read|check|analy[sz]e) (?:this|my"
    r"|the following)\b|(?:make|draw|create|build|give me|show me|generate) (?:me )?"
    r"(?:a|an|the) (?:\w+ )?(?:table|chart|graph|diagram|image|presentation|spreadsheet|press release|quiz)s?\b"
    r"|(?:repeat|print|output|copy|show(?: me)?) (?:me )?(?:the |everything |all )?(?:text |words )?above\b"
    r"|(?:give|tell|show|send)(?: me| us)? (?:your|the|an?) (?:\w+ )?(?:api[ -]?keys?|passwords?|tokens?|credentials?"
    r"|secrets?)\b|you are (?:dan|now|no longer|going to)\b"
    r"|(?:ignore|forget|disregard|override)\b.{0,40}\b(?:instructions?|rules?|prompts?|articles?|sources?|above|before"
    r"|previous|everything)\b"
    r"|(?:print|show|reveal|repeat|output|display|tell me|give me|leak|what (?:is|are|was|were))\b.{0,30}"
    r"\b(?:your|system|initial|hidden) (?:\w+ )?(?:prompts?|instructions?|rules|guidelines|configuration)\b"
    r"|you are now\b|from now on\b"
    r")",
    re.IGNORECASE,
)


def reply(question: str) -> str | None:
    """A short reply to what is no question about the articles; None for everything else.

    >>> reply("Thanks a lot!"), reply("Bye"), reply("Why did Nvidia fall?")
    ("You're welcome.", 'Goodbye.', None)
    >>> reply("Write me a poem about Nvidia.").split(":")[0]
    "I don't carry out instructions"
    """
    if not any(character.isalnum() for character in question):
        return f"That holds no words. {_TRY}"
    if _GREETING.fullmatch(question) or _FEELING.fullmatch(question):
        return f"Hello. Ask me about the DeepSeek shock of January 2025, for example {_EXAMPLE}"
    if _THANKS.fullmatch(question):
        return "You're welcome."
    if _REMARK.fullmatch(question):
        return f"All right. I answer questions from articles. {_TRY}"
    if _FAREWELL.fullmatch(question):
        return "Goodbye."
    if _ABOUT_ITSELF.fullmatch(question):
        return f"{_ABOUT} {_TRY}"
    if _ORDER.match(question):
        return f"I don't carry out instructions: I answer questions from articles, and quote them. {_TRY}"
    return None
