# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What distinguishes the graphs of decoders with attention and a feed-forward network in each block.

Source: src/models/*.cpp, the graph of each architecture named here. What a model's tensors tell (biases, norms of Q and K, experts, gates,
sinks) is not repeated here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """The defaults are those of llama.

    C(norm): rms_norm, or norm with a mean. C(pre_norm): norms before attention and before the network. C(post_norm): the same ones after them.
    C(post_is_pre): the norm called post-attention stands before the network. C(input): what is done with the embeddings: scale, or norm.
    C(rope): on all blocks, on blocks with a window only ("window"), not on every n-th ("step"), or never. C(rope_first): before the norms of Q and K.
    C(q_scale): Q is scaled after rope. C(flat): Q and K are normed before they are cut into heads. C(k_norm): K is normed though there is no tensor for it.
    C(gate): of the attention's result, by unary operation and multiplication; "late" where it is computed after attention.
    C(parallel): network beside attention: (what it works on, and what is added to what).
    C(residual_scale): both results are scaled before they are added.
    C(norm_weights): of the chosen experts; None: as the header says. C(late_outputs): the last block works on all tokens: outputs are chosen
    "before" the last norm or "after" it.
    C(cached): K and V are kept. C(embeds): the result is the last norm, there are no logits.
    C(skip): the embeddings are added after each block. C(residual_first): the residual is the first operand of the last sum.
    C(logits): operations on the logits.
    """

    norm: str = "rms_norm"
    pre_norm: bool = True
    post_norm: bool = False
    post_is_pre: bool = False
    input: tuple[str, ...] = ()
    rope: str = "all"
    rope_first: bool = False
    q_scale: bool = False
    flat: bool = False
    k_norm: bool = False
    act: str = "silu"
    parallel: tuple[str, str] | None = None
    residual_scale: bool = False
    gating: str | None = "softmax"
    norm_weights: bool | None = True
    scale_shared: bool = False
    weigh_first: bool = False
    shared_first: bool = False
    late_outputs: str = ""
    all_outputs: bool = False
    cached: bool = True
    embeds: bool = False
    softcap: bool = False
    logits: tuple[str, ...] = ()
    skip: bool = False
    residual_first: bool = False


LLAMA = Traits()
NORM = Traits(norm="norm")
BY_HEADER = Traits(gating=None, norm_weights=None)
SOFTCAP = ("scale", "unary", "scale")

TRAITS = {
    "afmoe": Traits(input=("scale",), rope="step", gating=None, norm_weights=None),
    "arcee": Traits(act="relu_sqr"),
    "bailingmoe": Traits(norm_weights=None),
    "bailingmoe2": BY_HEADER,
    "bloom": Traits(norm="norm", rope="none", input=("norm_weight",)),
    "baichuan": Traits(rope="baichuan"),
    "chameleon": Traits(logits=("no_pictures",)),
    "codeshell": NORM,
    "cogvlm": Traits(all_outputs=True),
    "cohere2": Traits(norm="norm", rope="window", parallel=("normed", "inp,attn"), logits=("logit_scale",)),
    "cohere2moe": Traits(
        rope="window_or_lead",
        parallel=("normed", "inp,attn"),
        gating=None,
        norm_weights=None,
        scale_shared=True,
        late_outputs="after",
        logits=("logit_scale",),
    ),
    "command-r": Traits(norm="norm", parallel=("normed", "inp,attn"), logits=("logit_scale",)),
    "dbrx": Traits(norm="norm"),
    "deepseek": Traits(norm_weights=False),
    "dots1": BY_HEADER,
    "dream": Traits(cached=False),
    "eurobert": Traits(cached=False, embeds=True),
    "exaone-moe": Traits(rope="window", gating=None, norm_weights=None),
    "exaone4": Traits(pre_norm=False, rope="window_if_any"),
    "falcon": Traits(norm="norm", parallel=("normed", "attn,inp")),
    "gemma": Traits(input=("scale",), q_scale=True),
    "gemma-embedding": Traits(input=("scale",), q_scale=True, cached=False, embeds=True),
    "gemma2": Traits(input=("scale",), q_scale=True, softcap=True, logits=SOFTCAP),
    "gemma3": Traits(input=("scale",), q_scale=True, logits=("softcap",)),
    "glm4moe": Traits(post_is_pre=True, gating=None, norm_weights=None),
    "gpt-oss": Traits(post_is_pre=True, gating="softmax_weight", norm_weights=False, late_outputs="before"),
    "gpt2": Traits(norm="norm", rope="none", input=("position",)),
    "gptneox": NORM,
    "granite": Traits(rope="unless_told", residual_scale=True, logits=("scale",), input=("embedding_scale",)),
    "granite_swa": Traits(rope="listed", residual_scale=True, logits=("scale",), input=("embedding_scale",)),
    "granitemoe": Traits(residual_scale=True, logits=("scale",), input=("embedding_scale",)),
    "grok": Traits(softcap=True, logits=("scale", "softcap")),
    "hunyuan-dense": Traits(rope_first=True),
    "hunyuan_vl": Traits(rope_first=True),
    "hunyuan-moe": Traits(rope_first=True, shared_first=True),
    "hy_v3": Traits(gating=None, norm_weights=None, late_outputs="after"),
    "jais": Traits(norm="norm", rope="none"),
    "jais2": Traits(norm="norm", act="relu_sqr"),
    "laguna": Traits(gating=None, norm_weights=None),
    "llada": Traits(cached=False),
    "llada-moe": Traits(cached=False, norm_weights=False),
    "llama-embed": Traits(cached=False, embeds=True),
    "llama4": Traits(rope="step", gating="sigmoid", norm_weights=False, weigh_first=True),
    "maincoder": Traits(rope_first=True),
    "maple": Traits(rope="window"),
    "mellum": LLAMA,
    "mimo2": Traits(gating="sigmoid"),
    "minicpm": Traits(residual_scale=True, logits=("scale",), input=("scale",)),
    "minimax-m2": Traits(flat=True, gating=None),
    "modern-bert": Traits(norm="norm", input=("norm_weight",), cached=False, embeds=True),
    "mpt": Traits(norm="norm", rope="none", flat=True, input=("position",)),
    "muse-glimmer": Traits(input=("norm",), rope="window", logits=("scale", "softcap")),
    "nemotron": Traits(norm="norm", act="relu_sqr"),
    "neo-bert": Traits(cached=False, embeds=True),
    "olmo": NORM,
    "olmo2": Traits(pre_norm=False, flat=True),
    "olmoe": Traits(flat=True, norm_weights=False),
    "orion": NORM,
    "phi2": Traits(norm="norm", q_scale=True, parallel=("normed", "ffn,inp")),
    "phi3": Traits(q_scale=True, residual_first=True),
    "phimoe": Traits(q_scale=True, residual_first=True),
    "plamo": Traits(parallel=("normed", "attn,inp")),
    "pockettts": NORM,
    "qwen2moe": Traits(norm_weights=False),
    "qwen3tts": Traits(logits=("padded",)),
    "refact": Traits(rope="none"),
    "rnd1": Traits(cached=False),
    "seed_oss": Traits(post_is_pre=True),
    "smallthinker": Traits(rope="step_from_first", gating=None),
    "smollm3": Traits(rope="step"),
    "spark2_5": LLAMA,
    "stablelm": NORM,
    "starcoder": Traits(norm="norm", rope="none", input=("position",)),
    "starcoder2": NORM,
    "step35": Traits(flat=False, gating=None, norm_weights=None, late_outputs="before"),
    "talkie": Traits(rope_first=True, k_norm=True, input=("norm",), logits=("scale",), skip=True),
    **dict.fromkeys(
        """apertus arctic bitnet chatglm ernie4_5 ernie4_5-moe exaone glm4 grovemoe internlm2 llama mistral3 nanbeige openelm paddleocr
        pangu-embedded plamo3 qwen qwen2 qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe xverse""".split(),
        LLAMA,
    ),
}
