"""Makes tiny_llama/: a random Llama of Hugging Face's transformers and its logits, for decoder_test.cc.

Usage: python make_golden.py    (needs torch, transformers and safetensors; the tests need only what it wrote)
"""

import pathlib

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

folder = pathlib.Path(__file__).parent / "tiny_llama"
torch.manual_seed(7)
config = LlamaConfig(
    vocab_size=128,
    hidden_size=32,
    intermediate_size=88,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    max_position_embeddings=64,
    rope_theta=10000.0,
    rms_norm_eps=1e-5,
    tie_word_embeddings=True,
    initializer_range=0.3,
    bos_token_id=0,
    eos_token_id=0,
)
model = LlamaForCausalLM(config).eval()
for name, weight in model.named_parameters():
    if "norm" in name:
        torch.nn.init.uniform_(weight, 0.5, 1.5)
model.save_pretrained(folder, safe_serialization=True)
tokens = torch.randint(0, 128, (1, 40))
with torch.no_grad():
    logits = model(tokens).logits[0]
save_file({"tokens": tokens[0].to(torch.int32), "logits": logits.float().contiguous()}, folder / "golden.safetensors")
