# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts that the graphs of most architectures are made of: norms, matrices, feed-forward networks, experts, attention.

Source: src/llama-graph.cpp (the functions of llm_graph_context), src/llama-kv-cache.cpp (cpy_k, cpy_v, get_k, get_v, the rotations).
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from ..cache import sliding_window
from ..cache.attention import head_lengths, kv_heads
from ..devices import HOST
from ..settings import cache_row_bytes, is_quantized
from ..weights import four, row_padding_bytes
from . import flash_attention, ggml
from .fused import refused
from .ggml import cont, get_rows, glu, mul_mat, mul_mat_id, permute, reshape, same, set_rows, transpose, view

PINNED_BELOW = 32
"""Tokens from which on llama.cpp has no wishes, unless all is on devices (src/llama-context.cpp: graph_get_cb)."""


class Build:
    """A graph being built for one Model with Settings: its weights and caches where they lie, its inputs, its parts.

    C(blocks) are those whose graph is built. C(n_tokens) tokens of C(n_seqs) sequences at once: llama.cpp reserves memory for the largest micro-batch.
    """

    builder = None
    """What builds the graph; set by architectures.build_graph()."""

    def __init__(self, model, settings, layout, held, blocks, n_devices, tokens_per_sequence=None, running=False):
        self.model, self.settings, self.layout, self.blocks = model, settings, layout, blocks
        self.last_block = model.n_layer - 1
        self.graph = ggml.Graph()
        self.host = n_devices
        self.n_seqs = settings.n_seq_max
        n_tokens = min(settings.n_ctx, settings.n_ubatch)
        self.n_tokens = n_tokens + -n_tokens % self.n_seqs
        self.n_outputs = min(n_tokens, settings.n_outputs)
        if tokens_per_sequence:
            self.n_tokens = self.n_outputs = tokens_per_sequence * self.n_seqs
        self._heeded = (running or bool(tokens_per_sequence)) and (self.n_tokens < PINNED_BELOW or settings.n_gpu_layers > model.n_layer_all)
        self.n_embd = model.n_embd
        self.heads = model.per_layer("attention.head_count", 0)
        self.kv_heads = kv_heads(model) if "attention.head_count" in model.hyperparameters else self.heads
        self.k_length, self.v_length = head_lengths(model) if any(self.heads) else (0, 0)
        self.windowed = sliding_window.windowed_blocks(model)
        self._held = held
        self._placed = {block: held[block].by_name for block in blocks}
        self._placed[None] = outside = {}
        for device, size, group in held[None].tensors:
            name = group.name
            if name == "token_embd.weight" and name in outside:
                name = "output.weight"  # tied, and on another device
            elif name.startswith("rope_"):
                name = f"{name}{device}"  # a copy on every device
            outside[name] = (four(group.shape), size, device, row_padding_bytes(group))
        self._leafs = {block: {} for block in self._placed}
        for block in blocks:  # a block that is run again has its tensors once
            self._leafs[block] = self._leafs.setdefault(model.block_in_file(block), self._leafs[block])
        self._inputs = {}
        self._caches = {}
        self._refused = None
        self.fused_nodes = []

    # ---- weights ----

    def has(self, name, block=None):
        return name in self._placed[block]

    def weight(self, name, block=None):
        """The leaf of a tensor, by its name without the block; None where the model has none."""
        leafs = self._leafs[block]
        if name not in leafs:
            placed = self._placed[block].get(name)
            if placed is None:
                return None
            shape, size, device, padding = placed
            # its copies on devices are padded
            leafs[name] = ggml.leaf_weight(shape, size, self.host, padding) if device == HOST else ggml.leaf_weight(shape, size, device, 0)
        return leafs[name]

    def needed(self, name, block=None):
        """The leaf of a tensor that the graph can't do without."""
        leaf = self.weight(name, block)
        if leaf is None:
            raise InfraError(
                f"the header has no tensor '{name if block is None else f'blk.{block}.{name}'}'",
                where=self.model.name or "model",
                expected=f"the tensors of architecture '{self.model.architecture}'",
                fix="The file may be damaged or made for another version of llama.cpp",
            )
        return leaf

    def backend(self, device):
        return self.host if device == HOST else device

    def backend_of(self, block):
        return self.backend(self.layout.blocks[block])

    # ---- inputs ----

    def given(self, name, type_, *shape):
        """The input C(name), made when it is first asked for."""
        if name not in self._inputs:
            self._inputs[name] = ggml.leaf_input(type_, *shape)
        return self._inputs[name]

    def embeddings(self):
        """Rows of the token embedding. The input for ready-made embeddings is there too, unused."""
        self.tokens = tokens = ggml.leaf_input("i32", self.n_tokens)
        deepstack = self.deepstack_layers()
        rows = get_rows(self.needed("token_embd.weight"), tokens)
        if deepstack:
            rows = ggml.pad(rows, deepstack * self.n_embd)
        self.graph.expand(rows)
        self.graph.expand(ggml.leaf_input("f32", self.n_embd * (1 + deepstack), self.n_tokens))
        if deepstack:
            self.deepstack = rows
            rows = self.graph.expand(view(rows, self.n_embd, self.n_tokens))
        return rows

    def deepstack_layers(self):
        """Rows of a picture that come with the embedding of a token (src/llama-hparams.cpp: n_embd_inp)."""
        if self.model.architecture in ("qwen3vl", "qwen3vlmoe"):
            return self.model.integer("n_deepstack_layers", 0)
        listed = self.model.hyperparameters.get("deepstack_mapping")
        if self.model.architecture in ("granite", "granite_swa") and isinstance(listed, list):
            return len({index for index in listed if index >= 0})
        return 0

    def positions(self, each=1):
        return self.given("positions", "i32", self.n_tokens * each)

    def outputs_only(self, x):
        """The rows whose logits are asked for."""
        return get_rows(x, self.given("out_ids", "i32", self.n_outputs))

    def mask(self, n_kv, name="mask", flash=None):
        flash = self.settings.flash_attn if flash is None else flash
        streams = self.settings.n_stream
        return self.given(name, "f16" if flash else "f32", n_kv, self.n_tokens // streams, 1, streams)

    # ---- parts ----

    def norm(self, x, name, block=None, op="rms_norm"):
        """A norm with weight and bias as far as the model has them."""
        weight, bias = self.weight(f"{name}.weight", block), self.weight(f"{name}.bias", block)
        x = self.pinned(same(op, x), block)
        if weight:
            x = same("mul", x, weight)
        return same("add", x, bias) if bias else x

    def matrix(self, name, x, block=None, bias=True):
        """C(x) times a matrix, with scale and bias as far as the model has them."""
        x = mul_mat(self.needed(f"{name}.weight", block), x)
        if self.has(f"{name}.scale", block):
            x = same("mul", x, self.weight(f"{name}.scale", block))
        if bias and self.has(f"{name}.bias", block):
            x = same("add", x, self.weight(f"{name}.bias", block))
        return x

    def qkv(self, x, block, clamp=False, lengths=None, heads=None, kv_heads=None, packed=False):
        """Q, K and V by heads, from one matrix or from three. C(packed): those of one matrix are copied out of it."""
        k_length, v_length = lengths or (self.k_length, self.v_length)
        heads = self.heads[block] if heads is None else heads
        kv_heads = self.kv_heads[block] if kv_heads is None else kv_heads
        tokens = x.shape[1]
        if self.has("attn_qkv.weight", block):
            x = self.matrix("attn_qkv", x, block)
            if clamp:
                x = same("clamp", x)
            q = view(x, k_length, heads, tokens)
            k = view(x, k_length, kv_heads, tokens)
            v = view(x, v_length, kv_heads, tokens)
            return (cont(q), cont(k), cont(v)) if packed else (q, k, v)
        found = []
        for name, length, count in (("attn_q", k_length, heads), ("attn_k", k_length, kv_heads), ("attn_v", v_length, kv_heads)):
            part = self.matrix(name, x, block)
            if clamp:
                part = same("clamp", part)
            found.append(reshape(part, length, count, tokens))
        return tuple(found)

    def rope(self, x, block=None, each=1, factors=True):
        """Rotary positions; C(block) tells which copy of the frequency factors is read, where the model has some."""
        factors = self.rope_factors(block) if factors and block is not None else None
        return same("rope", x, self.positions(each), factors) if factors is not None else same("rope", x, self.positions(each))

    def rope_factors(self, block):
        device = self.layout.blocks[block]
        for name in ("freqs", "factors_long", "factors_short"):
            if self.has(f"rope_{name}.weight{device}"):
                return self.weight(f"rope_{name}.weight{device}")
        return None

    def feed_forward(self, x, block, act="silu", gate="parallel", suffix="", prefix=""):
        """The dense network ffn_up, ffn_gate, ffn_down, with C(suffix) for a shared expert, with C(prefix) for an encoder or decoder."""
        up = self.matrix(f"{prefix}ffn_up{suffix}", x, block) if self.has(f"{prefix}ffn_up{suffix}.weight", block) else x
        gated = self.has(f"{prefix}ffn_gate{suffix}.weight", block)
        if gated and gate == "parallel":
            x = self.matrix(f"{prefix}ffn_gate{suffix}", x, block)
            x = same("mul", same("unary", x), up) if act == "relu_sqr" else glu(x, up)
        elif gated:
            x = same("unary", self.matrix(f"{prefix}ffn_gate{suffix}", up, block))
        else:
            down = self.weight(f"{prefix}ffn_down{suffix}.weight", block)
            if down is not None and up.shape[0] == 2 * down.shape[0]:
                x = glu(up)
            else:
                x = same("unary", up)
                if act == "relu_sqr":
                    x = same("sqr", x)
                if self.has("ffn_act.scales", block):
                    x = same("div", x, self.weight("ffn_act.scales", block))
        return self.matrix(f"{prefix}ffn_down{suffix}", x, block) if self.has(f"{prefix}ffn_down{suffix}.weight", block) else x

    def experts(
        self, x, block, gating="softmax", norm_weights=False, scale=False, act="glu", weigh_first=False, groups=0, groups_used=0,
        probabilities=None, select_from="probs", clamped=False, suffix="_exps", used=None, ids=None,
    ):  # fmt: skip
        """Experts chosen by a router, or C(ids) (build_moe_ffn)."""
        graph, tokens = self.graph, x.shape[1]
        n_embd = x.shape[0]
        used = self.model.per_layer("expert_used_count")[block] if used is None else used
        logits = probabilities if probabilities is not None else mul_mat(self.weight("ffn_gate_inp.weight", block), x)
        if self.has("ffn_gate_inp.bias", block):
            logits = same("add", logits, self.weight("ffn_gate_inp.bias", block))
        n_expert = logits.shape[0]
        if gating == "softmax_weight":
            probs = logits
        elif gating == "sqrt_softplus":
            probs = same("sqrt", same("unary", logits))
        else:
            probs = same("soft_max" if gating == "softmax" else "unary", logits)
        chosen = same("add", probs, self.weight("exp_probs_b.bias", block)) if self.has("exp_probs_b.bias", block) else probs
        if select_from != "probs":
            chosen = logits if select_from == "logits" else same("unary", logits)
        if groups > 1:
            by_group = reshape(chosen, n_expert // groups, groups, tokens)
            best = ggml.top_k_of_argsort(by_group, 2)
            best = get_rows(reshape(by_group, 1, n_expert // groups, groups, tokens), best)
            best = ggml.sum_rows(reshape(best, 2, groups, tokens))
            groups_chosen = ggml.top_k_of_argsort(reshape(best, groups, tokens), groups_used)
            chosen = get_rows(by_group, groups_chosen)
            chosen = set_rows(same("fill", by_group), chosen, groups_chosen)
            chosen = reshape(chosen, n_expert, tokens)
        ids = ggml.top_k_of_argsort(chosen, used) if ids is None else ids
        weights = get_rows(reshape(probs, 1, n_expert, tokens), ids)
        if gating == "softmax_weight":
            weights = reshape(same("soft_max", reshape(weights, used, tokens)), 1, used, tokens)
        if norm_weights:
            weights = reshape(weights, used, tokens)
            weights = reshape(same("div", weights, same("clamp", ggml.sum_rows(weights))), 1, used, tokens)
        if scale:
            weights = same("scale", weights)
        graph.expand(weights)
        x = reshape(x, n_embd, 1, tokens)
        if weigh_first:
            x = same("mul", ggml.repeat(x, n_embd, used, tokens), weights)
        if self.has(f"ffn_gate_up{suffix}.weight", block):
            both = self._by_experts(f"ffn_gate_up{suffix}", x, ids, block)
            width = both.shape[0] // 2
            x = glu(view(both, width, used, tokens), view(both, width, used, tokens))
        else:
            up = self._by_experts(f"ffn_up{suffix}", x, ids, block)
            if self.has(f"ffn_gate{suffix}.weight", block):
                gate = self._by_experts(f"ffn_gate{suffix}", x, ids, block)
                if act == "situ":
                    x = same("mul", same("scale", same("unary", same("scale", gate))), same("unary", gate))
                    x = same("mul", x, same("scale", same("unary", same("scale", up))))
                elif clamped:
                    up = same("clamp", up)
                    x = same("mul", same("clamp", same("unary", gate)), up)
                else:
                    x = glu(gate, up)
            else:
                x = same("unary", up)
                if act == "relu_sqr":
                    x = same("sqr", x)
        x = self._by_experts(f"ffn_down{suffix}", x, ids, block)
        if not weigh_first:
            x = same("mul", x, weights)
        graph.expand(x)
        return self._sum_of_experts(x, n_embd, used)

    def grouped_experts(self, x, block, probabilities, used):
        """The small experts that groups of experts share (grovemoe)."""
        graph, tokens = self.graph, x.shape[1]
        probs = same("soft_max", probabilities)
        ids = ggml.top_k_of_argsort(same("unary", probabilities), used)
        ids = ggml.cast(same("scale", ggml.cast(ids, "f32")), "i32")
        weights = reshape(get_rows(reshape(probs, 1, probs.shape[0], tokens), ids), used, tokens)
        weights = reshape(same("div", weights, same("clamp", ggml.sum_rows(weights))), 1, used, tokens)
        graph.expand(weights)
        y = reshape(x, x.shape[0], 1, tokens)
        up = self._by_experts("ffn_up_chexps", y, ids, block)
        y = glu(self._by_experts("ffn_gate_chexps", y, ids, block), up)
        y = graph.expand(same("mul", self._by_experts("ffn_down_chexps", y, ids, block), weights))
        return self._sum_of_experts(y, x.shape[0], used)

    def _sum_of_experts(self, x, n_embd, used):
        """The results of the experts added up. From the third on each is added in place, so three stand for all."""
        graph = self.graph
        parts = [graph.expand(view(x, n_embd, x.shape[2])) for _expert in range(min(used, 3))]
        graph.left_out += 2 * (used - len(parts))
        total = parts[0]
        for part in parts[1:]:
            total = graph.expand(same("add", total, part))
        return cont(total) if used == 1 else total

    def _by_experts(self, name, x, ids, block):
        x = mul_mat_id(self.weight(f"{name}.weight", block), x, ids)
        if self.has(f"{name}.scale", block):
            scale = ggml.repeat(reshape(self.weight(f"{name}.scale", block), 1, self.weight(f"{name}.scale", block).shape[0], 1), 1, x.shape[1], x.shape[2])
            x = same("mul", x, get_rows(scale, ids))
        if self.has(f"{name}.bias", block):
            x = same("add_id", x, self.weight(f"{name}.bias", block), ids)
        return x

    # ---- attention ----

    def kv(self, block):
        """(K, V) of a block's cache, as leafs, and the cells of a stream."""
        if block not in self._caches:
            settings, n_kv = self.settings, self.cells(block)
            cells = n_kv * settings.n_stream
            k_width, v_width = self.widths(block)
            home = self.backend_of(block) if settings.kv_offload else self.host
            found = [
                ggml.leaf_cache((width, n_kv, settings.n_stream), cells * cache_row_bytes(width, type_), home, type_)
                for width, type_ in ((k_width, settings.cache_type_k), (v_width if settings.flash_attn else self.widest_v(), settings.cache_type_v))
            ]
            self._caches[block] = (*found, n_kv)
        return self._caches[block]

    def cells(self, block):
        """Cells of a stream of a block's cache."""
        if self.windowed[block]:
            return sliding_window.window_cells(sliding_window.window_length(self.model), self.settings)
        return self.settings.n_ctx_seq

    def lengths(self, block):
        """(length of a K head, length of a V head) of a block."""
        if self.windowed[block]:
            model = self.model
            return model.integer("attention.key_length_swa", self.k_length), model.integer("attention.value_length_swa", self.v_length)
        return self.k_length, self.v_length

    def widths(self, block):
        k_length, v_length = self.lengths(block)
        return self.kv_heads[block] * k_length, self.kv_heads[block] * v_length

    def widest_v(self):
        return max(self.widths(block)[1] for block in range(self.model.n_layer_all))

    def rotation(self, which, length, cache_type, suffix=""):
        """The matrix that evens out the values of a quantized cache, None where there is none."""
        if not is_quantized(cache_type) or not length or length % 64:
            return None
        size = 64
        if which == "k":
            while length % (2 * size) == 0:
                size *= 2
        return self.given(f"{which}_rot{size}{suffix}", "f32", size, size)

    def rotated(self, x, rotation):
        if rotation is None:
            return x
        size = rotation.shape[0]
        elements = x.shape[0] * x.shape[1] * x.shape[2] * x.shape[3]
        flat = reshape(x, size, elements // size) if x.packed else cont(x, size, elements // size)
        return reshape(mul_mat(rotation, flat), *x.shape)

    def attention(self, q, k, v, block, out="attn_output", sinks=None, bias=None, softcap=0, cache_of=None, v_first=None, mask=None):
        """K and V stored in the cache of the block (None: they are there already), attention, and the matrix after it.

        C(mask): a function that makes another mask of the usual one.
        """
        graph, settings = self.graph, self.settings
        kept = block if cache_of is None else cache_of
        if v_first is None:
            v_first = not sliding_window.window_length(self.model)
        k_length, v_length = self.lengths(block)
        suffix = "_swa" if self.windowed[block] else ""
        k_rotation = self.rotation("k", k_length, settings.cache_type_k, suffix)
        v_rotation = self.rotation("v", v_length, settings.cache_type_v, suffix)
        q = self.rotated(q, k_rotation)
        k = self.rotated(k, k_rotation) if k is not None else None
        v = self.rotated(v, v_rotation) if v is not None else None
        graph.expand(q)
        for part in (v, k) if v_first else (k, v):
            if part is not None:
                graph.expand(part)
        k_cache, v_cache, n_kv = self.kv(kept)
        if k is not None:
            graph.expand(self.store_k(k, k_cache, suffix))
        if v is not None:
            graph.expand(self.store_v(v, v_cache, suffix))
        heads, streams = self.kv_heads[kept], settings.n_stream
        k = view(k_cache, k_length, heads, n_kv, streams)
        v = view(v_cache, v_length, heads, n_kv, streams) if settings.flash_attn else view(v_cache, n_kv, heads, v_length, streams)
        of_cells = self.mask(n_kv, f"mask{suffix}")
        x = self.attend(q, k, v, of_cells if mask is None else mask(of_cells), sinks=sinks, bias=bias, softcap=softcap)
        x = self.rotated(x, v_rotation)
        return self.matrix(out, x, block) if out else x

    def attention_without_cache(self, q, k, v, block, out="attn_output", sinks=None, bias=None, mask=None):
        """Attention among the tokens of the micro-batch (build_attn with llm_graph_input_attn_no_cache)."""
        for part in (q, k, v):
            self.graph.expand(part)
        if mask is None:
            name = "mask_swa" if self.windowed[block] else "mask"
            mask = self.given(name, "f16" if self.settings.flash_attn else "f32", self.n_tokens, self.n_tokens)
        x = self.attend(q, k, v, mask, sinks=sinks, bias=bias, cached=False)
        return self.matrix(out, x, block) if out else x

    def index_cache(self, block, width):
        """The same for the keys of a block's indexer."""
        return self.latent_cache(block, width, "index")

    def kept(self, block, kind, make):
        """What a block keeps from one batch to the next, made when it is first asked for."""
        if (block, kind) not in self._caches:
            self._caches[block, kind] = make()
        return self._caches[block, kind]

    def latent_cache(self, block, width, kind="latent"):
        """(the cache that keeps one row of C(width) for each token of a block, the cells of a stream)."""
        key = (block, kind)
        if key not in self._caches:
            settings, n_kv = self.settings, self.cells(block)
            size = n_kv * settings.n_stream * cache_row_bytes(width, settings.cache_type_k)
            home = self.backend_of(block) if settings.kv_offload else self.host
            self._caches[key] = ggml.leaf_cache((width, n_kv, settings.n_stream), size, home, settings.cache_type_k), n_kv
        return self._caches[key]

    def store_k(self, k, cache, suffix=""):
        rows = view(k, k.shape[0] * k.shape[1], k.shape[2])
        target = reshape(cache, cache.shape[0], cache.shape[1] * cache.shape[2]) if cache.shape[2] > 1 else cache
        return set_rows(target, rows, self.given(f"k_idxs{suffix}", "i64", self.n_tokens))

    def store_v(self, v, cache, suffix):
        if self.settings.flash_attn:
            rows = view(v, v.shape[0] * v.shape[1], v.shape[2])
            target = reshape(cache, cache.shape[0], cache.shape[1] * cache.shape[2]) if cache.shape[2] > 1 else cache
            return set_rows(target, rows, self.given(f"v_idxs{suffix}", "i64", self.n_tokens))
        width = v.shape[0] * v.shape[1]
        v = reshape(v, width, v.shape[2]) if v.packed else cont(v, width, v.shape[2])
        if width < cache.shape[0]:
            v = ggml.pad(v, cache.shape[0] - width, 0, 0, 0)
        elements = v.shape[0] * v.shape[1]
        target = reshape(cache, 1, cache.shape[0] * cache.shape[1] * cache.shape[2])
        return set_rows(target, reshape(v, 1, elements), self.given(f"v_idxs{suffix}", "i64", self.n_tokens * self.widest_v()))

    def attend(self, q, k, v, mask, sinks=None, bias=None, softcap=0, v_mla=None, v_is_k=False, cached=True):
        """Attention itself: softmax(QK + mask)V (build_attn_mha)."""
        settings, streams = self.settings, k.shape[3]
        q = view(q, q.shape[0], q.shape[1], q.shape[2] // streams, streams)
        q, k, v = permute(q, 0, 2, 1, 3), permute(k, 0, 2, 1, 3), permute(v, 0, 2, 1, 3)
        transposed = cached and not settings.flash_attn and not v_is_k
        if settings.flash_attn and bias is None:
            k, v = (ggml.cast(part, "f16") if part.type == "f32" else part for part in (k, v))
            sources = (q, k, v) + ((mask,) if mask is not None else ()) + ((sinks,) if sinks is not None else ())
            x = ggml.result("flash_attn", (v.shape[0], q.shape[2], q.shape[1], q.shape[3]), *sources)
            x.scratch_bytes = flash_attention.scratch_bytes(x, settings.cache_type_k, settings.cache_type_v, v_is_k)
            if v_is_k:  # not of the copies
                x.scratch_of_copies_bytes = flash_attention.scratch_bytes(x, settings.cache_type_k, settings.cache_type_v)
            if v_mla is not None:
                x = mul_mat(v_mla, permute(x, 0, 2, 1, 3))
                x = cont(permute(x, 0, 2, 1, 3))
            x = reshape(x, x.shape[0] * x.shape[1], x.shape[2] * x.shape[3])
        else:
            x = mul_mat(k, q)
            for _step in range(softcap):
                x = same("unary", x)
            if bias is not None:
                x = same("add", x, bias)
            x = same("soft_max", x, *((mask,) if mask is not None else ()), *((sinks,) if sinks is not None else ()))
            if not transposed:
                v = cont(transpose(v))
            x = mul_mat(v, x)
            if v_mla is not None:
                x = mul_mat(v_mla, x)
            x = permute(x, 0, 2, 1, 3)
            x = cont(x, x.shape[0] * x.shape[1], x.shape[2] * x.shape[3])
        return self.graph.expand(x)

    def convolution(self, x, kernel):
        """Each channel convolved over its tokens (ggml_ssm_conv)."""
        return ggml.result("ssm_conv", (kernel.shape[1], x.shape[0] - kernel.shape[0] + 1, x.shape[2]), x, kernel)

    # ---- fused operations ----

    def fused(self, op, tokens_per_sequence=16):
        """Whether llama.cpp uses the fused operation C(op)."""
        if self._refused is None:
            self._refused = refused(self)
        return (op, tokens_per_sequence) not in self._refused

    def pinned(self, x, block):
        """llama.cpp wishes norms, and some blocks' results, to be computed on the device of their block.

        Its scheduler heeds that in small graphs only, not where memory is measured.
        """
        if self._heeded and block is not None:
            x.backend = self.backend_of(block)
        return x

    def probing(self, tokens_per_sequence, without):
        """The same graph for a few tokens and without some fused operations: what llama.cpp asks about them."""
        build = Build(self.model, self.settings, self.layout, self._held, self.blocks, self.host, tokens_per_sequence)
        build._refused = without
        self.builder(build)
        return build

    def note_fused(self, op, node, block):
        self.fused_nodes.append((op, node, block))

    # ---- the end ----

    def logits(self, x, norm="output_norm", op="rms_norm", steps=()):
        """The last norm, which is kept, and the output matrix."""
        x = self.norm(x, norm, op=op)
        x.output = True
        return self.project(x, steps)

    def project(self, x, steps=()):
        """The output matrix, and C(steps): operations on the logits."""
        weight = self.weight("output.weight") or self.needed("token_embd.weight")
        x = mul_mat(weight, x)
        if self.has("output.scale"):
            x = same("mul", x, self.weight("output.scale"))
        if self.has("output.bias"):
            x = same("add", x, self.weight("output.bias"))
        for step in steps:
            x = step(x) if callable(step) else same(step, x)
        x.output = True
        return self.graph.expand(x)
