"""Every protocol of the wire server, by path."""

from support.protocol import Protocol
from support.protocol_anthropic import Messages
from support.protocol_embeddings import Embeddings
from support.protocol_gemini import GenerateContent
from support.protocol_openai import ChatCompletions
from support.protocol_responses import Responses

PROTOCOLS: dict[str, Protocol] = {
    "/v1/chat/completions": ChatCompletions(),
    "/v1/embeddings": Embeddings(),
    "/v1/responses": Responses(),
    "/v1/messages": Messages(),
    "/v1/models/{call}": GenerateContent(),
    "/v1beta/models/{call}": GenerateContent(),
}
