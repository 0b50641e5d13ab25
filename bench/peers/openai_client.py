"""Talks to `rhodes serve` with OpenAI's own Python client, unmodified, and checks what comes back.

Usage: python openai_client.py [http://127.0.0.1:8080]    (needs: pip install openai)
Exit code 0 when all holds.
"""

import sys
import time

import openai

base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
client = openai.OpenAI(base_url=base + "/v1", api_key="none", max_retries=0, timeout=120)

models = client.models.list().data
assert len(models) == 1, models
model = models[0].id
assert client.models.retrieve(model).id == model

question = [{"role": "user", "content": "What is zlib?"}]
settings = {"model": model, "messages": question, "max_tokens": 40, "temperature": 0.7, "seed": 11}
whole = client.chat.completions.create(**settings)
choice = whole.choices[0]
assert choice.message.role == "assistant" and choice.finish_reason in ("stop", "length")
assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens

begun = time.perf_counter()
first = None
text, reason, usage = "", None, None
for chunk in client.chat.completions.create(**settings, stream=True, stream_options={"include_usage": True}):
    if chunk.choices and chunk.choices[0].delta.content:
        first = first or time.perf_counter() - begun
        text += chunk.choices[0].delta.content
    if chunk.choices and chunk.choices[0].finish_reason:
        reason = chunk.choices[0].finish_reason
    usage = chunk.usage or usage
seconds = time.perf_counter() - begun
assert text == choice.message.content, (text, choice.message.content)
assert reason == choice.finish_reason and usage == whole.usage

scored = client.chat.completions.create(**settings, logprobs=True, top_logprobs=3)
content = scored.choices[0].logprobs.content
assert len(content) == whole.usage.completion_tokens and all(len(token.top_logprobs) == 3 for token in content)

plain = client.completions.create(model=model, prompt=["Package", "The"], max_tokens=8, echo=True, logprobs=2, seed=3)
assert [c.index for c in plain.choices] == [0, 1] and plain.choices[0].text.startswith("Package")
assert len(plain.choices[0].logprobs.tokens) == len(plain.choices[0].logprobs.token_logprobs)
streamed = "".join(
    chunk.choices[0].text
    for chunk in client.completions.create(model=model, prompt="Package", max_tokens=8, seed=3, stream=True)
)
assert "Package" + streamed == plain.choices[0].text, (streamed, plain.choices[0].text)

for wrong, error in (
    ({"temperature": -1}, openai.BadRequestError),
    ({"model": "another"}, openai.NotFoundError),
    ({"messages": [{"role": "user", "content": "word " * 100000}]}, openai.BadRequestError),
):
    try:
        client.chat.completions.create(**{**settings, **wrong})
    except error as refused:
        assert refused.body["message"], refused.body
    else:
        raise AssertionError(f"{wrong} was not refused")

# A stream that nobody reads to its end is no burden afterwards.
with client.chat.completions.create(**{**settings, "max_tokens": 2000}, stream=True) as stream:
    next(iter(stream))
again = client.chat.completions.create(**settings)
assert again.choices[0].message.content == choice.message.content

print(f"openai {openai.__version__}: all holds; first text after {1000 * first:.0f} ms, " if first else "all holds; ", end="")
print(f"{usage.completion_tokens / seconds:.0f} tokens a second as the client sees them")
