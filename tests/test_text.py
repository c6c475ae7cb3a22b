"""Search terms."""

from rag.text import content_terms, terms


def test_spelling_variants_become_the_same_terms() -> None:
    """Possessives, thousands separators, dots in abbreviations, accents and endings must not hide a match."""
    assert terms("Nvidia’s chips: 2,048") == terms("NVIDIA chip 2048")
    assert terms("U.S. exports") == terms("US export")
    assert terms("Garante's décision") == terms("garante decision")


def test_decimals_stay_one_term() -> None:
    """79.8% and 79 are different figures."""
    assert terms("79.8% of 1.500.000") == ["79.8", "of", "1.500.000"]


def test_names_match_by_their_parts_but_versions_do_not() -> None:
    """Who asks for R1 means DeepSeek-R1, and who asks for V3 does not mean V3.1."""
    assert terms("DeepSeek-R1, a 27-inch o3-mini") == ["deepseek", "r1", "a", "27", "inch", "o3", "mini"]
    assert terms("V3.1 and Qwen2.5.") == ["v3.1", "and", "qwen2.5"]


def test_a_question_keeps_its_subject() -> None:
    """Question words would match every article; 'US' in capitals is a country and not a pronoun."""
    assert content_terms("What did the US government say about DeepSeek?") == ["us", "govern", "deepseek"]
    assert content_terms("What do you tell us about it?") == terms("What do you tell us about it?")


def test_abbreviated_offices_are_found_written_out() -> None:
    """Some reports write CEO and others chief executive; a question finds both."""
    assert terms("DeepSeek's CEO") == terms("DeepSeek chief executive")
    assert set(terms("the C.F.O.")) < set(terms("the chief financial officer"))
    assert terms("headquartered in Hangzhou") == terms("based in Hangzhou")
    assert terms("the HQ") == terms("the headquarters")


def test_what_came_out_was_released() -> None:
    """Of the two words none says anything by itself; and a model's base is no place where a company is based."""
    assert content_terms("When did R1 come out?") == content_terms("When was R1 released?")
    assert not set(terms("the base model")) & set(terms("based in Hangzhou")) - set(terms("the in"))
