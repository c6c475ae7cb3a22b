"""Everything that can go wrong, as one small tree.

    AftershockError
    ├── SettingsError          a setting has a value that cannot be used
    ├── QuestionError          the question is empty or too long
    ├── IndexStateError
    │   ├── IndexMissingError      no index at that place yet
    │   ├── IndexEmptyError        an index without a single article
    │   ├── IndexDamagedError      its files cannot be read
    │   ├── IndexMismatchError     made by another embedder, chunker or schema
    │   └── IndexBusyError         another process is writing it
    ├── EmbedderError          the embedding model's weights are missing or not the expected ones
    ├── LoadError              a file cannot be read as articles
    │   └── FetchError             a page on the web cannot be had
    ├── NetworkError           there is no network
    ├── QueueFullError         too many questions are being answered and waiting
    ├── ConversationsError     the saved conversations cannot be read or written
    │   └── ConversationMissingError   the visitor has no such conversation
    └── ModelError
        ├── ModelServerError       the model server cannot be reached, or failed
        │   ├── ModelOverflowError     it refuses a prompt that is too long for the model
        │   └── ModelThinkingError     it refuses to have the model think
        ├── ModelAccessError       the model server refuses the key
        ├── ModelNotFoundError     the server does not have the model asked for
        ├── ModelRoomError         the server's disk has no room for a model
        └── ModelInterruptedError  the server stopped in the middle of an answer

The text of each error is one sentence for the user: what is wrong, where, and what to do. Exceptions of
libraries (Chroma, SQLite, HTTP clients) are translated into these where the library is called.
"""


class AftershockError(Exception):
    """Base of every error that Aftershock raises on purpose."""


class SettingsError(AftershockError):
    """A setting has a value that cannot be used."""


class QuestionError(AftershockError):
    """The question is empty or too long."""


class IndexStateError(AftershockError):
    """The index cannot be used as it is."""


class IndexMissingError(IndexStateError):
    """There is no index at the place asked for."""


class IndexEmptyError(IndexStateError):
    """The index holds no article."""


class IndexDamagedError(IndexStateError):
    """The index's files cannot be read."""


class IndexMismatchError(IndexStateError):
    """The index was made by another embedder, chunker or schema than the one in use."""


class IndexBusyError(IndexStateError):
    """Another process is writing the index."""


class EmbedderError(AftershockError):
    """The embedding model's weights are missing or not the expected ones."""


class LoadError(AftershockError):
    """A file cannot be read as articles."""


class FetchError(LoadError):
    """A page on the web cannot be had."""


class NetworkError(AftershockError):
    """There is no network."""


class QueueFullError(AftershockError):
    """Too many questions are being answered and waiting."""


class ConversationsError(AftershockError):
    """The saved conversations cannot be read or written."""


class ConversationMissingError(ConversationsError):
    """The visitor has no such conversation."""


class ModelError(AftershockError):
    """The locally served language model cannot answer."""


class ModelServerError(ModelError):
    """The model server cannot be reached, or failed."""


class ModelOverflowError(ModelServerError):
    """The model server refuses a prompt that is too long for the model."""


class ModelThinkingError(ModelServerError):
    """The model server refuses to have the model think, because it can't."""


class ModelAccessError(ModelError):
    """The model server refuses the key."""


class ModelNotFoundError(ModelError):
    """The server does not have the model asked for, or has none at all."""


class ModelRoomError(ModelError):
    """The model server's disk has no room for a model."""


class ModelInterruptedError(ModelError):
    """The server stopped in the middle of an answer."""
